import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { GraduatedPrice, PackagePrice, PerUnitPrice, Price, Tier } from '../catalog/price.ts'
import type { RatedLine } from '../records/rated-line.ts'
import { add, compare, decimal, type Decimal, DECIMAL_ZERO, formatDecimal, multiply, toDecimal } from '../values/decimal.ts'
import { formatQuantity, MAX_QUANTITY, ONE, parseQuantity, type Quantity, quantityToDecimal } from '../values/quantity.ts'
import { rate } from './rate.ts'

const perUnit: PerUnitPrice = { model: 'per_unit', unitPrice: decimal('0.25') }
const blocks: PackagePrice = { model: 'package', size: 10n * ONE, packagePrice: decimal('0.50') }
const graduated = tiers([10, '0.05'], [20, '0.02'], [null, '0.01'])
const withFees = tiers([10, '10', '2'], [20, '5', '3'], [null, '5', '3'])

describe('rate', () => {
  test.each<[name: string, price: Price, used: string, lines: string[]]>([
    ['per unit, nothing', perUnit, '0', []],
    ['per unit, one', perUnit, '1', ['per_unit: 1 at 0.25 per 1 = 0.25']],
    ['per unit, the smallest fraction', perUnit, '0.000001', ['per_unit: 0.000001 at 0.25 per 1 = 0.00000025']],
    ['package, nothing', blocks, '0', []],
    ['package, the smallest fraction', blocks, '0.000001', ['package: 0.000001 at 0.5 per 10 = 0.5']],
    ['package, a whole block', blocks, '10', ['package: 10 at 0.5 per 10 = 0.5']],
    ['package, a whole block and the smallest fraction', blocks, '10.000001', ['package: 10.000001 at 0.5 per 10 = 1']],
    ['graduated, nothing', graduated, '0', []],
    ['graduated, up to a bound', graduated, '10', ['graduated-1: 10 at 0.05 per 1 = 0.5']],
    [
      'graduated, the smallest fraction beyond',
      graduated,
      '10.000001',
      ['graduated-1: 10 at 0.05 per 1 = 0.5', 'graduated-2: 0.000001 at 0.02 per 1 = 0.00000002'],
    ],
    [
      'graduated, every tier',
      graduated,
      '25',
      ['graduated-1: 10 at 0.05 per 1 = 0.5', 'graduated-2: 10 at 0.02 per 1 = 0.2', 'graduated-3: 5 at 0.01 per 1 = 0.05'],
    ],
    ['fees, nothing: the first tier is entered', withFees, '0', ['graduated-1-flat: 0 at 2 per 1 = 2']],
    [
      'fees, up to a bound: the second tier is not entered',
      withFees,
      '10',
      ['graduated-1-flat: 0 at 2 per 1 = 2', 'graduated-1: 10 at 10 per 1 = 100'],
    ],
    [
      'fees, one beyond',
      withFees,
      '11',
      [
        'graduated-1-flat: 0 at 2 per 1 = 2',
        'graduated-1: 10 at 10 per 1 = 100',
        'graduated-2-flat: 0 at 3 per 1 = 3',
        'graduated-2: 1 at 5 per 1 = 5',
      ],
    ],
  ])('%s', (_, price, used, lines) => {
    expect(rate(price, parseQuantity(used)).map(text)).toEqual(lines)
  })

  test('refuses usage below zero', () => {
    expect(() => rate(perUnit, -1n)).toThrow('usage is never negative')
  })

  test('refuses a pricing model that nobody rates', () => {
    expect(() => rate({ model: 'volume' } as never, 1n)).toThrow('every pricing model is rated')
  })
})

describe('laws of rating', () => {
  const quantities = fc.bigInt({ min: 0n, max: MAX_QUANTITY })
  const amounts = fc.bigInt({ min: 0n, max: 10n ** 15n }).map((coefficient) => toDecimal(coefficient, 12))
  const perUnits: fc.Arbitrary<PerUnitPrice> = amounts.map((unitPrice) => ({ model: 'per_unit', unitPrice }))
  const packages: fc.Arbitrary<PackagePrice> = fc.record({
    model: fc.constant('package'),
    size: quantities.map((size) => size + 1n),
    packagePrice: amounts,
  })
  const graduateds: fc.Arbitrary<GraduatedPrice> = fc
    .record({
      bounds: fc.uniqueArray(
        quantities.filter((bound) => bound > 0n),
        { maxLength: 5 },
      ),
      fees: fc.array(fc.tuple(amounts, amounts), { minLength: 6, maxLength: 6 }),
    })
    .map(({ bounds, fees }) => graduatedOf(bounds, fees))
  const prices: fc.Arbitrary<Price> = fc.oneof(perUnits, packages, graduateds)

  test('the quantities of the lines sum to the usage', () => {
    fc.assert(
      fc.property(
        prices,
        quantities,
        (price, used) => void expect(rate(price, used).reduce((sum, line) => sum + line.quantity, 0n)).toBe(used),
      ),
    )
  })

  test('using more never costs less', () => {
    fc.assert(
      fc.property(
        prices,
        quantities,
        quantities,
        (price, used, more) => void expect(compare(total(price, used + more), total(price, used))).toBeGreaterThanOrEqual(0),
      ),
    )
  })

  test('rating in two parts equals rating in one, for a price per unit', () => {
    fc.assert(
      fc.property(
        perUnits,
        quantities,
        quantities,
        (price, a, b) => void expect(add(total(price, a), total(price, b))).toEqual(total(price, a + b)),
      ),
    )
  })

  test('rating in two parts equals rating in one, for tiers, when the second part begins where the first ended', () => {
    fc.assert(
      fc.property(graduateds, quantities, quantities, (price, a, b) => {
        expect(add(total(price, a), costBetween(price, a, a + b))).toEqual(total(price, a + b))
      }),
    )
  })

  test('a package costs the fewest blocks that hold the usage', () => {
    fc.assert(
      fc.property(packages, fc.nat({ max: 1_000 }), (price, count) => {
        const whole = price.size * BigInt(count)
        expect(total(price, whole)).toEqual(multiply(price.packagePrice, toDecimal(BigInt(count))))
        expect(total(price, whole + 1n)).toEqual(multiply(price.packagePrice, toDecimal(BigInt(count) + 1n)))
      }),
    )
  })

  test('the ids of the lines are all different, and more usage keeps those that were there', () => {
    fc.assert(
      fc.property(prices, quantities, quantities, (price, used, more) => {
        const ids = rate(price, used + more).map((line) => line.id)
        expect(new Set(ids).size).toBe(ids.length)
        expect(ids).toEqual(expect.arrayContaining(rate(price, used).map((line) => line.id)))
      }),
    )
  })
})

function tiers(...rows: readonly (readonly [upTo: number | null, unitPrice: string, flat?: string])[]): GraduatedPrice {
  const made = rows.map(([upTo, unitPrice, flat]): Tier => ({
    upTo: upTo === null ? 'unbounded' : BigInt(upTo) * ONE,
    unitPrice: decimal(unitPrice),
    flat: decimal(flat ?? '0'),
  }))
  return { model: 'graduated', tiers: made }
}

function graduatedOf(bounds: readonly Quantity[], fees: readonly (readonly [Decimal, Decimal])[]): GraduatedPrice {
  const sorted = bounds.toSorted((a, b) => (a < b ? -1 : 1))
  const made = [...sorted, 'unbounded' as const].map((upTo, index): Tier => {
    const [unitPrice, flat] = fees[index] ?? [DECIMAL_ZERO, DECIMAL_ZERO]
    return { upTo, unitPrice, flat }
  })
  return { model: 'graduated', tiers: made }
}

/** The same answer by another way: what lies between two amounts of usage, tier by tier. */
function costBetween({ tiers: rows }: GraduatedPrice, from: Quantity, to: Quantity): Decimal {
  let sum = DECIMAL_ZERO
  let start: Quantity = 0n
  for (const { upTo, unitPrice, flat } of rows) {
    const end = upTo === 'unbounded' ? to : upTo
    const units = smaller(end, to) - larger(start, from)
    if (units > 0n) sum = add(sum, multiply(unitPrice, quantityToDecimal(units)))
    if (start > 0n && from <= start && start < to) sum = add(sum, flat)
    start = end
  }
  return sum
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function total(price: Price, used: Quantity): Decimal {
  return rate(price, used).reduce((sum, line) => add(sum, line.amount), DECIMAL_ZERO)
}

function text({ id, quantity, unitPrice, per, amount }: RatedLine): string {
  return `${id}: ${formatQuantity(quantity)} at ${formatDecimal(unitPrice)} per ${formatQuantity(per)} = ${formatDecimal(amount)}`
}
