/** Amounts of money at the door: decimal strings outside, whole minor units inside. */

import { FareboxError } from '../errors.ts'
import { minorUnits } from './currency.ts'
import { MAX_DECIMAL_LENGTH, parseDecimal } from './decimal.ts'
import { formatMoney, type Money, toMoney } from './money.ts'

/** The largest amount of one call, in the main unit: what is more is a mistake of units. */
const MOST = 1_000_000_000n

/**
 * Reads an amount of more than nothing, and at most 10^9 of the currency's main unit, with no more decimal places than the currency has. Throws
 * `invalid_amount`; `what` names the value in the message.
 */
export function parseAmount(input: unknown, currency: string, what: string): Money {
  const amount = readAmount(input, currency, what)
  if (amount.minor > 0n) return amount
  throw invalidAmount(input, currency, what)
}

/** The same, and nothing is an amount too. */
export function readAmount(input: unknown, currency: string, what: string): Money {
  const places = minorUnits(currency)
  const decimal = typeof input === 'string' ? parseDecimal(input, places) : null
  // The mode is never used: the text has no more places than the currency.
  const money = decimal === null ? null : toMoney(decimal, currency, 'down')
  if (money !== null && money.minor >= 0n && money.minor <= MOST * 10n ** BigInt(places)) return money
  throw invalidAmount(input, currency, what)
}

function invalidAmount(input: unknown, currency: string, what: string): FareboxError {
  const got = typeof input === 'string' ? `'${input.slice(0, MAX_DECIMAL_LENGTH)}'` : typeof input
  const example = formatMoney({ minor: 2_500n, currency })
  return new FareboxError(
    'invalid_amount',
    `Expected ${what} to be an amount of ${currency} as a decimal string with at most ${minorUnits(currency)} decimal places, got ${got}: write it in quotes, such as '${example}'`,
    { fields: { what, value: input, currency } },
  )
}
