/** Credit notes: take back part of a final invoice, and never more than it still holds. */

import { FareboxError } from '../errors.ts'
import type { Invoice, InvoiceLine, InvoiceRequest } from '../records/invoice.ts'
import { allocate } from '../values/allocate.ts'
import { invariant } from '../values/invariant.ts'
import { formatMoney, type Money, sumMoney, zero } from '../values/money.ts'
import { divideRounded } from '../values/rounding.ts'
import { amountLine } from './amount-line.ts'
import { discountedAmounts } from './discount.ts'
import { draftOf } from './draft.ts'
import { isCharge } from './sums.ts'

/** What is taken back of one charge of the invoice. */
export interface LineCredit {
  readonly lineId: string
  /** More than nothing: of the price that discounts left, without a tax that was added to it. */
  readonly amount: Money
}

export type CreditNoteInput = {
  readonly id: string
  /** A final one. */
  readonly invoice: Invoice
  /** The credit notes of it that there are; void ones do not count. */
  readonly earlier: readonly Invoice[]
  /** As printed. */
  readonly reason: string
  /** Epoch milliseconds. */
  readonly at: number
  readonly request?: InvoiceRequest
} & (
  | { readonly lines: readonly LineCredit[] }
  | {
      /** More than nothing, taxes included: taken back of every line, in proportion to what is left of it. */
      readonly amount: Money
    }
)

/** A charge of the invoice with its tax, and what of both was taken back. All have the sign of the charge. */
interface Creditable {
  readonly line: InvoiceLine
  readonly tax: InvoiceLine | null
  /** Minor units: what discounts left. */
  readonly amount: bigint
  readonly taxAmount: bigint
  /** Whether the tax comes on top of the amount. */
  readonly isAdded: boolean
  readonly credited: bigint
  readonly creditedTax: bigint
}

/** What a credit note takes back of one charge: its amount, and the tax that was added to it or that it contains. */
interface Taken {
  readonly of: Creditable
  readonly amount: bigint
  readonly tax: bigint
}

/**
 * A draft with negative lines. The tax of a line is taken back in proportion, each time up to the rounded tax of all that was taken
 * back so far: what remains is never off by a cent, and who takes back everything takes back exactly what was charged.
 * Throws `credit_exceeds_invoice`, and `not_found` for a line that the invoice does not have.
 */
export function buildCreditNote(input: CreditNoteInput): Invoice {
  const { id, invoice, reason, at } = input
  const earlier = input.earlier.filter(({ status }) => status !== 'void')
  refuseWithoutContent(invoice)
  const creditables = creditablesOf(invoice, earlier)
  const taken = 'amount' in input ? ofWhole(input.amount, creditables, invoice) : ofLines(input.lines, creditables, invoice)
  const note = draftOf({
    id,
    type: 'credit_note',
    customerId: invoice.customerId,
    subscriptionId: invoice.subscriptionId,
    currency: invoice.currency,
    period: invoice.period,
    issuedAt: at,
    lines: [...taken.map((one) => creditLine(invoice, one)), ...taken.flatMap((one) => taxLine(invoice, one))],
    credit: zero(invoice.currency),
    corrects: invoice.id,
    ...(invoice.number === null ? {} : { correctsNumber: invoice.number }),
    reason,
    ...(input.request === undefined ? {} : { request: input.request }),
  })
  refuseBeyond(invoice, creditableOf(invoice, earlier), { minor: -note.total.minor, currency: invoice.currency })
  return note
}

/** What is left of an invoice to take back, taxes included. */
export function creditableOf(invoice: Invoice, earlier: readonly Invoice[]): Money {
  const totals = earlier.filter(({ status }) => status !== 'void').map((note) => note.total)
  return sumMoney([invoice.total, ...totals], invoice.currency)
}

function refuseWithoutContent({ id, type, status }: Invoice): void {
  const isFinal = status === 'open' || status === 'paid' || status === 'uncollectible'
  if (isFinal && type !== 'credit_note') return
  throw new FareboxError(
    'credit_exceeds_invoice',
    `Expected a final invoice to take something back of, got ${id}, a ${type === 'credit_note' ? type : status}: there is nothing to credit`,
    { fields: { invoice: id, type, status } },
  )
}

function refuseBeyond({ id, number }: Invoice, most: Money, got: Money, lineId?: string): void {
  if (got.minor > 0n && got.minor <= most.minor) return
  const where = lineId === undefined ? `invoice ${number ?? id}` : `line ${lineId} of invoice ${number ?? id}`
  throw new FareboxError(
    'credit_exceeds_invoice',
    `Expected a credit of more than nothing and at most the ${formatMoney(most)} ${most.currency} that are left of ${where}, got ${formatMoney(got)}`,
    { fields: { invoice: id, line: lineId, expected: formatMoney(most), value: formatMoney(got) } },
  )
}

function creditablesOf(invoice: Invoice, earlier: readonly Invoice[]): Creditable[] {
  const amounts = discountedAmounts(invoice.lines)
  const taxes = new Map(invoice.lines.flatMap((line) => (line.type === 'tax' ? [[line.of, line]] : [])))
  const credited = creditedOf(invoice, earlier)
  return invoice.lines.filter(isCharge).flatMap((line) => {
    const amount = amounts.get(line.id)?.minor ?? 0n
    // A line of nothing, or one that discounts took whole, has nothing to give back.
    if (amount === 0n) return []
    const tax = taxes.get(line.id) ?? null
    const before = credited.get(line.id) ?? { amount: 0n, tax: 0n }
    const isAdded = tax?.tax?.treatment !== 'inclusive'
    return [{ line, tax, amount, taxAmount: tax?.amount.minor ?? 0n, isAdded, credited: before.amount, creditedTax: before.tax }]
  })
}

/** What credit notes took back of each line of the invoice, by its id; with the sign of the line. */
function creditedOf(invoice: Invoice, earlier: readonly Invoice[]): Map<string, { amount: bigint; tax: bigint }> {
  const credited = new Map<string, { amount: bigint; tax: bigint }>()
  for (const note of earlier) {
    invariant(note.corrects === invoice.id, 'a credit note is counted against the invoice that it corrects')
    const lines = new Map(note.lines.map((line) => [line.id, line]))
    for (const line of note.lines) {
      const of = line.type === 'tax' ? lines.get(line.of ?? '')?.of : line.of
      invariant(of !== undefined, 'each line of a credit note is about a line of the invoice')
      const sum = credited.get(of) ?? { amount: 0n, tax: 0n }
      if (line.type === 'tax') sum.tax -= line.amount.minor
      else sum.amount -= line.amount.minor
      credited.set(of, sum)
    }
  }
  return credited
}

function ofLines(lines: readonly LineCredit[], creditables: readonly Creditable[], invoice: Invoice): Taken[] {
  const wanted = new Map<string, bigint>()
  for (const { lineId, amount } of lines) {
    invariant(amount.currency === invoice.currency, 'a credit is in the currency of its invoice')
    wanted.set(lineId, (wanted.get(lineId) ?? 0n) + amount.minor)
  }
  for (const lineId of wanted.keys()) {
    if (invoice.lines.some((line) => line.id === lineId && isCharge(line))) continue
    throw new FareboxError(
      'not_found',
      `Expected a charge of invoice ${invoice.number ?? invoice.id}, got ${lineId}: name one of its lines that is neither a discount nor a tax`,
      { fields: { invoice: invoice.id, line: lineId } },
    )
  }
  return [...wanted].map(([lineId, minor]) => {
    const of = creditables.find(({ line }) => line.id === lineId)
    const left = of === undefined || of.amount < 0n ? 0n : of.amount - of.credited
    const { currency } = invoice
    refuseBeyond(invoice, { minor: left, currency }, { minor, currency }, lineId)
    invariant(of !== undefined, 'a line with something left of it can be credited')
    return { of, amount: minor, tax: taxUpTo(of, of.credited + minor, of.amount) }
  })
}

/** Takes the same share of what is left of every line, of those that gave something back too: only so do taxes add up. */
function ofWhole(amount: Money, creditables: readonly Creditable[], invoice: Invoice): Taken[] {
  invariant(amount.currency === invoice.currency, 'a credit is in the currency of its invoice')
  const left = creditables.map(leftOf)
  const [charged, given] = [sumWhere(left, (minor) => minor > 0n), -sumWhere(left, (minor) => minor < 0n)]
  refuseBeyond(invoice, { minor: charged - given, currency: invoice.currency }, amount)
  const ofCharged = divideRounded(amount.minor * charged, charged - given, 'half_up')
  const shares = split(ofCharged, left)
  const back = split(
    ofCharged - amount.minor,
    left.map((minor) => -minor),
  )
  return creditables.flatMap((of, index) => {
    const share = (shares[index] ?? 0n) - (back[index] ?? 0n)
    if (share === 0n) return []
    const before = of.credited + (of.isAdded ? of.creditedTax : 0n)
    const tax = taxUpTo(of, before + share, of.amount + (of.isAdded ? of.taxAmount : 0n))
    return [{ of, amount: of.isAdded ? share - tax : share, tax }]
  })
}

function leftOf({ amount, taxAmount, isAdded, credited, creditedTax }: Creditable): bigint {
  return amount - credited + (isAdded ? taxAmount - creditedTax : 0n)
}

/** The tax to take back now, when `part` of `whole` is taken back in all. */
function taxUpTo({ taxAmount, creditedTax }: Creditable, part: bigint, whole: bigint): bigint {
  const [of, over] = whole < 0n ? [-part, -whole] : [part, whole]
  return divideRounded(taxAmount * of, over, 'half_up') - creditedTax
}

function sumWhere(amounts: readonly bigint[], isMeant: (minor: bigint) => boolean): bigint {
  return amounts.filter(isMeant).reduce((sum, minor) => sum + minor, 0n)
}

/** Over those that are positive. */
function split(minor: bigint, weights: readonly bigint[]): readonly bigint[] {
  const positive = weights.map((weight) => (weight > 0n ? weight : 0n))
  return minor === 0n ? [] : allocate(minor, positive)
}

function creditLine({ id, number, currency }: Invoice, { of: { line }, amount }: Taken): InvoiceLine {
  return amountLine({
    id: `credit-${line.id}`,
    type: 'credit',
    description: `${line.description} (${number ?? id})`,
    plan: line.plan,
    feature: line.feature,
    period: line.period,
    amount: { minor: -amount, currency },
    corrects: id,
    of: line.id,
  })
}

function taxLine({ currency }: Invoice, { of: { line, tax, isAdded }, amount, tax: taken }: Taken): InvoiceLine[] {
  if (tax?.tax === undefined) return []
  const taxable = { minor: isAdded ? -amount : taken - amount, currency }
  return [
    amountLine({
      id: `tax-credit-${line.id}`,
      type: 'tax',
      description: tax.description,
      period: line.period,
      amount: { minor: -taken, currency },
      of: `credit-${line.id}`,
      tax: { ...tax.tax, taxable },
    }),
  ]
}
