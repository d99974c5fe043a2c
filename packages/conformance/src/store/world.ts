/** What a check of a store runs in: a new database, the stores that it opens on it, and the second eye. */

import type { Store } from '@farebox/core/contracts'
import { inTime } from '../until.ts'
import type { StoreDatabase } from './database.ts'
import { contradictions } from './contradictions.ts'
import { createSecondEye, type SecondEye } from './second-eye.ts'

export interface StoreWorldOptions {
  /** A new, empty database for one check. */
  readonly database: () => Promise<StoreDatabase>
  /** How many accounts each store keeps in memory. */
  readonly cacheSize: number
  /** How long a check may take. Default twenty seconds. */
  readonly patienceMs?: number | undefined
}

export interface StoreWorld {
  /** The database of this check; made when it is first asked for. */
  database(): Promise<StoreDatabase>
  /** A store that is open, as a process of its own has it. */
  open(): Promise<Store>
  readonly eye: SecondEye
  /** Closes every store, audits what they left by the second eye, and removes the database. */
  end(): Promise<void>
}

/** A store that cannot be closed must not keep the next check waiting. */
const CLOSE_WITHIN_MS = 10_000

export function createStoreWorld({ database: make, cacheSize }: StoreWorldOptions): StoreWorld {
  let made: Promise<StoreDatabase> | null = null
  let isReady = false
  const stores: Store[] = []
  const database = (): Promise<StoreDatabase> => (made ??= make())
  const eye = createSecondEye({ rows: async (sql) => (await database()).rows(sql) })

  return { database, open, eye, end }

  async function open(): Promise<Store> {
    const store = (await database()).store({ cacheSize })
    stores.push(store)
    await store.open()
    isReady = true
    return store
  }

  async function end(): Promise<void> {
    if (made === null) return
    const used = await made
    try {
      const closing = Promise.all(stores.map((store) => store.close()))
      await inTime({ what: 'the stores close', withinMs: CLOSE_WITHIN_MS }, closing)
      const found = isReady ? await contradictions(eye) : []
      if (found.length > 0) throw Object.assign(new Error(found.join('; ')), { name: 'Contradiction' })
    } finally {
      await used.remove()
    }
  }
}
