/** Facts about a database file, for `farebox doctor`: looked at without changing anything. */

import { existsSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { FareboxError } from '../errors.ts'
import { invariant } from '../values/invariant.ts'
import { MIGRATIONS } from './migrate.ts'
import { sqliteVersion } from './open.ts'
import { isProcessAlive } from './process-lock.ts'

/** The pending reservations of one process. */
export interface ProcessReservations {
  readonly process: string
  /** Whether the process still holds its lock. Those of a dead one are resolved by `onCrash` when Farebox starts. */
  readonly isAlive: boolean
  readonly reservations: number
  /** When the oldest was admitted: epoch milliseconds. */
  readonly oldestAt: number
}

export interface SqliteInspection {
  readonly sqliteVersion: string
  /** Numbers of the newest migration that the file has and that this program knows. */
  readonly schema: { readonly found: number; readonly known: number }
  readonly journalMode: string
  readonly databaseBytes: number
  readonly walBytes: number
  /** What SQLite's quick check finds; empty when the file is sound. */
  readonly damage: readonly string[]
  readonly events: number
  /** Timestamp of the newest event in the order of the log, epoch milliseconds; null when there is none. */
  readonly newestEventAt: number | null
  readonly processes: readonly ProcessReservations[]
}

/** Throws `not_found` when there is no file, `store_unsupported` when it is no database of Farebox's. */
export function inspectSqlite(file: string): SqliteInspection {
  if (!existsSync(file))
    throw new FareboxError('not_found', `There is no database ${file}: give the path that sqlite({ path }) was given`, {
      fields: { path: file },
    })
  const db = new Database(file, { readonly: true })
  try {
    return inspect(db, file)
  } catch (error) {
    if (error instanceof FareboxError) throw error
    throw new FareboxError(
      'store_unsupported',
      `The file ${file} is no database of Farebox's: give the path that sqlite({ path }) was given`,
      { fields: { path: file }, cause: error },
    )
  } finally {
    db.close()
  }
}

function inspect(db: Database.Database, file: string): SqliteInspection {
  const wal = `${file}-wal`
  const newest = db.prepare<[], { seq: number; at: number }>('SELECT seq, at FROM _events ORDER BY seq DESC LIMIT 1').get()
  const events = db.prepare<[], number>('SELECT coalesce(sum(events), 0) FROM _totals').pluck().get()
  const found = db.prepare<[], number>('SELECT coalesce(max(number), 0) FROM _migrations').pluck().get()
  invariant(events !== undefined && found !== undefined, 'a sum has one row')
  const check = db.prepare<[], string>('PRAGMA quick_check(10)').pluck().all()
  return {
    sqliteVersion: sqliteVersion(db),
    schema: { found, known: MIGRATIONS.length },
    journalMode: String(db.pragma('journal_mode', { simple: true })),
    databaseBytes: statSync(file).size,
    walBytes: existsSync(wal) ? statSync(wal).size : 0,
    damage: check.length === 1 && check[0] === 'ok' ? [] : check,
    events,
    newestEventAt: newest?.at ?? null,
    processes: processesOf(db, file),
  }
}

function processesOf(db: Database.Database, file: string): ProcessReservations[] {
  const rows = db
    .prepare<[], { process: string; reservations: number; oldest: number }>(
      'SELECT process, count(*) AS reservations, min(at_ms) AS oldest FROM reservations GROUP BY process ORDER BY process',
    )
    .all()
  return rows.map(({ process, reservations, oldest }) => ({
    process,
    isAlive: isProcessAlive(file, process),
    reservations,
    oldestAt: oldest,
  }))
}
