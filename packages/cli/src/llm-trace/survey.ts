/** The first reading of a trace: how many calls there are and whose, when they begin and end, and which lines cannot be read. */

import { CommandError } from '../command-error.ts'
import type { LogSource } from '../log-source.ts'
import { type Columns, malformed, type MalformedReason, parseTraceLine, readHeader, type TraceCall } from './trace-line.ts'

export interface TraceSurvey {
  /** Lines with calls, malformed ones included; neither the header nor blank lines. */
  readonly lines: number
  readonly malformed: number
  /** The first `MAX_MALFORMED_KEPT` of them. */
  readonly malformedLines: readonly MalformedLine[]
  /** The earliest and the latest instant, epoch milliseconds. */
  readonly firstAt: number
  readonly lastAt: number
  /** What each customer asked for, as the trace says it: the bill is compared with it. */
  readonly customers: ReadonlyMap<string, TraceTally>
}

export interface MalformedLine {
  /** In the file, counted from 1. */
  readonly line: number
  readonly reason: MalformedReason
}

/** Calls and their tokens. */
export interface TraceTally {
  calls: number
  inputTokens: number
  outputTokens: number
}

/** A call with its place among the lines of the trace. */
export interface NumberedCall extends TraceCall {
  /** Counted from 0. The header and blank lines have no place, malformed lines have one. */
  readonly index: number
}

/** A file of another kind may hold millions of lines that are no calls; the count stays exact, the list ends here. */
const MAX_MALFORMED_KEPT = 1_000
/** Each customer has an invoice for each month, so one line with a wrong year would make hundreds of them. Ten years. */
const MAX_SPAN_MS = 10 * 366 * 24 * 60 * 60 * 1000
/** How much of a foreign file an error message shows. */
const SHOWN_LENGTH = 80

/** Whose a line is, by its place. */
export function customerOf(index: number, customers: number): string {
  return `c${index % customers}`
}

/** Reads the whole trace once. Rejects with one sentence when it is none. */
export async function surveyTrace(log: LogSource, customers: number): Promise<TraceSurvey> {
  const tallies = new Map<string, TraceTally>()
  const malformedLines: MalformedLine[] = []
  let lines = 0
  let unread = 0
  let firstAt = Infinity
  let lastAt = -Infinity
  for (let index = 0; index < customers; index += 1)
    tallies.set(customerOf(index, customers), { calls: 0, inputTokens: 0, outputTokens: 0 })
  for await (const { number, index, parsed } of linesOf(log)) {
    lines += 1
    if (parsed.kind === 'malformed') {
      unread += 1
      if (malformedLines.length < MAX_MALFORMED_KEPT) malformedLines.push({ line: number, reason: parsed.reason })
      continue
    }
    const { at, inputTokens, outputTokens } = parsed.call
    const tally = tallies.get(customerOf(index, customers))
    if (tally !== undefined) {
      tally.calls += 1
      tally.inputTokens += inputTokens
      tally.outputTokens += outputTokens
    }
    firstAt = Math.min(firstAt, at)
    lastAt = Math.max(lastAt, at)
  }
  if (lines === unread) throw noCalls(log.name, malformedLines[0])
  if (lastAt - firstAt > MAX_SPAN_MS) throw tooLong(log.name, firstAt, lastAt)
  return { lines, malformed: unread, malformedLines, firstAt, lastAt, customers: tallies }
}

/** The calls of a trace in the order of its lines. */
export async function* callsOf(log: LogSource): AsyncGenerator<NumberedCall> {
  for await (const { index, parsed } of linesOf(log)) if (parsed.kind === 'call') yield { ...parsed.call, index }
}

interface TraceLine {
  readonly number: number
  readonly index: number
  readonly parsed: ReturnType<typeof parseTraceLine>
}

async function* linesOf(log: LogSource): AsyncGenerator<TraceLine> {
  let columns: Columns | null = null
  let index = 0
  for await (const { number, text } of log.lines()) {
    if (text?.trim() === '') continue
    if (columns === null) {
      columns = readHeader(text ?? '')
      if (columns === null) throw noHeader(log.name, text ?? '')
      continue
    }
    yield { number, index, parsed: text === null ? malformed('the line is too long') : parseTraceLine(text, columns) }
    index += 1
  }
}

function noHeader(name: string, text: string): CommandError {
  const shown = Buffer.from(text, 'latin1').toString('utf8').replaceAll(/\p{C}/gu, '?').slice(0, SHOWN_LENGTH)
  return new CommandError(
    `${name} is no LLM trace, whose first line names the columns TIMESTAMP, ContextTokens and GeneratedTokens: it reads ${JSON.stringify(shown)}, so give another file or add the header`,
  )
}

function noCalls(name: string, first: MalformedLine | undefined): CommandError {
  if (first === undefined) return new CommandError(`${name} holds no call: give a trace with at least one line below its header`)
  return new CommandError(`${name} holds no call that can be read: in line ${first.line} ${first.reason}, so correct the file`)
}

function tooLong(name: string, firstAt: number, lastAt: number): CommandError {
  const days = [firstAt, lastAt].map((instant) => new Date(instant).toISOString().slice(0, 10))
  return new CommandError(`${name} reaches from ${days.join(' to ')}: correct the times, or bill at most ten years at once`)
}
