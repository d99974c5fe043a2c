import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { currencyCodes } from './currency.ts'
import { decimal, multiply, toDecimal } from './decimal.ts'
import { addMoney, displayMoney, formatMoney, moneyToDecimal, partOfMoney, sumMoney, toMoney, zero } from './money.ts'

describe('toMoney', () => {
  test.each([
    ['0.495', 'USD', '0.50'],
    ['-0.495', 'USD', '-0.50'],
    ['0.494999999999', 'USD', '0.49'],
    ['4.5', 'JPY', '5'],
    ['1.2345', 'KWD', '1.235'],
    ['0', 'USD', '0.00'],
  ])('rounds %s %s half up to %s', (amount, currency, printed) => {
    expect(formatMoney(toMoney(decimal(amount), currency, 'half_up'))).toBe(printed)
  })

  test('takes back what was printed', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.constantFrom(...currencyCodes()), (minor, currency) => {
        expect(toMoney(decimal(formatMoney({ minor, currency })), currency, 'down')).toEqual({ minor, currency })
      }),
    )
  })
})

describe('partOfMoney', () => {
  test.each([
    [49n, 'USD', '20', '100', 10n],
    [4900n, 'USD', '20', '100', 980n],
    [-850n, 'USD', '0.5', '100', -4n],
    [-900n, 'USD', '0.5', '100', -5n],
    [60_000n, 'USD', '10', '110', 5_455n],
    [100n, 'JPY', '1', '3', 33n],
  ])('%s minor units of %s times %s over %s, half up, is %s', (minor, currency, part, whole, result) => {
    expect(partOfMoney({ minor, currency }, { part: decimal(part), whole: decimal(whole) }, 'half_up').minor).toBe(result)
  })

  test('of a hundred per cent is the amount, and rounds like the exact product', () => {
    const hundred = decimal('100')
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
        fc.bigInt({ min: 0n, max: 10n ** 8n }),
        (minor, percent) => {
          const [money, part] = [{ minor, currency: 'EUR' }, toDecimal(percent, 6)]
          expect(partOfMoney(money, { part: hundred, whole: hundred }, 'half_up')).toEqual(money)
          const exact = multiply(multiply(moneyToDecimal(money), part), decimal('0.01'))
          expect(partOfMoney(money, { part, whole: hundred }, 'half_up')).toEqual(toMoney(exact, 'EUR', 'half_up'))
        },
      ),
    )
  })
})

describe('sums', () => {
  test('are exact, and zero of the currency when there is nothing to add', () => {
    expect(sumMoney([], 'EUR')).toEqual(zero('EUR'))
    expect(
      sumMoney(
        [
          { minor: 2n ** 60n, currency: 'EUR' },
          { minor: 1n, currency: 'EUR' },
        ],
        'EUR',
      ).minor,
    ).toBe(2n ** 60n + 1n)
  })

  test('never mix currencies', () => {
    expect(() => addMoney(zero('EUR'), zero('USD'))).toThrow('amounts are added in one currency')
    expect(() => sumMoney([zero('USD')], 'EUR')).toThrow('amounts are added in one currency')
  })
})

describe('displayMoney', () => {
  test.each([
    [123_450n, 'USD', '$1,234.50'],
    [-50n, 'USD', '-$0.50'],
    [5n, 'JPY', '¥5'],
    [12_345n, 'KWD', 'KWD\u00a012.345'],
  ])('shows %s %s as %s', (minor, currency, shown) => {
    expect(displayMoney({ minor, currency })).toBe(shown)
  })

  test('shows the places of ISO 4217 where Intl has its own', () => {
    for (const currency of currencyCodes()) {
      const shown = displayMoney({ minor: 1_234_567n, currency })
      expect(shown.slice(shown.search(/\d/)).replaceAll(',', '')).toBe(formatMoney({ minor: 1_234_567n, currency }))
    }
  })

  test('is exact beyond what a float holds', () => {
    expect(displayMoney({ minor: 12_345_678_901_234_567_891n, currency: 'USD' })).toBe('$123,456,789,012,345,678.91')
  })

  test('follows the locale', () => {
    expect(displayMoney({ minor: 123_450n, currency: 'EUR' }, 'de-DE')).toBe('1.234,50\u00a0€')
  })
})
