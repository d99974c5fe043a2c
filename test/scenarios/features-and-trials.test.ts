/** Features that are on or off, and plans that are tried before they are paid. */

import { defineCatalog } from '@farebox/core'
import { describe, expect, it } from 'vitest'
import { STORES } from './stores.ts'
import { begin } from './story.ts'

const catalog = defineCatalog({
  currency: 'USD',
  features: {
    calls: { type: 'metered', name: 'calls' },
    sso: { type: 'boolean', name: 'Single sign-on' },
    audit_log: { type: 'boolean' },
  },
  plans: {
    basic: { name: 'Basic', price: '10.00', interval: 'month', features: { calls: { included: 5 }, sso: false } },
    pro: {
      name: 'Pro',
      price: '30.00',
      interval: 'month',
      trialDays: 14,
      features: { calls: { included: 10, overage: { model: 'per_unit', price: '1.00' } }, sso: true },
    },
    team: {
      name: 'Team',
      price: '90.00',
      interval: 'month',
      features: { calls: { included: 100, overage: { model: 'per_unit', price: '0.50' } }, sso: true, audit_log: true },
    },
    credits: {
      name: 'Credits',
      price: '20.00',
      interval: 'month',
      consumption: 'credits',
      credits: 8,
      trialDays: 7,
      features: { calls: { credits: 2 } },
    },
  },
})

describe.each(STORES)('a boolean feature on $name', ({ database }) => {
  it('is in a plan or not, and is never counted', async () => {
    const { farebox, subscribe, use, goTo, close } = begin(database, { catalog })
    expect([...(farebox.catalog.plans.get('team')?.features.keys() ?? [])]).toEqual(['calls', 'sso', 'audit_log'])
    expect([...(farebox.catalog.plans.get('basic')?.features.keys() ?? [])]).toEqual(['calls'])
    await subscribe('ada', 'team')
    await subscribe('bob', 'basic')
    const mayUse = async (customerId: string) => {
      const { allowed, code } = await farebox.entitlements.check({ customerId, feature: 'sso' })
      return [allowed, code]
    }
    expect(await mayUse('ada')).toEqual([true, null])
    expect(await mayUse('bob')).toEqual([false, 'feature_not_in_plan'])
    expect(await mayUse('nobody')).toEqual([false, 'no_subscription'])
    await farebox.subscriptions.change({ customerId: 'bob', plan: 'team' })
    goTo('2026-01-02')
    expect(await mayUse('bob')).toEqual([true, null])
    await expect(use('ada', 1, 'sso')).rejects.toMatchObject({ code: 'unknown_feature' })
    expect((await farebox.usage.totals({ customerId: 'ada' })).map(({ feature }) => feature)).toEqual(['calls'])
    goTo('2026-02-01')
    expect((await close()).at(-1)).toBe('recurring 90.00: Team 90.00')
  })
})

describe.each(STORES)('a trial on $name', ({ database }) => {
  it('costs nothing, blocks at the allowance, and is followed by the first base price', async () => {
    const { farebox, subscribe, use, left, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'pro')
    expect(await farebox.subscriptions.get('ada')).toMatchObject({ status: 'trialing', trialEndsAt: Date.UTC(2026, 0, 15) })
    expect(await use('ada', 10)).toBe('recorded')
    expect(await use('ada', 1)).toBe('allowance_exhausted')
    expect(await close()).toEqual([])
    goTo('2026-01-15')
    expect(await farebox.subscriptions.get('ada')).toMatchObject({
      status: 'active',
      trialEndsAt: null,
      anchor: Date.UTC(2026, 0, 15),
    })
    expect(await left('ada')).toBe('10')
    expect(await use('ada', 12)).toBe('recorded')
    goTo('2026-02-15')
    expect(await close()).toEqual(['recurring 30.00: Pro 30.00, 10 calls 0.00', 'recurring 32.00: Pro 30.00, 12 calls 2.00'])
  })

  it('ends with nothing to pay when it is canceled in time', async () => {
    const { farebox, subscribe, use, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'pro')
    await use('ada', 3)
    goTo('2026-01-10')
    const { effectiveAt } = await farebox.subscriptions.cancel({ customerId: 'ada' })
    expect(effectiveAt).toBe(Date.UTC(2026, 0, 15))
    expect(await use('ada', 3)).toBe('recorded')
    goTo('2026-01-15')
    expect(await use('ada', 1)).toBe('no_subscription')
    expect(await close()).toEqual(['overage 0.00: 6 calls 0.00'])
    goTo('2027-01-01')
    expect(await close()).toEqual([])
  })

  it('goes on with another plan to the same end, and what was used of the allowance stays used', async () => {
    const { farebox, subscribe, use, left, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'pro')
    await use('ada', 9)
    goTo('2026-01-08')
    await farebox.subscriptions.change({ customerId: 'ada', plan: 'team' })
    expect(await farebox.subscriptions.get('ada')).toMatchObject({
      plan: 'team',
      status: 'trialing',
      trialEndsAt: Date.UTC(2026, 0, 15),
    })
    expect(await left('ada')).toBe('91')
    goTo('2026-01-09')
    await farebox.subscriptions.change({ customerId: 'ada', plan: 'pro', when: 'now' })
    goTo('2026-01-10')
    // To change there and back gives nothing anew.
    expect(await left('ada')).toBe('1')
    expect(await use('ada', 2)).toBe('allowance_exhausted')
    goTo('2026-01-15')
    expect((await close()).at(-1)).toMatch('recurring 30.00: Pro 30.00')
  })

  it('of a plan of credits grants them once for the whole trial', async () => {
    const { farebox, subscribe, use, left, goTo } = begin(database, { catalog })
    await subscribe('ada', 'credits')
    expect(await use('ada', 4)).toBe('recorded')
    goTo('2026-01-07')
    expect(await use('ada', 1)).toBe('credits_exhausted')
    goTo('2026-01-08')
    expect(await left('ada')).toBe('8 credits')
    expect(await farebox.subscriptions.get('ada')).toMatchObject({ status: 'active' })
  })
})
