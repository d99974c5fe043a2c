import { describe, expect, test } from 'vitest'
import { refusalOf, sound, withValue, withValues } from '../../test/definitions.ts'
import { defineCatalog, parseCatalog } from './define-catalog.ts'
import type { Plan } from './plan.ts'

describe('an interval', () => {
  test.each([
    ['week', { unit: 'week', count: 1 }, 1],
    ['month', { unit: 'month', count: 1 }, 1],
    ['quarter', { unit: 'month', count: 1 }, 3],
    ['year', { unit: 'month', count: 1 }, 12],
    ['one_time', { unit: 'month', count: 1 }, null],
  ] as const)('of a %s resets usage and has so many usage periods', (interval, every, periodsPerInterval) => {
    expect(planWith({ interval })).toMatchObject({ interval, every, periodsPerInterval })
  })
})

describe('a plan with nothing but a price', () => {
  test('is metered, has no trial, no limits, and gives back by the larger of time and allowance, by whole days', () => {
    expect(planWith({})).toMatchObject({
      consumption: 'metered',
      trialDays: 0,
      credits: null,
      includedBalance: null,
      blocksOnExhaustion: false,
      spendLimit: null,
      minimum: null,
      proration: 'max_consumption',
      prorationUnit: 'day',
      taxCategory: null,
      isFree: false,
    })
    expect(writtenPlan({})).toEqual({
      name: 'pro',
      price: '29',
      interval: 'month',
      consumption: 'metered',
      default: false,
      features: {},
    })
  })
})

describe('an option of a plan', () => {
  test.each([
    { trialDays: 14 },
    { trialDays: 730 },
    { spendLimit: '50' },
    { spendLimit: '0' },
    { minimum: '100.5' },
    { proration: 'time' },
    { proration: 'none' },
    { prorationUnit: 'second' },
    { taxCategory: 'software' },
    { consumption: 'credits', credits: '1000' },
    { consumption: 'credits', credits: '0' },
    { consumption: 'credits', credits: '0.5', minimum: '40' },
    { consumption: 'balance', blockOnExhaustion: false },
    { consumption: 'balance', blockOnExhaustion: false, spendLimit: '20' },
    { consumption: 'balance', blockOnExhaustion: true },
    { consumption: 'balance', blockOnExhaustion: false, includedBalance: '10' },
    { consumption: 'balance', blockOnExhaustion: false, includedBalance: '0' },
  ] as const)('%j is kept, and written as it was written', (options) => {
    expect(writtenPlan(options)).toMatchObject(options)
    const catalog = defineCatalog(proWith(options))
    expect(parseCatalog(catalog.document)).toEqual(catalog)
  })

  test.each([
    [{ trialDays: 0 }, {}],
    [{ proration: 'max_consumption' }, {}],
    [{ prorationUnit: 'day' }, {}],
    [{ consumption: 'metered' }, {}],
    [{ consumption: 'balance' }, { consumption: 'balance', blockOnExhaustion: false }],
    [
      { consumption: 'credits', credits: 5 },
      { consumption: 'credits', credits: '5.000' },
    ],
  ] as const)('%j and %j are the same catalog, with the same version', (one, other) => {
    expect(defineCatalog(proWith(one)).version).toBe(defineCatalog(proWith(other)).version)
  })

  test.each([
    { trialDays: 1 },
    { spendLimit: '5' },
    { minimum: '5' },
    { proration: 'time' },
    { prorationUnit: 'second' },
    { taxCategory: 'books' },
    { interval: 'quarter' },
    { consumption: 'balance' },
    { consumption: 'balance', includedBalance: '5' },
  ])('%j makes another version', (options) => {
    expect(defineCatalog(proWith(options)).version).not.toBe(defineCatalog(proWith({})).version)
  })
})

describe('when credits or balance are used up', () => {
  test.each([
    [{ consumption: 'credits', credits: 1 }, true],
    [{ consumption: 'balance' }, false],
    [{ consumption: 'balance', price: '0' }, true],
    [{ consumption: 'balance', price: '0', blockOnExhaustion: true, includedBalance: '5' }, true],
    [{ consumption: 'balance', blockOnExhaustion: true }, true],
    [{}, false],
  ] as const)('a plan of %j blocks: %s', (options, blocks) => {
    expect(planWith(options).blocksOnExhaustion).toBe(blocks)
  })
})

describe('a contradiction of a plan is one sentence', () => {
  const pro = 'plans.pro'

  test.each<[changes: Readonly<Record<string, unknown>>, message: string]>([
    [{ interval: 'day' }, "plans.pro.interval is 'day', but 'week', 'month', 'quarter', 'year' or 'one_time' was expected"],
    [{ interval: undefined }, 'plans.pro.interval is missing'],
    [
      { consumption: 'prepaid' },
      "plans.pro.consumption is 'prepaid', but 'metered', 'credits' or 'balance' was expected: leave it out for 'metered'",
    ],
    [
      { consumption: 'credits' },
      'plans.pro.credits is missing, but how many credits each period grants was expected: write a number, such as credits: 1000',
    ],
    [{ consumption: 'credits', credits: -1 }, 'plans.pro.credits is -1, but a number of credits was expected'],
    [{ consumption: 'credits', credits: '0.0000001' }, "plans.pro.credits is '0.0000001', but a number of credits was expected"],
    [
      { credits: 10 },
      "plans.pro.credits is 10, but no credits on a plan whose consumption is 'metered' was expected: remove it, or write consumption: 'credits'",
    ],
    [
      { consumption: 'balance', credits: 10 },
      "plans.pro.credits is 10, but no credits on a plan whose consumption is 'balance' was expected",
    ],
    [
      { includedBalance: '5' },
      "plans.pro.includedBalance is '5', but no includedBalance on a plan whose consumption is 'metered' was expected: remove it, or write consumption: 'balance'",
    ],
    [{ consumption: 'credits', credits: 1, includedBalance: '5' }, "no includedBalance on a plan whose consumption is 'credits'"],
    [{ blockOnExhaustion: true }, "no blockOnExhaustion on a plan whose consumption is 'metered' was expected"],
    [
      { consumption: 'balance', blockOnExhaustion: 'yes' },
      "plans.pro.blockOnExhaustion is 'yes', but true or false was expected",
    ],
    [
      { consumption: 'balance', price: '0', blockOnExhaustion: false },
      'plans.pro.blockOnExhaustion is false, but true on a plan whose price is 0 was expected: remove it: a free plan cannot have overage',
    ],
    [
      { consumption: 'credits', credits: 5, spendLimit: '5' },
      "plans.pro.spendLimit is '5', but nothing here was expected: remove it: on a plan of credits nothing is billed beyond them",
    ],
    [{ price: '0', spendLimit: '5' }, 'remove it: a free plan bills nothing'],
    [
      { consumption: 'balance', blockOnExhaustion: true, spendLimit: '5' },
      "plans.pro.spendLimit is '5', but nothing here was expected: remove it: with blockOnExhaustion nothing is billed beyond the balance",
    ],
    [
      { price: '0', minimum: '5' },
      "plans.pro.minimum is '5', but nothing here was expected: remove it: a free plan commits to nothing",
    ],
    [{ trialDays: -1 }, 'plans.pro.trialDays is -1, but a whole number from 0 to 730 was expected: write it without quotes'],
    [{ trialDays: 1.5 }, 'plans.pro.trialDays is 1.5, but a whole number from 0 to 730'],
    [{ trialDays: 731 }, 'plans.pro.trialDays is 731, but a whole number from 0 to 730'],
    [{ trialDays: '14' }, "plans.pro.trialDays is '14', but a whole number from 0 to 730"],
    [{ trialDays: NaN }, 'plans.pro.trialDays is NaN'],
    [
      { proration: 'full' },
      "plans.pro.proration is 'full', but 'max_consumption', 'time' or 'none' was expected: leave it out for 'max_consumption'",
    ],
    [{ prorationUnit: 'hour' }, "plans.pro.prorationUnit is 'hour', but 'day' or 'second' was expected: leave it out for 'day'"],
    [{ taxCategory: '' }, "plans.pro.taxCategory is '', but a text of 1 to 200 characters was expected"],
  ])('%j', (changes, message) => {
    const paths = Object.entries(changes).map(([name, value]) => [`${pro}.${name}`, value])
    const refusal = refusalOf(withValues({ [`${pro}.features`]: {}, ...Object.fromEntries(paths) }))
    expect(refusal.message).toContain(message)
    expect(refusal.code).toBe('invalid_catalog')
    expect(refusal.message).not.toMatch(/\n|\.$/)
  })

  test.each(['spendLimit', 'minimum'])('a number as %s is no price', (name) => {
    const refusal = refusalOf(withValue(`${pro}.${name}`, 5))
    expect(refusal).toMatchObject({ code: 'invalid_price' })
    expect(refusal.message).toContain(`${pro}.${name} is 5, but a decimal string`)
  })
})

/** The sound definition with other options of its paid plan, which sells no feature. */
function proWith(options: object): ReturnType<typeof sound> {
  const definition = sound()
  definition.plans.pro = { price: '29', interval: 'month', ...options }
  return definition
}

function planWith(options: object): Plan {
  const plan = defineCatalog(proWith(options)).plans.get('pro')
  if (plan === undefined) throw new Error('the plan is in its catalog')
  return plan
}

/** The plan as the catalog's document has it. */
function writtenPlan(options: object): object {
  return JSON.parse(defineCatalog(proWith(options)).document).plans.pro
}
