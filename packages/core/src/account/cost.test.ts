import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BalanceTerms, CreditTerms } from '../catalog/plan-feature.ts'
import type { ModelPrices, ModelQuote } from '../contracts/model-prices.ts'
import type { ModelUsage, TokenClass } from '../records/model-usage.ts'
import { add, type Decimal, decimal, formatDecimal, toDecimal } from '../values/decimal.ts'
import { parseQuantity } from '../values/quantity.ts'
import { type Cost, costOf } from './cost.ts'

const AT = Date.UTC(2026, 0, 1)
const costing = (units: string, usage: ModelUsage | null = null) => ({
  quantity: parseQuantity(units),
  usage,
  at: AT,
  isIncomplete: false,
})

describe('units', () => {
  test.each([
    ['2.5', '4', '10'],
    ['0', '1000', '0'],
    ['0.000001', '0.000001', '0.000000000001'],
    ['1000000000', '1000000000', '1000000000000000000'],
  ])('at %s credits each: %s of them take %s, exact', (credits, units, cost) => {
    const terms: CreditTerms = { kind: 'credits', feature: 'calls', credits: decimal(credits) }
    expect(costAsText(costOf(terms, costing(units), null))).toBe(cost)
  })

  test.each([
    ['0.01', '3', '0.03'],
    ['0.000000000001', '0.000001', '0.000000000000000001'],
    ['0', '5', '0'],
  ])('at a price of %s each: %s of them take %s, exact', (price, units, cost) => {
    expect(costAsText(costOf(fixed(price), costing(units), null))).toBe(cost)
  })

  test('in two parts cost what they cost in one', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 12n), fc.bigInt(0n, 10n ** 12n), fc.nat(10 ** 9), (a, b, price) => {
        const terms = fixed(formatDecimal(toDecimal(BigInt(price), 9)))
        const of = (quantity: bigint): Decimal => {
          const cost = costOf(terms, { quantity, usage: null, at: AT, isIncomplete: false }, null)
          return cost.kind === 'priced' ? cost.cost : decimal('-1')
        }
        expect(add(of(a), of(b))).toEqual(of(a + b))
      }),
    )
  })
})

describe('tokens of an AI model', () => {
  const usage: ModelUsage = { model: 'big-1', inputTokens: 1_500, outputTokens: 500, cacheReadTokens: 500 }
  const classes: readonly TokenClass[] = [
    { name: 'input', tokens: 1_000, perMillion: decimal('2.5') },
    { name: 'cache_read', tokens: 500, perMillion: decimal('0.25') },
    { name: 'output', tokens: 500, perMillion: decimal('10') },
  ]

  test.each([
    ['0', '0.007625'],
    ['20', '0.00915'],
    ['12.5', '0.008578125'],
    ['100000', '7.632625'],
  ])('cost each class at its price, and with a margin of %s per cent %s', (margin, cost) => {
    const priced = costOf(
      model(margin),
      costing('1', usage),
      pricesWith({ kind: 'priced', model: 'big-1', provider: 'acme', classes }),
    )
    expect(costAsText(priced)).toBe(cost)
    expect(priced).toMatchObject({
      model: {
        model: 'big-1',
        provider: 'acme',
        catalog: 'list 1',
        margin,
        classes,
        providerCost: decimal('0.007625'),
        isIncomplete: false,
      },
    })
  })

  test('are priced at the day on which they were used, whatever the number of units', () => {
    const asked: unknown[] = []
    const prices = { ...pricesWith({ kind: 'priced', model: 'big-1', provider: 'acme', classes }) }
    const quote: ModelPrices['quote'] = (of, at) => (asked.push([of, at]), prices.quote(of, at))
    expect(costAsText(costOf(model('0'), costing('7', usage), { ...prices, quote }))).toBe('0.007625')
    expect(asked).toEqual([[usage, AT]])
  })

  test('of an answer that broke off are marked as such', () => {
    const prices = pricesWith({ kind: 'priced', model: 'big-1', provider: 'acme', classes })
    expect(costOf(model('0'), { ...costing('1', usage), isIncomplete: true }, prices)).toMatchObject({
      model: { isIncomplete: true },
    })
  })

  test('that nobody has reported yet cost nothing yet', () => {
    expect(costOf(model('20'), costing('1'), pricesWith({ kind: 'unknown_model' }))).toEqual({
      kind: 'priced',
      cost: decimal('0'),
    })
  })

  test.each<[ModelQuote, Cost]>([
    [{ kind: 'unknown_model' }, { kind: 'unknown_model', model: 'big-1' }],
    [
      { kind: 'unpriceable', reason: 'It has no price for audio' },
      { kind: 'unpriceable', reason: 'It has no price for audio' },
    ],
  ])('have no cost where the list answers %j', (quote, cost) => {
    expect(costOf(model('20'), costing('1', usage), pricesWith(quote))).toEqual(cost)
  })

  test('are each in one class: a list that leaves some out is not trusted', () => {
    const quote: ModelQuote = { kind: 'priced', model: 'big-1', provider: 'acme', classes: classes.slice(1) }
    expect(() => costOf(model('0'), costing('1', usage), pricesWith(quote))).toThrow('each token is in exactly one class')
  })

  test('need a price list', () => {
    expect(() => costOf(model('0'), costing('1', usage), null)).toThrow('a catalog that sells AI models has their prices')
  })
})

function fixed(price: string): BalanceTerms {
  return { kind: 'balance', feature: 'calls', price: { model: 'fixed', unitPrice: decimal(price) } }
}

function model(margin: string): BalanceTerms {
  return { kind: 'balance', feature: 'tokens', price: { model: 'ai_model', margin: decimal(margin) } }
}

function pricesWith(quote: ModelQuote): ModelPrices {
  return { catalog: 'list 1', currency: 'USD', quote: () => quote }
}

function costAsText(cost: Cost): string {
  return cost.kind === 'priced' ? formatDecimal(cost.cost) : cost.kind
}
