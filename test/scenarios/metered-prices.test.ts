/** Per-call plans: what usage beyond the allowance costs, and what stops it. */

import { defineCatalog } from '@farebox/core'
import { describe, expect, it } from 'vitest'
import { STORES } from './stores.ts'
import { begin } from './story.ts'

const features = { calls: { type: 'metered', name: 'calls' } } as const
const TIERS = [{ upTo: 100, price: '0.10' }, { upTo: 1_000, price: '0.05', flat: '2.00' }, { price: '0.01' }] as const

/** A plan of 10.00 a month with these terms for its only feature. */
function selling(terms: object, plan: object = {}) {
  return defineCatalog({
    currency: 'USD',
    features,
    plans: { pro: { name: 'Pro', price: '10.00', interval: 'month', features: { calls: terms }, ...plan } },
  })
}

describe.each(STORES)('usage beyond the allowance on $name', ({ database }) => {
  it.each([
    ['per unit', { included: 100, overage: { model: 'per_unit', price: '0.10' } }, 150, '15.00: Pro 10.00, 150 calls 5.00'],
    [
      'per unit below a cent, rounded once',
      { overage: { model: 'per_unit', price: '0.0015' } },
      1_003,
      '11.50: Pro 10.00, 1003 calls 1.50',
    ],
    [
      'graduated: each tier prices its own units',
      { overage: { model: 'graduated', tiers: TIERS } },
      1_100,
      '68.00: Pro 10.00, 100 calls 10.00, 0 calls 2.00, 900 calls 45.00, 100 calls 1.00',
    ],
    [
      'graduated: the bound of a tier is in it',
      { overage: { model: 'graduated', tiers: TIERS } },
      100,
      '20.00: Pro 10.00, 100 calls 10.00',
    ],
    [
      'volume: all units at one tier',
      { overage: { model: 'volume', tiers: TIERS } },
      1_100,
      '21.00: Pro 10.00, 1100 calls 11.00',
    ],
    [
      'volume with an allowance: the tier of what is beyond it',
      { included: 50, overage: { model: 'volume', tiers: TIERS } },
      150,
      '20.00: Pro 10.00, 150 calls 10.00',
    ],
    [
      'package: a partial block is a whole one',
      { included: 1, overage: { model: 'package', size: 1_000, price: '3.00' } },
      1_002,
      '16.00: Pro 10.00, 1002 calls 6.00',
    ],
    [
      'flat: one fee however much',
      { included: 10, overage: { model: 'flat', price: '7.00' } },
      11,
      '17.00: Pro 10.00, 11 calls 7.00',
    ],
    [
      'flat: no fee within the allowance',
      { included: 10, overage: { model: 'flat', price: '7.00' } },
      10,
      '10.00: Pro 10.00, 10 calls 0.00',
    ],
    ['unlimited', { included: 'unlimited' }, 1_000_000, '10.00: Pro 10.00, 1000000 calls 0.00'],
  ])('is billed %s', async (_name, terms, used, invoice) => {
    const { subscribe, use, goTo, close } = begin(database, { catalog: selling(terms) })
    await subscribe('ada', 'pro')
    expect(await use('ada', used)).toBe('recorded')
    goTo('2026-02-01')
    expect(await close()).toEqual(['recurring 10.00: Pro 10.00', `recurring ${invoice}`])
  })

  it('bills the flat fee of a first tier without any usage, and the same when it was used', async () => {
    const tiers = [{ upTo: 100, price: '0.10', flat: '1.00' }, { price: '0.05' }]
    const { subscribe, use, goTo, close } = begin(database, { catalog: selling({ overage: { model: 'graduated', tiers } }) })
    await subscribe('ada', 'pro')
    goTo('2026-02-01')
    expect((await close()).at(-1)).toBe('recurring 11.00: Pro 10.00, 0 calls 1.00')
    await use('ada', 3)
    goTo('2026-03-01')
    expect(await close()).toEqual(['recurring 11.30: Pro 10.00, 0 calls 1.00, 3 calls 0.30'])
  })

  it('is refused on a plan that blocks, by exactly what is left, and renews with the period', async () => {
    const { subscribe, use, goTo, left } = begin(database, { catalog: selling({ included: 10, overage: 'block' }) })
    await subscribe('ada', 'pro')
    expect(await use('ada', '9.5')).toBe('recorded')
    expect(await use('ada', '0.500001')).toBe('allowance_exhausted')
    expect(await use('ada', '0.5')).toBe('recorded')
    expect(await left('ada')).toBe('0')
    goTo('2026-02-01')
    expect(await left('ada')).toBe('10')
    expect(await use('ada', 10)).toBe('recorded')
  })

  it('stops at a spend limit: what the allowance covers is still served, and the limit is never passed', async () => {
    const plan = { spendLimit: '2.00' }
    const catalog = selling({ included: 10, overage: { model: 'per_unit', price: '0.25' } }, plan)
    const { farebox, subscribe, use, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'pro')
    expect(await use('ada', 19)).toBe('spend_limit_reached')
    expect(await use('ada', 10)).toBe('recorded')
    const results = await Promise.all(Array.from({ length: 20 }, () => use('ada', 1)))
    expect(results.filter((result) => result === 'recorded')).toHaveLength(8)
    const refused = await farebox.usage.track({ customerId: 'ada', feature: 'calls' })
    expect(refused).toMatchObject({
      refusal: { code: 'spend_limit_reached', unit: 'USD', limit: 2_000_000n, used: 2_000_000n, remaining: 0n },
    })
    goTo('2026-02-01')
    expect((await close()).at(-1)).toBe('recurring 12.00: Pro 10.00, 18 calls 2.00')
    expect(await use('ada', 18)).toBe('recorded')
  })
})

describe.each(STORES)('a committed minimum on $name', ({ database }) => {
  const catalog = defineCatalog({
    currency: 'USD',
    features,
    plans: {
      team: {
        name: 'Team',
        price: '10.00',
        interval: 'month',
        minimum: '40.00',
        features: { calls: { overage: { model: 'per_unit', price: '1.00' } } },
      },
      yearly: {
        name: 'Yearly',
        price: '100.00',
        interval: 'year',
        minimum: '120.00',
        features: { calls: { overage: { model: 'per_unit', price: '1.00' } } },
      },
      plus: { name: 'Plus', price: '60.00', interval: 'month', proration: 'time', features: { calls: {} } },
    },
  })

  it('is filled up at the end of the interval by what base price and usage lack, and by nothing when they reach it', async () => {
    const { subscribe, use, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'team')
    await use('ada', 12)
    goTo('2026-02-01')
    expect((await close()).at(-1)).toBe('recurring 40.00: Team 10.00, 12 calls 12.00, Team, minimum commitment 18.00')
    await use('ada', 31)
    goTo('2026-03-01')
    expect(await close()).toEqual(['recurring 41.00: Team 10.00, 31 calls 31.00'])
  })

  it('counts the usage of all months of a year', async () => {
    const { subscribe, use, goTo, close } = begin(database, { catalog })
    await subscribe('ada', 'yearly')
    await use('ada', 7)
    goTo('2026-05-20')
    await use('ada', 5)
    goTo('2027-01-01')
    expect(await close()).toEqual([
      'recurring 100.00: Yearly 100.00',
      'overage 7.00: 7 calls 7.00',
      'overage 5.00: 5 calls 5.00',
      'recurring 108.00: Yearly 100.00, Yearly, minimum commitment 8.00',
    ])
  })

  it('holds for its part of an interval that a change cuts: 10 of 31 days are 12.90, of which 3.23 are base price', async () => {
    const { farebox, subscribe, use, goTo } = begin(database, { catalog })
    await subscribe('ada', 'team')
    await use('ada', 4)
    goTo('2026-01-11')
    const { invoice } = await farebox.subscriptions.change({ customerId: 'ada', plan: 'plus' })
    expect(invoice?.lines.find(({ type }) => type === 'minimum_commitment')?.amount.minor).toBe(1290n - 323n - 400n)
  })
})
