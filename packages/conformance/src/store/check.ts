/** One promise of a store, and how to run it without Vitest's registration. */

import { runIn } from '../run.ts'
import { createStoreWorld, type StoreWorld, type StoreWorldOptions } from './world.ts'

export interface StoreCheck {
  /** Stable: `S` and a number. */
  readonly id: `S${string}`
  /** MUST: a store that fails it bills wrongly, loses something or tells nonsense. SHOULD: it serves worse than it could. */
  readonly level: 'MUST' | 'SHOULD'
  readonly title: string
  /** Uses `expect`, and rejects where the promise is broken. */
  readonly run: (world: StoreWorld) => Promise<void>
}

/** A check waits for so long; processes are started in it, and accounts by the hundred are written. */
export const STORE_PATIENCE_MS = 20_000

/** Runs a check against a store, in a database of its own. Rejects where it fails, and where the audit of the database at its end does. */
export function runStoreCheck({ id, run }: StoreCheck, options: StoreWorldOptions): Promise<void> {
  const { patienceMs = STORE_PATIENCE_MS } = options
  return runIn(createStoreWorld(options), { what: `the end of ${id}`, withinMs: patienceMs }, run)
}
