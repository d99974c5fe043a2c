/** Delivers what waits in the spool: in order, in bounded batches, each event once, when the store answers again. */

import { isOutage } from '../errors.ts'
import type { NewUsageEvent } from '../records/usage-event.ts'
import { takeLock } from '../sqlite/process-lock.ts'
import { monotonicMs } from '../values/clock.ts'
import { inTime } from '../values/in-time.ts'
import type { SpooledEvent } from './spool-file.ts'
import type { Spool } from './spool.ts'

/** After the first event came, and after a try that failed: twice as long each time, up to the longest. */
const FIRST_TRY_MS = 200
const LONGEST_PAUSE_MS = 5_000

/** So many events are asked of the store at once; in SQLite they share a commit of some milliseconds. */
const BATCH = 100

/** A store that has not answered after this long is asked again later. What it writes all the same it knows by its key. */
const ANSWER_WITHIN_MS = 30_000

export interface DeliveryParts {
  readonly spool: Spool
  readonly ready: () => Promise<void>
  /** Counts the event, and does nothing when its key was counted before. */
  readonly record: (event: NewUsageEvent) => Promise<void>
  readonly onError: (error: unknown) => void
}

export interface Delivery {
  /** Delivers soon if anything waits. Costs next to nothing when a try is due already. */
  wake(): void
  /** Delivers now. Resolves when nothing waits any more, or the store does not answer. Never rejects. */
  deliver(): Promise<void>
  /** Delivers until `untilMs` (monotonic) what the store takes; the rest stays in the file. Holds no timer afterwards. */
  stop(untilMs: number): Promise<void>
}

export function createDelivery({ spool, ready, record, onError }: DeliveryParts): Delivery {
  let timer: NodeJS.Timeout | null = null
  let running: Promise<void> | null = null
  let pauseMs = FIRST_TRY_MS
  let untilMs = Infinity
  let letGo: (() => void) | null = null

  return { wake, deliver, stop }

  function wake(): void {
    if (timer !== null || running !== null || isOver() || isEmpty()) return
    timer = setTimeout(() => void deliver(), pauseMs).unref()
  }

  function deliver(): Promise<void> {
    if (timer !== null) clearTimeout(timer)
    timer = null
    return (running ??= tryOnce().finally(() => {
      running = null
      wake()
    }))
  }

  async function tryOnce(): Promise<void> {
    let isDelivered = false
    try {
      isDelivered = isEmpty() || ((await isReady()) && (await deliverAlone()))
    } catch (error) {
      onError(error)
    }
    pauseMs = isDelivered ? FIRST_TRY_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }

  /** Before the engine knows its catalogs it would take any event for one that no plan counts. */
  function isReady(): Promise<boolean> {
    return ready().then(
      () => true,
      () => false,
    )
  }

  /**
   * One process at a time delivers: others would only ask the store for the same once more. That no event is billed twice does
   * not rest on it, but on the event's key. Says whether everything was delivered.
   */
  async function deliverAlone(): Promise<boolean> {
    letGo = takeLock(`${spool.path}-delivery-${spool.storeId()}`)
    if (letGo === null) return false
    try {
      return await deliverAll()
    } finally {
      unlock()
    }
  }

  async function deliverAll(): Promise<boolean> {
    // One event finds out whether the store answers.
    let batch = spool.head(1)
    while (batch.length > 0) {
      if (isOver() || !(await deliverBatch(batch))) return false
      batch = spool.head(BATCH)
    }
    return true
  }

  /** Says whether the store answered. An event leaves the spool only when the store has it, or will never take it. */
  async function deliverBatch(batch: readonly SpooledEvent[]): Promise<boolean> {
    const results = await inTime(ANSWER_WITHIN_MS, Promise.allSettled(batch.map(({ event }) => record(event))))
    if (results === null) return false
    const delivered: bigint[] = []
    const rejected: { readonly id: bigint; readonly error: unknown }[] = []
    let isDown = false
    batch.forEach(({ id }, index) => {
      const result = results[index]
      if (result?.status === 'fulfilled') delivered.push(id)
      else if (isOutage(result?.reason)) isDown = true
      else rejected.push({ id, error: result?.reason })
    })
    // A process that is killed here delivers these again, and the store finds their keys.
    await Promise.all([spool.remove(delivered), ...rejected.map(setApart)])
    return !isDown
  }

  async function setApart({ id, error }: { readonly id: bigint; readonly error: unknown }): Promise<void> {
    if (await spool.reject(id, error)) onError(error)
  }

  async function stop(lastMs: number): Promise<void> {
    untilMs = lastMs
    const leftMs = lastMs - monotonicMs()
    if (leftMs > 0) await inTime(leftMs, deliver())
    untilMs = -Infinity
    if (timer !== null) clearTimeout(timer)
    timer = null
    // A store that still hangs must not keep the next process from delivering.
    unlock()
  }

  function unlock(): void {
    letGo?.()
    letGo = null
  }

  function isOver(): boolean {
    return monotonicMs() >= untilMs
  }

  function isEmpty(): boolean {
    try {
      return spool.counts().events === 0
    } catch {
      // What keeps the file from being read is told in `health()`.
      return true
    }
  }
}
