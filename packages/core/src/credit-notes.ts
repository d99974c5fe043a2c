/** Credit notes as an application makes them: what is taken back of an invoice, and where the money goes. */

import type { AccountState, Entry } from './account/account-state.ts'
import { withRefund, withResult } from './account/attempts.ts'
import { type Collection, creditedOf, creditNoteId, dueOf, openAttempt, paidOf, refundedOf } from './account/collection.ts'
import { isPurchase } from './account/purchase.ts'
import type { Charging } from './charging.ts'
import { changeCollection, findInvoice, readCollection } from './collections.ts'
import type { Change, Store } from './contracts/store.ts'
import { owedGrant } from './draft-of-moment.ts'
import { checkReason } from './granting.ts'
import { impossible, step } from './invoice-steps.ts'
import { buildCreditNote, type LineCredit } from './invoice/credit-note.ts'
import { owedBack, refundable } from './invoice/refundable.ts'
import { finalize } from './invoice/transition.ts'
import { invalidOption, refuseOtherWords } from './options.ts'
import { refuseOtherRequest } from './purchases.ts'
import type { Invoice, InvoiceRequest } from './records/invoice.ts'
import { type Payment, type Refund, refundedOrUnderWay } from './records/payment.ts'
import { revocationEntries } from './refunds.ts'
import { checkKey } from './usage.ts'
import { parseAmount } from './values/amount.ts'
import type { Clock } from './values/clock.ts'
import { digestOf } from './values/id.ts'
import { invariant } from './values/invariant.ts'
import { addMoney, type Money, subtractMoney, zero } from './values/money.ts'

export interface CreditNoteRequest {
  /** Id or number of a final invoice. */
  invoice: string
  /** Taken back of every line in proportion to what is left of it, taxes included: a decimal string. Give this or `lines`. */
  amount?: string
  /** Taken back of single lines: by a line's id, a decimal string without a tax that was added to the line. */
  lines?: readonly { readonly line: string; readonly amount: string }[]
  /** As printed. */
  reason: string
  /** One credit note for each key, however often it is asked for: give the same one when you retry. */
  idempotencyKey: string
  /**
   * Where what was paid already goes: it stays as invoice credit, which pays later invoices (`'credit'`, the default), or goes
   * back the way it came (`'provider'`), and what did not come in as money stays as credit. What was not paid yet is not asked for any more.
   */
  refund?: 'credit' | 'provider'
}

export interface CreditNoteResult {
  readonly creditNote: Invoice
  /** What stays as invoice credit. */
  readonly kept: Money
  /** What goes back, by payment. */
  readonly refunds: readonly Refund[]
  /** What is left to pay of the invoice. */
  readonly due: Money
}

export interface CreditNotes {
  /**
   * Makes a credit note, which is final at once and has a number of its own series. Of an open invoice it lowers what is due. Of a pack or a top-up it
   * takes back the unused part of what was bought. Throws `not_found`, `credit_exceeds_invoice`, `invalid_amount`,
   * `invalid_transition` while a payment is under way, `invalid_key`, `key_conflict`.
   */
  create(request: CreditNoteRequest): Promise<CreditNoteResult>
}

export interface CreditNotesParts {
  readonly store: Store
  readonly clock: Clock
  readonly charging: Charging
  readonly ready: Promise<void>
  /** Series of their numbers. */
  readonly series: string
}

export function createCreditNotes({ store, clock, charging, ready, series }: CreditNotesParts): CreditNotes {
  return { create: (request) => charging.whole(() => create(request)) }

  async function create(input: CreditNoteRequest): Promise<CreditNoteResult> {
    checkRequest(input)
    await ready
    const { id, customerId } = await findInvoice(store, input.invoice)
    const request: InvoiceRequest = { key: input.idempotencyKey, digest: digestOfRequest(input) }
    const query = { id, customerId, inOrder: true }
    const noteId = await changeCollection(store, query, (state, collection): Change<string> => {
      invariant(collection !== null, 'a final invoice stays')
      const known = collection.creditNotes.find((note) => note.request?.key === request.key)
      if (known === undefined) return make(state, collection, { input, request })
      refuseOtherRequest(known, request)
      return { result: known.id, entries: [] }
    })
    const made = await readCollection(store, query)
    for (const payment of made.payments)
      for (const refund of payment.refunds)
        if (refund.creditNote === noteId && refund.status === 'open') await charging.refund(payment, refund.id)
    return shown(await readCollection(store, query), noteId)
  }

  /** Pure. The note, what its money does, and what the invoice becomes: one change. */
  function make(state: AccountState, before: Collection, { input, request }: Making): Change<string> {
    refuseBusy(before)
    const now = clock.now()
    const note = noteOf(before, { input, request, now })
    const final = finalize(note, now)
    const collection: Collection = { ...before, creditNotes: [...before.creditNotes, final] }
    const entries: Entry[] = [
      { kind: 'drafted', invoice: note },
      { kind: 'finalized', invoice: final, series, sealed: [] },
      ...endedAttempt(collection, now),
      ...moneyEntries(collection, { note: final, isRefunded: input.refund === 'provider', now }),
      ...baseEntries(state, collection.invoice, final),
    ]
    if (collection.invoice.status === 'open' && dueOf(collection).minor === 0n) entries.push(step(collection.invoice, 'paid'))
    return { result: note.id, entries }
  }
}

interface Making {
  readonly input: CreditNoteRequest
  readonly request: InvoiceRequest
}

function noteOf({ invoice, creditNotes }: Collection, { input, request, now }: Making & { readonly now: number }): Invoice {
  const { currency } = invoice
  const { amount, lines, reason } = input
  const id = creditNoteId(invoice.id, creditNotes.length + 1)
  const shared = { id, invoice, earlier: creditNotes, reason, at: now, request }
  if (lines === undefined) return buildCreditNote({ ...shared, amount: parseAmount(amount, currency, 'amount') })
  const credits = lines.map(({ line: lineId, amount: text }): LineCredit => ({
    lineId,
    amount: parseAmount(text, currency, 'amount'),
  }))
  return buildCreditNote({ ...shared, lines: credits })
}

/** What is being paid right now cannot be lowered, and what was not paid for was not delivered. */
function refuseBusy(collection: Collection): void {
  const { invoice } = collection
  if (openAttempt(collection)?.awaits === 'provider') throw impossible(invoice, 'credited', 'one whose payment is under way')
  if (isPurchase(invoice) && invoice.status !== 'paid')
    throw impossible(invoice, 'credited', `a purchase that is ${invoice.status} and owes nothing`)
}

/** Whoever was to transfer the money was told another amount. */
function endedAttempt(collection: Collection, now: number): Entry[] {
  const attempt = openAttempt(collection)
  return attempt === null ? [] : [{ kind: 'payment', payment: withResult(attempt, { kind: 'declined', code: 'credited' }, now) }]
}

interface MoneyOf {
  readonly note: Invoice
  readonly isRefunded: boolean
  readonly now: number
}

/** What was paid beyond what the invoice still asks for: kept as invoice credit, or sent back as far as it came in as money. */
function moneyEntries(collection: Collection, { note, isRefunded, now }: MoneyOf): Entry[] {
  const { invoice, kept } = collection
  const sums = { invoice, paid: paidOf(collection), credited: creditedOf(collection), kept, refunded: refundedOf(collection) }
  const owed = owedBack(sums)
  const money = isRefunded ? refundable(sums) : zero(invoice.currency)
  const credit = subtractMoney(owed, money)
  const entries: Entry[] = refundEntries(collection.payments, { money, note, now })
  if (credit.minor > 0n) entries.push({ kind: 'granted', grant: owedGrant(note.id, credit, now) })
  return [...entries, ...revocationEntries(collection, { back: owed, key: note.id, now })]
}

interface RefundsOf {
  readonly money: Money
  readonly note: Invoice
  readonly now: number
}

/** The money goes back over the payments in their order, of each as much as is left of it. */
function refundEntries(payments: readonly Payment[], { money, note, now }: RefundsOf): Entry[] {
  const entries: Entry[] = []
  let left = money
  for (const payment of payments) {
    if (left.minor === 0n) break
    const room = payment.status === 'succeeded' ? subtractMoney(payment.amount, refundedOrUnderWay(payment)) : null
    if (room === null || room.minor <= 0n) continue
    const amount = room.minor < left.minor ? room : left
    const [next] = withRefund({ payment, amount, key: note.id, creditNote: note.id, now })
    entries.push({ kind: 'payment', payment: next })
    left = subtractMoney(left, amount)
  }
  invariant(left.minor === 0n, 'what may go back came in')
  return entries
}

/** A base price that was taken back is not given back again when its plan ends early. */
function baseEntries({ subscription }: AccountState, { id, lines }: Invoice, note: Invoice): Entry[] {
  if (subscription?.paidBase?.invoiceId !== id) return []
  const bases = new Set(lines.flatMap((line) => (line.type === 'plan_base' || line.type === 'proration_charge' ? [line.id] : [])))
  const taken = note.lines.filter(({ type, of }) => type === 'credit' && of !== undefined && bases.has(of))
  const amount = taken.reduce((sum, line) => addMoney(sum, line.amount), subscription.paidBase.amount)
  const paidBase = { ...subscription.paidBase, amount: amount.minor > 0n ? amount : { ...amount, minor: 0n } }
  return [{ kind: 'subscription', subscription: { ...subscription, paidBase } }]
}

function shown(collection: Collection, noteId: string): CreditNoteResult {
  const index = collection.creditNotes.findIndex(({ id }) => id === noteId)
  const creditNote = collection.creditNotes[index]
  invariant(creditNote !== undefined, 'a credit note stays')
  const refunds = collection.payments.flatMap((payment) => payment.refunds).filter((refund) => refund.creditNote === noteId)
  return { creditNote, kept: collection.keptBy[index] ?? zero(creditNote.currency), refunds, due: dueOf(collection) }
}

function checkRequest({ amount, lines, reason, idempotencyKey, refund }: CreditNoteRequest): void {
  const where = 'creditNotes.create()'
  checkKey(idempotencyKey)
  checkReason(where, reason)
  if (typeof reason !== 'string' || reason === '') throw invalidOption(where, 'reason', 'a text, as it is printed', reason)
  refuseOtherWords(where, 'refund', refund, ['credit', 'provider'])
  if ((amount === undefined) === (lines === undefined)) throw invalidOption(where, 'amount or lines', 'one of the two', amount)
  const isList =
    Array.isArray(lines) && lines.length > 0 && lines.length <= MAX_LINES && lines.every((line) => typeof line?.line === 'string')
  if (lines !== undefined && !isList) throw invalidOption(where, 'lines', `a list of 1 to ${MAX_LINES} lines`, lines)
}

const MAX_LINES = 1_000

function digestOfRequest({ amount, lines, reason, refund = 'credit' }: CreditNoteRequest): string {
  const parts = (lines ?? []).flatMap(({ line, amount: text }) => [line, text])
  return digestOf('credit_note', amount ?? '', reason, refund, ...parts)
}
