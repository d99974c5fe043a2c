/** Payments as an application uses them: listed, refunded, asked about, and the ways to pay that customers leave. */

import { invoiceOfPayment } from './account/collection.ts'
import { withCustomer } from './account/opening.ts'
import type { Charging } from './charging.ts'
import { findInvoice, readCollection } from './collections.ts'
import type { Checkout, PaymentProvider, ProviderEvent, WebhookRequest } from './contracts/payment-provider.ts'
import type { Change, Page, PageRequest, Store } from './contracts/store.ts'
import { checkCustomer } from './granting.ts'
import { invalidOption } from './options.ts'
import { paymentFromRecord } from './records/account-record.ts'
import type { Payment } from './records/payment.ts'
import { createRefunds, type Refunded, type RefundRequest } from './refunds.ts'
import { checkKey } from './usage.ts'
import type { Clock } from './values/clock.ts'
import { derivedId, randomId } from './values/id.ts'

export interface CheckoutRequest {
  customerId: string
  /** Where the customer is sent when a way to pay is on file: an `http` or `https` URL. */
  successUrl: string
  /** Where the customer is sent otherwise. Default: `successUrl`. */
  cancelUrl?: string
  /** The same key is the same page. Default: each call makes one. */
  idempotencyKey?: string
}

export interface PaymentQuery extends PageRequest {
  readonly customerId?: string | undefined
  /** Only those with something under way: the payment, or a refund of it. */
  readonly isOpen?: boolean | undefined
}

export interface Payments {
  /** In the order in which they were begun. */
  list(query?: PaymentQuery): Promise<Page<Payment>>
  /** Those of one invoice, in the order in which they were begun. Throws `not_found`. */
  of(invoiceIdOrNumber: string): Promise<readonly Payment[]>
  /** Null when there is none with this id. */
  get(id: string): Promise<Payment | null>
  /**
   * Gives money back, never more than came in and has not gone back, however many ask at once. Of a pack or a top-up it takes back the
   * same share of what was bought, as far as it is unused. Throws `not_found`, `refund_exceeds_payment`, `invalid_amount`, `invalid_key`,
   * `key_conflict`, `limit_reached`.
   */
  refund(input: RefundRequest): Promise<Refunded>
  /** A page of the provider on which a customer leaves a way to pay. Throws `invalid_customer`, `invalid_option`, `no_checkout`. */
  createCheckout(request: CheckoutRequest): Promise<Checkout>
  /** Puts a way to pay on file, by the provider's own name for it, or takes it off (null). The customer is made when unknown. */
  attach(input: { customerId: string; paymentMethod: string | null }): Promise<void>
  /**
   * Takes a webhook of the provider: the raw bytes of its body, and its headers. What it tells of is asked for at the provider, so one that comes
   * twice, late or out of order does no harm. Resolves with how many events it had. Throws `invalid_webhook`.
   */
  webhook(request: WebhookRequest): Promise<number>
  /**
   * Waits for what this process has under way, and asks the provider about everything else whose end is not known. Resolves with how many ended.
   * Farebox does so by itself once a minute for those that it is time to ask about, so this is for operators who do not want to wait.
   */
  askAgain(): Promise<number>
}

export interface PaymentsParts {
  readonly store: Store
  readonly clock: Clock
  readonly provider: PaymentProvider
  readonly charging: Charging
  readonly ready: Promise<void>
}

const MAX_METHOD = 255

export function createPayments(
  parts: PaymentsParts,
): Payments & { readonly tell: (events: readonly ProviderEvent[]) => Promise<void> } {
  const { store, clock, provider, charging, ready } = parts

  return { list, of, get, refund: createRefunds(parts), createCheckout, attach, webhook, askAgain, tell }

  async function list({ customerId, isOpen, ...page }: PaymentQuery = {}): Promise<Page<Payment>> {
    await ready
    const { items, next } = await store.records({ kind: 'payment', customerId, isOpen, ...page })
    return { items: items.map(paymentFromRecord), next }
  }

  async function of(idOrNumber: string): Promise<readonly Payment[]> {
    await ready
    return (await readCollection(store, await findInvoice(store, idOrNumber))).payments
  }

  async function get(id: string): Promise<Payment | null> {
    await ready
    const invoiceId = typeof id === 'string' ? invoiceOfPayment(id) : null
    const invoice = invoiceId === null ? null : await store.invoice(invoiceId)
    if (invoice === null) return null
    return (await readCollection(store, invoice)).payments.find((payment) => payment.id === id) ?? null
  }

  async function createCheckout({
    customerId,
    successUrl,
    cancelUrl = successUrl,
    idempotencyKey,
  }: CheckoutRequest): Promise<Checkout> {
    checkCustomer(customerId)
    if (idempotencyKey !== undefined) checkKey(idempotencyKey)
    await ready
    const key = idempotencyKey === undefined ? randomId('checkout') : derivedId('checkout', customerId, idempotencyKey)
    return provider.createCheckout({ customerId, successUrl, cancelUrl, key })
  }

  async function attach({ customerId, paymentMethod }: { customerId: string; paymentMethod: string | null }): Promise<void> {
    checkCustomer(customerId)
    const isName = typeof paymentMethod === 'string' && paymentMethod !== '' && paymentMethod.length <= MAX_METHOD
    if (paymentMethod !== null && !(isName && paymentMethod.isWellFormed()))
      throw invalidOption('payments.attach()', 'paymentMethod', "the provider's name for a way to pay, or null", paymentMethod)
    await ready
    await store.change({ customerId }, (state): Change<void> => {
      const { paymentMethod: before, ...known } = withCustomer(state, clock.now()).customer
      if (state.customer !== null && (before ?? null) === paymentMethod) return { result: undefined, entries: [] }
      const customer = paymentMethod === null ? known : { ...known, paymentMethod }
      return { result: undefined, entries: [{ kind: 'customer', customer }] }
    })
  }

  async function webhook(request: WebhookRequest): Promise<number> {
    const events = await provider.parseWebhook(request)
    await tell(events)
    return events.length
  }

  async function tell(events: readonly ProviderEvent[]): Promise<void> {
    for (const event of events) {
      if (event.kind === 'payment_method') await attach(event)
      else await hear(event.key)
    }
  }

  /** Of a charge or of a refund, whose key begins with that of its charge. What belongs to nobody here is none of ours. */
  async function hear(key: string): Promise<void> {
    const payment = await get(key.replace(/-refund-[1-9][0-9]*$/, ''))
    if (payment !== null) await charging.ask(payment)
  }

  async function askAgain(): Promise<number> {
    await ready
    return charging.askAll('all')
  }
}
