import { describe, expect, test } from 'vitest'
import { refusalOf, sound, withValues } from '../../test/definitions.ts'
import { toDecimal } from '../values/decimal.ts'
import { defineCatalog, parseCatalog } from './define-catalog.ts'

const CREDITS = { price: '29', interval: 'month', consumption: 'credits', credits: 1_000 }
const BALANCE = { price: '29', interval: 'month', consumption: 'balance' }

describe('what a unit costs', () => {
  test.each([
    ['in credits', CREDITS, { credits: '2.5' }, { kind: 'credits', credits: toDecimal(25n, 1) }],
    ['in no credits at all', CREDITS, { credits: '0' }, { kind: 'credits', credits: toDecimal(0n) }],
    [
      'in money',
      BALANCE,
      { price: { model: 'fixed', price: '0.000001' } },
      { kind: 'balance', price: { model: 'fixed', unitPrice: toDecimal(1n, 6) } },
    ],
    [
      "at an AI model's prices with a margin",
      BALANCE,
      { price: { model: 'ai_model', margin: '12.5' } },
      { kind: 'balance', price: { model: 'ai_model', margin: toDecimal(125n, 1) } },
    ],
  ] as const)('%s is kept, and written as it was written', (_, plan, terms, read) => {
    const catalog = defineCatalog(selling(plan, terms))
    expect(catalog.plans.get('pro')?.features.get('api_calls')).toEqual({ feature: 'api_calls', ...read })
    expect(JSON.parse(catalog.document).plans.pro.features.api_calls).toEqual(terms)
    expect(parseCatalog(catalog.document)).toEqual(catalog)
  })

  test.each([
    [{ model: 'ai_model' }, { model: 'ai_model', margin: '0' }],
    [
      { model: 'ai_model', marginBasisPoints: 2_000 },
      { model: 'ai_model', margin: '20' },
    ],
    [
      { model: 'ai_model', marginBasisPoints: 1 },
      { model: 'ai_model', margin: '0.01' },
    ],
  ])('%j is %j', (one, other) => {
    expect(defineCatalog(selling(BALANCE, { price: one })).document).toBe(
      defineCatalog(selling(BALANCE, { price: other })).document,
    )
  })
})

describe('a contradiction in what a unit costs is one sentence', () => {
  const calls = 'plans.pro.features.api_calls'

  test.each<[plan: object, terms: unknown, message: string]>([
    [CREDITS, {}, `${calls}.credits is missing, but a number of credits was expected`],
    [CREDITS, { credits: -1 }, `${calls}.credits is -1, but a number of credits was expected`],
    [CREDITS, { credits: 'many' }, `${calls}.credits is 'many', but a number of credits was expected`],
    [CREDITS, { included: 5 }, `${calls}.included is 5, but an option named credits was expected`],
    [CREDITS, { credits: 1, overage: 'block' }, `${calls}.overage is 'block', but an option named credits was expected`],
    [CREDITS, true, `${calls} is true, but an object was expected`],
    [BALANCE, { included: 5 }, `${calls}.included is 5, but an option named price was expected`],
    [
      BALANCE,
      {},
      `${calls}.price is missing, but a price was expected: write { model: 'fixed', price: '0.01' } or { model: 'ai_model', margin: '20' }`,
    ],
    [BALANCE, { price: '0.01' }, `${calls}.price is '0.01', but a price was expected`],
    [
      BALANCE,
      { price: { model: 'per_unit', price: '1' } },
      `${calls}.price.model is 'per_unit', but 'fixed' or 'ai_model' was expected: write 'fixed' or 'ai_model'`,
    ],
    [
      BALANCE,
      { price: { model: 'fixed', price: '1', margin: '20' } },
      `${calls}.price.margin is '20', but an option named model or price was expected`,
    ],
    [
      BALANCE,
      { price: { model: 'ai_model', price: '1' } },
      `${calls}.price.price is '1', but an option named model, margin or marginBasisPoints was expected`,
    ],
    [
      BALANCE,
      { price: { model: 'ai_model', margin: '20', marginBasisPoints: 2_000 } },
      `${calls}.price.marginBasisPoints is 2000, but one margin was expected: remove margin or marginBasisPoints`,
    ],
    [
      BALANCE,
      { price: { model: 'ai_model', margin: 20 } },
      `${calls}.price.margin is 20, but per cent as a decimal string from '0' to '100000' was expected: write it in quotes, such as '20'`,
    ],
    [BALANCE, { price: { model: 'ai_model', margin: '-1' } }, `${calls}.price.margin is '-1'`],
    [BALANCE, { price: { model: 'ai_model', margin: '100000.1' } }, `${calls}.price.margin is '100000.1'`],
    [
      BALANCE,
      { price: { model: 'ai_model', marginBasisPoints: 0.5 } },
      `${calls}.price.marginBasisPoints is 0.5, but a whole number from 0 to 10000000 was expected`,
    ],
    [{ ...BALANCE, consumption: 'metered' }, { credits: 1 }, `${calls}.credits is 1, but an option named included or overage`],
  ])('%j selling %j', (plan, terms, message) => {
    const refusal = refusalOf(withValues({ 'plans.pro': plan, [calls]: terms }))
    expect(refusal.message).toContain(message)
    expect(refusal.code).toBe('invalid_catalog')
    expect(refusal.message).not.toMatch(/\n|\.$/)
  })

  test('a fixed price that is a number is no price', () => {
    const refusal = refusalOf(selling(BALANCE, { price: { model: 'fixed', price: 0.01 } }))
    expect(refusal).toMatchObject({ code: 'invalid_price' })
    expect(refusal.message).toContain(`${calls}.price.price is 0.01`)
  })
})

/** The sound definition with this as its paid plan, selling one feature by these terms. */
function selling(plan: object, terms: unknown): ReturnType<typeof sound> {
  const definition = sound()
  definition.plans.pro = { ...plan, features: { api_calls: terms } }
  return definition
}
