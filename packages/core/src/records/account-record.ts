/** What an account has besides usage and invoices, as a store keeps it: a kind, an id, a document. A store knows no more of it. */

import { type Grant, grantFromDocument, grantToDocument } from './grant.ts'
import { type Payment, isPaymentOpen, paymentFromDocument, paymentToDocument } from './payment.ts'
import { type UnpricedUsage, unpricedFromDocument, unpricedToDocument } from './unpriced-usage.ts'

export type RecordKind = 'grant' | 'payment' | 'unpriced'

/** Which record of a customer. */
export interface RecordKey {
  readonly kind: RecordKind
  readonly id: string
}

/** One row. Open ones are part of the account's state; those that are closed are kept for the record. */
export interface AccountRecord extends RecordKey {
  /** Unique for its customer and kind. */
  readonly id: string
  readonly isOpen: boolean
  readonly document: string
}

/** A record with the customer that it belongs to, as listings give it. */
export interface StoredRecord extends AccountRecord {
  readonly customerId: string
}

/** Names a record among those of its customer. */
export function recordName({ kind, id }: RecordKey): string {
  return `${kind} ${id}`
}

export function grantToRecord(grant: Grant): AccountRecord {
  return { kind: 'grant', id: grant.id, isOpen: !grant.isClosed, document: grantToDocument(grant) }
}

export function grantFromRecord({ id, isOpen, document }: AccountRecord): Grant {
  return grantFromDocument(id, !isOpen, document)
}

export function paymentToRecord(payment: Payment): AccountRecord {
  return { kind: 'payment', id: payment.id, isOpen: isPaymentOpen(payment), document: paymentToDocument(payment) }
}

export function paymentFromRecord({ id, document }: AccountRecord): Payment {
  return paymentFromDocument(id, document)
}

export function unpricedToRecord(usage: UnpricedUsage): AccountRecord {
  return { kind: 'unpriced', id: usage.id, isOpen: usage.isOpen, document: unpricedToDocument(usage) }
}

export function unpricedFromRecord({ id, isOpen, document }: AccountRecord): UnpricedUsage {
  return unpricedFromDocument(id, isOpen, document)
}
