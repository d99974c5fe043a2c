import { describe, expect, test } from 'vitest'
import { type CatalogDefinition, defineCatalog } from './define-catalog.ts'

describe('a contradiction is one sentence with the field, the value, what was expected and the fix', () => {
  const tiers = 'plans.pro.features.downloads.overage.tiers'
  const downloads = 'plans.pro.features.downloads'

  test.each<[path: string, value: unknown, code: string, message: string]>([
    [
      'currency',
      'usd',
      'invalid_catalog',
      "currency is 'usd', but an ISO 4217 currency code in capitals was expected: write it such as 'USD' or 'EUR'",
    ],
    ['currency', undefined, 'invalid_catalog', 'currency is missing, but an ISO 4217'],
    [
      'creditPacks',
      {},
      'invalid_catalog',
      'creditPacks is an object, but an option named currency, features or plans was expected',
    ],
    ['features', {}, 'invalid_catalog', 'features is an object, but at least one entry was expected: add one'],
    ['features', [], 'invalid_catalog', 'features is a list of 0, but an object was expected: write it in braces'],
    [
      'features.apiCalls',
      { type: 'metered' },
      'invalid_catalog',
      "A code in features is 'apiCalls', but a code of 1 to 64 lower-case letters",
    ],
    ['features.constructor', { type: 'metered' }, 'invalid_catalog', "A code in features is 'constructor'"],
    ['features.prototype', { type: 'metered' }, 'invalid_catalog', "A code in features is 'prototype'"],
    ['features.1st', { type: 'metered' }, 'invalid_catalog', "A code in features is '1st'"],
    [`features.${'a'.repeat(65)}`, { type: 'metered' }, 'invalid_catalog', 'A code in features is'],
    ['plans.Pro', { price: '1', interval: 'month' }, 'invalid_catalog', "A code in plans is 'Pro'"],
    ['plans.constructor', { price: '1', interval: 'month' }, 'invalid_catalog', "A code in plans is 'constructor'"],
    [
      'features.api_calls.type',
      'meterd',
      'invalid_catalog',
      "features.api_calls.type is 'meterd', but 'metered' or 'boolean' was expected",
    ],
    [
      'features.api_calls.unitt',
      'MB',
      'invalid_catalog',
      "features.api_calls.unitt is 'MB', but an option named type, name, unit or default was expected: fix the spelling of 'unitt' or remove it",
    ],
    [
      'features.api_calls.name',
      '',
      'invalid_catalog',
      "features.api_calls.name is '', but a text of 1 to 200 characters was expected",
    ],
    [
      'features.api_calls.default',
      'yes',
      'invalid_catalog',
      "features.api_calls.default is 'yes', but true or false was expected",
    ],
    [
      'features.downloads.default',
      true,
      'invalid_catalog',
      'features.downloads.default is true, but only one default feature, which is features.api_calls, was expected: remove default from one of them',
    ],
    [
      'features.sso.default',
      true,
      'invalid_catalog',
      "features.sso.default is true, but a metered feature as the default was expected: remove default, or make the type of features.sso 'metered'",
    ],
    ['features.sso.unit', 'MB', 'invalid_catalog', "features.sso.unit is 'MB', but no unit on a boolean feature was expected"],
    ['plans', {}, 'invalid_catalog', 'plans is an object, but at least one entry was expected'],
    ['plans.pro', null, 'invalid_catalog', 'plans.pro is null, but an object was expected'],
    [
      'plans.pro.price',
      29,
      'invalid_price',
      "plans.pro.price is 29, but a decimal string from '0' to '1000000000000' with at most 12 decimals was expected: prices are never floats, so write it in quotes, such as '29'",
    ],
    ['plans.pro.price', 0.1 + 0.2, 'invalid_price', 'plans.pro.price is 0.30000000000000004'],
    ['plans.pro.price', undefined, 'invalid_price', 'plans.pro.price is missing'],
    ['plans.pro.price', '-1', 'invalid_price', "plans.pro.price is '-1', but a decimal string from '0'"],
    ['plans.pro.price', '1e3', 'invalid_price', "plans.pro.price is '1e3'"],
    ['plans.pro.price', '0.0000000000001', 'invalid_price', "plans.pro.price is '0.0000000000001'"],
    ['plans.pro.price', '1000000000000.01', 'invalid_price', "plans.pro.price is '1000000000000.01'"],
    [
      'plans.pro.interval',
      'week',
      'invalid_catalog',
      "plans.pro.interval is 'week', but 'month' or 'year' was expected: week, quarter and one_time are not supported yet, so write 'month' or 'year'",
    ],
    ['plans.pro.interval', undefined, 'invalid_catalog', 'plans.pro.interval is missing'],
    [
      'plans.pro.consumption',
      'credits',
      'invalid_catalog',
      "plans.pro.consumption is 'credits', but 'metered' was expected: credits and balance are not supported yet",
    ],
    [
      'plans.pro.spendLimit',
      '5',
      'invalid_catalog',
      "plans.pro.spendLimit is '5', but an option named name, price, interval, consumption, default or features was expected",
    ],
    [
      'plans.pro.default',
      true,
      'invalid_catalog',
      'plans.pro.default is true, but only one default plan, which is plans.free, was expected',
    ],
    [
      'plans.pro.features.api_call',
      {},
      'unknown_feature',
      "plans.pro.features.api_call is an object, but one of the features api_calls, downloads or sso was expected: fix the spelling of 'api_call' or add it to features",
    ],
    ['plans.pro.features', [], 'invalid_catalog', 'plans.pro.features is a list of 0, but an object was expected'],
    ['plans.pro.features.sso', {}, 'invalid_catalog', 'plans.pro.features.sso is an object, but true or false was expected'],
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
    [
      'plans.free.features.api_calls.overage',
      { model: 'per_unit', price: '1' },
      'invalid_catalog',
      "plans.free.features.api_calls.overage is an object, but 'block' on a plan whose price is 0 was expected: remove the overage price, or give the plan a base price",
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

  test('refuses __proto__ as a code, given as JSON or as a literal', () => {
    const own = JSON.parse('{"__proto__": {"type": "metered"}}')
    expect(refusalOf({ ...sound(), features: own }).message).toContain("A code in features is '__proto__'")
    const inherited = { __proto__: { api_calls: { type: 'metered' } } }
    expect(refusalOf({ ...sound(), features: inherited }).message).toContain(
      'features is an object, but a plain object was expected',
    )
  })
})

/** A definition without fault. */
function sound(): ReturnType<typeof JSON.parse> {
  return {
    currency: 'USD',
    features: { api_calls: { type: 'metered', default: true }, downloads: { type: 'metered' }, sso: { type: 'boolean' } },
    plans: {
      free: { price: '0', interval: 'month', default: true, features: { api_calls: { included: 10 } } },
      pro: {
        price: '29',
        interval: 'month',
        features: {
          downloads: { included: 5, overage: { model: 'graduated', tiers: [{ upTo: 20, price: '0.05' }, { price: '0.02' }] } },
        },
      },
    },
  }
}

/** The error that a definition is refused with. */
function refusalOf(definition: CatalogDefinition): { readonly code: string; readonly message: string } {
  try {
    defineCatalog(definition)
  } catch (error) {
    return error as { readonly code: string; readonly message: string }
  }
  throw new Error('the definition was accepted')
}

/** A sound definition but for the value at a path such as `plans.pro.price`. */
function withValue(path: string, value: unknown): CatalogDefinition {
  const definition = sound()
  const names = path.split('.')
  const last = names.pop() ?? ''
  names.reduce((at, name) => at[name], definition)[last] = value
  return definition
}
