import { describe, expect, test } from 'vitest'
import { refusalOf, withValue } from '../../test/definitions.ts'
import { defineCatalog, parseCatalog } from './define-catalog.ts'

describe('a price of usage', () => {
  test.each([
    { model: 'per_unit', price: '0.25' },
    { model: 'graduated', tiers: [{ upTo: '20', price: '2', flat: '1' }, { price: '0.5' }] },
    { model: 'volume', tiers: [{ upTo: '20', price: '2', flat: '1' }, { price: '0.5' }] },
    { model: 'package', size: '10', price: '0.5' },
    { model: 'flat', price: '9.99' },
  ] as const)('holds a $model price, and writes it as it was written', (overage) => {
    const { document } = defineCatalog({
      currency: 'EUR',
      features: { calls: { type: 'metered' } },
      plans: { pro: { price: '1', interval: 'month', features: { calls: { included: 5, overage } } } },
    })
    expect(JSON.parse(document).plans.pro.features.calls.overage).toEqual(overage)
    expect(parseCatalog(document).plans.get('pro')?.features.get('calls')).toMatchObject({ overage: { model: overage.model } })
  })
})

describe('a contradiction in a price is one sentence', () => {
  const downloads = 'plans.pro.features.downloads'
  const tiers = `${downloads}.overage.tiers`

  test.each<[path: string, value: unknown, code: string, message: string]>([
    [downloads, true, 'invalid_catalog', `${downloads} is true, but an object was expected`],
    [
      `${downloads}.includes`,
      5,
      'invalid_catalog',
      `${downloads}.includes is 5, but an option named included or overage was expected`,
    ],
    [
      `${downloads}.included`,
      -1,
      'invalid_catalog',
      `${downloads}.included is -1, but a number of units or 'unlimited' was expected`,
    ],
    [`${downloads}.included`, 'endless', 'invalid_catalog', `${downloads}.included is 'endless'`],
    [
      `${downloads}.included`,
      'unlimited',
      'invalid_catalog',
      `${downloads}.overage is an object, but no price beyond 'unlimited' was expected: remove the overage price, or make included a number`,
    ],
    [
      `${downloads}.overage`,
      'charge',
      'invalid_catalog',
      `${downloads}.overage is 'charge', but 'block' or a price was expected`,
    ],
    [
      `${downloads}.overage`,
      { model: 'tiered', tiers: [] },
      'invalid_catalog',
      `${downloads}.overage.model is 'tiered', but 'per_unit', 'graduated', 'volume', 'package' or 'flat' was expected: write { model: 'per_unit', price: '0.25' } or one of the others`,
    ],
    [
      `${downloads}.overage`,
      { model: 'volume', price: '1' },
      'invalid_catalog',
      `${downloads}.overage.price is '1', but an option named model or tiers was expected`,
    ],
    [
      `${downloads}.overage`,
      { model: 'flat', price: '5', size: 10 },
      'invalid_catalog',
      `${downloads}.overage.size is 10, but an option named model or price was expected`,
    ],
    [`${downloads}.overage`, { model: 'per_unit', price: 0.25 }, 'invalid_price', `${downloads}.overage.price is 0.25`],
    [
      `${downloads}.overage`,
      { model: 'per_unit', price: '1', size: 5 },
      'invalid_catalog',
      `${downloads}.overage.size is 5, but an option named model or price was expected`,
    ],
    [
      `${downloads}.overage`,
      { model: 'package', size: 0, price: '1' },
      'invalid_catalog',
      `${downloads}.overage.size is 0, but a number of units above zero was expected`,
    ],
    [
      `${downloads}.overage`,
      { model: 'package', price: '1' },
      'invalid_catalog',
      `${downloads}.overage.size is missing, but a number of units above zero`,
    ],
    [tiers, [], 'invalid_catalog', `${tiers} is a list of 0, but a list of 1 to 100 entries was expected`],
    [tiers, undefined, 'invalid_catalog', `${tiers} is missing, but a list of 1 to 100 entries was expected`],
    [
      tiers,
      [{ upTo: 20, price: '1' }],
      'invalid_catalog',
      `${tiers}[0].upTo is 20, but no upTo on the last tier was expected: remove it, or add a tier without one, so that every unit has a price`,
    ],
    [
      tiers,
      [{ price: '1' }, { price: '2' }],
      'invalid_catalog',
      `${tiers}[0].upTo is missing, but a bound above 0, where the tier before it ends, was expected: give one: only the last tier is unbounded`,
    ],
    [
      tiers,
      [{ upTo: 20, price: '1' }, { upTo: 10, price: '1' }, { price: '2' }],
      'invalid_catalog',
      `${tiers}[1].upTo is 10, but a bound above 20, where the tier before it ends, was expected: sort the tiers by upTo, each bound once`,
    ],
    [tiers, [{ upTo: 20, price: '1' }, { upTo: 20, price: '1' }, { price: '2' }], 'invalid_catalog', `${tiers}[1].upTo is 20`],
    [tiers, [{ upTo: 0, price: '1' }, { price: '2' }], 'invalid_catalog', `${tiers}[0].upTo is 0`],
    [tiers, [{ upTo: NaN, price: '1' }, { price: '2' }], 'invalid_catalog', `${tiers}[0].upTo is NaN`],
    [
      tiers,
      [
        { upTo: 20, price: '1' },
        { from: 25, price: '2' },
      ],
      'invalid_catalog',
      `${tiers}[1].from is 25, but 20, where the tier before it ends (0 for the first), was expected: close the gap between the tiers, or leave from out`,
    ],
    [
      tiers,
      [
        { upTo: 20, price: '1' },
        { from: 15, price: '2' },
      ],
      'invalid_catalog',
      `${tiers}[1].from is 15, but 20, where the tier before it ends (0 for the first), was expected: remove the overlap of the tiers, or leave from out`,
    ],
    [tiers, [{ from: 1, upTo: 20, price: '1' }, { price: '2' }], 'invalid_catalog', `${tiers}[0].from is 1, but 0,`],
    [
      tiers,
      [{ upto: 20, price: '1' }, { price: '2' }],
      'invalid_catalog',
      `${tiers}[0].upto is 20, but an option named from, upTo, price or flat was expected: fix the spelling of 'upto' or remove it`,
    ],
    [tiers, [{ price: '1', flat: 2 }], 'invalid_price', `${tiers}[0].flat is 2`],
  ])('%s: %j', (path, value, code, message) => {
    const refusal = refusalOf(withValue(path, value))
    expect(refusal.message).toContain(message)
    expect(refusal.code).toBe(code)
    expect(refusal.message).not.toMatch(/\n|\.$/)
  })
})
