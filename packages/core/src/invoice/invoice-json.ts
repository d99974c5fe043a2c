/** An invoice as a JSON document: exact numbers as decimal strings, instants in RFC 3339. */

import { amountDue, type Invoice, type InvoiceLine, type InvoiceSeal, type TaxTreatment } from '../records/invoice.ts'
import { formatInstant } from '../values/instant.ts'
import { formatMoney } from '../values/money.ts'
import { formatQuantity, ONE } from '../values/quantity.ts'
import { taxSums } from './sums.ts'

/** What a tax line says of its tax. */
export interface LineTaxJson {
  /** As printed. */
  readonly name: string
  /** Per cent. */
  readonly rate: string
  readonly treatment: TaxTreatment
  /** The amount without its tax that the rate was applied to. */
  readonly taxable: string
}

/** What a discount line says of its discount. */
export interface LineDiscountJson {
  readonly coupon: string
  /** Null where the coupon is an amount. */
  readonly percent: string | null
  /** What each line gets of it. */
  readonly shares: readonly { readonly of: string; readonly amount: string }[]
}

/** The JSON form of a line. Amounts are in the currency's main unit with its places; quantities in units. */
export interface InvoiceLineJson {
  /** Unique within the invoice. */
  readonly id: string
  readonly type: string
  readonly description: string
  readonly plan?: string
  readonly feature?: string
  readonly period: readonly [start: string, end: string]
  readonly quantity: string
  readonly included: string
  readonly billable: string
  /** Price of `per` units; null where nothing was priced. */
  readonly unit_price: string | null
  /** Present where one price covers more than one unit. */
  readonly per?: string
  readonly amount: string
  /** Of a tax, the id of its line; of a credit, the id of the corrected invoice's line. */
  readonly of?: string
  /** The id of the final invoice that the line corrects. */
  readonly corrects?: string
  readonly tax?: LineTaxJson
  readonly discount?: LineDiscountJson
  /** What the usage cost in credits or of a balance, exact. */
  readonly cost?: { readonly unit: string; readonly amount: string }
}

/** The JSON form of an invoice. */
export interface InvoiceJson {
  readonly id: string
  readonly number: string | null
  readonly status: string
  readonly type: string
  readonly customer: string
  readonly subscription: string | null
  readonly currency: string
  /** [start, end) */
  readonly period: readonly [start: string, end: string]
  readonly issued_at: string
  readonly finalized_at: string | null
  readonly lines: readonly InvoiceLineJson[]
  readonly subtotal: string
  /** Σ discounts, never negative. */
  readonly discount: string
  /** Σ taxes that are added. */
  readonly tax: string
  /** The taxes by name, rate and treatment, those that prices contain among them. */
  readonly taxes: readonly (LineTaxJson & { readonly amount: string })[]
  readonly total: string
  readonly credit_applied: string
  readonly amount_due: string
  /** The id of the final invoice that it corrects. */
  readonly corrects: string | null
  readonly corrects_number?: string
  readonly reason?: string
  readonly seal: InvoiceSeal | null
}

/** Pure; the same invoice gives the same document. */
export function invoiceJson(invoice: Invoice): InvoiceJson {
  const { correctsNumber, reason, seal } = invoice
  return {
    id: invoice.id,
    number: invoice.number,
    status: invoice.status,
    type: invoice.type,
    customer: invoice.customerId,
    subscription: invoice.subscriptionId,
    currency: invoice.currency,
    period: periodJson(invoice.period),
    issued_at: formatInstant(invoice.issuedAt),
    finalized_at: invoice.finalizedAt === null ? null : formatInstant(invoice.finalizedAt),
    lines: invoice.lines.map(lineJson),
    subtotal: formatMoney(invoice.subtotal),
    discount: formatMoney(invoice.discount),
    tax: formatMoney(invoice.tax),
    taxes: taxSums(invoice.lines).map((tax) => ({ ...taxJson(tax), amount: formatMoney(tax.amount) })),
    total: formatMoney(invoice.total),
    credit_applied: formatMoney(invoice.creditApplied),
    amount_due: formatMoney(amountDue(invoice)),
    corrects: invoice.corrects,
    ...(correctsNumber === undefined ? {} : { corrects_number: correctsNumber }),
    ...(reason === undefined ? {} : { reason }),
    seal: seal === null ? null : { root: seal.root, events: seal.events },
  }
}

/** A line by itself. Pure. */
export function lineJson(line: InvoiceLine): InvoiceLineJson {
  const { plan, feature, per, of, corrects, tax, discount, cost } = line
  return {
    id: line.id,
    type: line.type,
    description: line.description,
    ...(plan === null ? {} : { plan }),
    ...(feature === null ? {} : { feature }),
    period: periodJson(line.period),
    quantity: formatQuantity(line.quantity),
    included: formatQuantity(line.included),
    billable: formatQuantity(line.billable),
    unit_price: line.unitPrice,
    ...(per === ONE ? {} : { per: formatQuantity(per) }),
    amount: formatMoney(line.amount),
    ...(of === undefined ? {} : { of }),
    ...(corrects === undefined ? {} : { corrects }),
    ...(tax === undefined ? {} : { tax: taxJson(tax) }),
    ...(discount === undefined ? {} : { discount: discountJson(discount) }),
    ...(cost === undefined ? {} : { cost: { unit: cost.unit, amount: cost.amount } }),
  }
}

function periodJson([start, end]: InvoiceLine['period']): [start: string, end: string] {
  return [formatInstant(start), formatInstant(end)]
}

function taxJson({ name, rate, treatment, taxable }: NonNullable<InvoiceLine['tax']>): LineTaxJson {
  return { name, rate, treatment, taxable: formatMoney(taxable) }
}

function discountJson({ coupon, percent, shares }: NonNullable<InvoiceLine['discount']>): LineDiscountJson {
  return { coupon, percent, shares: shares.map(({ of, amount }) => ({ of, amount: formatMoney(amount) })) }
}
