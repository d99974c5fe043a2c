/** Amounts of money: whole minor units of a currency. */

import { minorUnits } from './currency.ts'
import { type Decimal, formatScaled, scaledTo, toDecimal } from './decimal.ts'
import { invariant } from './invariant.ts'
import { divideRounded, type RoundingMode } from './rounding.ts'

/** `{ minor: 50n, currency: 'USD' }` is half a dollar. */
export interface Money {
  readonly minor: bigint
  readonly currency: string
}

/** An exact amount in the currency's main unit, rounded to its minor unit. */
export function toMoney(amount: Decimal, currency: string, mode: RoundingMode): Money {
  return { minor: scaledTo(amount, minorUnits(currency), mode), currency }
}

/** The amount in the currency's main unit, exact. */
export function moneyToDecimal({ minor, currency }: Money): Decimal {
  return toDecimal(minor, minorUnits(currency))
}

/** `money × part ÷ whole`, rounded once. The whole is positive. Example: 19 of 119 is the tax that a price contains. */
export function partOfMoney(money: Money, ratio: { readonly part: Decimal; readonly whole: Decimal }, mode: RoundingMode): Money {
  const { part, whole } = ratio
  const scale = Math.max(part.scale, whole.scale)
  const numerator = money.minor * scaledTo(part, scale, 'down')
  return { minor: divideRounded(numerator, scaledTo(whole, scale, 'down'), mode), currency: money.currency }
}

export function zero(currency: string): Money {
  return { minor: 0n, currency }
}

/** Both amounts are in one currency. */
export function addMoney(a: Money, b: Money): Money {
  invariant(a.currency === b.currency, 'amounts are added in one currency')
  return { minor: a.minor + b.minor, currency: a.currency }
}

/** Both amounts are in one currency. */
export function subtractMoney(a: Money, b: Money): Money {
  return addMoney(a, negateMoney(b))
}

export function negateMoney({ minor, currency }: Money): Money {
  return { minor: -minor, currency }
}

/** The sum, zero in `currency` when there is nothing to add. Every amount is in that currency. */
export function sumMoney(amounts: Iterable<Money>, currency: string): Money {
  let sum = zero(currency)
  for (const amount of amounts) sum = addMoney(sum, amount)
  return sum
}

/** A plain decimal with the currency's places, for programs: `'0.50'`; for JPY `'5'`. */
export function formatMoney(money: Money): string {
  return formatScaled(money.minor, minorUnits(money.currency))
}

/** An amount for people to read, exact at any size. Example: `displayMoney(money)` is `'$1,234.50'`. */
export function displayMoney(money: Money, locale = 'en-US'): string {
  // Given as text: a number would lose cents above 2^53.
  return formatterFor(locale, money.currency).format(formatMoney(money) as Intl.StringNumericLiteral)
}

/** Making a formatter costs some 20 µs. A locale may come from a request, so their number is bounded. */
const MAX_FORMATTERS = 200

const formatters = new Map<string, Intl.NumberFormat>()

function formatterFor(locale: string, currency: string): Intl.NumberFormat {
  const key = `${locale} ${currency}`
  const known = formatters.get(key)
  if (known !== undefined) return known
  if (formatters.size >= MAX_FORMATTERS) formatters.clear()
  // Intl's own places differ from ISO 4217's for some currencies, such as HUF.
  const places = minorUnits(currency)
  const made = new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  })
  formatters.set(key, made)
  return made
}
