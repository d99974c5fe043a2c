/** What is done while the store does not answer: events wait in the spool and are delivered afterwards, and `health()` tells of it. */

import type { Store } from './contracts/store.ts'
import { createHealth, type Health } from './health.ts'
import type { Meter } from './meter.ts'
import { createDelivery } from './spool/delivery.ts'
import { checkSpoolOptions, type SpoolOptions } from './spool/spool-options.ts'
import { createSpool, type Slots } from './spool/spool.ts'
import { monotonicMs } from './values/clock.ts'

export interface OutageParts {
  readonly store: Store
  readonly meter: Meter
  readonly options: string | SpoolOptions | undefined
  readonly ready: () => Promise<void>
  readonly onError: (error: unknown) => void
}

export interface Outage {
  /** What a gate asks for when the store does not answer. */
  readonly slots: Slots
  /** A meter will serve while the store does not answer. Throws `store_not_writable` where no spool could be made. */
  allow(): void
  health(): Promise<Health>
  /** Delivers soon what waits, that of a process which died included. */
  wake(): void
  /** Delivers now what the store takes. Never rejects. */
  deliver(): Promise<void>
  retryRejected(): Promise<number>
  /** Resolves when everything that came so far is in the file. */
  flush(): Promise<void>
  /** Delivers until `untilMs` (monotonic) and lets the file go, with the rest in it. */
  stop(untilMs: number): Promise<void>
}

/** The file is written to the end, however little of the time to stop is left: at least this long where another process holds it. */
const CLOSE_WITHIN_MS = 1_000

export function createOutage({ store, meter, options, ready, onError }: OutageParts): Outage {
  const { name, location } = store.facts
  const spool = createSpool({
    options: checkSpoolOptions(options),
    location: `${name}:${location}`,
    onFilled: () => delivery.wake(),
  })
  const delivery = createDelivery({ spool, ready, record: meter.record, onError })
  let isAllowed = false

  return {
    slots: spool,
    allow() {
      if (!isAllowed) spool.check()
      isAllowed = true
    },
    health: createHealth({ store, ready, spool, isAllowed: () => isAllowed }),
    wake: delivery.wake,
    deliver: delivery.deliver,
    async retryRejected() {
      const count = await spool.restore()
      delivery.wake()
      return count
    },
    flush: spool.flush,
    async stop(untilMs) {
      await delivery.stop(untilMs)
      await spool.close(Math.max(untilMs, monotonicMs() + CLOSE_WITHIN_MS))
    },
  }
}
