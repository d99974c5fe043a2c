import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FlatPrice, GraduatedPrice, PackagePrice, PerUnitPrice, Price, Tier, VolumePrice } from '../catalog/price.ts'
import type { RatedLine } from '../records/rated-line.ts'
import { add, compare, decimal, type Decimal, DECIMAL_ZERO, formatDecimal, multiply, toDecimal } from '../values/decimal.ts'
import { formatQuantity, MAX_QUANTITY, ONE, parseQuantity, type Quantity, quantityToDecimal } from '../values/quantity.ts'
import { costBetween, costOf, rate } from './rate.ts'

const perUnit: PerUnitPrice = { model: 'per_unit', unitPrice: decimal('0.25') }
const blocks: PackagePrice = { model: 'package', size: 10n * ONE, packagePrice: decimal('0.50') }
const flat: FlatPrice = { model: 'flat', fee: decimal('9.99') }
const graduated = tiers([10, '0.05'], [20, '0.02'], [null, '0.01'])
const withFees = tiers([10, '10', '2'], [20, '5', '3'], [null, '5', '3'])
const volume: VolumePrice = { ...graduated, model: 'volume' }
const volumeWithFees: VolumePrice = { ...tiers([10, '10', '2'], [20, '5'], [null, '1', '50']), model: 'volume' }

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
    ['volume, nothing', volume, '0', []],
    ['volume, up to a bound', volume, '10', ['volume: 10 at 0.05 per 1 = 0.5']],
    ['volume, the smallest fraction beyond', volume, '10.000001', ['volume: 10.000001 at 0.02 per 1 = 0.20000002']],
    ['volume, the last tier', volume, '25', ['volume: 25 at 0.01 per 1 = 0.25']],
    ['volume with fees, nothing: the first tier is reached', volumeWithFees, '0', ['volume-flat: 0 at 2 per 1 = 2']],
    ['volume with fees, up to a bound', volumeWithFees, '10', ['volume-flat: 0 at 2 per 1 = 2', 'volume: 10 at 10 per 1 = 100']],
    ['volume with fees, a tier without one', volumeWithFees, '20', ['volume: 20 at 5 per 1 = 100']],
    [
      'volume with fees, only that of the tier reached',
      volumeWithFees,
      '21',
      ['volume-flat: 0 at 50 per 1 = 50', 'volume: 21 at 1 per 1 = 21'],
    ],
    ['flat, nothing', flat, '0', []],
    ['flat, the smallest fraction', flat, '0.000001', ['flat: 0.000001 at 9.99 per 0.000001 = 9.99']],
    ['flat, however much', flat, '1000000', ['flat: 1000000 at 9.99 per 1000000 = 9.99']],
  ])('%s', (_, price, used, lines) => {
    expect(rate(price, parseQuantity(used)).map(text)).toEqual(lines)
  })

  test('refuses usage below zero', () => {
    expect(() => rate(perUnit, -1n)).toThrow('usage is never negative')
  })

  test('refuses a pricing model that nobody rates', () => {
    expect(() => rate({ model: 'free' } as never, 1n)).toThrow('every pricing model is rated')
  })
})

describe('costBetween', () => {
  test.each<[name: string, price: Price, before: string, after: string, cost: string]>([
    ['per unit', perUnit, '1', '4', '0.75'],
    ['nothing more', withFees, '11', '11', '0'],
    ['a package that has room left', blocks, '17', '20', '0'],
    ['a package that is full', blocks, '17', '20.000001', '0.5'],
    ['graduated, across a bound', graduated, '8', '12', '0.14'],
    ['the fee of a tier that is entered', withFees, '10', '11', '8'],
    ['the fee of the first tier, which was billed at nothing', withFees, '0', '1', '10'],
    ['volume, in one tier', volume, '11', '12', '0.02'],
    ['volume, where the price of all falls', volume, '10', '11', '-0.28'],
    ['flat, the first unit', flat, '0', '1', '9.99'],
    ['flat, more', flat, '1', '1000', '0'],
    ['less than before', perUnit, '4', '1', '-0.75'],
  ])('prices %s', (_, price, before, after, cost) => {
    expect(formatDecimal(costBetween(price, parseQuantity(before), parseQuantity(after)))).toBe(cost)
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
  const tiereds: fc.Arbitrary<readonly Tier[]> = fc
    .record({
      bounds: fc.uniqueArray(
        quantities.filter((bound) => bound > 0n),
        { maxLength: 5 },
      ),
      fees: fc.array(fc.tuple(amounts, amounts), { minLength: 6, maxLength: 6 }),
    })
    .map(({ bounds, fees }) => tiersOf(bounds, fees))
  const graduateds: fc.Arbitrary<GraduatedPrice> = tiereds.map((made) => ({ model: 'graduated', tiers: made }))
  const volumes: fc.Arbitrary<VolumePrice> = tiereds.map((made) => ({ model: 'volume', tiers: made }))
  const flats: fc.Arbitrary<FlatPrice> = amounts.map((fee) => ({ model: 'flat', fee }))
  /** Prices of which more never costs less. */
  const rising: fc.Arbitrary<Price> = fc.oneof(perUnits, packages, graduateds, flats)
  const prices: fc.Arbitrary<Price> = fc.oneof(rising, volumes)

  test('the quantities of the lines sum to the usage', () => {
    fc.assert(
      fc.property(
        prices,
        quantities,
        (price, used) => void expect(rate(price, used).reduce((sum, line) => sum + line.quantity, 0n)).toBe(used),
      ),
    )
  })

  test('using more never costs less, but for volume prices', () => {
    fc.assert(
      fc.property(
        rising,
        quantities,
        quantities,
        (price, used, more) => void expect(compare(costOf(price, used + more), costOf(price, used))).toBeGreaterThanOrEqual(0),
      ),
    )
  })

  test('rating in two parts equals rating in one, for a price per unit', () => {
    fc.assert(
      fc.property(
        perUnits,
        quantities,
        quantities,
        (price, a, b) => void expect(add(costOf(price, a), costOf(price, b))).toEqual(costOf(price, a + b)),
      ),
    )
  })

  test('rating in two parts equals rating in one, for tiers, when the second part begins where the first ended', () => {
    fc.assert(
      fc.property(graduateds, quantities, quantities, (price, a, b) => {
        expect(add(costOf(price, a), tierCostBetween(price, a, a + b))).toEqual(costOf(price, a + b))
        expect(costBetween(price, a, a + b)).toEqual(tierCostBetween(price, a, a + b))
      }),
    )
  })

  test('what comes later is priced so that all parts sum to the cost of all, in any parts and for any price', () => {
    fc.assert(
      fc.property(prices, quantities, fc.array(quantities, { maxLength: 5 }), (price, first, more) => {
        let used = first
        let sum = costOf(price, first)
        for (const part of more) {
          sum = add(sum, costBetween(price, used, used + part))
          used += part
        }
        expect(sum).toEqual(costOf(price, used))
      }),
    )
  })

  test('a volume price costs what the tier alone would, whose number of bounds the usage is beyond', () => {
    fc.assert(
      fc.property(volumes, quantities, (price, used) => {
        const passed = price.tiers.filter(({ upTo }) => upTo !== 'unbounded' && upTo < used).length
        const { unitPrice, flat: fee } = price.tiers[passed] ?? { unitPrice: DECIMAL_ZERO, flat: DECIMAL_ZERO }
        expect(costOf(price, used)).toEqual(add(fee, multiply(unitPrice, quantityToDecimal(used))))
      }),
    )
  })

  test('a flat price costs its fee from the smallest fraction on', () => {
    fc.assert(
      fc.property(flats, quantities, (price, used) => {
        expect(costOf(price, used + 1n)).toEqual(price.fee)
      }),
    )
  })

  test('a package costs the fewest blocks that hold the usage', () => {
    fc.assert(
      fc.property(packages, fc.nat({ max: 1_000 }), (price, count) => {
        const whole = price.size * BigInt(count)
        expect(costOf(price, whole)).toEqual(multiply(price.packagePrice, toDecimal(BigInt(count))))
        expect(costOf(price, whole + 1n)).toEqual(multiply(price.packagePrice, toDecimal(BigInt(count) + 1n)))
      }),
    )
  })

  test('the ids of the lines are all different, and more usage keeps those that were there', () => {
    fc.assert(
      fc.property(rising, quantities, quantities, (price, used, more) => {
        const ids = rate(price, used + more).map((line) => line.id)
        expect(new Set(ids).size).toBe(ids.length)
        expect(ids).toEqual(expect.arrayContaining(rate(price, used).map((line) => line.id)))
      }),
    )
  })

  test('a volume price keeps all units on one line, whatever tier they are in', () => {
    fc.assert(
      fc.property(volumes, quantities, (price, used) => {
        const units = rate(price, used + 1n).filter((line) => line.quantity > 0n)
        expect(units.map((line) => line.id)).toEqual(['volume'])
      }),
    )
  })
})

function tiers(...rows: readonly (readonly [upTo: number | null, unitPrice: string, fee?: string])[]): GraduatedPrice {
  const made = rows.map(([upTo, unitPrice, fee]): Tier => ({
    upTo: upTo === null ? 'unbounded' : BigInt(upTo) * ONE,
    unitPrice: decimal(unitPrice),
    flat: decimal(fee ?? '0'),
  }))
  return { model: 'graduated', tiers: made }
}

function tiersOf(bounds: readonly Quantity[], fees: readonly (readonly [Decimal, Decimal])[]): Tier[] {
  const sorted = bounds.toSorted((a, b) => (a < b ? -1 : 1))
  return [...sorted, 'unbounded' as const].map((upTo, index): Tier => {
    const [unitPrice, fee] = fees[index] ?? [DECIMAL_ZERO, DECIMAL_ZERO]
    return { upTo, unitPrice, flat: fee }
  })
}

/** The same answer by another way: what lies between two amounts of usage, tier by tier. */
function tierCostBetween({ tiers: rows }: GraduatedPrice, from: Quantity, to: Quantity): Decimal {
  let sum = DECIMAL_ZERO
  let start: Quantity = 0n
  for (const { upTo, unitPrice, flat: fee } of rows) {
    const end = upTo === 'unbounded' ? to : upTo
    const units = smaller(end, to) - larger(start, from)
    if (units > 0n) sum = add(sum, multiply(unitPrice, quantityToDecimal(units)))
    if (start > 0n && from <= start && start < to) sum = add(sum, fee)
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

function text({ id, quantity, unitPrice, per, amount }: RatedLine): string {
  return `${id}: ${formatQuantity(quantity)} at ${formatDecimal(unitPrice)} per ${formatQuantity(per)} = ${formatDecimal(amount)}`
}
