/** Exact decimals for prices and amounts: an integer coefficient and a number of decimal places. Never a float. */

import { FareboxError } from '../errors.ts'
import { invariant } from './invariant.ts'
import { divideRounded, type RoundingMode } from './rounding.ts'

/** `coefficient × 10^-scale`, always in lowest form (no trailing zeros), so equal values have equal fields. */
export interface Decimal {
  readonly coefficient: bigint
  readonly scale: number
}

/** Decimal places that a price may have. */
export const MAX_PRICE_PLACES = 12

/** No price or quantity needs more characters; longer text is refused before it is looked at. */
export const MAX_DECIMAL_LENGTH = 40

export const DECIMAL_ZERO: Decimal = { coefficient: 0n, scale: 0 }

const PLAIN_DECIMAL = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?$/

/**
 * Reads a plain decimal such as `'0.001'` or `'-12'`; null for anything else: an exponent, a leading `+`, a missing digit
 * before or after the point, a leading zero, a space, an underscore, more than `maxPlaces` decimals, more than 40 characters.
 */
export function parseDecimal(text: string, maxPlaces: number = MAX_PRICE_PLACES): Decimal | null {
  if (text.length > MAX_DECIMAL_LENGTH) return null
  const match = PLAIN_DECIMAL.exec(text)
  if (match === null) return null
  const [, sign = '', whole = '', fraction = ''] = match
  if (fraction.length > maxPlaces) return null
  const magnitude = BigInt(whole + fraction)
  return reduced(sign === '-' ? -magnitude : magnitude, fraction.length)
}

/** Reads a plain decimal with at most 12 places. Throws `invalid_price`. Example: `decimal('0.25')`. */
export function decimal(text: string): Decimal {
  const parsed = typeof text === 'string' ? parseDecimal(text) : null
  if (parsed !== null) return parsed
  throw new FareboxError(
    'invalid_price',
    `Expected a plain decimal string with at most ${MAX_PRICE_PLACES} decimal places, got ${shown(text)}: write it in quotes, such as '0.25'`,
    { fields: { value: text } },
  )
}

/** Reads what `formatDecimal` wrote, however long: for what this program stored itself. */
export function storedDecimal(text: string): Decimal {
  const value = parseStoredDecimal(text)
  invariant(value !== null, 'a stored amount is a plain decimal')
  return value
}

/** The same of a text that may have been changed since; null where it is no plain decimal. */
export function parseStoredDecimal(text: string): Decimal | null {
  const match = PLAIN_DECIMAL.exec(text)
  if (match === null) return null
  const [, sign = '', whole = '', fraction = ''] = match
  const magnitude = BigInt(whole + fraction)
  return reduced(sign === '-' ? -magnitude : magnitude, fraction.length)
}

export function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale)
  return reduced(coefficientAt(a, scale) + coefficientAt(b, scale), scale)
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  return add(a, negate(b))
}

/** Exact: the places of the factors add up. */
export function multiply(a: Decimal, b: Decimal): Decimal {
  return reduced(a.coefficient * b.coefficient, a.scale + b.scale)
}

export function negate(value: Decimal): Decimal {
  return { coefficient: -value.coefficient, scale: value.scale }
}

/** Negative when `a` is less than `b`, 0 when they are equal, positive when `a` is greater. */
export function compare(a: Decimal, b: Decimal): -1 | 0 | 1 {
  const difference = subtract(a, b).coefficient
  if (difference === 0n) return 0
  return difference < 0n ? -1 : 1
}

export function isZero(value: Decimal): boolean {
  return value.coefficient === 0n
}

/** `coefficient × 10^-scale`. For an integer leave out the scale. */
export function toDecimal(coefficient: bigint, scale = 0): Decimal {
  invariant(scale >= 0, 'a scale is never negative')
  return reduced(coefficient, scale)
}

/** The value with at most `places` decimal places; `mode` says what becomes of the rest. */
export function roundTo(value: Decimal, places: number, mode: RoundingMode): Decimal {
  return reduced(scaledTo(value, places, mode), places)
}

/** The value as an integer count of `10^-places`; `mode` says what becomes of the rest. */
export function scaledTo(value: Decimal, places: number, mode: RoundingMode): bigint {
  invariant(Number.isInteger(places) && places >= 0, 'decimal places are a whole number, zero or more')
  if (value.scale <= places) return coefficientAt(value, places)
  return divideRounded(value.coefficient, powerOfTen(value.scale - places), mode)
}

/** The shortest exact plain text with at least so many decimal places: `'0.25'`, `'20'`, and with two places `'20.00'`. */
export function formatDecimal(value: Decimal, leastPlaces = 0): string {
  const places = Math.max(value.scale, leastPlaces)
  return formatScaled(coefficientAt(value, places), places)
}

/** `coefficient × 10^-places` with exactly so many decimal places. Example: `formatScaled(50n, 2)` is `'0.50'`. */
export function formatScaled(coefficient: bigint, places: number): string {
  const sign = coefficient < 0n ? '-' : ''
  const digits = (coefficient < 0n ? -coefficient : coefficient).toString().padStart(places + 1, '0')
  if (places === 0) return sign + digits
  return `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`
}

function coefficientAt(value: Decimal, scale: number): bigint {
  return value.scale === scale ? value.coefficient : value.coefficient * powerOfTen(scale - value.scale)
}

function reduced(coefficient: bigint, scale: number): Decimal {
  let left = coefficient
  let places = scale
  while (places > 0 && left % 10n === 0n) {
    left /= 10n
    places -= 1
  }
  return { coefficient: left, scale: places }
}

function powerOfTen(exponent: number): bigint {
  return 10n ** BigInt(exponent)
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, MAX_DECIMAL_LENGTH)}'` : `${String(value)} (${typeof value})`
}
