/** Days, in a time zone. */

import { Temporal } from 'temporal-polyfill'

/** The first instant of the day that holds `at`, in an IANA time zone: epoch milliseconds. Mostly midnight; later where a clock change skips it. */
export function startOfDay(at: number, timeZone: string): number {
  return zoned(at, timeZone).startOfDay().epochMilliseconds
}

/**
 * Days of the calendar from the one that holds an instant to the one that holds another, in an IANA time zone; negative
 * backwards. Between two instants of one day there is no day, however many hours there are; from late at night to early the
 * next morning there is one.
 */
export function daysBetween(from: number, to: number, timeZone: string): number {
  return dayAt(from, timeZone).until(dayAt(to, timeZone), { largestUnit: 'day' }).days
}

/** The same time of day so many days later, in an IANA time zone: epoch milliseconds. */
export function addDays(at: number, days: number, timeZone: string): number {
  return zoned(at, timeZone).add({ days }).epochMilliseconds
}

/** The first instant of the calendar month that holds `at`, in an IANA time zone: epoch milliseconds. */
export function startOfMonth(at: number, timeZone: string): number {
  return zoned(at, timeZone).with({ day: 1 }).startOfDay().epochMilliseconds
}

/** The date of the day that began last. Where clocks are set back across midnight the date goes back as well: the day has begun all the same. */
function dayAt(at: number, timeZone: string): Temporal.PlainDate {
  const date = zoned(at, timeZone).toPlainDate()
  const next = date.add({ days: 1 })
  return next.toZonedDateTime(timeZone).epochMilliseconds <= at ? next : date
}

function zoned(instant: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone)
}
