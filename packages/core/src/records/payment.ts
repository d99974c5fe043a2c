/** One attempt to collect money for an invoice, and what of it went back. */

import { type Money, sumMoney } from '../values/money.ts'

/** `open` until the provider says how it ended; `unknown` when it could not be heard, and is asked again under the same key. */
export type PaymentStatus = 'open' | 'unknown' | 'pending' | 'succeeded' | 'declined'

/** What a provider says of a charge or a refund. */
export type PaymentResult =
  /** The money has moved. `reference` is the provider's own name for it. */
  | { readonly kind: 'succeeded'; readonly reference: string }
  /** It is under way. `awaits: 'operator'`: nobody can be asked, and the operator says when it came, as with a bank transfer. */
  | { readonly kind: 'pending'; readonly reference: string | null; readonly awaits?: 'operator' }
  /** It ended, and no money moved. `code` says why, in the provider's words. */
  | { readonly kind: 'declined'; readonly code: string }
  /** The answer was not heard, or says nothing: the money may have moved. */
  | { readonly kind: 'unknown' }

/** Money of a payment that goes back. */
export interface Refund {
  /** Also the idempotency key that the provider is given: it names the payment and counts its refunds. */
  readonly id: string
  /** The key of whoever asked for it: the same one is the same refund. */
  readonly key: string
  readonly amount: Money
  readonly status: PaymentStatus
  readonly reference: string | null
  readonly declineCode: string | null
  /** Id of the credit note that it pays out; null where somebody asked for it without one. */
  readonly creditNote: string | null
  readonly asked: Asked | null
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly endedAt: number | null
}

/** How often a provider was asked what became of something, and when last: epoch milliseconds. */
export interface Asked {
  readonly times: number
  readonly at: number
}

/** A grant that is made when its payment succeeds. */
export interface Bought {
  readonly unit: 'credits' | 'balance'
  /** Of the grant. */
  readonly priority: number
}

export interface Payment {
  /** Also the idempotency key that the provider is given: it names the invoice and counts the attempts, and knows no clock. */
  readonly id: string
  readonly customerId: string
  readonly invoiceId: string
  readonly amount: Money
  readonly status: PaymentStatus
  /** Whether a threshold made it rather than a person. */
  readonly isAutomatic: boolean
  /** Who says how a pending one ends. */
  readonly awaits: 'provider' | 'operator'
  readonly provider: string
  /** The way to pay that was charged, in the provider's words; null where none was on file. */
  readonly paymentMethod: string | null
  /** The provider's own name for it; null until it was heard. */
  readonly reference: string | null
  /** Why it was declined, as the provider says it; null otherwise. */
  readonly declineCode: string | null
  /** Of `amount`: given back. Minor units. */
  readonly refunded: Money
  /** In the order in which they were asked for. */
  readonly refunds: readonly Refund[]
  /** What it buys; absent where it pays for an invoice of something else. */
  readonly buys?: Bought
  readonly asked: Asked | null
  readonly createdAt: number
  /** When it ended; null while it has not. */
  readonly endedAt: number | null
}

/** Whether the provider has not said how something ended. */
export function isUnderWay({ status }: Pick<Payment | Refund, 'status'>): boolean {
  return status === 'open' || status === 'unknown' || status === 'pending'
}

/** Whether something of it is to come: how it ended, or how one of its refunds did. */
export function isPaymentOpen(payment: Payment): boolean {
  return isUnderWay(payment) || payment.refunds.some(isUnderWay)
}

/** What went back of it or may go back yet: every refund that was not declined. */
export function refundedOrUnderWay({ refunds, amount: { currency } }: Pick<Payment, 'refunds' | 'amount'>): Money {
  const counted = refunds.filter(({ status }) => status !== 'declined')
  return sumMoney(
    counted.map(({ amount }) => amount),
    currency,
  )
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
