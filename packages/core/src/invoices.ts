/** Invoices as an application uses them: looked at, explained, made of anything, and collected. */

import { type CloseParts, previewInvoice } from './close.ts'
import type { Collecting } from './collecting.ts'
import type { InvoiceQuery, Page, Store } from './contracts/store.ts'
import { explainLine, type ExplainQuery, type LineExplanation } from './explain.ts'
import type { OneOffInput } from './one-off.ts'
import { type EventProofCheck, proveEvent, type ProveQuery } from './prove.ts'
import type { Invoice } from './records/invoice.ts'
import type { Clock } from './values/clock.ts'

export interface Invoices extends Collecting {
  /** In the order in which they were made. */
  list(query?: InvoiceQuery): Promise<Page<Invoice>>
  /** By id or number; null when there is none. */
  get(idOrNumber: string): Promise<Invoice | null>
  /** What the invoice of a customer's running period would be if it ended now; null when it would have no line. Made by the same code. */
  preview(customerId: string): Promise<Invoice | null>
  /** Why a line of a final invoice is what it is: the rule, the tier, the grants, the rounding, in words, and its events by page. Throws `not_found`. */
  explain(query: ExplainQuery): Promise<LineExplanation>
  /**
   * Proves that an event is under the seal of a final invoice; `verifyEventProof()` checks it without a database. Reads every event of
   * the invoice. Throws `not_found`.
   */
  prove(query: ProveQuery): Promise<EventProofCheck>
  /**
   * Makes an open invoice of anything, with taxes; invoice credit pays what it can of it, and `pay` charges the rest. Doing it again
   * with the same key is the same invoice. Throws `invalid_customer`, `invalid_amount`, `invalid_option`, `invalid_key`, `key_conflict`.
   */
  createOneOff(input: OneOffInput): Promise<Invoice>
}

export interface InvoicesParts {
  readonly store: Store
  readonly clock: Clock
  readonly ready: Promise<void>
  readonly closing: CloseParts
  readonly collecting: Collecting
  readonly createOneOff: (input: OneOffInput) => Promise<Invoice>
}

export function createInvoices({ store, clock, ready, closing, collecting, createOneOff }: InvoicesParts): Invoices {
  return {
    ...collecting,
    createOneOff,
    list: async (query = {}) => ready.then(() => store.invoices(query)),
    get: async (idOrNumber) => ready.then(() => store.invoice(idOrNumber)),
    preview: async (customerId) => ready.then(() => previewInvoice(closing, customerId, clock.now())),
    explain: async (query) => ready.then(() => explainLine(closing, query)),
    prove: async (query) => ready.then(() => proveEvent(store, query)),
  }
}
