/** The first reading of a log: who asks how often, when it begins and ends, and which lines cannot be read. */

import { createHash } from 'node:crypto'
import { malformed, parseAccessLine } from '../access-log.ts'
import type { AccessLine, MalformedReason, ParsedLine } from '../access-log.ts'
import { CommandError } from '../command-error.ts'
import type { LogLine, LogSource } from '../log-source.ts'

export interface Survey {
  /** Lines of the log, malformed ones included. */
  readonly lines: number
  readonly malformed: number
  /** The first `MAX_MALFORMED_KEPT` of them. */
  readonly malformedLines: readonly MalformedLine[]
  /** Well-formed lines of each client, in the order in which the log first names them. */
  readonly clients: ReadonlyMap<string, number>
  /** The earliest and the latest time in the log, epoch milliseconds. Logs are not quite in the order of time. */
  readonly firstAt: number
  readonly lastAt: number
  /** Of the decompressed log: what a resumed replay compares. */
  readonly sha256: string
}

export interface MalformedLine {
  readonly line: number
  readonly reason: MalformedReason
}

/** A file of another kind may hold millions of lines that are no log lines; the count stays exact, the list ends here. */
const MAX_MALFORMED_KEPT = 10_000
/** Farebox's own instants begin here. */
const FIRST_BILLED_AT = Date.UTC(2000, 0, 1)
/** Each customer has an invoice for each month, so one line with a wrong year would make hundreds of them. Ten years. */
const MAX_SPAN_MS = 10 * 366 * 24 * 60 * 60 * 1000
/** How much of a foreign file an error message shows. */
const SHOWN_LENGTH = 80

/** Reads the whole log once. Rejects with one sentence when no line of it is a line of an access log. */
export async function surveyLog(log: LogSource): Promise<Survey> {
  const hash = createHash('sha256')
  const clients = new Map<string, number>()
  const malformedLines: MalformedLine[] = []
  let lines = 0
  let unread = 0
  let firstAt = Infinity
  let lastAt = -Infinity
  let firstText: string | null = null

  for await (const line of log.lines((chunk) => hash.update(chunk))) {
    lines += 1
    firstText ??= line.text ?? ''
    const parsed = parseLine(line)
    if (parsed.kind === 'malformed') {
      unread += 1
      if (malformedLines.length < MAX_MALFORMED_KEPT) malformedLines.push({ line: line.number, reason: parsed.reason })
      continue
    }
    const { client, at } = parsed.line
    clients.set(client, (clients.get(client) ?? 0) + 1)
    firstAt = Math.min(firstAt, at)
    lastAt = Math.max(lastAt, at)
  }

  if (lines === unread) throw noLog(log.name, firstText)
  if (firstAt < FIRST_BILLED_AT) {
    throw new CommandError(`${log.name} begins in ${new Date(firstAt).getUTCFullYear()}, and Farebox bills from the year 2000 on`)
  }
  if (lastAt - firstAt > MAX_SPAN_MS) {
    const days = [firstAt, lastAt].map((instant) => new Date(instant).toISOString().slice(0, 10))
    throw new CommandError(
      `${log.name} reaches from ${days.join(' to ')}: correct the times, or replay at most ten years at once`,
    )
  }
  return { lines, malformed: unread, malformedLines, clients, firstAt, lastAt, sha256: hash.digest('hex') }
}

/** The well-formed lines of a log with their numbers. */
export async function* requestLines(log: LogSource): AsyncGenerator<{ number: number; line: AccessLine }> {
  for await (const line of log.lines()) {
    const parsed = parseLine(line)
    if (parsed.kind === 'line') yield { number: line.number, line: parsed.line }
  }
}

function parseLine(line: LogLine): ParsedLine {
  return line.text === null ? malformed('the line is too long') : parseAccessLine(line.text)
}

function noLog(name: string, firstText: string | null): CommandError {
  if (firstText === null) return new CommandError(`${name} is empty: give an access log with at least one line`)
  const shown = Buffer.from(firstText, 'latin1').toString('utf8').replaceAll(/\p{C}/gu, '?').slice(0, SHOWN_LENGTH)
  return new CommandError(
    `${name} is no access log: none of its lines is in the common or combined format, and the first one reads ${JSON.stringify(shown)}`,
  )
}
