/** Collects invoices: charges them, or writes down what the operator says became of them. */

import type { AccountState, Entry } from './account/account-state.ts'
import { newAttempt, withResult } from './account/attempts.ts'
import { afterDecline } from './account/auto-top-up.ts'
import { type Collection, creditedOf, dueOf, openAttempt, paidOf, refundedOf } from './account/collection.ts'
import { isPurchase } from './account/purchase.ts'
import { type Charging, paidEntries } from './charging.ts'
import { type Collected, collectedOf } from './collected.ts'
import { changeCollection, findInvoice, readCollection } from './collections.ts'
import type { PaymentProvider } from './contracts/payment-provider.ts'
import type { Change, Store } from './contracts/store.ts'
import { returnedCredit } from './draft-of-moment.ts'
import { FareboxError } from './errors.ts'
import { impossible, refuseImpossible, step } from './invoice-steps.ts'
import { invalidOption } from './options.ts'
import type { Invoice } from './records/invoice.ts'
import type { Payment } from './records/payment.ts'
import type { Clock } from './values/clock.ts'
import { invariant } from './values/invariant.ts'
import type { Money } from './values/money.ts'

/** All that became of an invoice. Amounts are in its currency. */
export interface InvoiceCollection {
  readonly invoice: Invoice
  /** What is left to pay; zero of one that is void. */
  readonly due: Money
  /** Money that came in. */
  readonly paid: Money
  /** Money that went back, or is under way back. */
  readonly refunded: Money
  /** What credit notes took back, taxes included. */
  readonly credited: Money
  /** Of it: what the customer keeps as invoice credit. */
  readonly kept: Money
  /** In the order in which they were begun. */
  readonly payments: readonly Payment[]
  /** In the order in which they were made. */
  readonly creditNotes: readonly Invoice[]
}

export interface Collecting {
  /**
   * Charges what is due of an open invoice to the way to pay that is on file. While an attempt is under way it is asked about, and no
   * other begins; one that is paid already stays so. An uncollectible one may be paid after all. Throws `not_found`, and
   * `invalid_transition` for a draft and for one that is void.
   */
  pay(idOrNumber: string): Promise<Collected>
  /**
   * Says that the money of an open or uncollectible invoice came, such as by bank transfer; what was bought with it is granted. `reference` names the
   * transfer. Throws `not_found`, `invalid_transition`, also while the provider has a payment under way.
   */
  markPaid(idOrNumber: string, options?: { reference?: string }): Promise<Collected>
  /** Withdraws an open or uncollectible invoice; invoice credit that it used comes back. Throws as `markPaid`. */
  void(idOrNumber: string): Promise<Invoice>
  /** Gives up an open invoice. Throws as `markPaid`. */
  markUncollectible(idOrNumber: string): Promise<Invoice>
  /** What became of an invoice. Throws `not_found`. */
  collection(idOrNumber: string): Promise<InvoiceCollection>
}

export interface CollectingParts {
  readonly store: Store
  readonly clock: Clock
  readonly provider: PaymentProvider
  readonly charging: Charging
  readonly ready: Promise<void>
}

/** Of one invoice: whoever needs more pays in another way. */
const MAX_ATTEMPTS = 1_000

const MAX_REFERENCE = 255

export function createCollecting({ store, clock, provider, charging, ready }: CollectingParts): Collecting {
  return {
    pay: (idOrNumber) => charging.whole(() => pay(idOrNumber)),
    markPaid,
    void: async (idOrNumber) => moved(idOrNumber, voidIn),
    markUncollectible: async (idOrNumber) => moved(idOrNumber, giveUpIn),
    async collection(idOrNumber) {
      await ready
      return shown(await readCollection(store, await findInvoice(store, idOrNumber)))
    },
  }

  async function pay(idOrNumber: string): Promise<Collected> {
    await ready
    const invoice = await findInvoice(store, idOrNumber)
    const attempt = await changeCollection(store, invoice, (state, collection): Change<Begun> => {
      invariant(collection !== null, 'a final invoice stays')
      const { status } = collection.invoice
      if (status === 'paid') return { result: null, entries: [] }
      const known = openAttempt(collection)
      if (known !== null) return { result: { payment: known, isNew: false }, entries: [] }
      refuseImpossible(collection, 'paid')
      if (isPurchase(collection.invoice)) throw impossible(collection.invoice, 'paid', 'a purchase whose payment has ended')
      return begin(state, collection)
    })
    if (attempt !== null) await (attempt.isNew ? charging.charge(attempt.payment) : charging.ask(attempt.payment))
    return collected(invoice)
  }

  function begin({ customer }: AccountState, collection: Collection): Change<Begun> {
    const amount = dueOf(collection)
    if (amount.minor === 0n) return { result: null, entries: [step(collection.invoice, 'paid')] }
    if (collection.payments.length >= MAX_ATTEMPTS) throw tooOften(collection.invoice)
    const paymentMethod = customer?.paymentMethod ?? null
    const members = { collection, amount, provider: provider.id, paymentMethod, isAutomatic: false }
    const payment = newAttempt({ ...members, now: clock.now() })
    return { result: { payment, isNew: true }, entries: [{ kind: 'payment', payment }] }
  }

  async function markPaid(idOrNumber: string, { reference }: { reference?: string } = {}): Promise<Collected> {
    checkReference(reference)
    await ready
    const invoice = await findInvoice(store, idOrNumber)
    await changeCollection(store, invoice, (_state, collection): Change<void> => {
      invariant(collection !== null, 'a final invoice stays')
      refuseImpossible(collection, 'paid')
      return { result: undefined, entries: markedEntries(collection, reference) }
    })
    return collected(invoice)
  }

  function markedEntries(collection: Collection, reference: string | undefined): Entry[] {
    const now = clock.now()
    const amount = dueOf(collection)
    if (amount.minor === 0n) return [step(collection.invoice, 'paid')]
    const members = { collection, amount, provider: 'manual', paymentMethod: null, isAutomatic: false, now }
    const attempt = openAttempt(collection) ?? newAttempt(members)
    const payment = withResult(attempt, { kind: 'succeeded', reference: reference ?? attempt.reference ?? attempt.id }, now)
    return [{ kind: 'payment', payment }, ...paidEntries(collection.invoice, { payment, now })]
  }

  async function collected(invoice: Invoice): Promise<Collected> {
    const result = collectedOf(await readCollection(store, invoice))
    invariant(result !== null, 'an invoice that somebody tried to collect has an outcome')
    return result
  }

  async function moved(idOrNumber: string, decide: (state: AccountState, collection: Collection) => Entry[]): Promise<Invoice> {
    await ready
    const invoice = await findInvoice(store, idOrNumber)
    await changeCollection(store, invoice, (state, collection): Change<void> => {
      invariant(collection !== null, 'a final invoice stays')
      return { result: undefined, entries: decide(state, collection) }
    })
    return findInvoice(store, invoice.id)
  }

  function voidIn(state: AccountState, collection: Collection): Entry[] {
    refuseImpossible(collection, 'void')
    const { invoice, kept } = collection
    const { subscription } = state
    const now = clock.now()
    const entries: Entry[] = [step(invoice, 'void'), ...endedAttempt(state, collection, { code: 'void', now })]
    entries.push(...returnedCredit(invoice, kept, now))
    // A base price that nobody paid is not given back when its plan ends early.
    if (subscription?.paidBase?.invoiceId === invoice.id)
      entries.push({ kind: 'subscription', subscription: { ...subscription, paidBase: null } })
    return entries
  }

  function giveUpIn(state: AccountState, collection: Collection): Entry[] {
    refuseImpossible(collection, 'uncollectible')
    return [
      step(collection.invoice, 'uncollectible'),
      ...endedAttempt(state, collection, { code: 'uncollectible', now: clock.now() }),
    ]
  }
}

type Begun = { readonly payment: Payment; readonly isNew: boolean } | null

/** Nobody waits for the money any more. */
function endedAttempt(
  { customer }: AccountState,
  collection: Collection,
  { code, now }: { readonly code: string; readonly now: number },
): Entry[] {
  const attempt = openAttempt(collection)
  if (attempt === null) return []
  const payment = withResult(attempt, { kind: 'declined', code }, now)
  const changed = attempt.isAutomatic && customer !== null ? afterDecline(customer, attempt, collection.invoice.subtotal) : null
  const entries: Entry[] = [{ kind: 'payment', payment }]
  return changed === null ? entries : [...entries, { kind: 'customer', customer: changed }]
}

function shown(collection: Collection): InvoiceCollection {
  const { invoice, kept, payments, creditNotes } = collection
  const sums = {
    due: dueOf(collection),
    paid: paidOf(collection),
    refunded: refundedOf(collection),
    credited: creditedOf(collection),
  }
  return { invoice, ...sums, kept, payments, creditNotes }
}

function checkReference(reference: unknown): void {
  const isText =
    typeof reference === 'string' && reference !== '' && reference.length <= MAX_REFERENCE && reference.isWellFormed()
  if (reference === undefined || isText) return
  throw invalidOption('invoices.markPaid()', 'reference', `a text of at most ${MAX_REFERENCE} characters`, 'something else')
}

function tooOften({ id, number }: Invoice): FareboxError {
  return new FareboxError(
    'limit_reached',
    `Expected at most ${MAX_ATTEMPTS} attempts to pay the invoice ${number ?? id}, got one more`,
    {
      fields: { invoice: id, limit: MAX_ATTEMPTS },
    },
  )
}
