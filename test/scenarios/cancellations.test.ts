/** How a subscription ends, is taken up again, rests, and begins anew. */

import { defineCatalog } from '@farebox/core'
import { describe, expect, it } from 'vitest'
import { STORES } from './stores.ts'
import { begin, type Story, told } from './story.ts'

const calls = { included: 100, overage: { model: 'per_unit', price: '0.10' } } as const
const catalog = defineCatalog({
  currency: 'USD',
  features: { calls: { type: 'metered', name: 'calls' } },
  plans: {
    pro: { name: 'Pro', price: '30.00', interval: 'month', features: { calls } },
    max: { name: 'Max', price: '60.00', interval: 'month', features: { calls } },
    small: { name: 'Small', price: '10.00', interval: 'month', features: { calls } },
    yearly: { name: 'Yearly', price: '365.00', interval: 'year', proration: 'time', features: { calls } },
    credits: {
      name: 'Credits',
      price: '20.00',
      interval: 'month',
      consumption: 'credits',
      credits: 50,
      features: { calls: { credits: 1 } },
    },
  },
})

/** June has thirty days. */
function inJune(database: Parameters<typeof begin>[0]): Story {
  return begin(database, { catalog, begins: '2026-06-01' })
}

describe.each(STORES)('an end on $name', ({ database }) => {
  it('comes when the paid time is over: usage goes on until then, and is billed', async () => {
    const { farebox, subscribe, use, goTo, close } = inJune(database)
    await subscribe('ada', 'pro')
    goTo('2026-06-10')
    const { invoice, subscription } = await farebox.subscriptions.cancel({ customerId: 'ada' })
    expect([invoice, subscription.endsAt]).toEqual([null, Date.UTC(2026, 6, 1)])
    goTo('2026-06-30T23:59Z')
    expect(await use('ada', 130)).toBe('recorded')
    goTo('2026-07-01')
    expect(await use('ada', 1)).toBe('no_subscription')
    expect(await farebox.subscriptions.get('ada')).toMatchObject({ status: 'canceled', scheduled: [] })
    expect(await close()).toEqual(['overage 3.00: 130 calls 3.00'])
    goTo('2027-06-01')
    expect(await close()).toEqual([])
  })

  it.each([
    [true, 'plan_change -7.50: 75 calls 0.00, Pro, not used -7.50'],
    [false, 'overage 0.00: 75 calls 0.00'],
  ])('now stops service, and gives back what is left where that is asked for: %s', async (prorate, ended) => {
    const { farebox, subscribe, use, goTo } = inJune(database)
    await subscribe('ada', 'pro')
    await use('ada', 75)
    goTo('2026-06-16')
    const { invoice } = await farebox.subscriptions.cancel({ customerId: 'ada', when: 'now', prorate })
    expect(invoice && told(invoice)).toBe(ended)
    goTo('2026-06-16T00:01Z')
    expect(await use('ada', 1)).toBe('no_subscription')
    await expect(farebox.subscriptions.cancel({ customerId: 'ada' })).rejects.toMatchObject({ code: 'invalid_transition' })
  })

  it('is taken back as long as it has not come', async () => {
    const { farebox, subscribe, goTo, close } = inJune(database)
    await subscribe('ada', 'pro')
    await farebox.subscriptions.cancel({ customerId: 'ada', when: { at: '2026-06-20T00:00:00Z' }, prorate: true })
    goTo('2026-06-19')
    await farebox.subscriptions.reactivate('ada')
    goTo('2026-07-01')
    expect(await close()).toEqual(['recurring 30.00: Pro 30.00'])
    await farebox.subscriptions.cancel({ customerId: 'ada', when: 'now' })
    goTo('2026-07-02')
    await expect(farebox.subscriptions.reactivate('ada')).rejects.toMatchObject({ code: 'invalid_transition' })
  })

  it('that is taken back leaves the credits of the period as they were', async () => {
    const { farebox, subscribe, use, left, goTo } = inJune(database)
    await subscribe('ada', 'credits')
    await use('ada', 10)
    await farebox.subscriptions.cancel({ customerId: 'ada', when: { at: '2026-06-20T00:00:00Z' } })
    goTo('2026-06-19')
    expect(await left('ada')).toBe('40 credits')
    await farebox.subscriptions.reactivate('ada')
    goTo('2026-06-25')
    expect(await left('ada')).toBe('40 credits')
  })

  it('is taken back before a change that would come after it; a change that comes at once takes it back by itself', async () => {
    const { farebox, subscribe, goTo, close } = inJune(database)
    await subscribe('ada', 'pro')
    await close()
    await farebox.subscriptions.cancel({ customerId: 'ada' })
    const downgrade = () => farebox.subscriptions.change({ customerId: 'ada', plan: 'small' })
    await expect(downgrade()).rejects.toMatchObject({
      code: 'invalid_transition',
      message: expect.stringContaining('reactivate'),
    })
    goTo('2026-06-02')
    await farebox.subscriptions.change({ customerId: 'ada', plan: 'max' })
    expect(await farebox.subscriptions.get('ada')).toMatchObject({ plan: 'max', endsAt: null })
    await downgrade()
    goTo('2026-07-01')
    expect(await close()).toEqual(['recurring 10.00: Small 10.00'])
  })

  it('is followed by a new subscription with an anchor of its own; nothing of the old one is charged or given again', async () => {
    const { farebox, subscribe, use, left, goTo, close } = inJune(database)
    await subscribe('ada', 'yearly')
    await use('ada', 100)
    goTo('2026-06-11')
    const { invoice } = await farebox.subscriptions.cancel({ customerId: 'ada', when: 'now', prorate: true })
    expect(invoice && told(invoice)).toBe('plan_change -355.00: 100 calls 0.00, Yearly, not used -355.00')
    goTo('2026-06-20')
    await subscribe('ada', 'pro')
    expect(await left('ada')).toBe('100')
    expect(await farebox.subscriptions.get('ada')).toMatchObject({ plan: 'pro', anchor: Date.UTC(2026, 5, 20), status: 'active' })
    goTo('2026-06-21')
    const upgrade = await farebox.subscriptions.change({ customerId: 'ada', plan: 'max' })
    expect(upgrade.invoice && told(upgrade.invoice)).toBe('plan_change 29.00: Max, 29 of 30 58.00, Pro, not used -29.00')
    goTo('2026-07-20')
    expect(await close()).toEqual(['recurring 60.00: Max 60.00'])
    await expect(farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })).rejects.toMatchObject({
      code: 'already_subscribed',
    })
  })

  it('cannot be followed by a subscription that begins before it', async () => {
    const { farebox, subscribe, goTo } = inJune(database)
    await subscribe('ada', 'pro')
    goTo('2026-06-11')
    await farebox.subscriptions.cancel({ customerId: 'ada', when: 'now' })
    goTo('2026-06-12')
    const again = farebox.subscriptions.create({ customerId: 'ada', plan: 'pro', startsAt: '2026-06-05T00:00:00Z' })
    await expect(again).rejects.toMatchObject({ code: 'invalid_timestamp' })
  })
})

describe.each(STORES)('a pause on $name', ({ database }) => {
  it('stops service and billing when the paid time is over, until somebody resumes it', async () => {
    const { farebox, subscribe, use, goTo, close } = inJune(database)
    await subscribe('ada', 'pro')
    await farebox.subscriptions.pause({ customerId: 'ada' })
    goTo('2026-06-30')
    expect(await use('ada', 1)).toBe('recorded')
    goTo('2026-09-10')
    expect(await use('ada', 1)).toBe('no_subscription')
    expect(await close()).toEqual(['overage 0.00: 1 calls 0.00'])
    expect(await farebox.subscriptions.get('ada')).toMatchObject({ status: 'active', isPaused: true, usagePeriod: null })
    const { invoice } = await farebox.subscriptions.resume('ada')
    expect(invoice && told(invoice)).toBe('recurring 30.00: Pro 30.00')
    expect(await use('ada', 1)).toBe('recorded')
    expect(await farebox.subscriptions.get('ada')).toMatchObject({ isPaused: false, anchor: Date.UTC(2026, 8, 10) })
  })

  it('now gives back what is left of the month, and ends by itself where that was said', async () => {
    const { farebox, subscribe, use, goTo, close } = inJune(database)
    await subscribe('ada', 'pro')
    goTo('2026-06-11')
    const paused = await farebox.subscriptions.pause({ customerId: 'ada', when: 'now', resumesAt: '2026-08-01T00:00:00Z' })
    expect(paused.invoice && told(paused.invoice)).toBe('plan_change -20.00: Pro, not used -20.00')
    expect(paused.subscription.scheduled).toMatchObject([{ kind: 'resumption', at: Date.UTC(2026, 7, 1), plan: 'pro' }])
    goTo('2026-07-31')
    expect(await use('ada', 1)).toBe('no_subscription')
    goTo('2026-08-01')
    expect(await use('ada', 1)).toBe('recorded')
    expect(await close()).toEqual(['recurring 30.00: Pro 30.00'])
    expect((await farebox.invoices.list()).items.at(-1)?.creditApplied.minor).toBe(2_000n)
  })

  it('that has not come is taken back, and one that was not begun is not resumed', async () => {
    const { farebox, subscribe, goTo, close } = inJune(database)
    await subscribe('ada', 'pro')
    await farebox.subscriptions.pause({ customerId: 'ada' })
    await expect(farebox.subscriptions.resume('ada')).rejects.toMatchObject({ code: 'invalid_transition' })
    await farebox.subscriptions.reactivate('ada')
    goTo('2026-07-01')
    expect(await close()).toEqual(['recurring 30.00: Pro 30.00'])
    const tooEarly = farebox.subscriptions.pause({ customerId: 'ada', resumesAt: '2026-07-15T00:00:00Z' })
    await expect(tooEarly).rejects.toMatchObject({ code: 'invalid_timestamp' })
  })

  it('is not for a time after the end', async () => {
    const { farebox, subscribe } = inJune(database)
    await subscribe('ada', 'pro')
    await farebox.subscriptions.cancel({ customerId: 'ada', when: { at: '2026-06-20T00:00:00Z' } })
    await expect(farebox.subscriptions.pause({ customerId: 'ada' })).rejects.toMatchObject({ code: 'invalid_transition' })
  })
})
