/** One attempt to collect money for an invoice. */

import type { Money } from '../values/money.ts'

/** `open` until the provider says how it ended; `unknown` when it could not be heard, and is asked again under the same key. */
export type PaymentStatus = 'open' | 'unknown' | 'pending' | 'succeeded' | 'declined'

export interface Payment {
  /** Also the idempotency key that the provider is given. */
  readonly id: string
  readonly customerId: string
  readonly invoiceId: string
  readonly amount: Money
  readonly status: PaymentStatus
  /** Whether a threshold made it rather than a person. */
  readonly isAutomatic: boolean
  readonly provider: string
  /** The provider's own name for it; null until it was heard. */
  readonly reference: string | null
  /** Why it was declined, as the provider says it; null otherwise. */
  readonly declineCode: string | null
  /** Of `amount`: given back. Minor units. */
  readonly refunded: Money
  readonly createdAt: number
  /** When it ended; null while it has not. */
  readonly endedAt: number | null
}

/** Whether the provider has not said how it ended. */
export function isPaymentOpen({ status }: Payment): boolean {
  return status === 'open' || status === 'unknown' || status === 'pending'
}

export function paymentToDocument({ id: _id, ...payment }: Payment): string {
  return JSON.stringify(payment, (_member, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}

export function paymentFromDocument(id: string, document: string): Payment {
  const members = JSON.parse(document, (member, value: unknown) =>
    member === 'minor' && typeof value === 'string' ? BigInt(value) : value,
  )
  return { ...members, id }
}
