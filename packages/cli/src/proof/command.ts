/** `farebox proof`: shows that an event is on an invoice, so that whoever has the invoice can check it. */

import { type EventProofCheck, type Farebox, FareboxError, formatInstant, InvariantError } from '@farebox/core'
import type { LoggedEvent, Store } from '@farebox/core/contracts'
import { CommandError } from '../command-error.ts'
import { openDatabase } from '../database.ts'
import { openReading } from '../reading.ts'
import { findEvent } from './find-event.ts'

export interface ProofCommandOptions {
  /** A path or a URL. */
  readonly database: string
  readonly customer?: string
}

/** Prints the proof as JSON: the event as it was sealed, its way to the seal, the seal, and the number of the invoice. */
export async function proofCommand(name: string, { database: location, customer }: ProofCommandOptions): Promise<void> {
  const database = await openDatabase(location)
  const { farebox } = await openReading(database)
  try {
    const event = await findEvent(database.store, name, customer)
    const { invoice, check } = await prove(farebox, database.store, event)
    console.log(JSON.stringify({ invoice, ...check }, null, 2))
  } finally {
    await farebox.stop()
  }
}

interface Proved {
  /** Its number. */
  readonly invoice: string
  readonly check: EventProofCheck
}

async function prove(farebox: Farebox, store: Store, event: LoggedEvent): Promise<Proved> {
  for (const { invoiceId } of await store.totalsOf(event)) {
    const check = invoiceId === null ? null : await proveOn(farebox, invoiceId, event)
    if (invoiceId === null || check === null) continue
    const invoice = await farebox.invoices.get(invoiceId)
    return { invoice: invoice?.number ?? invoiceId, check }
  }
  throw new CommandError(
    `The event ${event.key} of ${event.customerId} is on no final invoice yet: its period began on ${formatInstant(event.periodStart).slice(0, 10)}, and farebox close makes the invoice when it has ended`,
  )
}

/** Null where another invoice of the period holds it. */
async function proveOn(farebox: Farebox, invoice: string, { seq }: LoggedEvent): Promise<EventProofCheck | null> {
  try {
    return await farebox.invoices.prove({ invoice, seq })
  } catch (error) {
    if (error instanceof FareboxError && error.code === 'not_found') return null
    if (error instanceof InvariantError)
      throw new CommandError('The events of the invoice are not those that were sealed: farebox verify says what disagrees')
    throw error
  }
}
