/** What a payment provider must do: move money under a key, and say what became of it. */

import type { PaymentResult } from '../records/payment.ts'
import type { Money } from '../values/money.ts'

/** What became of a charge, or of a refund. `unknown` stands for every answer that was not heard. */
export type ChargeResult = PaymentResult
export type RefundResult = PaymentResult

/** What a provider says when it is asked about a key. `none`: it has neither a charge nor a refund under it. */
export type StatusResult = PaymentResult | { readonly kind: 'none' }

export interface ChargeInput {
  readonly customerId: string
  /** The provider's own name for the way to pay that is on file; null where none is. A provider that needs one declines then. */
  readonly paymentMethod: string | null
  /** More than nothing. */
  readonly amount: Money
  /** For the provider's own records. */
  readonly invoiceId: string
  /** The same key is the same charge, however often it comes and also at once; at most 255 characters of printable ASCII. */
  readonly key: string
}

/** A payment as it was charged. */
export interface ChargedPayment {
  /** The key that it was charged under. */
  readonly id: string
  readonly customerId: string
  readonly invoiceId: string
  /** The provider's own name for it; null where it was never heard. */
  readonly reference: string | null
}

export interface RefundInput {
  readonly payment: ChargedPayment
  /** More than nothing, and with what went back before at most what was charged. */
  readonly amount: Money
  /** As that of a charge. No refund has the key of a charge. */
  readonly key: string
}

export interface CheckoutInput {
  readonly customerId: string
  /** Where the customer is sent when a way to pay is on file: an `http` or `https` URL. */
  readonly successUrl: string
  /** Where the customer is sent otherwise. */
  readonly cancelUrl: string
  /** The same key is the same page. */
  readonly key: string
}

/** A page of the provider on which a customer leaves a way to pay. */
export interface Checkout {
  readonly id: string
  readonly url: string
}

/** A webhook as it came: the bytes before any parser read them. */
export interface WebhookRequest {
  readonly body: Uint8Array
  /** The value of a header by its lower-case name. */
  header(name: string): string | undefined
}

/** What a provider tells by itself. It may tell it twice, late, and in any order. */
export type ProviderEvent =
  /** Something became of the charge or the refund under a key. What that is, is asked: an event may be old. */
  | { readonly kind: 'payment'; readonly key: string }
  /** A customer left a way to pay, or took it back (null). */
  | { readonly kind: 'payment_method'; readonly customerId: string; readonly paymentMethod: string | null }

/**
 * Given to `createFarebox({ payments })`; `sandbox()` and `manual()` make one. Farebox writes down what it is about to ask
 * for before it asks, and takes a call that rejects, or takes too long, for `unknown`: then it asks `status` under the same key, and
 * never under another.
 */
export interface PaymentProvider {
  /** Names it in payments: snake_case. */
  readonly id: string
  /** How long a call may take before it counts as `unknown`, milliseconds. Default 20,000. */
  readonly withinMs?: number
  charge(input: ChargeInput): Promise<ChargeResult>
  refund(input: RefundInput): Promise<RefundResult>
  /** What became of the charge or the refund under a key. */
  status(key: string): Promise<StatusResult>
  createCheckout(input: CheckoutInput): Promise<Checkout>
  /** Reads a webhook once its signature is verified. Throws `invalid_webhook`. */
  parseWebhook(request: WebhookRequest): Promise<readonly ProviderEvent[]>
  /** Called once by `createFarebox`: a provider inside of the process tells what happens through it, and needs no webhooks. */
  listen?(tell: (events: readonly ProviderEvent[]) => Promise<void>): void
}
