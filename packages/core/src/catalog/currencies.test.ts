import { describe, expect, test } from 'vitest'
import { refusalOf, sound, withValue, withValues } from '../../test/definitions.ts'
import { decimal, formatDecimal } from '../values/decimal.ts'
import { defineCatalog, parseCatalog } from './define-catalog.ts'
import { catalogDocument } from './document.ts'

/** Everything that has a price, in three currencies. */
const DEFINITION = {
  currency: 'USD',
  currencies: ['EUR', 'JPY'],
  features: {
    api_calls: { type: 'metered', default: true },
    tokens: { type: 'metered' },
    sso: { type: 'boolean' },
  },
  plans: {
    free: { price: '0', interval: 'month', default: true, features: { api_calls: { included: 10 } } },
    pro: {
      price: { USD: '29.00', EUR: '27', JPY: '4300' },
      interval: 'quarter',
      minimum: { USD: '40', EUR: '38', JPY: '6000' },
      spendLimit: { USD: '100', EUR: '90', JPY: '15000' },
      features: {
        api_calls: {
          included: 5,
          overage: {
            model: 'graduated',
            tiers: [
              { upTo: 20, price: { USD: '0.05', EUR: '0.04', JPY: '7' }, flat: { USD: '1', EUR: '1', JPY: '150' } },
              { price: { USD: '0.02', EUR: '0.02', JPY: '3' } },
            ],
          },
        },
        sso: true,
      },
    },
    prepaid: {
      price: { USD: '10', EUR: '10', JPY: '1500' },
      interval: 'week',
      consumption: 'balance',
      includedBalance: { USD: '12', EUR: '11', JPY: '1800' },
      features: { tokens: { price: { model: 'fixed', price: { USD: '0.001', EUR: '0.001', JPY: '0.15' } } } },
    },
  },
  creditPacks: { small: { price: { USD: '5', EUR: '4.50', JPY: '700' }, credits: 100 } },
  coupons: { sorry: { amount: { USD: '5', EUR: '5', JPY: '700' } }, half: { percent: '50', plans: ['pro'] } },
} as const

const catalog = defineCatalog(DEFINITION)

describe('a catalog in several currencies', () => {
  test('sells everything in each of them, at the prices of that currency', () => {
    expect([...catalog.offers.keys()]).toEqual(['USD', 'EUR', 'JPY'])
    const prices = [...catalog.offers.values()].map(({ currency, plans, creditPacks, coupons }) => {
      const reduction = coupons.get('sorry')?.reduction
      return [
        currency,
        ...[...plans.values()].map(({ price }) => formatDecimal(price)),
        formatDecimal(creditPacks.get('small')?.price ?? decimal('0')),
        reduction?.kind === 'amount' ? formatDecimal(reduction.amount) : null,
      ]
    })
    expect(prices).toEqual([
      ['USD', '0', '29', '10', '5', '5'],
      ['EUR', '0', '27', '10', '4.5', '5'],
      ['JPY', '0', '4300', '1500', '700', '700'],
    ])
    expect(catalog.offers.get('JPY')?.plans.get('prepaid')).toMatchObject({
      includedBalance: decimal('1800'),
      features: new Map([
        ['tokens', { kind: 'balance', feature: 'tokens', price: { model: 'fixed', unitPrice: decimal('0.15') } }],
      ]),
    })
  })

  test('has its own currency as the one of its plans', () => {
    expect(catalog.plans).toBe(catalog.offers.get('USD')?.plans)
    expect([catalog.currency, catalog.defaultPlan]).toEqual(['USD', 'free'])
  })

  test('is made again from its document, with every currency and the same version', () => {
    const again = parseCatalog(catalog.document)
    expect(again).toEqual(catalog)
    expect(again.version).toBe(catalog.version)
    expect(catalogDocument(again)).toBe(catalog.document)
  })

  test.each([
    ['a price in another currency', 'plans.pro.price', { USD: '29', EUR: '28', JPY: '4300' }],
    ['a tier in another currency', 'plans.prepaid.includedBalance', { USD: '12', EUR: '11', JPY: '1801' }],
  ])('has another version with %s', (_, path, value) => {
    const definition = structuredClone(DEFINITION) as ReturnType<typeof sound>
    const names = path.split('.')
    const last = names.pop() ?? ''
    names.reduce((at, name) => at[name], definition)[last] = value
    expect(defineCatalog(definition).version).not.toBe(catalog.version)
  })

  test('keeps the document of a catalog in one currency as it was', () => {
    const single = defineCatalog(sound())
    expect(JSON.parse(single.document)).not.toHaveProperty('offers')
    expect(defineCatalog(withValue('plans.pro.price', { USD: '29' })).document).toBe(single.document)
  })
})

describe('a contradiction between currencies is one sentence', () => {
  const each = (price: string) => ({ USD: price, EUR: price })
  const inTwo = {
    currencies: ['EUR'],
    'plans.pro': { price: each('29'), interval: 'month' },
  }

  test.each<[changes: Readonly<Record<string, unknown>>, code: string, message: string]>([
    [
      { 'plans.pro.price': '29' },
      'invalid_price',
      "plans.pro.price is '29', but a price for each of the currencies USD or EUR was expected: write { USD: '…', EUR: '…' }",
    ],
    [{ 'plans.pro.price': { USD: '29' } }, 'invalid_price', "plans.pro.price.EUR is missing, but a decimal string from '0'"],
    [
      { 'plans.pro.price': { USD: '29', EUR: '27', GBP: '25' } },
      'invalid_catalog',
      "plans.pro.price.GBP is '25', but an option named USD or EUR was expected: fix the spelling of 'GBP' or remove it",
    ],
    [{ 'plans.pro.price': { USD: '29', EUR: 27 } }, 'invalid_price', 'plans.pro.price.EUR is 27, but a decimal string'],
    [{ currencies: [] }, 'invalid_catalog', 'currencies is a list of 0, but a list of 1 to 200 entries was expected'],
    [
      { currencies: ['eur'] },
      'invalid_catalog',
      "currencies[0] is 'eur', but an ISO 4217 currency code in capitals was expected",
    ],
    [{ currencies: ['EUR', 'EUR'] }, 'invalid_catalog', "currencies[1] is 'EUR', but each currency once was expected: remove it"],
    [{ currencies: ['EUR', 'USD'] }, 'invalid_catalog', "currencies[1] is 'USD', but each currency once was expected"],
    [
      { creditPacks: { small: { price: '5', credits: 5 } } },
      'invalid_price',
      "creditPacks.small.price is '5', but a price for each",
    ],
    [{ coupons: { sorry: { amount: '5' } } }, 'invalid_price', "coupons.sorry.amount is '5', but a price for each"],
  ])('%j', (changes, code, message) => {
    const refusal = refusalOf(withValues({ ...inTwo, ...changes }))
    expect(refusal.message).toContain(message)
    expect(refusal.code).toBe(code)
    expect(refusal.message).not.toMatch(/\n|\.$/)
  })

  test.each(['0', '0.00'])('%s is nothing in every currency', (price) => {
    const { offers } = defineCatalog(withValues({ ...inTwo, 'plans.free.price': price }))
    expect([...offers.values()].map(({ plans }) => plans.get('free')?.isFree)).toEqual([true, true])
  })
})
