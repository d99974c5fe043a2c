/** What an invoice says on paper: every text of it in order, for the page, the PDF and documents of one's own. */

import { amountDue, type Invoice, type InvoiceLine, type InvoiceStatus, type InvoiceType } from '../records/invoice.ts'
import { negateMoney } from '../values/money.ts'
import { ONE } from '../values/quantity.ts'
import { createDisplay, type Display } from './display.ts'
import { isCharge, type TaxSum, taxSums } from './sums.ts'

/** What a document shows besides the invoice, and how. */
export interface PrintOptions {
  /** Who sells: name, address, tax id, one a line. */
  readonly seller?: string
  /** Who buys, one a line; the customer's id is printed in any case. */
  readonly buyer?: string
  /** BCP 47; formats amounts and dates. Default `en-US`. */
  readonly locale?: string
  /** IANA name; days are those of it. Default `UTC`. */
  readonly timeZone?: string
}

export interface PrintedLine {
  readonly description: string
  /** What is said below the description: the period, a cost, a correction. */
  readonly details: readonly string[]
  /** Empty where something is credited; so are the next three. */
  readonly quantity: string
  readonly included: string
  readonly billable: string
  readonly unitPrice: string
  /** The tax of the line, and its rate; empty where it has none. */
  readonly tax: string
  readonly taxRate: string
  readonly amount: string
}

export interface PrintedSum {
  readonly label: string
  readonly amount: string
  /** A `part` adds to the `total`; a `note` is contained in what stands above it. */
  readonly kind: 'part' | 'total' | 'note'
}

export interface PrintedInvoice {
  readonly locale: string
  /** `Invoice FB-000042`. */
  readonly title: string
  readonly status: InvoiceStatus
  readonly seller: readonly string[]
  readonly buyer: readonly string[]
  readonly facts: readonly { readonly label: string; readonly value: string }[]
  /** Charges, or what is credited; discounts and taxes are among the sums. */
  readonly lines: readonly PrintedLine[]
  readonly sums: readonly PrintedSum[]
  readonly notes: readonly string[]
  /** The hash over the events, and how many they are. */
  readonly seal: { readonly label: string; readonly root: string } | null
}

const TYPES: Readonly<Record<InvoiceType, string>> = {
  recurring: 'Subscription and usage',
  overage: 'Usage',
  plan_change: 'Change of plan',
  credit_purchase: 'Purchase of credits',
  balance_top_up: 'Top-up of the balance',
  adjustment: 'Adjustment of an earlier invoice',
  one_off: 'One-off',
  credit_note: 'Credit note',
}

/** Pure; the same invoice and options give the same texts. */
export function printedInvoice(invoice: Invoice, options: PrintOptions = {}): PrintedInvoice {
  const { locale = 'en-US', timeZone = 'UTC' } = options
  const display = createDisplay(locale, timeZone)
  const taxes = new Map(invoice.lines.flatMap((line) => (line.type === 'tax' ? [[line.of, line]] : [])))
  const { seal } = invoice
  return {
    locale,
    title: titleOf(invoice),
    status: invoice.status,
    seller: linesOf(options.seller),
    buyer: linesOf(options.buyer),
    facts: factsOf(invoice, display),
    lines: invoice.lines.filter(isCharge).map((line) => printedLine(line, taxes.get(line.id), display)),
    sums: printedSums(invoice, display),
    notes: notesOf(invoice, timeZone),
    seal: seal === null ? null : { label: `Seal of ${display.number(String(seal.events))} events`, root: seal.root },
  }
}

function titleOf({ type, number }: Invoice): string {
  const kind = type === 'credit_note' ? 'Credit note' : 'Invoice'
  return number === null ? `Draft ${kind.toLowerCase()}` : `${kind} ${number}`
}

function linesOf(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(/\r?\n/).filter((line) => line.trim() !== '')
}

function factsOf(invoice: Invoice, { day, days }: Display): PrintedInvoice['facts'] {
  const { customerId, finalizedAt, issuedAt, period, type, corrects, correctsNumber, reason } = invoice
  const facts: [label: string, value: string | null | undefined][] = [
    ['Customer', customerId],
    ['Issued', day(finalizedAt ?? issuedAt)],
    ['Period', days(period)],
    ['For', type === 'credit_note' ? null : TYPES[type]],
    ['Corrects', correctsNumber ?? corrects],
    ['Reason', reason],
  ]
  return facts.flatMap(([label, value]) => (value === null || value === undefined ? [] : [{ label, value }]))
}

function printedLine(line: InvoiceLine, tax: InvoiceLine | undefined, display: Display): PrintedLine {
  const { description, quantity, included, billable, unitPrice, per, amount } = line
  const { money, price, quantity: units } = display
  const isAboutUnits = line.type !== 'credit'
  const priced = unitPrice === null ? '–' : price(unitPrice, amount.currency)
  return {
    description,
    details: detailsOf(line, display),
    quantity: isAboutUnits ? units(quantity) : '',
    included: isAboutUnits ? units(included) : '',
    billable: isAboutUnits ? units(billable) : '',
    unitPrice: isAboutUnits ? priced + (per === ONE ? '' : ` per ${units(per)}`) : '',
    tax: tax === undefined ? '' : money(tax.amount),
    taxRate: tax?.tax === undefined ? '' : rateOf(tax.tax),
    amount: money(amount),
  }
}

function detailsOf({ period, cost, corrects, type }: InvoiceLine, { days, number, price }: Display): string[] {
  const details = [days(period)]
  if (cost !== undefined) {
    const amount = cost.unit === 'credits' ? `${number(cost.amount)} credits` : price(cost.amount, cost.unit)
    details.push(
      type === 'balance_overage'
        ? `Not covered: ${amount}`
        : `Paid with ${amount}${cost.unit === 'credits' ? '' : ' of the balance'}`,
    )
  }
  if (corrects !== undefined && type !== 'credit') details.push(`Corrects ${corrects}`)
  return details
}

/** `19 %`, or why there is none. */
function rateOf({ treatment, rate }: Pick<TaxSum, 'treatment' | 'rate'>): string {
  if (treatment === 'reverse_charge') return 'reverse charge'
  if (treatment === 'exempt') return 'exempt'
  return treatment === 'inclusive' ? `${rate} % included` : `${rate} %`
}

function printedSums(invoice: Invoice, { money }: Display): PrintedSum[] {
  const { lines, subtotal, total, currency, creditApplied, type, status } = invoice
  const sums: PrintedSum[] = [{ label: 'Subtotal', amount: money(subtotal), kind: 'part' }]
  for (const { type: of, description, amount } of lines)
    if (of === 'discount') sums.push({ label: description, amount: money(amount), kind: 'part' })
  const taxes = taxSums(lines)
  const [contained, added] = [taxes.filter(isContained), taxes.filter((tax) => !isContained(tax))]
  for (const tax of added) sums.push({ label: taxLabel(tax), amount: money(tax.amount), kind: 'part' })
  sums.push({ label: `Total ${currency}`, amount: money(total), kind: 'total' })
  for (const tax of contained) sums.push({ label: `Contains ${taxLabel(tax)}`, amount: money(tax.amount), kind: 'note' })
  if (creditApplied.minor > 0n)
    sums.push({ label: 'Paid with invoice credit', amount: money(negateMoney(creditApplied)), kind: 'part' })
  if (type === 'credit_note' || status === 'void') return sums
  const label = status === 'paid' ? 'Paid' : 'Amount due'
  return [...sums, { label: `${label} ${currency}`, amount: money(amountDue(invoice)), kind: 'total' }]

  function taxLabel(tax: TaxSum): string {
    const rate = tax.treatment === 'inclusive' ? `${tax.rate} %` : rateOf(tax)
    return `${tax.name} ${rate} on ${money(tax.taxable)}`
  }
}

function isContained({ treatment }: TaxSum): boolean {
  return treatment === 'inclusive'
}

function notesOf({ lines, type, total, status }: Invoice, timeZone: string): string[] {
  const isReverse = lines.some(({ tax }) => tax?.treatment === 'reverse_charge')
  return [
    ...(status === 'draft' ? ['A draft: it may still change, and nothing is owed yet.'] : []),
    ...(isReverse ? ['Reverse charge: the recipient owes the tax to the tax authority.'] : []),
    ...(type !== 'credit_note' && total.minor < 0n
      ? ['The amount below zero is kept as invoice credit and pays invoices to come.']
      : []),
    `Each amount is rounded once, half up, and the total is the sum of the amounts. Days are those of ${timeZone}.`,
  ]
}
