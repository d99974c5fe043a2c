/** Says how the engine is: whether the store answers, what waits in the spool, and what somebody should look at. */

import type { AccountState } from './account/account-state.ts'
import type { Change, Store } from './contracts/store.ts'
import type { SpoolCounts } from './spool/spool-file.ts'
import type { Spool } from './spool/spool.ts'
import { inTime } from './values/in-time.ts'
import { formatInstant } from './values/instant.ts'

/** What an alarm is about. Codes never change their meaning; docs/errors.md lists the same. */
export const ALARMS = {
  store_unavailable: 'The store does not answer',
  spool_not_empty: 'Events wait in the spool for the store',
  spool_full: 'The spool takes no more events',
  spool_rejected: 'The store would not take some events',
  spool_elsewhere: 'Events for another store wait in the spool',
  spool_unavailable: 'The file of the spool cannot be used',
} as const

export type AlarmCode = keyof typeof ALARMS

/** Something that somebody should look at. It is there for as long as its reason is. */
export interface Alarm {
  readonly code: AlarmCode
  /** What is so, with the figures. */
  readonly message: string
}

/** What `farebox.health()` gives. */
export interface Health {
  /** `ok`: there is no alarm. `degraded`: there is one, and requests are served. `down`: the store does not answer, and metered requests get 503. */
  readonly status: 'ok' | 'degraded' | 'down'
  readonly store: {
    readonly name: string
    /** Whether it took a change that writes nothing within two seconds. */
    readonly isAnswering: boolean
  }
  readonly spool: {
    /** Events that wait to be delivered to this store. */
    readonly events: number
    /** Events that the store would not take. They stay in the file. */
    readonly rejected: number
    /** How many may wait. */
    readonly capacity: number
    /** When the first of those that wait was used, in epoch milliseconds; null when none waits. */
    readonly oldestAt: number | null
    readonly isFull: boolean
  }
  readonly alarms: readonly Alarm[]
}

export interface HealthParts {
  readonly store: Store
  readonly ready: () => Promise<void>
  readonly spool: Spool
  /** Whether any meter serves while the store does not answer. */
  readonly isAllowed: () => boolean
}

/** Load balancers ask every few seconds and give up after some. */
const ANSWER_WITHIN_MS = 2_000

/** The account that is asked for. It is nobody's, and nothing is written to it. */
const NOBODY = 'farebox-health'

export function createHealth({ store, ready, spool, isAllowed }: HealthParts): () => Promise<Health> {
  /** A question that the store has not answered is not asked again: a store that hangs would gather them. */
  let asking: Promise<Answer> | null = null

  return async () => {
    asking ??= ask().finally(() => (asking = null))
    const { failure } = (await inTime(ANSWER_WITHIN_MS, asking)) ?? LATE
    const waiting = look()
    const alarms = [...(failure === null ? [] : [alarm('store_unavailable', failure)]), ...alarmsOf(waiting)]
    const isServed = failure === null || (isAllowed() && spool.hasSlot())
    return {
      status: !isServed ? 'down' : alarms.length > 0 ? 'degraded' : 'ok',
      store: { name: store.facts.name, isAnswering: failure === null },
      spool: {
        events: waiting.counts.events,
        rejected: waiting.counts.rejected,
        capacity: spool.capacity,
        oldestAt: waiting.oldestAt,
        isFull: waiting.isFull,
      },
      alarms,
    }
  }

  async function ask(): Promise<Answer> {
    try {
      await ready()
      // What a request would ask: reads may be answered while nothing can be written.
      await store.change({ customerId: NOBODY }, writeNothing)
      return { failure: null }
    } catch (error) {
      return { failure: messageOf(error) }
    }
  }

  function look(): Look {
    try {
      const counts = spool.counts()
      const [first] = spool.head(1)
      const isFull = counts.events >= spool.capacity
      return { counts, oldestAt: first?.event.at ?? null, isFull, fault: spool.fault() }
    } catch (error) {
      return { counts: { events: 0, rejected: 0, elsewhere: 0 }, oldestAt: null, isFull: false, fault: error }
    }
  }

  function alarmsOf({ counts, oldestAt, isFull, fault }: Look): Alarm[] {
    const { events, rejected, elsewhere } = counts
    const found: Alarm[] = []
    const since = oldestAt === null ? '' : `, the first of ${formatInstant(oldestAt)}`
    if (events > 0) found.push(alarm('spool_not_empty', `${events} events wait for the store${since}`))
    if (isFull) found.push(alarm('spool_full', `${events} events wait and ${spool.capacity} may: requests are refused`))
    if (rejected > 0) found.push(alarm('spool_rejected', `${rejected} events were not taken by the store and are not billed`))
    if (elsewhere > 0) found.push(alarm('spool_elsewhere', `${elsewhere} events in ${spool.path} are for another store`))
    if (fault !== null) found.push(alarm('spool_unavailable', `${spool.path}: ${messageOf(fault)}`))
    return found
  }
}

/** Why the store did not take the question; null when it did. */
interface Answer {
  readonly failure: string | null
}

const LATE: Answer = { failure: `The store has not answered within ${ANSWER_WITHIN_MS} ms` }

interface Look {
  readonly counts: SpoolCounts
  readonly oldestAt: number | null
  readonly isFull: boolean
  readonly fault: unknown
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function alarm(code: AlarmCode, message: string): Alarm {
  return { code, message }
}

function writeNothing(_state: AccountState): Change<void> {
  return { result: undefined, entries: [] }
}
