/** Plans of prepaid balance: the part that resets, money that stays, what a request holds, and what is owed at the end. */

import { defineCatalog } from '@farebox/core'
import { formatDecimal } from '@farebox/core/contracts'
import { describe, expect, it } from 'vitest'
import { STORES } from './stores.ts'
import { begin, grant, type Story, told } from './story.ts'

const features = { calls: { price: { model: 'fixed', price: '0.015' } } } as const
const catalog = defineCatalog({
  currency: 'USD',
  features: { calls: { type: 'metered', name: 'calls' } },
  plans: {
    free: { name: 'Free', price: '0', interval: 'month', consumption: 'balance', includedBalance: '0.30', features },
    open: { name: 'Open', price: '10.00', interval: 'month', consumption: 'balance', features },
    prepaid: { name: 'Prepaid', price: '10.00', interval: 'month', consumption: 'balance', blockOnExhaustion: true, features },
    capped: { name: 'Capped', price: '10.00', interval: 'month', consumption: 'balance', spendLimit: '3.00', features },
    tried: { name: 'Tried', price: '10.00', interval: 'month', consumption: 'balance', trialDays: 10, features },
    yearly: { name: 'Yearly', price: '100.00', interval: 'year', consumption: 'balance', features },
  },
})

function topUp(story: Story, amount: string): Promise<void> {
  return grant(story, { customerId: 'ada', id: `top-up-${amount}`, unit: 'balance', source: 'top_up', granted: amount })
}

function gateOf({ farebox }: Story, units = 1) {
  const gate = farebox.createGate<string>('calls', { identify: (id) => id, units })
  const admit = () => gate.admit({ method: 'GET', route: '/', header: () => undefined, raw: 'ada' })
  return { admit, gate }
}

describe.each(STORES)('a balance on $name', ({ database }) => {
  it('begins each period with the base price; each event takes its exact cost, and nothing is rounded before the invoice', async () => {
    const { farebox, subscribe, use, left, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'open')
    await use('ada', '0.333333')
    expect(await left('ada')).toBe('9.995 USD')
    const [event] = (await farebox.events.list()).items
    expect(event?.charge && formatDecimal(event.charge.cost)).toBe('0.004999995')
    await use('ada', 333)
    goTo('2026-02-01')
    expect(await left('ada')).toBe('10 USD')
    expect((await close()).at(-1)).toBe('recurring 10.00: Open 10.00, 333.333333 calls 0.00')
    expect((await farebox.invoices.list()).items.at(-1)?.lines.at(-1)?.cost).toEqual({ unit: 'USD', amount: '4.999999995' })
  })

  it('of a year is its twelfth each month, to the cent', async () => {
    const { subscribe, left, goTo } = begin(database, { catalog })
    await subscribe('ada', 'yearly')
    const months: string[] = []
    for (let month = 1; month <= 12; month += 1) {
      goTo(`2026-${String(month).padStart(2, '0')}-01`)
      months.push(await left('ada'))
    }
    // The largest remainder: 4 of 8.34 and 8 of 8.33 are 100.00.
    expect(months).toEqual([...Array(4).fill('8.34 USD'), ...Array(8).fill('8.33 USD')])
  })

  it('that somebody topped up never expires, and is used after the part that does', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'prepaid')
    await topUp(story, '5.00')
    expect(await story.left('ada')).toBe('15 USD')
    await story.use('ada', 800)
    expect(await story.left('ada')).toBe('3 USD')
    story.goTo('2027-01-01')
    expect(await story.left('ada')).toBe('13 USD')
  })

  it('at zero goes on as overdraft, which is billed when the period ends and not taken from the next balance', async () => {
    const { subscribe, use, left, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'open')
    await use('ada', 600)
    await use('ada', 101)
    // 701 × 0.015 = 10.515: 0.515 beyond the balance, rounded once, half up.
    expect(await left('ada')).toBe('0 USD')
    goTo('2026-02-01')
    expect(await left('ada')).toBe('10 USD')
    expect((await close()).at(-1)).toBe('recurring 10.52: Open 10.00, 701 calls 0.00, 1 calls, beyond the balance 0.52')
  })

  it.each(['prepaid', 'free', 'tried'])('of the plan %s blocks at zero: what is not covered is refused', async (plan) => {
    const { farebox, subscribe, use, left } = begin(database, { catalog })
    await subscribe('ada', plan)
    const calls = plan === 'free' ? 20 : 666
    expect(await use('ada', calls)).toBe('recorded')
    const refused = await farebox.usage.track({ customerId: 'ada', feature: 'calls' })
    const leftOver = plan === 'free' ? 0n : 10_000n
    expect(refused).toMatchObject({ refusal: { code: 'balance_exhausted', unit: 'USD', remaining: leftOver } })
    expect(await left('ada')).toBe(plan === 'free' ? '0 USD' : '0.01 USD')
  })

  it('is held at admission and taken at settlement: what was not used is free again, and a void takes nothing', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'prepaid')
    const { admit, gate } = gateOf(story, 400)
    const first = await admit()
    expect([first.kind, await story.left('ada')]).toEqual(['admitted', '4 USD'])
    expect((await admit()).kind).toBe('refused')
    if (first.kind !== 'admitted') return
    first.ticket.meter.add(50)
    gate.settle(first.ticket, { kind: 'finished', status: 200 }, 'ada')
    expect(await story.left('ada')).toBe('9.25 USD')
    const second = await admit()
    if (second.kind === 'admitted') gate.settle(second.ticket, { kind: 'finished', status: 503 }, 'ada')
    expect(await story.left('ada')).toBe('9.25 USD')
  })

  it('that blocks never goes below zero when the work costs more than was held: the rest is nobody’s', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'prepaid')
    const { admit, gate } = gateOf(story, 600)
    const verdict = await admit()
    if (verdict.kind !== 'admitted') throw new Error('expected to be admitted')
    verdict.ticket.meter.add(1_000)
    gate.settle(verdict.ticket, { kind: 'finished', status: 200 }, 'ada')
    const [event] = (await story.farebox.events.list()).items
    expect([event?.charge?.cost, event?.charge?.waived].map((amount) => amount && formatDecimal(amount))).toEqual(['15', '5'])
    expect(await story.left('ada')).toBe('0 USD')
    story.goTo('2026-02-01')
    expect((await story.close()).at(-1)).toBe('recurring 10.00: Prepaid 10.00, 1000 calls 0.00')
  })

  it('has a spend limit for its overdraft that no number of requests at once passes', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'capped')
    await story.use('ada', 600)
    const { admit, gate } = gateOf(story, 100)
    await story.use('ada', 66)
    // 9.99 are used: ten requests of 1.50 would be 15.00, of which 0.01 is covered.
    const verdicts = await Promise.all(Array.from({ length: 10 }, admit))
    const admitted = verdicts.filter((verdict) => verdict.kind === 'admitted')
    expect(admitted).toHaveLength(2)
    for (const { ticket } of admitted) gate.settle(ticket, { kind: 'finished', status: 200 }, 'ada')
    const refused = await story.farebox.usage.track({ customerId: 'ada', feature: 'calls', value: 100 })
    expect(refused).toMatchObject({ refusal: { code: 'spend_limit_reached', unit: 'USD', limit: 3_000_000n, used: 2_990_000n } })
    story.goTo('2026-02-01')
    expect((await story.close()).at(-1)).toMatch('calls, beyond the balance 2.99')
  })

  it('of a plan that is left ends with it, and the other has its share of the period', async () => {
    const story = begin(database, { catalog, begins: '2026-06-01' })
    await story.subscribe('ada', 'free')
    await story.use('ada', 10)
    story.goTo('2026-06-11')
    const { invoice } = await story.farebox.subscriptions.change({ customerId: 'ada', plan: 'open' })
    expect(invoice && told(invoice)).toBe('recurring 10.00: Open 10.00, 10 calls 0.00')
    story.goTo('2026-06-21')
    await story.use('ada', 400)
    // 60 % of the balance and a third of the time are used; 20 of 30 days are left.
    const back = await story.farebox.subscriptions.change({ customerId: 'ada', plan: 'prepaid', when: 'now' })
    expect(back.invoice && told(back.invoice)).toBe(
      'plan_change 2.67: Prepaid, 20 of 30 6.67, 400 calls 0.00, Open, not used -4.00',
    )
    story.goTo('2026-06-22')
    expect(await story.left('ada')).toBe('6.67 USD')
  })

  it('that is given back by a correction pays first what is owed: who has money left owes nothing', async () => {
    const story = begin(database, { catalog })
    const { farebox, subscribe, left, goTo, close } = story
    await subscribe('ada', 'open')
    await farebox.usage.track({ customerId: 'ada', feature: 'calls', value: 600, idempotencyKey: 'mistake' })
    await story.use('ada', 100)
    // 9.00 and 1.50: 0.50 beyond the balance.
    await farebox.usage.correct({ customerId: 'ada', idempotencyKey: 'mistake' })
    expect(await left('ada')).toBe('8.5 USD')
    goTo('2026-02-01')
    expect((await close()).at(-1)).toBe('recurring 10.00: Open 10.00, 100 calls 0.00')
  })

  it('of the time of a late event pays for it: only what it does not cover is billed as an adjustment', async () => {
    const story = begin(database, { catalog })
    for (const customerId of ['ada', 'bob']) await story.subscribe(customerId, 'open')
    await story.use('ada', 600)
    story.goTo('2026-02-05')
    await story.close()
    for (const customerId of ['ada', 'bob']) expect(await story.use(customerId, 100, 'calls', '2026-01-20')).toBe('recorded')
    expect(await story.left('ada')).toBe('10 USD')
    story.goTo('2026-03-01')
    expect(await story.close()).toEqual([
      'recurring 10.50: Open 10.00, 100 calls, adjustment of an earlier invoice 0.50',
      'recurring 10.00: Open 10.00, 100 calls, adjustment of an earlier invoice 0.00',
    ])
  })
})
