/** `storeSuite()`: registers every check of a store as a test of Vitest, with and without accounts in memory. */

import { describe } from 'vitest'
import { checkSkip, register, type Skip } from '../register.ts'
import { runStoreCheck, STORE_PATIENCE_MS } from './check.ts'
import { STORE_CHECKS } from './checks/index.ts'
import type { StoreDatabase } from './database.ts'

export interface StoreSuiteOptions {
  /** What is tested, such as `SQLite`. */
  readonly name: string
  /** A new, empty database. Called for each check. */
  readonly database: () => Promise<StoreDatabase>
  /** What the store cannot do: the id of the check, and the reason, which stands in the report. Default: nothing. */
  readonly skip?: Skip
}

/** What a store keeps in memory changes cost and never meaning, so all of it holds with both. */
const CACHE_SIZES = [0, 1_000]

/**
 * Tests a store: call it in a test file. Throws where `skip` names an unknown check, or one without a reason, so that nothing is
 * left out by mistake.
 *
 * @example storeSuite({ name: 'SQLite', database })
 */
export function storeSuite({ name, database, skip = {} }: StoreSuiteOptions): void {
  checkSkip(STORE_CHECKS, skip)
  describe(`${name} as a store`, () => {
    for (const cacheSize of CACHE_SIZES) {
      describe(`with a cache of ${cacheSize} accounts`, () => {
        register({
          checks: STORE_CHECKS,
          // What says why comes before it.
          timeoutMs: 2 * STORE_PATIENCE_MS,
          run: (check) => runStoreCheck(check, { database, cacheSize }),
          reasonToSkip: ({ id }) => skip[id] ?? null,
        })
      })
    }
  })
}
