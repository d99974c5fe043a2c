import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allocate } from './allocate.ts'
import { decimal } from './decimal.ts'

const weightLists = fc
  .array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 20 })
  .filter((weights) => weights.some((weight) => weight > 0n))

describe('allocate', () => {
  test.each<[bigint, bigint[], bigint[]]>([
    [5n, [1n, 1n, 1n], [2n, 2n, 1n]],
    [-5n, [1n, 1n, 1n], [-2n, -2n, -1n]],
    [100n, [1n, 2n], [33n, 67n]],
    [100n, [0n, 1n, 0n], [0n, 100n, 0n]],
    [0n, [1n, 1n], [0n, 0n]],
    [1n, [1n], [1n]],
  ])('splits %s over %s as %s', (amount, weights, parts) => {
    expect(allocate(amount, weights)).toEqual(parts)
  })

  test('takes decimal weights by their proportion', () => {
    expect(allocate(100n, [decimal('0.001'), decimal('0.002')])).toEqual([33n, 67n])
    expect(allocate(100n, [decimal('1'), decimal('0.5')])).toEqual([67n, 33n])
  })

  test('conserves the sum, keeps each part within one unit of its share, and mirrors negative amounts', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), weightLists, (amount, weights) => {
        const parts = allocate(amount, weights)
        const sum = weights.reduce((total, weight) => total + weight, 0n)
        expect(parts.reduce((total, part) => total + part, 0n)).toBe(amount)
        for (const [index, part] of parts.entries()) {
          const error = part * sum - amount * (weights[index] ?? 0n)
          expect(error < sum && error > -sum).toBe(true)
        }
        expect(allocate(-amount, weights)).toEqual(parts.map((part) => (part === 0n ? 0n : -part)))
      }),
    )
  })

  test('gives nothing to a weight of zero', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), weightLists, (amount, weights) => {
        for (const [index, part] of allocate(amount, weights).entries()) if (weights[index] === 0n) expect(part).toBe(0n)
      }),
    )
  })

  test('refuses weights that share nothing out', () => {
    expect(() => allocate(1n, [])).toThrow('at least one positive weight')
    expect(() => allocate(1n, [0n, 0n])).toThrow('at least one positive weight')
    expect(() => allocate(1n, [2n, -1n])).toThrow('a weight is never negative')
  })
})
