/** What became of a final invoice: its payments, its credit notes, and what both leave to pay and to give back. Pure. */

import type { AccountRecord, RecordKey } from '../records/account-record.ts'
import { grantFromRecord, paymentFromRecord, recordName } from '../records/account-record.ts'
import type { Grant } from '../records/grant.ts'
import { amountDue, type Invoice } from '../records/invoice.ts'
import { type Payment, refundedOrUnderWay } from '../records/payment.ts'
import { invariant } from '../values/invariant.ts'
import { type Money, negateMoney, subtractMoney, sumMoney, toMoney, zero } from '../values/money.ts'
import type { AccountState } from './account-state.ts'

export interface Collection {
  readonly invoice: Invoice
  /** In the order in which they were begun. */
  readonly payments: readonly Payment[]
  /** In the order in which they were made. */
  readonly creditNotes: readonly Invoice[]
  /** Of what each credit note took back: what the customer keeps as invoice credit. */
  readonly keptBy: readonly Money[]
  /** The sum of it. */
  readonly kept: Money
  /** What the invoice sold: the grant of a pack or a top-up; null where it is about something else, or not paid. */
  readonly grant: Grant | null
}

/** How many payments and credit notes of an invoice a change looks for. */
export interface CollectionSize {
  readonly payments: number
  readonly creditNotes: number
}

/** Payments, refunds and credit notes are numbered within what they belong to, so that a change can name all of them. */
export function paymentId(invoiceId: string, number: number): string {
  return `${invoiceId}-pay-${number}`
}

export function refundId(payment: string, number: number): string {
  return `${payment}-refund-${number}`
}

export function creditNoteId(invoiceId: string, number: number): string {
  return `${invoiceId}-cn-${number}`
}

/** The id of the grant that a pack or a top-up pays for. */
export function purchasedGrantId(invoiceId: string): string {
  return `grant-${invoiceId}`
}

/** The id of the invoice credit that a credit note, or an invoice whose total is negative, leaves. */
export function owedGrantId(invoiceId: string): string {
  return `credit-${invoiceId}`
}

/** The invoice that a payment is for, by its id alone; null where it is no payment's id. */
export function invoiceOfPayment(id: string): string | null {
  return /^(.+)-pay-[1-9][0-9]{0,8}$/.exec(id)?.[1] ?? null
}

/** What a change has to name in order to see an invoice with all that became of it: one more of each kind than there should be. */
export function collectionTarget(
  invoiceId: string,
  { payments, creditNotes }: CollectionSize,
): { readonly invoices: readonly string[]; readonly records: readonly RecordKey[] } {
  const notes = numbered(creditNotes + 1, (number) => creditNoteId(invoiceId, number))
  const records: RecordKey[] = [
    ...numbered(payments + 1, (number): RecordKey => ({ kind: 'payment', id: paymentId(invoiceId, number) })),
    ...notes.map((note): RecordKey => ({ kind: 'grant', id: owedGrantId(note) })),
    { kind: 'grant', id: purchasedGrantId(invoiceId) },
  ]
  return { invoices: [invoiceId, ...notes], records }
}

/** `'more'` where there are more payments or credit notes than were looked for; null where there is no such invoice. */
export function collectionIn(
  { invoices, records, grants }: AccountState,
  invoiceId: string,
  size: CollectionSize,
): Collection | 'more' | null {
  const invoice = invoices.get(invoiceId)
  if (invoice === undefined) return null
  const payments = numbered(size.payments + 1, (number) => recordIn(records, 'payment', paymentId(invoiceId, number))).filter(
    isThere,
  )
  const creditNotes = numbered(size.creditNotes + 1, (number) => invoices.get(creditNoteId(invoiceId, number))).filter(isThere)
  if (payments.length > size.payments || creditNotes.length > size.creditNotes) return 'more'
  const { currency } = invoice
  const keptBy = creditNotes.map(({ id }) => {
    const record = recordIn(records, 'grant', owedGrantId(id))
    return record === undefined ? zero(currency) : toMoney(grantFromRecord(record).granted, currency, 'half_up')
  })
  const sold = recordIn(records, 'grant', purchasedGrantId(invoiceId))
  // What is held of it is known to the account alone.
  const grant = sold === undefined ? null : (grants.get(sold.id) ?? grantFromRecord(sold))
  return { invoice, payments: payments.map(paymentFromRecord), creditNotes, keptBy, kept: sumMoney(keptBy, currency), grant }
}

function numbered<T>(count: number, make: (number: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index + 1))
}

function recordIn(records: AccountState['records'], kind: RecordKey['kind'], id: string): AccountRecord | undefined {
  return records.get(recordName({ kind, id }))
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined
}

/** Money that came in. */
export function paidOf({ invoice: { currency }, payments }: Collection): Money {
  const succeeded = payments.filter(({ status }) => status === 'succeeded')
  return sumMoney(
    succeeded.map(({ amount }) => amount),
    currency,
  )
}

/** Money that went back, or is under way back. */
export function refundedOf({ invoice: { currency }, payments }: Collection): Money {
  return sumMoney(payments.map(refundedOrUnderWay), currency)
}

/** What credit notes took back, taxes included; positive. */
export function creditedOf({ invoice: { currency }, creditNotes }: Collection): Money {
  return negateMoney(
    sumMoney(
      creditNotes.map(({ total }) => total),
      currency,
    ),
  )
}

/** What is left to pay: never negative, and nothing of one that is void. */
export function dueOf(collection: Collection): Money {
  const { invoice } = collection
  const due = subtractMoney(subtractMoney(amountDue(invoice), creditedOf(collection)), paidOf(collection))
  return due.minor > 0n && invoice.status !== 'void' ? due : zero(invoice.currency)
}

/** The payment whose end is to come; there is one at most. */
export function openAttempt({ payments }: Collection): Payment | null {
  const open = payments.filter(({ status }) => status === 'open' || status === 'unknown' || status === 'pending')
  invariant(open.length <= 1, 'an invoice has one open attempt to pay it at most')
  return open[0] ?? null
}
