/** The life of an invoice, as one table. */

import { amountDue, type Invoice, type InvoiceStatus } from '../records/invoice.ts'
import { invariant } from '../values/invariant.ts'

/** From each status, the ones that may follow. */
export const TRANSITIONS: Readonly<Record<InvoiceStatus, readonly InvoiceStatus[]>> = {
  draft: ['open'],
  open: ['paid', 'void', 'uncollectible'],
  paid: [],
  void: [],
  uncollectible: ['paid', 'void'],
}

/** The invoice in its next status. A step that the table does not have is a broken invariant. */
export function transition(invoice: Invoice, to: InvoiceStatus): Invoice {
  invariant(TRANSITIONS[invoice.status].includes(to), `an invoice does not go from ${invoice.status} to ${to}`)
  return { ...invoice, status: to }
}

/**
 * A draft becomes final at `at` (epoch milliseconds): open, and at once paid when nothing is owed, as with a credit note. The store
 * gives the number.
 */
export function finalize(draft: Invoice, at: number): Invoice {
  const open = transition({ ...draft, finalizedAt: at }, 'open')
  return amountDue(open).minor === 0n ? transition(open, 'paid') : open
}
