import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatInstant, MAX_INSTANT, MIN_INSTANT, parseInstant } from './instant.ts'

describe('parseInstant', () => {
  test.each<[number | Date | string, string]>([
    ['2025-01-31T10:00:00Z', '2025-01-31T10:00:00.000Z'],
    ['2025-01-31t10:00:00z', '2025-01-31T10:00:00.000Z'],
    ['2025-01-31T10:00:00.1Z', '2025-01-31T10:00:00.100Z'],
    ['2025-01-31T10:00:00.123999Z', '2025-01-31T10:00:00.123Z'],
    ['2025-01-31T10:00:00+05:30', '2025-01-31T04:30:00.000Z'],
    ['2025-01-31T10:00:00-08:00', '2025-01-31T18:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['2000-01-01T00:00:00Z', '2000-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
    [1_738_317_600_000, '2025-01-31T10:00:00.000Z'],
    [new Date(1_738_317_600_000), '2025-01-31T10:00:00.000Z'],
  ])('reads %s as %s', (input, printed) => {
    expect(formatInstant(parseInstant(input))).toBe(printed)
  })

  test.each<number | Date | string>([
    '2025-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2025-13-01T00:00:00Z',
    '2025-00-10T00:00:00Z',
    '2025-01-00T00:00:00Z',
    '2025-01-31T24:00:00Z',
    '2025-01-31T10:60:00Z',
    '2025-01-31T10:00:60Z',
    '2025-01-31T10:00:00+24:00',
    '2025-01-31T10:00:00',
    '2025-01-31T10:00Z',
    '2025-01-31 10:00:00Z',
    '2025-01-31',
    '31/Jan/2025:10:00:00 +0000',
    ' 2025-01-31T10:00:00Z',
    '1738317600000',
    '',
    NaN,
    Infinity,
    1_738_317_600_000.5,
    new Date(NaN),
  ])('P-61: refuses %s', (input) => {
    expect(() => parseInstant(input)).toThrow(expect.objectContaining({ code: 'invalid_timestamp' }))
  })

  test('P-59 P-62: refuses instants outside the years 2000 to 9999 and guesses the wrong unit', () => {
    expect(() => parseInstant(1_738_317_600)).toThrow('got 1738317600: multiply by 1000 if it counts seconds')
    expect(() => parseInstant(1_738_317_600_000_000)).toThrow('got 1738317600000000: divide by 1000 if it counts microseconds')
    expect(() => parseInstant('1999-12-31T23:59:59Z')).toThrow('the years 2000 to 9999')
    expect(() => parseInstant('9999-12-31T23:59:59-01:00')).toThrow('the years 2000 to 9999')
    expect(() => parseInstant('+050000-01-01T00:00:00Z')).toThrow('the years 2000 to 9999')
    expect(parseInstant(MIN_INSTANT)).toBe(MIN_INSTANT)
    expect(parseInstant(MAX_INSTANT)).toBe(MAX_INSTANT)
  })

  test('refuses what is no instant at all and names the value', () => {
    expect(() => parseInstant(null as never, 'startsAt')).toThrow('Expected startsAt to be an instant in the years 2000 to 9999')
  })

  test('gives back what was printed, and texts sort as their instants do', () => {
    const instants = fc.integer({ min: MIN_INSTANT, max: MAX_INSTANT })
    fc.assert(
      fc.property(instants, instants, (a, b) => {
        expect(parseInstant(formatInstant(a))).toBe(a)
        expect(formatInstant(a) < formatInstant(b)).toBe(a < b)
      }),
    )
  })
})
