/** Prices that change for those who have a plan: now, at the renewal, or never. */

import { defineCatalog } from '@farebox/core'
import { describe, expect, it } from 'vitest'
import { STORES } from './stores.ts'
import { begin, type Story, told } from './story.ts'

/** Calls cost 0.10 beyond 100, then 0.20, then 0.50; the base price goes up with them. */
function pricedAt(calls: string, base: string) {
  return defineCatalog({
    currency: 'USD',
    features: { calls: { type: 'metered', name: 'calls' } },
    plans: {
      pro: {
        name: 'Pro',
        price: base,
        interval: 'month',
        features: { calls: { included: 100, overage: { model: 'per_unit', price: calls } } },
      },
      max: {
        name: 'Max',
        price: '60.00',
        interval: 'month',
        features: { calls: { included: 300, overage: { model: 'per_unit', price: calls } } },
      },
      trial: { name: 'Trial', price: base, interval: 'month', trialDays: 10, features: { calls: { included: 100 } } },
      credits: {
        name: 'Credits',
        price: base,
        interval: 'month',
        consumption: 'credits',
        credits: 100,
        features: { calls: { credits: 2 } },
      },
      balance: {
        name: 'Balance',
        price: base,
        interval: 'month',
        consumption: 'balance',
        features: { calls: { price: { model: 'fixed', price: calls } } },
      },
    },
  })
}

const [cheap, dear, dearest] = [pricedAt('0.10', '30.00'), pricedAt('0.20', '40.00'), pricedAt('0.50', '50.00')] as const

/** June has thirty days. */
function inJune(database: Parameters<typeof begin>[0]): Story {
  return begin(database, { catalog: cheap, begins: '2026-06-01' })
}

describe.each(STORES)('a price change on $name', ({ database }) => {
  it('counts for those who subscribe from then on, and for nobody else by itself', async () => {
    const before = inJune(database)
    await before.subscribe('ada', 'pro')
    const { subscribe, use, goTo, close, farebox } = await before.release(dear)
    await subscribe('bob', 'pro')
    for (const customerId of ['ada', 'bob']) await use(customerId, 110)
    goTo('2026-07-01')
    expect(await close()).toEqual([
      'recurring 30.00: Pro 30.00',
      'recurring 40.00: Pro 40.00',
      'recurring 31.00: Pro 30.00, 110 calls 1.00',
      'recurring 42.00: Pro 40.00, 110 calls 2.00',
    ])
    await farebox.subscriptions.movePrices({ customerId: 'ada', when: 'never' })
    goTo('2026-08-01')
    expect(await close()).toEqual(['recurring 30.00: Pro 30.00', 'recurring 40.00: Pro 40.00'])
  })

  it('now prices each event by the version in force at its instant; allowance and rhythm go on', async () => {
    const before = inJune(database)
    await before.subscribe('ada', 'pro')
    await before.use('ada', 70)
    before.goTo('2026-06-11')
    const { farebox, use, left, goTo, close } = await before.release(dear)
    const { invoice } = await farebox.subscriptions.movePrices({ customerId: 'ada', when: 'now' })
    expect(invoice && told(invoice)).toBe('overage 0.00: 70 calls 0.00')
    goTo('2026-06-12')
    expect(await left('ada')).toBe('30')
    await use('ada', 40)
    // What came late is of its own time: 0.10, and beyond the allowance that was used by then.
    await use('ada', 5, 'calls', '2026-06-05')
    goTo('2026-07-01')
    expect(await close()).toEqual(['recurring 42.50: Pro 40.00, 40 calls 2.00, 5 calls, adjustment of an earlier invoice 0.50'])
    expect(await left('ada')).toBe('100')
  })

  it('twice in a period, after a change of plan, gives no allowance anew', async () => {
    const before = inJune(database)
    await before.subscribe('ada', 'pro')
    before.goTo('2026-06-16')
    await before.farebox.subscriptions.change({ customerId: 'ada', plan: 'max' })
    before.goTo('2026-06-17')
    // Half of 300.
    await before.use('ada', 50)
    expect(await before.left('ada')).toBe('100')
    const second = await before.release(dear)
    await second.farebox.subscriptions.movePrices({ customerId: 'ada', when: 'now' })
    second.goTo('2026-06-18')
    await second.use('ada', 60)
    expect(await second.left('ada')).toBe('40')
    const third = await second.release(dearest)
    await third.farebox.subscriptions.movePrices({ customerId: 'ada', when: 'now' })
    third.goTo('2026-06-19')
    expect(await third.left('ada')).toBe('40')
    await third.use('ada', 44)
    third.goTo('2026-07-01')
    expect(await third.close()).toEqual(['recurring 62.00: Max 60.00, 44 calls 2.00'])
  })

  it('at the renewal waits for it, and leaves an end, a pause and another plan that are to come', async () => {
    const before = inJune(database)
    for (const customerId of ['stays', 'ends', 'rests', 'changes'])
      await before.subscribe(customerId, customerId === 'changes' ? 'max' : 'pro')
    await before.close()
    await before.farebox.subscriptions.cancel({ customerId: 'ends' })
    await before.farebox.subscriptions.pause({ customerId: 'rests', resumesAt: '2026-08-01T00:00:00Z' })
    await before.farebox.subscriptions.change({ customerId: 'changes', plan: 'pro' })
    const { farebox, goTo, close } = await before.release(dear)
    for (const customerId of ['stays', 'ends', 'rests', 'changes'])
      await farebox.subscriptions.movePrices({ customerId, when: 'renewal' })
    const views = await Promise.all(
      ['stays', 'ends', 'rests', 'changes'].map((customerId) => farebox.subscriptions.get(customerId)),
    )
    expect(views.map((view) => view?.scheduled.map(({ kind, plan }) => [kind, plan]))).toEqual([
      [['prices', 'pro']],
      [['end', null]],
      [
        ['pause', null],
        ['resumption', 'pro'],
      ],
      [['plan', 'pro']],
    ])
    goTo('2026-08-01')
    // July and August of who stays and of who changed, whose next plan has them too; the first month of who came back.
    expect(await close()).toEqual(Array(5).fill('recurring 40.00: Pro 40.00'))
  })

  it('that was announced outlives an end that is taken back', async () => {
    const before = inJune(database)
    await before.subscribe('ada', 'pro')
    const { farebox, goTo, close } = await before.release(dear)
    await farebox.subscriptions.movePrices({ customerId: 'ada', when: 'renewal' })
    await farebox.subscriptions.reactivate('ada')
    goTo('2026-07-01')
    expect((await close()).at(-1)).toBe('recurring 40.00: Pro 40.00')
  })

  it('during a trial counts for what follows it too', async () => {
    const before = inJune(database)
    await before.subscribe('ada', 'trial')
    await before.use('ada', 60)
    before.goTo('2026-06-05')
    const { farebox, left, goTo, close } = await before.release(dear)
    await farebox.subscriptions.movePrices({ customerId: 'ada', when: 'now' })
    goTo('2026-06-06')
    expect(await left('ada')).toBe('40')
    goTo('2026-06-11')
    expect((await close()).at(-1)).toBe('recurring 40.00: Trial 40.00')
  })

  it.each([
    ['credits', '0 credits', '100 credits'],
    ['balance', '0 USD', '40 USD'],
  ])('never grants %s again that are used up', async (plan, before, renewed) => {
    const story = inJune(database)
    await story.subscribe('ada', plan)
    await story.use('ada', plan === 'credits' ? 50 : 300)
    story.goTo('2026-06-11')
    const { farebox, use, left, goTo } = await story.release(dear)
    await farebox.subscriptions.movePrices({ customerId: 'ada', when: 'now' })
    goTo('2026-06-12')
    expect(await left('ada')).toBe(before)
    // On credits it is refused; on this balance it is billed at the end.
    expect(await use('ada', 1)).toBe(plan === 'credits' ? 'credits_exhausted' : 'recorded')
    goTo('2026-07-01')
    expect(await left('ada')).toBe(renewed)
  })

  it('to another interval is a change of plan, and is refused', async () => {
    const story = inJune(database)
    await story.subscribe('ada', 'pro')
    const yearly = defineCatalog({
      currency: 'USD',
      features: { calls: { type: 'metered', name: 'calls' } },
      plans: { pro: { name: 'Pro', price: '300.00', interval: 'year', features: { calls: {} } } },
    })
    const { farebox } = await story.release(yearly)
    await expect(farebox.subscriptions.movePrices({ customerId: 'ada', when: 'now' })).rejects.toMatchObject({
      code: 'invalid_transition',
    })
  })
})
