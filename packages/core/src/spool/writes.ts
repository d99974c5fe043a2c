/** Writes of one turn of the event loop share a transaction, and so one sync to the disk. */

import { isBusy, isFault } from '../sqlite/faults.ts'
import { monotonicMs } from '../values/clock.ts'
import type { SpoolFile } from './spool-file.ts'

/** Between two tries for the write lock of a file that another process writes: it holds it for one transaction. */
const RETRY_MS = 4

/** After an error that is not the lock (a full disk), what waits is tried again this often. */
const PROBE_MS = 1_000

export interface Writes {
  /** Resolves with what `write` gives when it is on the disk. It is tried for as long as the spool is open. */
  add<T>(write: (file: SpoolFile) => T): Promise<T>
  /** How many wait. */
  readonly count: number
  /** Why the file did not take what waits; null while it takes everything. */
  readonly fault: Error | null
  /** Writes what waits, now. */
  commit(): void
  /** Writes what waits, until `untilMs` (monotonic), and rejects what is left. From then on each write has one try, and no timer is held. */
  close(untilMs: number): Promise<void>
}

interface Waiting {
  readonly write: (file: SpoolFile) => unknown
  readonly resolve: (result: never) => void
  readonly reject: (error: unknown) => void
  answer: unknown
  isFailed: boolean
}

/** `open` gives the file, and throws when it cannot be had. */
export function createWrites(open: () => SpoolFile): Writes {
  let waiting: Waiting[] = []
  let immediate: NodeJS.Immediate | null = null
  let timer: NodeJS.Timeout | null = null
  let fault: Error | null = null
  let isClosed = false

  return {
    add: (write) =>
      new Promise((resolve, reject) => {
        waiting.push({ write, resolve, reject, answer: undefined, isFailed: false })
        // While the disk refuses, one probe a second is enough for all.
        if (timer === null) immediate ??= setImmediate(commit)
      }),
    get count() {
      return waiting.length
    },
    get fault() {
      return fault
    },
    commit,
    close,
  }

  async function close(untilMs: number): Promise<void> {
    commit()
    while (waiting.length > 0 && monotonicMs() < untilMs) {
      await pause()
      commit()
    }
    isClosed = true
    commit()
  }

  function commit(): void {
    cancel()
    if (waiting.length === 0) return
    const batch = waiting
    waiting = []
    try {
      const file = open()
      file.transact(() => {
        for (const one of batch) apply(file, one)
      })
    } catch (error) {
      return tryAgain(batch, error)
    }
    fault = null
    for (const { resolve, reject, answer, isFailed } of batch) {
      if (isFailed) reject(answer)
      else resolve(answer as never)
    }
  }

  /** One that cannot be written for what it is must not keep the others waiting. */
  function apply(file: SpoolFile, one: Waiting): void {
    try {
      one.answer = one.write(file)
      one.isFailed = false
    } catch (error) {
      if (isFault(error) || isBusy(error)) throw error
      one.answer = error
      one.isFailed = true
    }
  }

  function tryAgain(batch: readonly Waiting[], error: unknown): void {
    if (isClosed) {
      for (const { reject } of batch) reject(error)
      return
    }
    const isTaken = isBusy(error)
    if (!isTaken) fault = error instanceof Error ? error : new Error(String(error))
    waiting = [...batch, ...waiting]
    timer = setTimeout(commit, isTaken ? RETRY_MS : PROBE_MS)
  }

  function cancel(): void {
    if (immediate !== null) clearImmediate(immediate)
    if (timer !== null) clearTimeout(timer)
    immediate = null
    timer = null
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RETRY_MS))
}
