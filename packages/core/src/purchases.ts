/** Buys a pack of credits or a top-up: invoice and attempt are durable before the provider is asked, and a key buys once. */

import type { AccountState, Entry } from './account/account-state.ts'
import { newAttempt } from './account/attempts.ts'
import { openAttempt } from './account/collection.ts'
import { currencyOf, withCurrency } from './account/opening.ts'
import { purchasedGrant } from './account/purchase.ts'
import type { Charging } from './charging.ts'
import { type Collected, collectedOf } from './collected.ts'
import { changeCollection, readCollection } from './collections.ts'
import type { PaymentProvider } from './contracts/payment-provider.ts'
import type { Change, Store } from './contracts/store.ts'
import { type DraftingParts, taxOfInvoice } from './draft-of-moment.ts'
import { FareboxError } from './errors.ts'
import { buildInvoice } from './invoice/build-invoice.ts'
import { finalize } from './invoice/transition.ts'
import { amountDue, type Invoice, type InvoiceLine, type InvoiceRequest } from './records/invoice.ts'
import type { Bought, Payment } from './records/payment.ts'
import type { Clock } from './values/clock.ts'
import { invariant } from './values/invariant.ts'
import { zero } from './values/money.ts'

/** Something that is sold at once. */
export interface Sale {
  /** The invoice's id: the same for the same customer, kind and key. */
  readonly id: string
  readonly customerId: string
  readonly type: 'credit_purchase' | 'balance_top_up'
  readonly request: InvoiceRequest
  /** What is sold in a currency, and the line that says so; `at` is the instant of the purchase. May throw. */
  readonly sells: (currency: string, at: number) => { readonly buys: Bought; readonly line: InvoiceLine }
}

export interface Purchases {
  /** Doing it again with the same key is the same purchase. Throws `key_conflict`. */
  buy(sale: Sale): Promise<Collected>
  /** Pure: what begins a purchase, and the attempt that is to be charged, null where nothing is. */
  begin(state: AccountState, sale: Sale, how: { readonly isAutomatic: boolean }): Change<Payment | null>
}

export interface PurchasesParts extends DraftingParts {
  readonly store: Store
  readonly clock: Clock
  /** The catalog's own currency. */
  readonly currency: string
  readonly provider: PaymentProvider
  readonly charging: Charging
  /** Series of the invoice numbers. */
  readonly series: string
}

export function createPurchases(parts: PurchasesParts): Purchases {
  const { store, clock, charging, series, provider } = parts

  return { buy: (sale) => charging.whole(() => buy(sale)), begin }

  async function buy(sale: Sale): Promise<Collected> {
    const query = { id: sale.id, customerId: sale.customerId }
    const attempt = await changeCollection(store, { ...query, inOrder: true }, (state, collection): Change<Begun> => {
      if (collection === null) {
        const { result: payment, entries } = begin(state, sale, { isAutomatic: false })
        return { result: payment === null ? null : { payment, isNew: true }, entries }
      }
      refuseOtherRequest(collection.invoice, sale.request)
      const payment = openAttempt(collection)
      return { result: payment === null ? null : { payment, isNew: false }, entries: [] }
    })
    if (attempt !== null) await (attempt.isNew ? charging.charge(attempt.payment) : charging.ask(attempt.payment))
    const collected = collectedOf(await readCollection(store, query))
    invariant(collected !== null, 'a purchase is collected when it is made')
    return collected
  }

  function begin(state: AccountState, sale: Sale, { isAutomatic }: { readonly isAutomatic: boolean }): Change<Payment | null> {
    const now = clock.now()
    const currency = currencyOf(state, parts.currency)
    const { customer, entries: opening } = withCurrency(state, now, currency)
    const { buys, line } = sale.sells(currency, now)
    const invoice = finalize(draftOf(state, sale, { line, currency, now }), now)
    const entries: Entry[] = [
      ...opening,
      { kind: 'drafted', invoice: { ...invoice, status: 'draft', finalizedAt: null } },
      { kind: 'finalized', invoice, series, sealed: [] },
    ]
    if (amountDue(invoice).minor === 0n) {
      const grant = purchasedGrant({ invoice, buys, boughtAt: now, now })
      return { result: null, entries: [...entries, { kind: 'granted', grant }] }
    }
    const payment = newAttempt({
      collection: { invoice, payments: [] },
      amount: amountDue(invoice),
      provider: provider.id,
      paymentMethod: customer.paymentMethod ?? null,
      isAutomatic,
      buys,
      now,
    })
    return { result: payment, entries: [...entries, { kind: 'payment', payment }] }
  }

  function draftOf(state: AccountState, { id, customerId, type, request }: Sale, { line, currency, now }: Drafting): Invoice {
    return buildInvoice({
      id,
      type,
      customerId,
      subscriptionId: null,
      currency,
      period: [now, now],
      issuedAt: now,
      lines: [line],
      discounts: [],
      taxOf: taxOfInvoice(parts, state, now),
      // Money that is owed to the customer pays for usage and base: a purchase that is refunded gives back what was paid for it.
      credit: zero(currency),
      request,
    })
  }
}

interface Drafting {
  readonly line: InvoiceLine
  readonly currency: string
  readonly now: number
}

type Begun = { readonly payment: Payment; readonly isNew: boolean } | null

/** Throws `key_conflict` where a key was used for something else. */
export function refuseOtherRequest({ id, request }: Invoice, { key, digest }: InvoiceRequest): void {
  if (request?.digest === digest) return
  throw new FareboxError(
    'key_conflict',
    `Expected the key ${key} with what it was used for before, which made the invoice ${id}, got something else: give what is new a key of its own`,
    { fields: { key, invoice: id } },
  )
}
