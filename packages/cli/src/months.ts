/** Calendar months in UTC: what traces and access logs are billed by. */

/** The first instant of the month. */
export function monthOf(instant: number): number {
  const date = new Date(instant)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1)
}

/** The first instant of the month after it. */
export function nextMonthOf(instant: number): number {
  const date = new Date(instant)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
}
