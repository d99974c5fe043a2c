/** Reads the instants of a trace: dates with or without a zone, and counts of seconds and their parts. */

/** Farebox's own instants: the years 2000 to 9999. */
const FIRST_INSTANT = Date.UTC(2000, 0, 1)
const LAST_INSTANT = Date.UTC(10_000, 0, 1) - 1

const DATE =
  /^(\d{4})[-/](\d{2})[-/](\d{2})[ T](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?(?: ?(Z|UTC|([+-])(\d{2})(?::?(\d{2}))?))?$/i

const COUNT = /^(\d{9,19})(?:\.(\d+))?$/

const MINUTE_MS = 60_000

/** Epoch milliseconds; what is finer is cut. A date without a zone is in UTC. Null when it is no instant of the years 2000 to 9999. */
export function readTraceTime(text: string): number | null {
  const at = fromDate(text) ?? fromCount(text)
  return at !== null && at >= FIRST_INSTANT && at <= LAST_INSTANT ? at : null
}

function fromDate(text: string): number | null {
  const match = DATE.exec(text)
  if (match === null) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match.slice(1, 6).map(Number)
  const [second = '0', fraction = '', , sign, zoneHour = '0', zoneMinute = '0'] = match.slice(6)
  const midnight = Date.UTC(year, month - 1, day)
  const isDay = month >= 1 && month <= 12 && day >= 1 && new Date(midnight).getUTCDate() === day
  // A leap second is written as 60.
  const isTime = hour < 24 && minute < 60 && Number(second) <= 60 && Number(zoneHour) < 24 && Number(zoneMinute) < 60
  if (!isDay || !isTime) return null
  const ms = Number(fraction.slice(0, 3).padEnd(3, '0'))
  const local = midnight + (hour * 60 + minute) * MINUTE_MS + Number(second) * 1000 + ms
  const zone = (Number(zoneHour) * 60 + Number(zoneMinute)) * MINUTE_MS
  return sign === '-' ? local + zone : local - zone
}

/** Seconds have nine or ten digits in this century, their thousandths three more, and so on. */
function fromCount(text: string): number | null {
  const match = COUNT.exec(text)
  if (match === null) return null
  const [, whole = '', fraction = ''] = match
  if (whole.length <= 10) return Number(whole) * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'))
  if (whole.length <= 13) return Number(whole)
  return Number(whole.slice(0, whole.length <= 16 ? -3 : -6))
}
