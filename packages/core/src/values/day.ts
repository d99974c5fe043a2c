/** Days, in a time zone. */

import { Temporal } from 'temporal-polyfill'

/** The first instant of the day that holds `at`, in an IANA time zone: epoch milliseconds. Mostly midnight; later where a clock change skips it. */
export function startOfDay(at: number, timeZone: string): number {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone).startOfDay().epochMilliseconds
}
