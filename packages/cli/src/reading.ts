/** An engine that reads a database and writes nothing into it. */

import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Clock, createFarebox, type Farebox, type FareboxOptions, systemClock } from '@farebox/core'
import { type Invoice, type ModelPrices, randomId } from '@farebox/core/contracts'
import { CommandError } from './command-error.ts'
import type { Database } from './database.ts'
import { unwritten } from './unwritten.ts'

export interface Reading {
  readonly farebox: Farebox
  /** Invoices that closing made, and that are written nowhere. */
  readonly invoices: ReadonlyMap<string, Invoice>
}

/** Stopping it closes the database's store. */
export async function openReading(
  { store, catalogs }: Database,
  clock: Clock = systemClock,
  options: Partial<FareboxOptions> = {},
): Promise<Reading> {
  const [catalog] = catalogs
  if (catalog === undefined) throw new CommandError('The database holds no catalog')
  const { store: reading, invoices } = unwritten(store)
  const farebox = createFarebox({ ...options, catalog, clock, store: reading, models: NEVER_ASKED, spool: nowhere() })
  await farebox.ready
  return { farebox, invoices }
}

/** What is in the log has its price. */
const NEVER_ASKED: ModelPrices = { catalog: 'none', currency: 'USD', quote: () => ({ kind: 'unknown_model' }) }

/** The spool of the application is its own; this one is never made, because nothing is served. */
export function nowhere(): string {
  return path.join(tmpdir(), `${randomId('farebox-cli')}.db`)
}
