/** Reads the lines of an LLM trace: CSV with a header that names the instant, the tokens that went in and those that came out. */

import { readTraceTime } from './trace-time.ts'

/** What a line says about one call. */
export interface TraceCall {
  /** Epoch milliseconds. */
  readonly at: number
  readonly inputTokens: number
  readonly outputTokens: number
}

export type ParsedCall =
  | { readonly kind: 'call'; readonly call: TraceCall }
  /** `reason` names the first part that cannot be read. */
  | { readonly kind: 'malformed'; readonly reason: MalformedReason }

export type MalformedReason =
  | 'the line is too long'
  | 'the line has other fields than the header'
  | 'the timestamp cannot be read'
  | 'the context tokens cannot be read'
  | 'the generated tokens cannot be read'

/** Where each column is, and how many there are. */
export interface Columns {
  readonly at: number
  readonly input: number
  readonly output: number
  readonly count: number
}

/** As Farebox counts the tokens of one request. */
const MAX_TOKENS = 1_000_000_000

/** A file that a spreadsheet saved as UTF-8 begins with these bytes. */
const BYTE_ORDER_MARK = '\u00EF\u00BB\u00BF'

/** Null when the line names no such columns. Capitals do not matter, and further columns are passed over. */
export function readHeader(text: string): Columns | null {
  const plain = text.startsWith(BYTE_ORDER_MARK) ? text.slice(BYTE_ORDER_MARK.length) : text
  const names = fieldsOf(plain).map((name) => name.toLowerCase())
  const columns = {
    at: names.indexOf('timestamp'),
    input: names.indexOf('contexttokens'),
    output: names.indexOf('generatedtokens'),
    count: names.length,
  }
  return columns.at === -1 || columns.input === -1 || columns.output === -1 ? null : columns
}

export function parseTraceLine(text: string, columns: Columns): ParsedCall {
  const fields = fieldsOf(text)
  if (fields.length !== columns.count) return malformed('the line has other fields than the header')
  const at = readTraceTime(fields[columns.at] ?? '')
  if (at === null) return malformed('the timestamp cannot be read')
  const inputTokens = readTokens(fields[columns.input] ?? '')
  if (inputTokens === null) return malformed('the context tokens cannot be read')
  const outputTokens = readTokens(fields[columns.output] ?? '')
  if (outputTokens === null) return malformed('the generated tokens cannot be read')
  return { kind: 'call', call: { at, inputTokens, outputTokens } }
}

export function malformed(reason: MalformedReason): ParsedCall {
  return { kind: 'malformed', reason }
}

/** A whole number; a table that had gaps once writes it as `374.0`. */
function readTokens(text: string): number | null {
  const match = /^(\d{1,10})(?:\.0+)?$/.exec(text)
  const tokens = match === null ? Infinity : Number(match[1])
  return tokens <= MAX_TOKENS ? tokens : null
}

/** The fields of a line of CSV. One in quotes may hold commas, and a quote that is written twice. */
function fieldsOf(text: string): string[] {
  if (!text.includes('"')) return text.split(',').map((field) => field.trim())
  const fields: string[] = []
  let field = ''
  let isQuoted = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? ''
    if (isQuoted && character === '"' && text[at + 1] === '"') {
      field += '"'
      at += 1
    } else if (character === '"') isQuoted = !isQuoted
    else if (character === ',' && !isQuoted) {
      fields.push(field.trim())
      field = ''
    } else field += character
  }
  return [...fields, field.trim()]
}
