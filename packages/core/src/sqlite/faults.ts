/** What went wrong with the database, and what it means for a change. */

import { FareboxError } from '../errors.ts'

/** The disk or the file is at fault, and every other write would meet the same; not the lock, and not what one change wrote. */
export function isFault(error: unknown): boolean {
  const isOfSqlite = error instanceof Error && error.name === 'SqliteError' && 'code' in error
  return isOfSqlite && !/^SQLITE_(BUSY|CONSTRAINT|MISMATCH|RANGE|TOOBIG)/.test(String(error.code))
}

/** Another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')
}

/** What SQLite could not do becomes `store_unavailable`; a broken invariant or an error of ours stays what it is. */
export function asStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'SqliteError') return error
  const code = 'code' in error ? String(error.code) : ''
  return new FareboxError('store_unavailable', `The database did not answer (${code}): try again; the cause says more`, {
    fields: { sqlite: code },
    cause: error,
  })
}

export function unsynced(cause: Error): FareboxError {
  return new FareboxError(
    'store_unavailable',
    `The disk could not sync the log (${cause.message}): see to the disk, then start again`,
    { fields: { outcome: 'unknown' }, cause },
  )
}
