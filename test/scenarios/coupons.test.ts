/** Coupons: what they take off, for how long, and for how many. */

import { defineCatalog } from '@farebox/core'
import { describe, expect, it } from 'vitest'
import { STORES } from './stores.ts'
import { begin } from './story.ts'

const catalog = defineCatalog({
  currency: 'USD',
  features: { calls: { type: 'metered', name: 'calls' } },
  plans: {
    pro: {
      name: 'Pro',
      price: '100.00',
      interval: 'month',
      features: { calls: { overage: { model: 'per_unit', price: '0.10' } } },
    },
    max: { name: 'Max', price: '310.00', interval: 'month', proration: 'time', features: { calls: {} } },
    free: { name: 'Free', price: '0', interval: 'month', features: { calls: { included: 10 } } },
  },
  coupons: {
    ten: { name: '10 % off', percent: '10' },
    ten_more: { name: '10 % off', percent: '10' },
    welcome: { name: 'Welcome', amount: '30.00', cycles: 2 },
    all: { name: 'On the house', percent: '100', cycles: 1 },
    huge: { name: 'Huge', amount: '250.00' },
    founders: { name: 'Founders', percent: '50', maxRedemptions: 3 },
    for_pro: { name: 'Pro fans', percent: '50', plans: ['pro'] },
  },
})

describe.each(STORES)('a coupon on $name', ({ database }) => {
  it('takes its per cent off base price and usage, rounded once', async () => {
    const { farebox, subscribe, use, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'pro')
    await farebox.subscriptions.redeem({ customerId: 'ada', coupon: 'ten' })
    await use('ada', '3.33')
    goTo('2026-02-01')
    expect(await close()).toEqual([
      'recurring 90.00: Pro 100.00, 10 % off -10.00',
      'recurring 90.30: Pro 100.00, 3.33 calls 0.33, 10 % off -10.03',
    ])
  })

  it('of 10 % twice takes 19 %', async () => {
    const { farebox, subscribe, close } = begin(database, { catalog })
    await subscribe('ada', 'pro')
    for (const coupon of ['ten', 'ten_more', 'ten']) await farebox.subscriptions.redeem({ customerId: 'ada', coupon })
    expect(await close()).toEqual(['recurring 81.00: Pro 100.00, 10 % off -10.00, 10 % off -9.00'])
  })

  it('of an amount takes it off each invoice, never more than the invoice has', async () => {
    const { farebox, subscribe, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'pro')
    await farebox.subscriptions.redeem({ customerId: 'ada', coupon: 'huge' })
    goTo('2026-02-01')
    expect(await close()).toEqual(Array(2).fill('recurring 0.00: Pro 100.00, Huge -100.00'))
    expect((await farebox.invoices.list()).items.map(({ status }) => status)).toEqual(['paid', 'paid'])
  })

  it('of n cycles reduces n intervals, and an upgrade within one of them is no cycle of its own', async () => {
    const { farebox, subscribe, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'pro')
    await farebox.subscriptions.redeem({ customerId: 'ada', coupon: 'welcome' })
    goTo('2026-01-02')
    const { invoice } = await farebox.subscriptions.change({ customerId: 'ada', plan: 'max' })
    expect(invoice?.lines.map(({ description, amount }) => [description, amount.minor])).toEqual([
      ['Max, 30 of 31', 30_000n],
      ['Pro, not used', -6_774n],
      ['Welcome', -3_000n],
    ])
    goTo('2026-03-01')
    expect(await close()).toEqual(['recurring 280.00: Max 310.00, Welcome -30.00', 'recurring 310.00: Max 310.00'])
  })

  it('gives back only what was paid with it', async () => {
    const { farebox, subscribe, goTo } = begin(database, { catalog })
    await subscribe('ada', 'pro')
    await farebox.subscriptions.redeem({ customerId: 'ada', coupon: 'all' })
    goTo('2026-01-02')
    const { invoice } = await farebox.subscriptions.cancel({ customerId: 'ada', when: 'now', prorate: true })
    expect(invoice).toBeNull()
  })

  it('of a plan is for that plan: it is not redeemed on another, and reduces no other after a change', async () => {
    const { farebox, subscribe, goTo, close } = begin(database, { catalog })
    await subscribe('bob', 'free')
    await expect(farebox.subscriptions.redeem({ customerId: 'bob', coupon: 'for_pro' })).rejects.toMatchObject({
      code: 'not_redeemable',
    })
    await expect(farebox.subscriptions.redeem({ customerId: 'bob', coupon: 'none' })).rejects.toMatchObject({
      code: 'unknown_coupon',
    })
    await subscribe('ada', 'pro')
    await farebox.subscriptions.redeem({ customerId: 'ada', coupon: 'for_pro' })
    goTo('2026-01-31')
    await close()
    await farebox.subscriptions.change({ customerId: 'ada', plan: 'max', when: 'renewal' })
    goTo('2026-02-01')
    expect(await close()).toEqual(['recurring 310.00: Max 310.00'])
  })

  it('with limited redemptions is redeemed exactly so often, by any number of customers at once', async () => {
    const { farebox, subscribe } = begin(database, { catalog })
    const customers = Array.from({ length: 10 }, (_, i) => `customer_${i}`)
    await Promise.all(customers.map((customerId) => subscribe(customerId, 'free')))
    const redeem = (customerId: string): Promise<string> =>
      farebox.subscriptions.redeem({ customerId, coupon: 'founders' }).then(
        ({ discounts }) => String(discounts[0]?.coupon),
        (error: { code: string }) => error.code,
      )
    const results = await Promise.all(customers.map(redeem))
    expect(results.filter((result) => result === 'founders')).toHaveLength(3)
    expect(results.filter((result) => result === 'limit_reached')).toHaveLength(7)
    // Who has it already redeems it again: nothing is taken, and nothing is refused.
    expect(await redeem(customers[results.indexOf('founders')] as string)).toBe('founders')
  })
})
