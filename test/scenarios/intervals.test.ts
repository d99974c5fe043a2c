/** Weeks, months, quarters, years and plans that are paid once: when the base price is due, when usage resets, when overage is billed. */

import { defineCatalog } from '@farebox/core'
import { describe, expect, it } from 'vitest'
import { STORES } from './stores.ts'
import { begin } from './story.ts'

const calls = { included: 10, overage: { model: 'per_unit', price: '0.50' } } as const
const catalog = defineCatalog({
  currency: 'USD',
  features: { calls: { type: 'metered', name: 'calls' } },
  plans: {
    weekly: { name: 'Weekly', price: '5.00', interval: 'week', features: { calls } },
    monthly: { name: 'Monthly', price: '20.00', interval: 'month', features: { calls } },
    quarterly: { name: 'Quarterly', price: '50.00', interval: 'quarter', features: { calls } },
    yearly: { name: 'Yearly', price: '180.00', interval: 'year', features: { calls } },
    once: { name: 'Once', price: '300.00', interval: 'one_time', features: { calls } },
    free: { name: 'Free', price: '0', interval: 'month', features: { calls: { included: 10 } } },
  },
})

describe.each(STORES)('on $name', ({ database }) => {
  it('a weekly plan is paid every seven days, and its usage resets with it', async () => {
    const { subscribe, use, left, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'weekly')
    await use('ada', 12)
    goTo('2026-01-07T23:59:59.999Z')
    expect(await left('ada')).toBe('0')
    goTo('2026-01-08')
    expect(await left('ada')).toBe('10')
    await use('ada', 3)
    goTo('2026-01-15')
    expect(await close()).toEqual([
      'recurring 5.00: Weekly 5.00',
      'recurring 6.00: Weekly 5.00, 12 calls 1.00',
      'recurring 5.00: Weekly 5.00, 3 calls 0.00',
    ])
  })

  it.each([
    ['quarterly', 'recurring 50.00: Quarterly 50.00', '2026-04-01'],
    ['yearly', 'recurring 180.00: Yearly 180.00', '2027-01-01'],
  ])('a %s plan is paid in advance, its usage resets and its overage is billed every month', async (plan, base, renewal) => {
    const { subscribe, use, left, goTo, close } = begin(database, { catalog })
    await subscribe('ada', plan)
    await use('ada', 14)
    goTo('2026-02-01')
    expect(await left('ada')).toBe('10')
    expect(await close()).toEqual([base, 'overage 2.00: 14 calls 2.00'])
    await use('ada', 11)
    goTo(renewal)
    expect(await close()).toEqual(['overage 0.50: 11 calls 0.50', base])
  })

  it('a plan that is paid once is paid once; usage resets monthly and overage is billed monthly for as long as it lasts', async () => {
    const { subscribe, use, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'once')
    goTo('2026-01-20')
    await use('ada', 11)
    goTo('2027-07-10')
    await use('ada', 12)
    goTo('2027-08-01')
    expect(await close()).toEqual(['recurring 300.00: Once 300.00', 'overage 0.50: 11 calls 0.50', 'overage 1.00: 12 calls 1.00'])
  })

  it('a month counts from the day of subscribing in the time zone of the customer', async () => {
    const { farebox, subscribe, use, goTo, close } = begin(database, { catalog, begins: '2026-03-15T23:30Z' })
    await farebox.customers.create({ id: 'ada', timeZone: 'Asia/Tokyo' })
    await subscribe('ada', 'monthly')
    const [period] = (await farebox.usage.totals({ customerId: 'ada' })).map((usage) =>
      usage.period.map((at) => new Date(at).toISOString()),
    )
    expect(period).toEqual(['2026-03-15T23:30:00.000Z', '2026-04-15T23:30:00.000Z'])
    goTo('2026-04-15T23:29:59Z')
    await use('ada', 11)
    goTo('2026-04-16')
    expect((await close()).at(-1)).toBe('recurring 20.50: Monthly 20.00, 11 calls 0.50')
  })

  it('a free plan has no invoice without usage, and one of nothing with it', async () => {
    const { subscribe, use, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'free')
    await subscribe('bob', 'free')
    await use('ada', 10)
    expect(await use('ada', 1)).toBe('allowance_exhausted')
    goTo('2026-02-01')
    expect(await close()).toEqual(['overage 0.00: 10 calls 0.00'])
  })
})
