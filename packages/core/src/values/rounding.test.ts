import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { divideRounded, type RoundingMode } from './rounding.ts'

const MODES = ['half_up', 'half_even', 'up', 'down', 'ceil', 'floor'] as const

/** Tenths, rounded to whole units. */
const TABLE: readonly (readonly [tenths: bigint, ...rounded: readonly bigint[]])[] = [
  // tenths, half_up, half_even, up, down, ceil, floor
  [25n, 3n, 2n, 3n, 2n, 3n, 2n],
  [35n, 4n, 4n, 4n, 3n, 4n, 3n],
  [24n, 2n, 2n, 3n, 2n, 3n, 2n],
  [26n, 3n, 3n, 3n, 2n, 3n, 2n],
  [20n, 2n, 2n, 2n, 2n, 2n, 2n],
  [5n, 1n, 0n, 1n, 0n, 1n, 0n],
  [0n, 0n, 0n, 0n, 0n, 0n, 0n],
  [-5n, -1n, 0n, -1n, 0n, 0n, -1n],
  [-24n, -2n, -2n, -3n, -2n, -2n, -3n],
  [-25n, -3n, -2n, -3n, -2n, -2n, -3n],
  [-35n, -4n, -4n, -4n, -3n, -3n, -4n],
]

describe('divideRounded', () => {
  for (const [tenths, ...rounded] of TABLE) {
    test(`rounds ${tenths} tenths by each mode`, () => {
      expect(MODES.map((mode) => divideRounded(tenths, 10n, mode))).toEqual(rounded)
    })
  }

  test('is never further from the exact quotient than one unit, and no further than half a unit by the half modes', () => {
    fc.assert(
      fc.property(
        fc.bigInt(),
        fc.bigInt({ min: 1n, max: 10n ** 20n }),
        fc.constantFrom(...MODES),
        (numerator, denominator, mode) => {
          const error = divideRounded(numerator, denominator, mode) * denominator - numerator
          const magnitude = error < 0n ? -error : error
          expect(magnitude < denominator).toBe(true)
          if (mode.startsWith('half')) expect(magnitude * 2n <= denominator).toBe(true)
        },
      ),
    )
  })

  test('refuses a denominator that is not positive, and a mode that nobody named', () => {
    expect(() => divideRounded(1n, 0n, 'half_up')).toThrow('a denominator is positive')
    expect(() => divideRounded(1n, 2n, 'nearest' as RoundingMode)).toThrow('a rounding mode is one of six')
  })
})
