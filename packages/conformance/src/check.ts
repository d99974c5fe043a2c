/** One promise of an adapter, and how to run it without Vitest's registration. */

import type { Protocol } from './client.ts'
import { runIn } from './run.ts'
import { createWorld, PATIENCE_MS, type World, type WorldOptions } from './world.ts'

export interface Check {
  /** Stable: `C` and the number of the situation, with a number after a dot where it has several checks. */
  readonly id: `C${string}`
  /** Every situation that it is about, by its number from 1 to `SITUATIONS`. */
  readonly situations: readonly number[]
  /** MUST: an adapter that fails it bills wrongly or breaks an application. SHOULD: it serves worse than it could. */
  readonly level: 'MUST' | 'SHOULD'
  readonly title: string
  /** Where it can happen in one protocol only. */
  readonly protocol?: Protocol
  /** Uses `expect`, and rejects where the promise is broken. */
  readonly run: (world: World) => Promise<void>
}

/** No check waits for more than this many things that must happen, one after the other. */
const LONGEST = 3

/** Runs a check against an adapter. Rejects where it fails, and where the audit of the database at its end does. */
export function runCheck({ id, run }: Check, options: WorldOptions): Promise<void> {
  const withinMs = LONGEST * (options.patienceMs ?? PATIENCE_MS)
  return runIn(createWorld(options), { what: `the end of ${id}`, withinMs }, run)
}
