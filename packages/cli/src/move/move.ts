/** Moves everything that one store holds into another, and compares the two at the end. */

import type { Store } from '@farebox/core/contracts'
import { moveAccounts } from './accounts.ts'
import { readArrived } from './arrived.ts'
import { compare } from './compare.ts'
import { moveEvents } from './events.ts'
import type { Findings } from './findings.ts'
import { moveInvoices } from './invoices.ts'
import { endGrants, moveRecords } from './records.ts'
import { survey } from './survey.ts'

export interface MoveOptions {
  /** What is moved: no application may use it meanwhile. It stays as it is. */
  from: Store
  /** Where it goes: empty, or what an earlier move of the same store left. No application may use it yet. */
  to: Store
  /** Hears how far it is. */
  onProgress?: (progress: MoveProgress) => void
  /** Stops it when what is under way is written: the promise rejects with the signal's reason, and another move goes on. */
  signal?: AbortSignal
}

/** `of` is known when a step begins; a step tells of itself at least once. */
export interface MoveProgress {
  readonly step: 'customers' | 'events' | 'invoices' | 'comparison'
  readonly done: number
  readonly of: number
}

export interface MoveResult extends Pick<Findings, 'compared' | 'differences'> {
  /** Whether nothing differs. */
  readonly ok: boolean
}

/**
 * Moves catalogs, customers, subscriptions, API keys, grants, payments, unpriced usage, counters, the log, totals and invoices with their
 * numbers, then reads both stores again and compares all of it. Killed at any point and run again it goes on, and ends the same:
 * what the target holds says how far it was. Memory grows with customers, totals and invoices, not with events.
 *
 * Rejects before anything is written with `reservations_pending`, `not_movable` (the source holds what no other store can be
 * given) or `target_not_empty` (the target holds what is not the source's).
 */
export async function move({ from, to, onProgress = () => {}, signal }: MoveOptions): Promise<MoveResult> {
  await from.open()
  await to.open()
  const source = await survey(from)
  const arrived = await readArrived({ from, to, source })
  const at = (step: MoveProgress['step'], of: number): ((done: number) => void) => {
    const tell = (done: number): void => {
      signal?.throwIfAborted()
      onProgress({ step, done, of })
    }
    tell(0)
    return tell
  }

  for (const catalog of await from.catalogs()) await to.saveCatalog(catalog)
  await moveAccounts({ from, to, arrived, onMoved: at('customers', source.customers) })
  await moveRecords({ from, to, arrived })
  const digests = await moveEvents({ from, to, source, arrived, onMoved: at('events', source.events) })
  // Sealing takes a total out of reach, so it comes when all of its events are there; what came late comes between.
  await moveInvoices({ from, to, source, arrived, onMoved: at('invoices', source.invoices) })
  await endGrants({ from, to, arrived })
  await to.flush()
  const { compared, differences } = await compare({ from, to, digests, onCompared: at('comparison', source.events) })
  return { ok: differences.length === 0, compared, differences }
}
