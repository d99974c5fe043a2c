/** Tells whether a process that shares the database still lives: each holds a lock that the operating system lets go when it dies. */

import { existsSync, rmSync } from 'node:fs'
import Database from 'better-sqlite3'

/** Kept from the garbage collector, which would close the file and let the lock of a living process go. */
const held = new Set<Database.Database>()

/**
 * Takes this process's lock on a small file beside the database; the returned function lets it go. SQLite's own file locks
 * are used because they work on every platform and end with the process, however it ends: `kill -9`, crash or power.
 */
export function holdProcessLock(file: string, process: string): () => void {
  if (file === ':memory:') return () => {}
  const lockFile = lockFileOf(file, process)
  const lock = new Database(lockFile)
  lock.exec('BEGIN EXCLUSIVE')
  held.add(lock)
  return () => {
    held.delete(lock)
    lock.close()
    rmSync(lockFile, { force: true })
  }
}

/** True while the process holds its lock. Removes the lock file of a dead one. */
export function isProcessAlive(file: string, process: string): boolean {
  const lockFile = lockFileOf(file, process)
  if (!existsSync(lockFile)) return false
  const probe = new Database(lockFile, { timeout: 0 })
  try {
    probe.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')) return true
    throw error
  } finally {
    probe.close()
  }
  rmSync(lockFile, { force: true })
  return false
}

function lockFileOf(file: string, process: string): string {
  return `${file}-process-${process}`
}
