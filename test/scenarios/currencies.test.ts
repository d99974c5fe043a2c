/** Several currencies: each customer is billed in one, with its own prices and its own minor unit. */

import { defineCatalog, displayMoney } from '@farebox/core'
import { describe, expect, it } from 'vitest'
import { STORES } from './stores.ts'
import { begin, told } from './story.ts'

const catalog = defineCatalog({
  currency: 'EUR',
  currencies: ['JPY', 'KWD'],
  features: { calls: { type: 'metered', name: 'calls' } },
  plans: {
    free: { name: 'Free', price: '0', interval: 'month', default: true, features: { calls: { included: 5 } } },
    pro: {
      name: 'Pro',
      price: { EUR: '19.00', JPY: '3000', KWD: '6.500' },
      interval: 'month',
      proration: 'time',
      features: { calls: { overage: { model: 'per_unit', price: { EUR: '0.015', JPY: '2.5', KWD: '0.0045' } } } },
    },
  },
  coupons: {
    third: { name: 'A third', percent: '33.3' },
    off: { name: 'Off', amount: { EUR: '1.00', JPY: '150', KWD: '0.325' } },
  },
})

describe.each(STORES)('on $name', ({ database }) => {
  it.each([
    // 33 units: 0.495, 82.5 and 0.1485 of the main unit, each rounded once, half up.
    ['EUR', 'recurring 19.50: Pro 19.00, 33 calls 0.50', '€19.50'],
    ['JPY', 'recurring 3083: Pro 3000, 33 calls 83', '¥3,083'],
    ['KWD', 'recurring 6.649: Pro 6.500, 33 calls 0.149', 'KWD 6.649'],
  ])('%s has its own prices and places', async (currency, invoice, printed) => {
    const { farebox, subscribe, use, goTo, close } = begin(database, { catalog })
    await farebox.customers.create({ id: 'ada', currency })
    await subscribe('ada', 'pro')
    await use('ada', 33)
    goTo('2026-02-01')
    expect((await close()).at(-1)).toBe(invoice)
    const total = (await farebox.invoices.list()).items.at(-1)?.total
    expect(total && displayMoney(total).replaceAll(/\s/g, ' ')).toBe(printed)
  })

  it.each([
    ['EUR', 'plan_change -9.50: Pro, not used -9.50'],
    ['JPY', 'plan_change -1500: Pro, not used -1500'],
    ['KWD', 'plan_change -3.250: Pro, not used -3.250'],
  ])('what is given back in %s has its places too', async (currency, invoice) => {
    const { farebox, subscribe, goTo } = begin(database, { catalog, begins: '2026-04-01' })
    await farebox.customers.create({ id: 'ada', currency })
    await subscribe('ada', 'pro')
    goTo('2026-04-16')
    const ended = await farebox.subscriptions.cancel({ customerId: 'ada', when: 'now', prorate: true })
    expect(ended.invoice && told(ended.invoice)).toBe(invoice)
    expect(ended.invoice?.currency).toBe(currency)
  })

  it('discounts are of the currency of the customer', async () => {
    const { farebox, subscribe, close } = begin(database, { catalog })
    await farebox.customers.create({ id: 'ada', currency: 'JPY' })
    await subscribe('ada', 'pro')
    for (const coupon of ['third', 'off']) await farebox.subscriptions.redeem({ customerId: 'ada', coupon })
    expect(await close()).toEqual(['recurring 1851: Pro 3000, A third -999, Off -150'])
  })

  it('a customer has one currency: it stays with the subscription, and who is seen for the first time has it too', async () => {
    const { farebox, use } = begin(database, { catalog })
    await expect(farebox.customers.create({ id: 'ada', currency: 'USD' })).rejects.toMatchObject({ code: 'invalid_option' })
    await farebox.customers.create({ id: 'ada', currency: 'KWD' })
    expect(await use('ada', 1)).toBe('recorded')
    expect(await farebox.subscriptions.get('ada')).toMatchObject({ plan: 'free', currency: 'KWD' })
    await expect(farebox.customers.create({ id: 'ada', currency: 'EUR' })).rejects.toMatchObject({ code: 'invalid_option' })
    expect((await farebox.customers.get('ada'))?.currency).toBe('KWD')
  })
})
