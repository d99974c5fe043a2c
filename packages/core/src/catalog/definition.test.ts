import { describe, expect, test } from 'vitest'
import { refusalOf, sound, withValue } from '../../test/definitions.ts'

describe('a contradiction is one sentence with the field, the value, what was expected and the fix', () => {
  test.each<[path: string, value: unknown, code: string, message: string]>([
    [
      'currency',
      'usd',
      'invalid_catalog',
      "currency is 'usd', but an ISO 4217 currency code in capitals was expected: write it such as 'USD' or 'EUR'",
    ],
    ['currency', undefined, 'invalid_catalog', 'currency is missing, but an ISO 4217'],
    [
      'plan',
      {},
      'invalid_catalog',
      'plan is an object, but an option named currency, currencies, features, plans, creditPacks or coupons was expected',
    ],
    ['creditPacks', {}, 'invalid_catalog', 'creditPacks is an object, but at least one entry was expected: add one'],
    ['coupons', [], 'invalid_catalog', 'coupons is a list of 0, but an object was expected'],
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
    ['plans.pro.interval', undefined, 'invalid_catalog', 'plans.pro.interval is missing'],
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
    [
      'plans.free.features.api_calls.overage',
      { model: 'per_unit', price: '1' },
      'invalid_catalog',
      "plans.free.features.api_calls.overage is an object, but 'block' on a plan whose price is 0 was expected: remove the overage price, or give the plan a base price",
    ],
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
