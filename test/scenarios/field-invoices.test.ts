/** What went wrong elsewhere when invoices were made: each failure as the property that excludes it, with the report it was learnt from. */

import { createFarebox, defineCatalog, type Farebox, testClock } from '@farebox/core'
import { afterEach, describe, expect, it } from 'vitest'
import { STORES } from './stores.ts'
import { begin, grant, instantOf, told } from './story.ts'

const calls = { included: 100, overage: { model: 'per_unit', price: '0.10' } } as const
const catalog = defineCatalog({
  currency: 'USD',
  features: { calls: { type: 'metered', name: 'calls' } },
  plans: {
    pro: { name: 'Pro', price: '30.00', interval: 'month', features: { calls } },
    max: { name: 'Max', price: '90.00', interval: 'month', features: { calls: { ...calls, included: 300 } } },
    prepaid: {
      name: 'Prepaid',
      price: '0.10',
      interval: 'month',
      consumption: 'balance',
      blockOnExhaustion: false,
      features: { calls: { price: { model: 'fixed', price: '0.0033' } } },
    },
    credits: {
      name: 'Credits',
      price: '20.00',
      interval: 'month',
      consumption: 'credits',
      credits: 650,
      features: { calls: { credits: 1 } },
    },
    more: {
      name: 'More',
      price: '340.00',
      interval: 'month',
      consumption: 'credits',
      credits: 8_000,
      features: { calls: { credits: 1 } },
    },
  },
})

const running: Farebox[] = []

afterEach(async () => {
  for (const farebox of running.splice(0)) await farebox.stop({ withinMs: 0 })
})

describe.each(STORES)('on $name', ({ database }) => {
  /** @see polarsource/polar#10482, #6448, #5826 */
  it('to burn the allowance and switch is no discount, whether the switch is made, scheduled, or hidden behind a change of price', async () => {
    const story = begin(database, { catalog, begins: '2026-06-01' })
    for (const customerId of ['ada', 'bob']) await story.subscribe(customerId, 'pro')
    const at = { at: '2026-06-02T00:00:00Z' }
    await story.farebox.subscriptions.change({ customerId: 'bob', plan: 'max', when: at })
    for (const customerId of ['ada', 'bob']) await story.use(customerId, 100)
    const { invoice } = await story.farebox.subscriptions.change({ customerId: 'ada', plan: 'max' })
    expect(invoice && told(invoice)).toBe('plan_change 90.00: Max, 30 of 30 90.00, 100 calls 0.00')
    story.goTo('2026-06-02')
    expect(await story.close()).toEqual(['plan_change 87.00: Max, 29 of 30 87.00, 100 calls 0.00'])
  })

  /** @see polarsource/polar#6625 */
  it('after a change with proration the meters begin anew: old usage is on its invoice and on no other', async () => {
    const story = begin(database, { catalog, begins: '2026-06-01' })
    await story.subscribe('ada', 'pro')
    await story.use('ada', 150)
    story.goTo('2026-06-16')
    const { invoice } = await story.farebox.subscriptions.change({ customerId: 'ada', plan: 'max' })
    expect(invoice && told(invoice)).toBe('plan_change 50.00: Max, 15 of 30 45.00, 150 calls 5.00')
    story.goTo('2026-06-17')
    expect(await story.left('ada')).toBe('150')
    await story.use('ada', 151)
    story.goTo('2026-07-01')
    expect(await story.close()).toEqual(['recurring 90.10: Max 90.00, 151 calls 0.10'])
  })

  /** @see getlago/lago-api#4273, #821 */
  it('rounding prepaid money never makes a total negative: fractions of a cent are summed exactly and rounded once', async () => {
    const story = begin(database, { catalog })
    await story.subscribe('ada', 'prepaid')
    for (let i = 0; i < 40; i += 1) await story.use('ada', 1)
    // 40 × 0.0033 = 0.132: 0.032 beyond the 0.10 of the plan.
    story.goTo('2026-02-01')
    expect((await story.close()).at(-1)).toBe('recurring 0.13: Prepaid 0.10, 40 calls 0.00, 1 calls, beyond the balance 0.03')
    await story.use('ada', 31)
    story.goTo('2026-03-01')
    // 0.0023 is less than half a cent.
    expect(await story.close()).toEqual(['recurring 0.10: Prepaid 0.10, 31 calls 0.00, 1 calls, beyond the balance 0.00'])
    for (const { total, status } of (await story.farebox.invoices.list()).items)
      expect([total.minor >= 0n, status]).toEqual([true, 'open'])
  })

  /** @see useautumn/autumn#3164 (charged, and granted nothing), #1695 (carried over twice), #2266 (silently wiped) */
  it('a change of plan grants what it charges for, and carries bought credits over exactly once', async () => {
    const story = begin(database, { catalog, begins: '2026-06-01' })
    await story.subscribe('ada', 'credits')
    await grant(story, { customerId: 'ada', id: 'pack', granted: '150' })
    await story.use('ada', 500)
    story.goTo('2026-06-16')
    await story.farebox.subscriptions.change({ customerId: 'ada', plan: 'more' })
    story.goTo('2026-06-17')
    // Half of 8,000 for half of the month, and the pack.
    expect(await story.left('ada')).toBe('4150 credits')
    story.goTo('2026-07-01')
    expect(await story.left('ada')).toBe('8150 credits')
    story.goTo('2026-08-01')
    expect(await story.left('ada')).toBe('8150 credits')
  })

  /** @see flexprice/flexprice#1400, #2155, getlago/lago-api#1074 */
  it('each period has one invoice, in whichever time zone it ends, and however often and from how many processes it is closed', async () => {
    const shared = database()
    const clock = testClock(instantOf('2026-01-31T12:00Z'))
    const [one, two] = [0, 0].map(() => createFarebox({ catalog, store: shared.store(), clock })) as [Farebox, Farebox]
    running.push(one, two)
    const zones = ['UTC', 'Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Asia/Kathmandu', 'America/New_York', 'Europe/Berlin']
    for (const [i, timeZone] of zones.entries()) {
      await one.customers.create({ id: `c${i}`, timeZone })
      await one.subscriptions.create({ customerId: `c${i}`, plan: 'pro' })
    }
    for (const hours of [0, 1, 12, 14, 25, 26, 24 * 28, 24 * 28 + 5, 24 * 29, 24 * 31]) {
      clock.set(instantOf('2026-01-31T12:00Z') + hours * 3_600_000)
      await Promise.all([one.closePeriods(), two.closePeriods(), one.closePeriods()])
    }
    const invoices = (await one.invoices.list()).items
    const periods = invoices.map(({ customerId, period }) => `${customerId} ${period[0]}`)
    expect(new Set(invoices.map(({ id }) => id)).size).toBe(invoices.length)
    // The first invoice and that of the first renewal, which is in February everywhere.
    expect(periods.toSorted()).toHaveLength(zones.length * 2)
    expect(new Set(invoices.map(({ number }) => number))).toEqual(
      new Set(invoices.map((_, i) => `FB-${String(i + 1).padStart(6, '0')}`)),
    )
  })

  /** @see polarsource/polar#10664 (31 drifts to 29), getlago/lago-api#1567, #1569, #1840, killbill/killbill#127 (silently not billed) */
  it.each(['2026-01-29', '2026-01-30', '2026-01-31', '2027-12-31'])(
    'who began on %s is billed every month for three years, without drift',
    async (begins) => {
      const story = begin(database, { catalog, begins })
      await story.subscribe('ada', 'pro')
      const [year = 0, month = 0, day = 0] = begins.split('-').map(Number)
      const startOf = (n: number) => {
        const daysInMonth = new Date(Date.UTC(year, month + n, 0)).getUTCDate()
        return new Date(Date.UTC(year, month - 1 + n, Math.min(day, daysInMonth))).toISOString().slice(0, 10)
      }
      story.goTo(startOf(36))
      await story.close()
      const { items } = await story.farebox.invoices.list({ customerId: 'ada' })
      const bases = items.flatMap(({ lines }) => lines.filter(({ type }) => type === 'plan_base'))
      expect(bases.map(({ period }) => period.map((at) => new Date(at).toISOString().slice(0, 10)))).toEqual(
        Array.from({ length: 37 }, (_, n) => [startOf(n), startOf(n + 1)]),
      )
    },
  )

  /** @see killbill/killbill#1856 */
  it('a change of the clocks neither skips nor doubles a bill', async () => {
    const story = begin(database, { catalog, begins: '2026-02-28T23:30Z' })
    await story.farebox.customers.create({ id: 'ada', timeZone: 'Europe/Berlin' })
    await story.subscribe('ada', 'pro')
    story.goTo('2027-02-28T23:30Z')
    await story.close()
    const bases = (await story.farebox.invoices.list()).items.map(({ lines }) => lines[0]?.period ?? [0, 0])
    expect(bases).toHaveLength(13)
    for (const [i, [start]] of bases.entries()) if (i > 0) expect(start).toBe(bases[i - 1]?.[1])
    // Half past midnight in Berlin, in summer an hour earlier by UTC.
    expect(new Set(bases.map(([start]) => new Date(start).toISOString().slice(11, 16)))).toEqual(new Set(['23:30', '22:30']))
  })
})
