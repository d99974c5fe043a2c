import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  add,
  compare,
  decimal,
  type Decimal,
  formatDecimal,
  isZero,
  multiply,
  negate,
  parseDecimal,
  roundTo,
  scaledTo,
  subtract,
  toDecimal,
} from './decimal.ts'

const decimals: fc.Arbitrary<Decimal> = fc
  .tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.nat({ max: 12 }))
  .map(([coefficient, scale]) => toDecimal(coefficient, scale))

describe('parseDecimal', () => {
  test.each([
    ['0', '0'],
    ['-0', '0'],
    ['0.000', '0'],
    ['5.00', '5'],
    ['100', '100'],
    ['0.000000000001', '0.000000000001'],
    ['-1.225', '-1.225'],
    ['9007199254740993.1', '9007199254740993.1'],
  ])('reads %s as %s', (text, printed) => {
    expect(formatDecimal(decimal(text))).toBe(printed)
  })

  test.each([
    '',
    ' ',
    '1 ',
    ' 1',
    '+1',
    '1e3',
    '1E-7',
    '.5',
    '-.6',
    '5.',
    '-',
    '.',
    '1_000',
    '1,5',
    '1.2.3',
    '00',
    '01',
    '0x10',
    'NaN',
    'Infinity',
    '1e309',
    '١',
    '１',
    '0.0000000000001',
    '1'.repeat(41),
    '1\n',
  ])('P-47 P-48: refuses %j', (text) => {
    expect(parseDecimal(text)).toBeNull()
    expect(() => decimal(text)).toThrow(expect.objectContaining({ code: 'invalid_price' }))
  })

  test('refuses more places than asked for', () => {
    expect(parseDecimal('0.123', 2)).toBeNull()
    expect(parseDecimal('0.12', 2)).toEqual({ coefficient: 12n, scale: 2 })
  })

  test('says what was expected, what came and what to do', () => {
    expect(() => decimal('1e3')).toThrow(
      "Expected a plain decimal string with at most 12 decimal places, got '1e3': write it in quotes, such as '0.25'",
    )
    expect(() => decimal(0.25 as never)).toThrow('got 0.25 (number)')
  })

  test('gives back what was printed', () => {
    fc.assert(fc.property(decimals, (value) => void expect(parseDecimal(formatDecimal(value))).toEqual(value)))
  })

  test('takes nothing that Number would read differently', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789.-+eE _x') }), (text) => {
        const parsed = parseDecimal(text)
        if (parsed !== null) expect(Number(formatDecimal(parsed))).toBeCloseTo(Number(text))
      }),
    )
  })
})

describe('arithmetic', () => {
  test('P-68: is exact where floats are not', () => {
    expect(formatDecimal(add(decimal('0.1'), decimal('0.2')))).toBe('0.3')
    expect(formatDecimal(multiply(decimal('1.005'), decimal('1000')))).toBe('1005')
    expect(formatDecimal(multiply(decimal('9007199254740991'), decimal('3')))).toBe('27021597764222973')
    expect(formatDecimal(roundTo(decimal('1.005'), 2, 'half_up'))).toBe('1.01')
  })

  test('addition and multiplication commute, subtraction undoes addition, multiplication distributes', () => {
    fc.assert(
      fc.property(decimals, decimals, decimals, (a, b, c) => {
        expect(add(a, b)).toEqual(add(b, a))
        expect(multiply(a, b)).toEqual(multiply(b, a))
        expect(subtract(add(a, b), b)).toEqual(a)
        expect(multiply(a, add(b, c))).toEqual(add(multiply(a, b), multiply(a, c)))
      }),
    )
  })

  test('comparison agrees with the sign of the difference', () => {
    fc.assert(
      fc.property(decimals, decimals, (a, b) => {
        expect(compare(a, b) === -compare(b, a) || (compare(a, b) === 0 && compare(b, a) === 0)).toBe(true)
        expect(compare(a, b) === 0).toBe(isZero(subtract(a, b)))
        expect(compare(negate(a), negate(b)) === compare(b, a)).toBe(true)
      }),
    )
  })

  test('rounding to fewer places is within half of the last place, and rounding twice changes nothing', () => {
    fc.assert(
      fc.property(decimals, fc.nat({ max: 12 }), (value, places) => {
        const rounded = roundTo(value, places, 'half_up')
        const error = subtract(rounded, value)
        const half = toDecimal(5n, places + 1)
        expect(compare(error, half) <= 0 && compare(error, negate(half)) >= 0).toBe(true)
        expect(roundTo(rounded, places, 'half_up')).toEqual(rounded)
        expect(scaledTo(value, places, 'half_up')).toBe(scaledTo(rounded, places, 'down'))
      }),
    )
  })

  test('refuses decimal places that are no whole number', () => {
    expect(() => roundTo(decimal('1'), -1, 'down')).toThrow('decimal places are a whole number')
    expect(() => toDecimal(1n, -1)).toThrow('a scale is never negative')
  })
})

test('prints at least the places that it is asked for, and never fewer than it has', () => {
  expect([formatDecimal(decimal('5'), 2), formatDecimal(decimal('0.5'), 2), formatDecimal(decimal('0.0015'), 2)]).toEqual([
    '5.00',
    '0.50',
    '0.0015',
  ])
})
