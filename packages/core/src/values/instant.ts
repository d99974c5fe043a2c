/** Instants at the door: epoch milliseconds inside, RFC 3339 text outside. */

import { FareboxError } from '../errors.ts'

/** 2000-01-01: what is earlier is a count of seconds taken for milliseconds. */
export const MIN_INSTANT = 946_684_800_000

/** The last millisecond of year 9999: what is later has no four-digit year and would not sort as text. */
export const MAX_INSTANT = 253_402_300_799_999

const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/

const MINUTE_MS = 60_000

/**
 * Reads an instant: whole epoch milliseconds, a `Date`, or RFC 3339 text with a zone such as `'2025-01-31T10:00:00Z'` (more
 * than three decimals of a second are cut). Throws `invalid_timestamp` for anything else, for a day that the month does not
 * have, and outside the years 2000 to 9999; `what` names the value in the message.
 */
export function parseInstant(input: number | Date | string, what = 'timestamp'): number {
  const instant = instantOf(input)
  if (instant === null) throw refused(input, what, 'give epoch milliseconds, a Date, or text with a zone')
  if (instant < MIN_INSTANT) throw refused(input, what, 'multiply by 1000 if it counts seconds')
  if (instant > MAX_INSTANT) throw refused(input, what, 'divide by 1000 if it counts microseconds')
  return instant
}

/** RFC 3339 in UTC with milliseconds: `'2025-01-31T10:00:00.000Z'`. Texts sort as their instants do. */
export function formatInstant(instant: number): string {
  return new Date(instant).toISOString()
}

/** Null when the input names no instant. */
function instantOf(input: unknown): number | null {
  if (typeof input === 'string') return fromText(input)
  const instant = input instanceof Date ? input.getTime() : input
  return typeof instant === 'number' && Number.isInteger(instant) ? instant : null
}

function fromText(text: string): number | null {
  const match = RFC_3339.exec(text)
  if (match === null) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  const [fraction = '', sign = '+', offsetHour = '0', offsetMinute = '0'] = match.slice(7)
  if (hour > 23 || minute > 59 || second > 59 || Number(offsetHour) > 23 || Number(offsetMinute) > 59) return null
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * MINUTE_MS
  const local = Date.UTC(year, month - 1, day, hour, minute, second, Number(fraction.slice(0, 3).padEnd(3, '0')))
  return sign === '-' ? local + offset : local - offset
}

/** Day 0 of the next month is the last of this one. */
function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate()
}

function refused(input: unknown, what: string, advice: string): FareboxError {
  const got = typeof input === 'string' ? `'${input.slice(0, 40)}'` : String(input)
  return new FareboxError(
    'invalid_timestamp',
    `Expected ${what} to be an instant in the years 2000 to 9999 such as '2025-01-31T10:00:00Z', got ${got}: ${advice}`,
    { fields: { what, value: input } },
  )
}
