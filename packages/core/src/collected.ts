/** How it stands with the payment of an invoice, as whoever asked for it is told. */

import { type Collection, openAttempt } from './account/collection.ts'
import { type GrantView, viewOf } from './grant-view.ts'
import type { Invoice } from './records/invoice.ts'
import type { Payment } from './records/payment.ts'

/** What an attempt to collect an invoice came to. */
export type Collected =
  /** `payment` is null where nothing was left to pay. */
  | { readonly kind: 'paid'; readonly invoice: Invoice; readonly payment: Payment | null; readonly grant: GrantView | null }
  /** It is under way: the provider says later how it ends, or the operator does (`payment.awaits`). */
  | { readonly kind: 'pending'; readonly invoice: Invoice; readonly payment: Payment; readonly grant: null }
  /** No money moved. A pack or a top-up is not owed then, and its invoice is void: buying again takes a new idempotency key. */
  | {
      readonly kind: 'declined'
      readonly code: string
      readonly invoice: Invoice
      readonly payment: Payment
      readonly grant: null
    }
  /** The provider's answer was not heard. It is asked again by itself, under the same key; asking again here does the same. */
  | { readonly kind: 'unknown'; readonly invoice: Invoice; readonly payment: Payment; readonly grant: null }

/** Null where nobody tried to collect it yet. */
export function collectedOf(collection: Collection): Collected | null {
  const { invoice, payments, grant: bought } = collection
  const last = payments.at(-1) ?? null
  const grant = bought === null ? null : viewOf(bought)
  if (invoice.status === 'paid') return { kind: 'paid', invoice, payment: payments.findLast(isPaid) ?? null, grant }
  const attempt = openAttempt(collection)
  if (attempt !== null)
    return { kind: attempt.status === 'pending' ? 'pending' : 'unknown', invoice, payment: attempt, grant: null }
  if (last === null || last.status !== 'declined') return null
  return { kind: 'declined', code: last.declineCode ?? 'declined', invoice, payment: last, grant: null }
}

function isPaid({ status }: Payment): boolean {
  return status === 'succeeded'
}
