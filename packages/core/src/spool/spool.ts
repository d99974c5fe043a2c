/** Keeps what was used while the store did not answer, in a file, until it is delivered. It never drops an event. */

import { existsSync } from 'node:fs'
import { FareboxError } from '../errors.ts'
import type { NewUsageEvent } from '../records/usage-event.ts'
import { asStoreError } from '../sqlite/faults.ts'
import { refuseUnwritable } from '../sqlite/open.ts'
import { monotonicMs } from '../values/clock.ts'
import { formatInstant } from '../values/instant.ts'
import { formatQuantity } from '../values/quantity.ts'
import { openSpoolFile, type SpoolCounts, type SpooledEvent, type SpoolFile } from './spool-file.ts'
import type { SpoolOptions } from './spool-options.ts'
import { createWrites } from './writes.ts'

/** What a gate asks of the spool: a slot before a request is served, and its event in it afterwards. */
export interface Slots {
  /** Takes a slot for one event. False when none is free, or when the file takes nothing: the request must not be served. */
  take(): boolean
  /** Gives a slot back: there is nothing to bill. */
  giveBack(): void
  /** Puts an event into the slot that was taken for it. Resolves when it is on the disk. */
  fill(event: NewUsageEvent): Promise<void>
}

export interface Spool extends Slots {
  readonly path: string
  readonly capacity: number
  /** Whether a slot is free. */
  hasSlot(): boolean
  /** Why the file cannot be used, as far as that is known; null while it can. Looks again when it could not be opened. */
  fault(): unknown
  /** Zeros where there is no file. Throws where the file cannot be read. */
  counts(): SpoolCounts
  /** Those that have waited longest, in the order in which they came. */
  head(limit: number): SpooledEvent[]
  /** Ends the waiting of events that the store has. */
  remove(ids: readonly bigint[]): Promise<void>
  /** Keeps an event apart that the store would not take. Says whether it was still there. */
  reject(id: bigint, error: unknown): Promise<boolean>
  /** Puts back what was rejected, and says how many it was. */
  restore(): Promise<number>
  /** Names the events of this store among those in the file. */
  storeId(): bigint
  /** Throws `store_not_writable` where the file could not be made. */
  check(): void
  /** Resolves when what waits is on the disk. Rejects with `store_unavailable` while the disk takes nothing. */
  flush(): Promise<void>
  /** Writes what waits, until `untilMs` (monotonic), and lets the file go. What comes later is written at once. */
  close(untilMs: number): Promise<void>
}

export interface SpoolParts {
  readonly options: Required<SpoolOptions>
  /** Names the store that the events are for. */
  readonly location: string
  /** Called when an event came into the file. */
  readonly onFilled: () => void
}

/** A file that could not be opened is tried again this often. */
const REOPEN_MS = 1_000

const NOTHING: SpoolCounts = { events: 0, rejected: 0, elsewhere: 0 }

export function createSpool({ options, location, onFilled }: SpoolParts): Spool {
  const { path, maxEvents: capacity } = options
  const writes = createWrites(open)
  let file: SpoolFile | null = null
  let isClosed = false
  let unopened: { readonly error: Error; readonly untilMs: number } | null = null
  /** Slots of requests whose event is not in the file yet. */
  let taken = 0

  return {
    path,
    capacity,
    take,
    giveBack,
    fill,
    hasSlot,
    fault,
    counts,
    head: (limit) => (isThere() ? open().head(limit) : []),
    remove: async (ids) => {
      if (isClosed || ids.length === 0) return
      await writes.add((opened) => ids.forEach((id) => opened.remove(id)))
    },
    async reject(id, error) {
      if (isClosed) return false
      const code = error instanceof FareboxError ? error.code : 'unexpected'
      const message = error instanceof Error ? error.message : String(error)
      return writes.add((opened) => opened.reject(id, code, message))
    },
    restore: async () => (isThere() ? writes.add((opened) => opened.restore()) : 0),
    storeId: () => open().storeId,
    check,
    flush,
    close,
  }

  function take(): boolean {
    if (isClosed || !hasSlot()) return false
    taken += 1
    return true
  }

  /** The file may be shared, so its count is read each time: a look at one row. */
  function hasSlot(): boolean {
    if (writes.fault !== null) return false
    try {
      return open().counts().events + taken < capacity
    } catch {
      return false
    }
  }

  function fault(): unknown {
    if (writes.fault !== null || unopened === null) return writes.fault
    try {
      open()
      return null
    } catch (error) {
      return error
    }
  }

  function check(): void {
    try {
      refuseUnwritable(path)
    } catch (error) {
      throw new FareboxError(
        'store_not_writable',
        `onStoreError: 'allow' keeps events in ${path}, which cannot be made: give createFarebox({ spool }) a path in a folder that this user can write`,
        { fields: { path }, cause: error },
      )
    }
  }

  function giveBack(): void {
    taken -= 1
  }

  async function fill(event: NewUsageEvent): Promise<void> {
    try {
      await writes.add((opened) => opened.insert(event))
    } catch (error) {
      throw notSpooled(path, event, error)
    } finally {
      giveBack()
      if (isClosed && writes.count === 0) letGo()
    }
    onFilled()
  }

  function counts(): SpoolCounts {
    return isThere() ? open().counts() : NOTHING
  }

  /** Another process, or one that died, may have made the file. */
  function isThere(): boolean {
    return file !== null || existsSync(path)
  }

  function open(): SpoolFile {
    if (file !== null) return file
    if (unopened !== null && monotonicMs() < unopened.untilMs) throw unopened.error
    try {
      file = openSpoolFile(path, location)
    } catch (error) {
      unopened = { error: error instanceof Error ? error : new Error(String(error)), untilMs: monotonicMs() + REOPEN_MS }
      throw error
    }
    unopened = null
    return file
  }

  async function flush(): Promise<void> {
    writes.commit()
    if (writes.fault !== null) throw asStoreError(writes.fault)
    // Another process writes: what is written last is written after all that waits.
    if (writes.count > 0) await writes.add(() => {})
  }

  async function close(untilMs: number): Promise<void> {
    await writes.close(untilMs)
    isClosed = true
    letGo()
  }

  function letGo(): void {
    file?.close()
    file = null
  }
}

/** Only at the end of a process whose disk takes nothing: the last chance to bill it is the operator's. */
function notSpooled(path: string, event: NewUsageEvent, cause: unknown): FareboxError {
  const { customerId, feature, quantity, at, key } = event
  return new FareboxError(
    'store_unavailable',
    `The spool ${path} did not take an event of ${customerId} (${formatQuantity(quantity)} ${feature} at ${formatInstant(at)}): it is not billed`,
    { fields: { customerId, feature, value: formatQuantity(quantity), timestamp: at, key }, cause },
  )
}
