/** Brings a database to this program's schema: numbered, forward only, safe from many processes at once. */

import type { Database } from 'better-sqlite3'
import { FareboxError } from '../errors.ts'
import { migration000001 } from './migrations/000001.ts'

interface Migration {
  readonly number: number
  /** A program that does not know a breaking migration must not touch the database. */
  readonly isBreaking: boolean
  readonly sql: string
}

export const MIGRATIONS: readonly Migration[] = [{ number: 1, isBreaking: true, sql: migration000001 }]

/** 'FARE' in ASCII, in the header of every database of ours. Source: SQLite `PRAGMA application_id`. */
const APPLICATION_ID = 0x46415245

/**
 * Applies what is missing, in one transaction. Throws `store_unsupported` when the file belongs to another program or a
 * newer Farebox changed it in a way that this one would break; nothing is written then.
 */
export function migrate(db: Database): void {
  if (isCurrent(db)) return
  // The write lock is taken before anything is looked at, so that of many processes one migrates and the others find it done.
  db.exec('BEGIN IMMEDIATE')
  try {
    refuseForeign(db)
    db.exec('CREATE TABLE IF NOT EXISTS _migrations (number INTEGER PRIMARY KEY, breaking INTEGER NOT NULL) STRICT')
    const applied = new Map(rowsOf(db).map((row) => [row.number, row.breaking]))
    refuseNewer(applied)
    for (const migration of MIGRATIONS) {
      if (applied.has(migration.number)) continue
      db.prepare('INSERT INTO _migrations (number, breaking) VALUES (?, ?)').run(migration.number, migration.isBreaking ? 1 : 0)
      db.exec(migration.sql)
    }
    db.pragma(`application_id = ${APPLICATION_ID}`)
    db.exec('COMMIT')
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function isCurrent(db: Database): boolean {
  const table = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_migrations'").get()
  if (table === undefined) return false
  const applied = new Map(rowsOf(db).map((row) => [row.number, row.breaking]))
  refuseNewer(applied)
  return MIGRATIONS.every((migration) => applied.has(migration.number))
}

function rowsOf(db: Database): { number: number; breaking: boolean }[] {
  const rows = db
    .prepare<[], { number: bigint | number; breaking: bigint | number }>('SELECT number, breaking FROM _migrations')
    .all()
  return rows.map((row) => ({ number: Number(row.number), breaking: Number(row.breaking) === 1 }))
}

function refuseForeign(db: Database): void {
  const id = Number(db.pragma('application_id', { simple: true }))
  const tables = Number(db.prepare<[], { n: bigint | number }>('SELECT count(*) AS n FROM sqlite_schema').get()?.n ?? 0)
  if (id === APPLICATION_ID || (id === 0 && tables === 0)) return
  throw new FareboxError(
    'store_unsupported',
    `Expected an empty file or a Farebox database, found a database of another program (application_id ${id}, ${tables} tables): give Farebox a file of its own`,
    { fields: { applicationId: id, tables } },
  )
}

function refuseNewer(applied: ReadonlyMap<number, boolean>): void {
  const known = MIGRATIONS.length
  const newer = [...applied].filter(([number, breaking]) => breaking && number > known).map(([number]) => number)
  if (newer.length === 0) return
  throw new FareboxError(
    'store_unsupported',
    `The database has the breaking migration ${Math.max(...newer)} and this Farebox knows migrations up to ${known}: update Farebox, or restore a copy made before`,
    { fields: { newest: Math.max(...newer), known } },
  )
}
