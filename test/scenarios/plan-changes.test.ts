/** Changes of plan: when they count, what they cost, what they give back, and that a preview of each says so before. */

import { defineCatalog, type Farebox } from '@farebox/core'
import { describe, expect, it } from 'vitest'
import { STORES } from './stores.ts'
import { begin, type Story, told } from './story.ts'

const per = (price: string) => ({ model: 'per_unit', price }) as const
const plan = (name: string, price: string, included: number, more: object = {}) =>
  ({ name, price, interval: 'month', features: { calls: { included, overage: per('0.10') } }, ...more }) as const

const catalog = defineCatalog({
  currency: 'USD',
  features: { calls: { type: 'metered', name: 'calls' } },
  plans: {
    free: { name: 'Free', price: '0', interval: 'month', features: { calls: { included: 10 } } },
    starter: plan('Starter', '30.00', 100),
    by_time: plan('By time', '30.00', 100, { proration: 'time' }),
    by_second: plan('By second', '30.00', 100, { proration: 'time', prorationUnit: 'second' }),
    no_return: plan('No return', '30.00', 100, { proration: 'none' }),
    pro: plan('Pro', '60.00', 1_000),
    exact: plan('Exact', '60.00', 1_000, { prorationUnit: 'second' }),
    yearly: plan('Yearly', '1200.00', 100, { interval: 'year' }),
    yearly_plus: plan('Yearly plus', '2400.00', 1_000, { interval: 'year' }),
  },
})

/** June has thirty days. */
function inJune(database: Parameters<typeof begin>[0]): Story {
  return begin(database, { catalog, begins: '2026-06-01' })
}

async function change({ farebox }: Pick<Story, 'farebox'>, to: string): Promise<string> {
  const { invoice } = await farebox.subscriptions.change({ customerId: 'ada', plan: to })
  return invoice === null ? 'no invoice' : told(invoice)
}

describe.each(STORES)('an upgrade on $name', ({ database }) => {
  it.each([
    // Half of the time and 80 of 100 calls are used: what was used more counts.
    ['starter', 80, 'plan_change 24.00: Pro, 15 of 30 30.00, 80 calls 0.00, Starter, not used -6.00'],
    ['starter', 20, 'plan_change 15.00: Pro, 15 of 30 30.00, 20 calls 0.00, Starter, not used -15.00'],
    ['starter', 130, 'plan_change 33.00: Pro, 15 of 30 30.00, 130 calls 3.00'],
    ['by_time', 130, 'plan_change 18.00: Pro, 15 of 30 30.00, 130 calls 3.00, By time, not used -15.00'],
    ['no_return', 0, 'plan_change 30.00: Pro, 15 of 30 30.00'],
  ])('of %s after half a period and %i calls counts now', async (from, used, invoice) => {
    const story = inJune(database)
    const { subscribe, use, left, goTo, close } = story
    await subscribe('ada', from)
    if (used > 0) await use('ada', used)
    goTo('2026-06-16')
    expect(await change(story, 'pro')).toBe(invoice)
    goTo('2026-06-16T00:01Z')
    // The rest of the month has its share of the new allowance, and the rhythm stays.
    expect(await left('ada')).toBe('500')
    await use('ada', 501)
    goTo('2026-07-01')
    expect(await close()).toEqual(['recurring 60.10: Pro 60.00, 501 calls 0.10'])
    expect(await left('ada')).toBe('1000')
  })

  it('is counted by the second where the plan says so', async () => {
    const story = inJune(database)
    await story.subscribe('ada', 'by_second')
    story.goTo('2026-06-16T12:00Z')
    // 14.5 of 30 days are left of both.
    expect(await change(story, 'exact')).toBe(
      'plan_change 14.50: Exact, 1252800000 of 2592000000 29.00, By second, not used -14.50',
    )
  })

  it('counts the day of the change as one of what begins, in the time zone of the customer', async () => {
    const story = inJune(database)
    await story.farebox.customers.create({ id: 'ada', timeZone: 'Asia/Tokyo' })
    await story.subscribe('ada', 'by_time')
    // It is the 16th in Tokyo already.
    story.goTo('2026-06-15T20:00Z')
    expect(await change(story, 'pro')).toBe('plan_change 15.00: Pro, 15 of 30 30.00, By time, not used -15.00')
  })

  it('from a free plan begins a rhythm of its own with the whole price', async () => {
    const story = inJune(database)
    await story.subscribe('ada', 'free')
    await story.use('ada', 10)
    story.goTo('2026-06-20')
    expect(await change(story, 'starter')).toBe('recurring 30.00: Starter 30.00, 10 calls 0.00')
    expect(await story.farebox.subscriptions.get('ada')).toMatchObject({
      anchor: Date.UTC(2026, 5, 20),
      renewsAt: Date.UTC(2026, 6, 20),
    })
  })

  it('to a longer interval counts now, whatever the prices, and begins its own rhythm', async () => {
    const story = inJune(database)
    await story.subscribe('ada', 'pro')
    story.goTo('2026-06-16')
    expect(await change(story, 'yearly')).toBe('plan_change 1170.00: Yearly 1200.00, Pro, not used -30.00')
    expect(await story.farebox.subscriptions.get('ada')).toMatchObject({ plan: 'yearly', renewsAt: Date.UTC(2027, 5, 16) })
  })

  it('of a yearly plan loses at most one month to an allowance that was used up', async () => {
    const story = inJune(database)
    await story.subscribe('ada', 'yearly')
    await story.use('ada', 100)
    story.goTo('2026-06-02')
    // 364 of 365 days are left to pay, 335 to get back: all of June is used.
    expect(await change(story, 'yearly_plus')).toBe(
      'plan_change 1292.05: Yearly plus, 364 of 365 2393.42, 100 calls 0.00, Yearly, not used -1101.37',
    )
  })
})

describe.each(STORES)('a downgrade on $name', ({ database }) => {
  it('waits for the renewal, can be seen, and can be taken back', async () => {
    const story = inJune(database)
    const { farebox, subscribe, goTo, close } = story
    await subscribe('ada', 'pro')
    await close()
    goTo('2026-06-10')
    expect(await change(story, 'starter')).toBe('no invoice')
    const scheduled = [{ kind: 'plan', at: Date.UTC(2026, 6, 1), plan: 'starter' }]
    expect(await farebox.subscriptions.get('ada')).toMatchObject({ plan: 'pro', scheduled })
    await farebox.subscriptions.reactivate('ada')
    expect(await farebox.subscriptions.get('ada')).toMatchObject({ plan: 'pro', scheduled: [] })
    await change(story, 'starter')
    goTo('2026-07-01')
    expect(await close()).toEqual(['recurring 30.00: Starter 30.00'])
    expect(await farebox.subscriptions.get('ada')).toMatchObject({ plan: 'starter', anchor: Date.UTC(2026, 5, 1) })
  })

  it('to a shorter interval waits for the end of the year that is paid', async () => {
    const story = inJune(database)
    await story.subscribe('ada', 'yearly')
    story.goTo('2026-09-10')
    expect(await change(story, 'pro')).toBe('no invoice')
    story.goTo('2027-07-01')
    expect(await story.close()).toEqual(['recurring 60.00: Pro 60.00', 'recurring 60.00: Pro 60.00'])
  })

  it('that replaces another one leaves the rhythm alone: the 31st stays the 31st', async () => {
    const story = begin(database, { catalog, begins: '2026-01-31' })
    await story.subscribe('ada', 'pro')
    await story.farebox.subscriptions.change({ customerId: 'ada', plan: 'yearly', when: 'renewal' })
    await story.farebox.subscriptions.change({ customerId: 'ada', plan: 'starter', when: 'renewal' })
    story.goTo('2026-04-01')
    await story.close()
    expect(await story.farebox.subscriptions.get('ada')).toMatchObject({
      anchor: Date.UTC(2026, 0, 31),
      renewsAt: Date.UTC(2026, 3, 30),
    })
  })

  it('now gives the difference as invoice credit, which the next invoices draw on', async () => {
    const story = inJune(database)
    await story.subscribe('ada', 'pro')
    story.goTo('2026-06-02')
    const { invoice } = await story.farebox.subscriptions.change({ customerId: 'ada', plan: 'starter', when: 'now' })
    expect(invoice && told(invoice)).toBe('plan_change -29.00: Starter, 29 of 30 29.00, Pro, not used -58.00')
    story.goTo('2026-08-01')
    await story.close()
    const applied = (await story.farebox.invoices.list()).items.map(({ creditApplied, status }) => [creditApplied.minor, status])
    expect(applied.slice(2)).toEqual([
      [2_900n, 'open'],
      [0n, 'open'],
    ])
  })
})

describe.each(STORES)('a change on $name', ({ database }) => {
  it('at an instant to come gives back by what is used then, not by what was used when it was asked for', async () => {
    const story = inJune(database)
    await story.subscribe('ada', 'starter')
    await story.farebox.subscriptions.change({ customerId: 'ada', plan: 'pro', when: { at: '2026-06-11T00:00:00Z' } })
    await story.use('ada', 100)
    story.goTo('2026-06-11')
    expect((await story.close()).at(-1)).toBe('plan_change 40.00: Pro, 20 of 30 40.00, 100 calls 0.00')
  })

  it('after a change in the same period is of what was paid for the rest of it', async () => {
    const story = inJune(database)
    await story.subscribe('ada', 'by_time')
    story.goTo('2026-06-11')
    expect(await change(story, 'pro')).toBe('plan_change 20.00: Pro, 20 of 30 40.00, By time, not used -20.00')
    story.goTo('2026-06-21')
    const { invoice } = await story.farebox.subscriptions.change({ customerId: 'ada', plan: 'by_time', when: 'now' })
    expect(invoice && told(invoice)).toBe('plan_change -10.00: By time, 10 of 30 10.00, Pro, not used -20.00')
    story.goTo('2026-06-30')
    expect(await story.left('ada')).toBe('33.333333')
  })

  it('on the day of the renewal, before its hour, costs and gives back nothing, however often', async () => {
    const story = begin(database, { catalog, begins: '2026-06-01T10:00Z' })
    await story.subscribe('ada', 'starter')
    story.goTo('2026-07-01T08:00Z')
    expect(await change(story, 'pro')).toBe('plan_change 0.00: Pro, 0 of 30 0.00')
    story.goTo('2026-07-01T09:00Z')
    const { invoice } = await story.farebox.subscriptions.change({ customerId: 'ada', plan: 'starter', when: 'now' })
    expect(invoice && told(invoice)).toBe('plan_change 0.00: Starter, 0 of 30 0.00')
    story.goTo('2026-07-01T10:00Z')
    expect(await story.close()).toEqual(['recurring 30.00: Starter 30.00'])
  })

  it('to a free plan and back gives back once what was paid once', async () => {
    const story = inJune(database)
    await story.subscribe('ada', 'by_time')
    story.goTo('2026-06-11')
    const toFree = await story.farebox.subscriptions.change({ customerId: 'ada', plan: 'free', when: 'now' })
    expect(toFree.invoice && told(toFree.invoice)).toBe('plan_change -20.00: By time, not used -20.00')
    story.goTo('2026-06-12')
    expect(await change(story, 'pro')).toBe('recurring 60.00: Pro 60.00')
  })

  it('is refused for a plan that is not there, for nobody, and after the end', async () => {
    const { farebox, subscribe, goTo } = inJune(database)
    const to = (customerId: string, code: string) => farebox.subscriptions.change({ customerId, plan: code })
    await expect(to('ada', 'pro')).rejects.toMatchObject({ code: 'not_found' })
    await subscribe('ada', 'starter')
    await expect(to('ada', 'prro')).rejects.toMatchObject({ code: 'unknown_plan' })
    await farebox.subscriptions.cancel({ customerId: 'ada', when: 'now' })
    goTo('2026-06-02')
    await expect(to('ada', 'pro')).rejects.toMatchObject({ code: 'invalid_transition' })
  })
})

describe.each(STORES)('a preview on $name', ({ database }) => {
  type Act = 'change' | 'previewChange'
  const changeTo = (code: string) => (farebox: Farebox, act: Act) => farebox.subscriptions[act]({ customerId: 'ada', plan: code })
  const cancel = (when: 'now' | 'renewal') => (farebox: Farebox, act: Act) =>
    farebox.subscriptions[act === 'change' ? 'cancel' : 'previewCancel']({ customerId: 'ada', when, prorate: true })

  it.each([
    ['an upgrade', changeTo('pro')],
    ['a downgrade', changeTo('free')],
    ['a longer interval', changeTo('yearly')],
    ['an end now', cancel('now')],
    ['an end at the renewal', cancel('renewal')],
  ])('of %s is what happens: same function, same numbers', async (_name, carryOut) => {
    const { farebox, subscribe, use, goTo } = inJune(database)
    await subscribe('ada', 'starter')
    await use('ada', 37)
    // Nobody closed the periods meanwhile, and something came late.
    goTo('2026-07-04')
    await use('ada', 70, 'calls', '2026-06-30')
    await use('ada', 5)
    const preview = await carryOut(farebox, 'previewChange')
    expect((await farebox.invoices.list()).items).toEqual([])
    const { invoice, ...happened } = await carryOut(farebox, 'change')
    expect(preview).toMatchObject(happened)
    expect(preview.invoice?.lines).toEqual(invoice?.lines)
    expect(preview.invoice && told(preview.invoice)).toEqual(invoice && told(invoice))
  })
})
