import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDecimal, scaledTo } from './decimal.ts'
import {
  formatQuantity,
  formatWholeUnits,
  MAX_QUANTITY,
  ONE,
  parseQuantity,
  type QuantityInput,
  quantityToDecimal,
} from './quantity.ts'

const quantities = fc.bigInt({ min: 0n, max: MAX_QUANTITY })

describe('parseQuantity', () => {
  test.each<[QuantityInput, bigint]>([
    [0, 0n],
    [-0, 0n],
    [1, ONE],
    [20, 20_000_000n],
    [0.203023, 203_023n],
    [0.000001, 1n],
    [1e-6, 1n],
    [1e9, MAX_QUANTITY],
    [999_999_999.999999, MAX_QUANTITY - 1n],
    ['0.203023', 203_023n],
    ['1.5', 1_500_000n],
    ['1000000000', MAX_QUANTITY],
    [3n, 3_000_000n],
  ])('reads %s exactly', (input, quantity) => {
    expect(parseQuantity(input)).toBe(quantity)
  })

  test.each<[QuantityInput, string]>([
    [NaN, 'got NaN: look for a missing value in the calculation'],
    [Infinity, 'got Infinity: report what was used, not a placeholder'],
    [-Infinity, 'got -Infinity: usage is never negative'],
    [-1, 'got -1: usage is never negative'],
    [-1e-9, 'got -1e-9: usage is never negative'],
    [1e-7, 'got 1e-7: round it to six places'],
    [0.1 + 0.2, "got 0.30000000000000004: round it to six places, or give a decimal string such as '0.3'"],
    [1e21, 'got 1e+21: report what was used, not a placeholder'],
    [Number.MAX_SAFE_INTEGER, 'got 9007199254740991: report what was used, not a placeholder'],
    [1_000_000_000.000001, 'report what was used, not a placeholder'],
    [-1n, 'got -1: usage is never negative'],
    [2n ** 70n, 'report what was used, not a placeholder'],
    ['', "got '': write it as a plain decimal"],
    ['1e3', "got '1e3': write it as a plain decimal"],
    ['-1', "got '-1': write it as a plain decimal"],
    ['0.0000001', "got '0.0000001': write it as a plain decimal"],
    ['1000000000.000001', 'write it as a plain decimal'],
    ['NaN', "got 'NaN'"],
  ])('P-45 P-46 P-48: refuses %s and says what to do', (input, message) => {
    expect(() => parseQuantity(input)).toThrow(message)
    expect(() => parseQuantity(input)).toThrow(expect.objectContaining({ code: 'invalid_quantity' }))
  })

  test.each([undefined, null, true, {}, [], () => 1])('refuses what is no number at all: %s', (input) => {
    expect(() => parseQuantity(input as QuantityInput)).toThrow('give a number, a bigint or a decimal string')
  })

  test('names the value in the message', () => {
    expect(() => parseQuantity(-1, 'units')).toThrow(
      'Expected units to be a number of units from 0 to 1000000000 with at most six decimal places',
    )
  })

  test('gives back what was printed', () => {
    fc.assert(
      fc.property(quantities, (quantity) => {
        expect(parseQuantity(formatQuantity(quantity))).toBe(quantity)
        expect(parseQuantity(Number(formatQuantity(quantity)))).toBe(quantity)
      }),
    )
  })

  test('takes a number exactly when its shortest text is a decimal of at most six places', () => {
    const numbers = fc.oneof(
      fc.double({ min: 0, max: 1e9 }),
      fc.double({ min: 0, max: 100 }),
      quantities.map((quantity) => Number(quantity) / 1e6),
    )
    fc.assert(
      fc.property(numbers, (number) => {
        const value = parseDecimal(String(number), 6)
        if (value === null) expect(() => parseQuantity(number)).toThrow(expect.objectContaining({ code: 'invalid_quantity' }))
        else expect(parseQuantity(number)).toBe(scaledTo(value, 6, 'down'))
      }),
      { numRuns: 2_000, examples: [[-0], [1e-7], [5e-324], [999_999_999.9999999]] },
    )
  })

  test('takes bytes divided by a million as the megabytes they are', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 - 1 }), (bytes) => void expect(parseQuantity(bytes / 1_000_000)).toBe(BigInt(bytes))),
    )
  })
})

describe('formatQuantity', () => {
  test.each<[bigint, string]>([
    [2_318_102n, '2.318102'],
    [20_000_000n, '20'],
    [500_000n, '0.5'],
    [1n, '0.000001'],
    [0n, '0'],
  ])('prints %s millionths as %s', (quantity, text) => {
    expect(formatQuantity(quantity)).toBe(text)
  })

  test('is the text of the quantity in units', () => {
    expect(quantityToDecimal(2_500_000n)).toEqual({ coefficient: 25n, scale: 1 })
  })
})

describe('formatWholeUnits', () => {
  test('rounds down, at every size', () => {
    for (const [quantity, text] of [
      [0n, '0'],
      [999_999n, '0'],
      [2_900_000n, '2'],
      [10n ** 15n - 1n, '999999999'],
      [10n ** 15n, '1000000000'],
      [10n ** 24n - 1n, '999999999999999999'],
    ] as const)
      expect(formatWholeUnits(quantity)).toBe(text)
    fc.assert(fc.property(quantities, (quantity) => formatWholeUnits(quantity) === String(quantity / ONE)))
  })
})
