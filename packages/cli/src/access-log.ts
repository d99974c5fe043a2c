/**
 * Reads one line of an access log as Apache and nginx write it, in the common or the combined format.
 *
 * Every step moves one position forward over the text, so the time taken grows with the length of the line and with
 * nothing else. What stands after the bytes (referrer, user agent, more) is never read: real logs hold broken ones.
 */

/** What a line says about one request. */
export interface AccessLine {
  /** The client's address or host name. */
  readonly client: string
  /** Epoch milliseconds. */
  readonly at: number
  /** Null when the request field is not `METHOD target HTTP/version`: the server itself could not read that request. */
  readonly request: RequestLine | null
  readonly status: number
  /** Size of the body; 0 where the log holds `-`. */
  readonly bytes: number
}

/** The method and the target of a request, its log escapes undone. One character is one byte. */
export interface RequestLine {
  readonly method: string
  readonly target: string
}

export type ParsedLine =
  | { readonly kind: 'line'; readonly line: AccessLine }
  /** `reason` names the first part that cannot be read. */
  | { readonly kind: 'malformed'; readonly reason: MalformedReason }

export type MalformedReason =
  | 'the line is empty'
  | 'the line is too long'
  | 'the client cannot be read'
  | 'the time cannot be read'
  | 'the request cannot be read'
  | 'the status cannot be read'
  | 'the bytes cannot be read'

/** A customer id has at most this many characters, and the client becomes the customer. */
const MAX_CLIENT_LENGTH = 128
/** Fifteen digits are a petabyte, and still an exact number. */
const MAX_BYTES_DIGITS = 15
const TIME_LENGTH = '[17/May/2015:10:05:03 +0000]'.length
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const MINUTE_MS = 60_000

/** Reads a line given as Latin-1 text, so that each character is one byte of the log. */
export function parseAccessLine(text: string): ParsedLine {
  if (text.trim() === '') return malformed('the line is empty')

  const clientEnd = text.indexOf(' ')
  const client = text.slice(0, Math.max(clientEnd, 0))
  if (!isClient(client)) return malformed('the client cannot be read')

  const time = findTime(text, clientEnd)
  if (time === null) return malformed('the time cannot be read')

  const requestEnd = endOfQuoted(text, time.end + 1)
  if (text[time.end] !== ' ' || requestEnd === -1) return malformed('the request cannot be read')

  const statusAt = requestEnd + 1
  const status = digits(text, statusAt, 3)
  if (text[requestEnd] !== ' ' || status === null) return malformed('the status cannot be read')

  const bytes = readBytes(text, statusAt + 3)
  if (bytes === null) return malformed('the bytes cannot be read')

  const request = readRequest(unescape(text.slice(time.end + 2, requestEnd - 1)))
  return { kind: 'line', line: { client, at: time.at, request, status, bytes } }
}

/** A line that cannot be billed, and why. */
export function malformed(reason: MalformedReason): ParsedLine {
  return { kind: 'malformed', reason }
}

/** An IPv4 or IPv6 address (with its zone) or a host name. A lone `-` stands for "unknown" and names nobody. */
function isClient(text: string): boolean {
  return text.length <= MAX_CLIENT_LENGTH && text !== '-' && /^[\w.:%-]+$/.test(text)
}

/** The first bracket that holds a time. The user field before it may hold spaces and brackets of its own. */
function findTime(text: string, from: number): { at: number; end: number } | null {
  for (let space = text.indexOf(' [', from); space !== -1; space = text.indexOf(' [', space + 1)) {
    const end = space + 1 + TIME_LENGTH
    const at = readTime(text.slice(space + 1, end))
    if (at !== null) return { at, end }
  }
  return null
}

/** The instant of `[17/May/2015:10:05:03 +0000]`; null when it is no such time or no such day. */
function readTime(text: string): number | null {
  const parts = /^\[(\d\d)\/([A-Z][a-z][a-z])\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\]$/.exec(text)
  if (parts === null) return null
  const [, day, monthName = '', year, hour, minute, second, sign, offsetHours, offsetMinutes] = parts
  const month = MONTHS.indexOf(monthName)
  const midnight = Date.UTC(Number(year), month, Number(day))
  const isDay = month !== -1 && new Date(midnight).getUTCDate() === Number(day)
  // A leap second is written as 60.
  const isTimeOfDay = Number(hour) < 24 && Number(minute) < 60 && Number(second) <= 60
  const offsetMinute = Number(offsetHours) * 60 + Number(offsetMinutes)
  if (!isDay || !isTimeOfDay || Number(offsetMinutes) >= 60) return null

  const local = midnight + (Number(hour) * 60 + Number(minute)) * MINUTE_MS + Number(second) * 1000
  return sign === '+' ? local - offsetMinute * MINUTE_MS : local + offsetMinute * MINUTE_MS
}

/** The position after the closing quote of the field that opens at `from`; -1 when it opens or closes nowhere. */
function endOfQuoted(text: string, from: number): number {
  if (text[from] !== '"') return -1
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '"') return at + 1
  }
  return -1
}

/** The number of exactly `count` digits at `from`, with a space or the end after them. */
function digits(text: string, from: number, count: number): number | null {
  const word = text.slice(from, from + count)
  const next = text[from + count]
  return word.length === count && isDigits(word) && (next === undefined || next === ' ') ? Number(word) : null
}

function readBytes(text: string, from: number): number | null {
  if (text[from] !== ' ') return null
  const end = text.indexOf(' ', from + 1)
  const word = text.slice(from + 1, end === -1 ? text.length : end)
  if (word === '-') return 0
  return word.length > 0 && word.length <= MAX_BYTES_DIGITS && isDigits(word) ? Number(word) : null
}

function isDigits(text: string): boolean {
  return /^\d+$/.test(text)
}

/** Splits at the first and the last space: a target that holds spaces was asked for like that. */
function readRequest(field: string): RequestLine | null {
  const first = field.indexOf(' ')
  const last = field.lastIndexOf(' ')
  if (first <= 0 || last <= first + 1 || !field.startsWith('HTTP/', last + 1)) return null
  return { method: field.slice(0, first), target: field.slice(first + 1, last) }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', v: '\v', f: '\f', '"': '"', '\\': '\\' }

/** Undoes `\"`, `\\`, `\xhh` and the letters of C. An escape that nobody writes stays as it is. */
function unescape(field: string): string {
  if (!field.includes('\\')) return field
  let plain = ''
  for (let at = 0; at < field.length; at += 1) {
    const next = field[at + 1] ?? ''
    const hex = field.slice(at + 2, at + 4)
    if (field[at] !== '\\') {
      plain += field[at]
    } else if (next === 'x' && /^[\da-fA-F]{2}$/.test(hex)) {
      plain += String.fromCharCode(Number.parseInt(hex, 16))
      at += 3
    } else if (ESCAPES[next] !== undefined) {
      plain += ESCAPES[next]
      at += 1
    } else {
      plain += '\\'
    }
  }
  return plain
}
