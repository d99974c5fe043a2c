/** Opens a SQLite file the way that keeps what was acknowledged. */

import { accessSync, constants, existsSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { FareboxError } from '../errors.ts'
import { monotonicMs } from '../values/clock.ts'
import { isBusy } from './faults.ts'
import { migrate } from './migrate.ts'

/** A write-ahead log larger than this is cut back after a checkpoint: 64 MiB. */
const WAL_LIMIT_BYTES = 64 * 1024 * 1024

/** The one wait that blocks: a short one while other processes open the same file. Later waits are asynchronous. */
const OPEN_TIMEOUT_MS = 5_000
const OPEN_PAUSE_MS = 10

/**
 * Opens, checks and brings the tables up to date. Throws `store_not_writable` or `store_unsupported`, each saying what to do.
 * `synchronous = NORMAL`: SQLite syncs the log before a checkpoint and when it begins anew, which keeps the file whole. That
 * what was answered survives the loss of power is the syncer's part: without it, 519 of 600 simulated cuts took something.
 */
export function openDatabase(file: string, bringUpToDate: (db: Database.Database) => void = migrate): Database.Database {
  const db = connect(file)
  try {
    refuseOldSqlite(sqliteVersion(db))
    useWriteAheadLog(db)
    db.pragma('synchronous = NORMAL')
    db.pragma(`journal_size_limit = ${WAL_LIMIT_BYTES}`)
    db.pragma('foreign_keys = ON')
    db.pragma('wal_autocheckpoint = 4000')
    db.pragma(`busy_timeout = ${OPEN_TIMEOUT_MS}`)
    bringUpToDate(db)
    db.pragma('busy_timeout = 0')
    db.defaultSafeIntegers(true)
    return db
  } catch (error) {
    db.close()
    throw asOpenError(file, error)
  }
}

/**
 * Of several processes that open a new file at once, one turns it into WAL mode, and SQLite answers the others with
 * `SQLITE_BUSY` at once, whatever the busy timeout is. The one is done within milliseconds.
 */
function useWriteAheadLog(db: Database.Database): void {
  const untilMs = monotonicMs() + OPEN_TIMEOUT_MS
  for (;;) {
    try {
      db.pragma('journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || monotonicMs() >= untilMs) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, OPEN_PAUSE_MS)
    }
  }
}

export function sqliteVersion(db: Database.Database): string {
  return String(db.prepare<[], string>('SELECT sqlite_version()').pluck().get())
}

function connect(file: string): Database.Database {
  if (file !== ':memory:') refuseUnwritable(file)
  try {
    return new Database(file)
  } catch (error) {
    throw asOpenError(file, error)
  }
}

/** Throws `store_not_writable` where a database file cannot be made or written. */
export function refuseUnwritable(file: string): void {
  const folder = path.dirname(path.resolve(file))
  if (!existsSync(folder)) {
    throw new FareboxError(
      'store_not_writable',
      `The folder ${folder} of the database does not exist: make it, or choose another path`,
      { fields: { path: file } },
    )
  }
  for (const target of existsSync(file) ? [file, folder] : [folder]) {
    try {
      accessSync(target, constants.W_OK)
    } catch (error) {
      throw unwritable(file, error)
    }
  }
}

/**
 * SQLite 3.7.0 to 3.51.2 can corrupt a WAL database that several processes write (sqlite.org/wal.html#walresetbug);
 * 3.44.6 and 3.50.7 carry the repair.
 */
export function refuseOldSqlite(version: string): void {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  const isAtLeast = (m: number, p: number): boolean => major > 3 || (major === 3 && (minor > m || (minor === m && patch >= p)))
  const isBackport = major === 3 && ((minor === 44 && patch >= 6) || (minor === 50 && patch >= 7))
  if (isAtLeast(51, 3) || isBackport) return
  throw new FareboxError(
    'store_unsupported',
    `Expected SQLite 3.51.3 or later (or 3.50.7, 3.44.6), found ${version}, which can corrupt a file shared by processes: update better-sqlite3`,
    { fields: { version } },
  )
}

function asOpenError(file: string, error: unknown): unknown {
  if (error instanceof FareboxError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code.startsWith('SQLITE_READONLY') || code === 'SQLITE_CANTOPEN' || code === 'SQLITE_PERM') return unwritable(file, error)
  if (code === 'SQLITE_NOTADB' || code === 'SQLITE_CORRUPT') {
    return new FareboxError(
      'store_unsupported',
      `The file ${file} is not a sound SQLite database: give another path, or restore a copy`,
      {
        fields: { path: file, sqlite: code },
        cause: error,
      },
    )
  }
  return new FareboxError(
    'store_unavailable',
    `The database ${file} could not be opened (${code || String(error)}): see the cause`,
    { fields: { path: file }, cause: error },
  )
}

function unwritable(file: string, cause: unknown): FareboxError {
  return new FareboxError(
    'store_not_writable',
    `The database ${file} cannot be opened for writing: make the file and its folder writable for this user, or choose another path`,
    {
      fields: { path: file },
      cause,
    },
  )
}
