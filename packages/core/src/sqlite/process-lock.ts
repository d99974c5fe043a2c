/** Locks that the operating system lets go when their process dies, and what they tell: whether a process still lives. */

import { existsSync, rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import { invariant } from '../values/invariant.ts'
import { isBusy } from './faults.ts'

/** Kept from the garbage collector, which would close the file and let the lock of a living process go. */
const held = new Set<Database.Database>()

/**
 * Takes the lock of a small file, which is made; the returned function lets it go and removes the file. Null when another
 * has it. SQLite's own file locks are used because they work on every platform and end with the process, however it
 * ends: `kill -9`, crash or power.
 */
export function takeLock(lockFile: string): (() => void) | null {
  const lock = new Database(lockFile, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (isBusy(error)) return null
    throw error
  }
  held.add(lock)
  return () => {
    held.delete(lock)
    lock.close()
    rmSync(lockFile, { force: true })
  }
}

/** Takes this process's lock beside the database; the returned function lets it go. */
export function holdProcessLock(file: string, process: string): () => void {
  if (file === ':memory:') return () => {}
  const letGo = takeLock(lockFileOf(file, process))
  invariant(letGo !== null, 'no two processes have the same name')
  return letGo
}

/** True while the process holds its lock. Removes the lock file of a dead one. */
export function isProcessAlive(file: string, process: string): boolean {
  const lockFile = lockFileOf(file, process)
  if (!existsSync(lockFile)) return false
  const letGo = takeLock(lockFile)
  letGo?.()
  return letGo === null
}

function lockFileOf(file: string, process: string): string {
  return `${file}-process-${process}`
}
