import * as dinero from 'dinero.js/currencies'
import { describe, expect, test } from 'vitest'
import { currencyCodes, isCurrency, minorUnits } from './currency.ts'

/** ISO 4217 gives these two decimal places; dinero.js counts in their coins, fifths of the main unit. */
const COUNTED_IN_FIFTHS = ['MGA', 'MRU']

describe('the currency table', () => {
  test('has the codes and the places of an independent table', () => {
    const theirs = Object.values(dinero).map(({ code, base, exponent }) => [code, base === 10 ? exponent : 'fifths'])
    const ours = currencyCodes().map((code) => [code, COUNTED_IN_FIFTHS.includes(code) ? 'fifths' : minorUnits(code)])
    expect(ours).toEqual(theirs.sort())
  })

  test('has the places that the contract names', () => {
    expect(['JPY', 'USD', 'KWD', 'HUF', 'CLF', 'MGA'].map(minorUnits)).toEqual([0, 2, 3, 2, 4, 2])
  })

  test.each(['usd', 'US', 'XXX', 'XAU', '', 'toString', '__proto__'])('knows no currency %j', (code) => {
    expect(isCurrency(code)).toBe(false)
    expect(() => minorUnits(code)).toThrow('a currency is an ISO 4217 code in capitals')
  })
})
