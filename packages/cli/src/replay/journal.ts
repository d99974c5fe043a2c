/**
 * The replay's memory beside the database: which lines are done, and what became of each.
 *
 * A line is written here after its settlement is durable in the database and before the next line of its customer is
 * sent. So whenever the process dies, each customer has at most one line that is in the database and not in here.
 */

import { closeSync, existsSync, fdatasyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { CommandError, codeOf, messageOf } from '../command-error.ts'
import type { Outcome } from './outcome.ts'

export interface Journal {
  /** What earlier runs noted, by line number. */
  readonly done: ReadonlyMap<number, Outcome>
  /** Resolves when the line is on disk. Lines noted in the same turn of the event loop share one write. */
  note(number: number, outcome: Outcome): Promise<void>
  close(): void
}

/** The first record: what is replayed. */
interface Heading {
  readonly replay: 1
  readonly sha256: string
  readonly lines: number
}

/** One record per line of the log: its number, what became of it, the feature where there is one. */
type Row = readonly [number: number, kind: Outcome['kind'], feature?: string]

export function journalPath(database: string): string {
  return `${database}.replay.jsonl`
}

export interface JournalOptions {
  readonly database: string
  /** The name of the log, for messages. */
  readonly log: string
  readonly sha256: string
  readonly lines: number
}

/** Begins a journal, or goes on with the one that is there. Throws when that one belongs to another log. */
export function openJournal(options: JournalOptions): Journal {
  const path = journalPath(options.database)
  const { heading, done, length } = existsSync(path)
    ? readJournal(path)
    : { heading: null, done: new Map<number, Outcome>(), length: 0 }
  if (heading !== null && heading.sha256 !== options.sha256) throw otherLog(options, heading)

  const file = openForAppending(path)
  // Cuts off the record that was being written when the process died.
  ftruncateSync(file, length)
  if (heading === null) append(file, `${JSON.stringify(headingOf(options))}\n`)
  return { done, ...noteIn(file) }
}

function openForAppending(path: string): number {
  try {
    return openSync(path, 'a')
  } catch (error) {
    throw unusable(path, error)
  }
}

function noteIn(file: number): Pick<Journal, 'note' | 'close'> {
  let rows = ''
  let written: Promise<void> | null = null
  const write = (): void => {
    const batch = rows
    rows = ''
    written = null
    append(file, batch)
  }
  return {
    async note(number, outcome) {
      rows += `${JSON.stringify(rowOf(number, outcome))}\n`
      written ??= new Promise<void>((resolve) => setImmediate(resolve)).then(write)
      await written
    },
    close: () => closeSync(file),
  }
}

/** Also on disk when the power goes, as the database's own commits are: the two are compared when the replay resumes. */
function append(file: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at)
  fdatasyncSync(file)
}

function readJournal(path: string): { heading: Heading | null; done: Map<number, Outcome>; length: number } {
  const text = readFileSync(path, 'utf8')
  const length = text.lastIndexOf('\n') + 1
  const [first, ...rest] = text.slice(0, length).split('\n')
  const done = new Map<number, Outcome>()
  if (first === undefined || first === '') return { heading: null, done, length: 0 }
  try {
    const heading = JSON.parse(first) as Heading
    if (heading.replay !== 1) throw new Error(`its first record is ${first}`)
    for (const record of rest) if (record !== '') done.set(...fromRow(JSON.parse(record) as Row))
    return { heading, done, length: Buffer.byteLength(text.slice(0, length)) }
  } catch (error) {
    throw new CommandError(
      `${path} is no journal of a replay (${messageOf(error)}): use another --database file, or --fresh to begin again`,
    )
  }
}

function rowOf(number: number, outcome: Outcome): Row {
  return outcome.kind === 'unmatched' ? [number, outcome.kind] : [number, outcome.kind, outcome.feature]
}

function fromRow([number, kind, feature = '']: Row): [number, Outcome] {
  return [number, kind === 'unmatched' ? { kind } : { kind, feature }]
}

function headingOf({ sha256, lines }: JournalOptions): Heading {
  return { replay: 1, sha256, lines }
}

function otherLog({ database, log, lines }: JournalOptions, heading: Heading): CommandError {
  return new CommandError(
    `${database} holds the replay of another log (${heading.lines} lines) than ${log} (${lines} lines): give that log, another --database file, or --fresh`,
  )
}

/** Says that a file cannot be used, with the system's reason. */
export function unusable(path: string, error: unknown): CommandError {
  return new CommandError(
    `${path} cannot be used (${codeOf(error) || messageOf(error)}): give a --database file in a folder that you may write to`,
  )
}
