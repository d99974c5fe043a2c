/** Quantities of a feature: exact, with six decimal places, held as a count of millionths. */

import { FareboxError } from '../errors.ts'
import { type Decimal, formatDecimal, MAX_DECIMAL_LENGTH, parseDecimal, scaledTo, toDecimal } from './decimal.ts'

/** A number of units in millionths: `1_000_000n` is one unit. */
export type Quantity = bigint

/** Millionths in one unit. */
export const QUANTITY_SCALE = 1_000_000n

/** Decimal places of a quantity. */
export const QUANTITY_PLACES = 6

/** One unit. */
export const ONE: Quantity = QUANTITY_SCALE

/**
 * The largest quantity of one claim or event: 10^9 units. A sentinel such as 2^53 - 1 that was meant as "unknown" is
 * refused by it, and a 64-bit total still holds 9,000 of the largest.
 */
export const MAX_QUANTITY: Quantity = 1_000_000_000n * QUANTITY_SCALE

/** What a developer may give as a quantity. A string is a plain decimal such as `'0.203023'`; a bigint counts whole units. */
export type QuantityInput = number | string | bigint

/** `MAX_QUANTITY` in units, as a number. */
const MAX_UNITS = 1_000_000_000

const MILLIONTHS_PER_UNIT = 1_000_000

/**
 * Reads a quantity of 0 to 10^9 units with at most six decimal places. A number stands for its shortest decimal text, so
 * `0.203023` is exact and `0.1 + 0.2` is refused. Throws `invalid_quantity`; `what` names the value in the message.
 */
export function parseQuantity(input: QuantityInput, what = 'quantity'): Quantity {
  if (input === 1) return ONE
  const quantity = typeof input === 'number' ? fromNumber(input) : fromExact(input)
  if (quantity === null || quantity < 0n || quantity > MAX_QUANTITY) throw refused(input, what)
  return quantity
}

/** The shortest plain decimal: `'2.318102'`, `'20'`. */
export function formatQuantity(quantity: Quantity): string {
  return formatDecimal(quantityToDecimal(quantity))
}

/** Below it the whole units of a quantity are told exactly by a double, which costs a fraction of a bigint's division. */
const EXACT_BELOW: Quantity = 10n ** 15n

/** Whole units, rounded down: `'2'` for 2.9. */
export function formatWholeUnits(quantity: Quantity): string {
  if (quantity < 0n || quantity >= EXACT_BELOW) return String(quantity / QUANTITY_SCALE)
  return String(Math.floor(Number(quantity) / MILLIONTHS_PER_UNIT))
}

/** The quantity in units. */
export function quantityToDecimal(quantity: Quantity): Decimal {
  return toDecimal(quantity, QUANTITY_PLACES)
}

/** A decimal in millionths, cut below them; with `'ceil'` rounded up. */
export function decimalToQuantity(value: Decimal, mode: 'down' | 'ceil' = 'down'): Quantity {
  return scaledTo(value, QUANTITY_PLACES, mode)
}

/**
 * Null when the number's shortest text is no decimal with at most six places. Up to 10^15 millionths two different counts
 * never round to the same float, so the count that divides back to the number is that text's own value.
 */
function fromNumber(input: number): Quantity | null {
  if (!(input >= 0 && input <= MAX_UNITS)) return null
  const millionths = Math.round(input * MILLIONTHS_PER_UNIT)
  return millionths / MILLIONTHS_PER_UNIT === input ? BigInt(millionths) : null
}

function fromExact(input: unknown): Quantity | null {
  if (typeof input === 'bigint') return input * QUANTITY_SCALE
  if (typeof input !== 'string') return null
  const value = parseDecimal(input, QUANTITY_PLACES)
  // The mode is never used: the text has no more places than a quantity.
  return value === null ? null : scaledTo(value, QUANTITY_PLACES, 'down')
}

function refused(input: unknown, what: string): FareboxError {
  const isNumeric = typeof input === 'number' || typeof input === 'bigint'
  const got = typeof input === 'string' ? `'${input.slice(0, MAX_DECIMAL_LENGTH)}'` : isNumeric ? String(input) : typeof input
  return new FareboxError(
    'invalid_quantity',
    `Expected ${what} to be a number of units from 0 to ${MAX_UNITS} with at most six decimal places, got ${got}: ${advice(input)}`,
    { fields: { what, value: input } },
  )
}

/** What to do about a value that was refused. */
function advice(input: unknown): string {
  if (typeof input === 'string') return "write it as a plain decimal such as '0.25'"
  if (typeof input !== 'number' && typeof input !== 'bigint') return "give a number, a bigint or a decimal string such as '0.25'"
  if (Number.isNaN(input)) return 'look for a missing value in the calculation'
  if (input < 0) return 'usage is never negative'
  if (input > MAX_UNITS) return 'report what was used, not a placeholder, or split it into several events'
  return "round it to six places, or give a decimal string such as '0.3'"
}
