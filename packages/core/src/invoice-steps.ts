/** Steps in the life of a final invoice: paid, void, uncollectible. */

import type { Entry } from './account/account-state.ts'
import { type Collection, openAttempt } from './account/collection.ts'
import { FareboxError } from './errors.ts'
import { transition, TRANSITIONS } from './invoice/transition.ts'
import type { Invoice, InvoiceStatus } from './records/invoice.ts'

/** The entry of a step that the table has. */
export function step(invoice: Invoice, to: InvoiceStatus): Entry {
  return { kind: 'collected', invoiceId: invoice.id, status: transition(invoice, to).status }
}

/** Throws `invalid_transition` where the table has no such step, or a payment is under way whose end nobody here can say. */
export function refuseImpossible(collection: Collection, to: InvoiceStatus): void {
  const { invoice } = collection
  if (!TRANSITIONS[invoice.status].includes(to)) throw impossible(invoice, to, `one that is ${invoice.status}`)
  if (openAttempt(collection)?.awaits === 'provider') throw impossible(invoice, to, 'one whose payment is under way')
}

export function impossible({ id, number, status }: Invoice, wanted: string, found: string): FareboxError {
  return new FareboxError('invalid_transition', `Expected an invoice that can become ${wanted}, got ${number ?? id}, ${found}`, {
    fields: { invoice: id, status, step: wanted },
  })
}
