/** Syncs the write-ahead log beside the event loop: a commit only writes, and its changes are answered when the disk has them. */

import { closeSync, fdatasync, openSync } from 'node:fs'

/** Gets null when everything that was committed before the sync began is on the disk, else why nobody can say so. */
type Done = (error: Error | null) => void

export interface Syncer {
  /** Whether a sync is on its way. What is committed meanwhile needs another one. */
  readonly isRunning: boolean
  /** Starts a sync, of everything that is committed now. Only while none is running. */
  start(done: Done): void
  /** Only while none is running. */
  close(): void
}

/**
 * SQLite's own sync of a commit stops the event loop until the disk answers, so with `full` its `synchronous` is NORMAL,
 * which syncs the log before a checkpoint and when it begins anew, and the sync of each commit is done here, in a thread
 * of libuv. It is the same system call on the same file: a file descriptor of our own reaches what SQLite wrote through its.
 * `file` is the database; its log is there once the database was read in WAL mode, and stays while a connection is open.
 */
export function createSyncer(file: string): Syncer {
  const log = openSync(`${file}-wal`, 'r+')
  let isRunning = false
  return {
    get isRunning() {
      return isRunning
    },
    start(done) {
      isRunning = true
      fdatasync(log, (error) => {
        isRunning = false
        done(error)
      })
    },
    close: () => closeSync(log),
  }
}
