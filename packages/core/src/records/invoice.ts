/** A demand for payment and its lines, or a credit note. Amounts are in the currency's minor unit. */

import { subtractMoney, zero, type Money } from '../values/money.ts'
import type { Quantity } from '../values/quantity.ts'

/** draft → open → paid | void | uncollectible. A final invoice never changes but for its status. */
export type InvoiceStatus = 'draft' | 'open' | 'paid' | 'void' | 'uncollectible'

export type InvoiceType =
  /** A plan's base price, with the usage of the period that ended. */
  | 'recurring'
  /** Usage alone. */
  | 'overage'
  /** A change of plan inside a period. */
  | 'plan_change'
  | 'credit_purchase'
  | 'balance_top_up'
  /** Late events of invoiced periods alone. */
  | 'adjustment'
  | 'one_off'
  /** Takes back part of a final invoice: its lines are negative. */
  | 'credit_note'

export type LineType =
  | 'plan_base'
  | 'feature_usage'
  /** Negative: what was paid for the time after a change. */
  | 'proration_credit'
  /** The base price from a change to the end of the interval. */
  | 'proration_charge'
  /** What usage and base lack to the committed minimum. */
  | 'minimum_commitment'
  | 'credit_pack'
  | 'top_up'
  /** What a balance did not cover. */
  | 'balance_overage'
  /** Late events of a period whose invoice is final: a debit, or a credit. */
  | 'adjustment'
  | 'one_off'
  /** Of a credit note: what is taken back of the invoice's line. */
  | 'credit'
  /** Negative. */
  | 'discount'
  /** Of one other line. */
  | 'tax'

export type TaxTreatment = 'exclusive' | 'inclusive' | 'reverse_charge' | 'exempt'

/** What a tax line says of its tax. */
export interface LineTax {
  /** Per cent, as a decimal string: `'19'`. */
  readonly rate: string
  readonly treatment: TaxTreatment
  /** The amount without its tax that the rate was applied to, discounts taken off. */
  readonly taxable: Money
  /** As printed, such as `VAT DE`. */
  readonly name: string
}

/** What a discount line says of its discount. */
export interface LineDiscount {
  /** The coupon's code. */
  readonly coupon: string
  /** Per cent, as a decimal string; null where the coupon is an amount. */
  readonly percent: string | null
  /** What each line gets of it, in the order of the lines: more than nothing, and together the discount. */
  readonly shares: readonly { readonly of: string; readonly amount: Money }[]
}

/** A line of an invoice. Its amount was rounded once, half up, from the exact amount. */
export interface InvoiceLine {
  /** Stable within the invoice: building the invoice again gives the same ids. */
  readonly id: string
  readonly type: LineType
  readonly description: string
  /** Null where the line is about no plan. */
  readonly plan: string | null
  readonly feature: string | null
  /** [start, end) in epoch milliseconds: what the line is for. */
  readonly period: readonly [start: number, end: number]
  /** Units used (for a base line one), in millionths. A usage line beyond the first price tier shows the units of its tier only. */
  readonly quantity: Quantity
  /** Units of `quantity` covered by the allowance, credits or balance, in millionths. */
  readonly included: Quantity
  /** Units of `quantity` that were priced, in millionths. */
  readonly billable: Quantity
  /** Decimal string in the currency's main unit, exact, with at least the currency's places; null where nothing was priced. */
  readonly unitPrice: string | null
  /** How many units one `unitPrice` covers, in millionths: a package's size, else one unit. */
  readonly per: Quantity
  readonly amount: Money
  /** Of an adjustment or a credit: the id of the final invoice that it corrects. */
  readonly corrects?: string
  /** Of a tax, the id of its line; of a credit, the id of the corrected invoice's line. */
  readonly of?: string
  readonly tax?: LineTax
  readonly discount?: LineDiscount
  /** Of a usage line on a plan of credits or a balance: the exact cost, as a decimal string, and its unit. */
  readonly cost?: { readonly unit: string; readonly amount: string }
}

/** The events of an invoice under one hash: the root of a Merkle tree over them. Lower-case hex of SHA-256. */
export interface InvoiceSeal {
  readonly root: string
  readonly events: number
}

/** Tells a request that comes again from another one under the same key. */
export interface InvoiceRequest {
  /** The key that it was asked for with. */
  readonly key: string
  /** Of what was asked for. */
  readonly digest: string
}

export interface Invoice {
  /** Stable before and after numbering: `<subscription id>-<billing moment>`, or an id of its own. */
  readonly id: string
  /** Given when the invoice is finalized, sequential without gaps within the series; null while a draft. */
  readonly number: string | null
  readonly status: InvoiceStatus
  readonly type: InvoiceType
  readonly customerId: string
  /** Null where it is about no subscription. */
  readonly subscriptionId: string | null
  readonly currency: string
  /** The closed usage period, or for a first invoice the period that its base price pays for. [start, end) in epoch ms. */
  readonly period: readonly [start: number, end: number]
  /** When the invoice became due to be made: epoch milliseconds. */
  readonly issuedAt: number
  /** When it was given its number; null while a draft. */
  readonly finalizedAt: number | null
  readonly lines: readonly InvoiceLine[]
  /** Σ lines that are neither discount nor tax. */
  readonly subtotal: Money
  /** −Σ discount lines, never negative. */
  readonly discount: Money
  /** Σ tax lines that are added (not those of prices that include their tax). */
  readonly tax: Money
  /** subtotal − discount + tax. Negative when more is credited than charged: the customer keeps it as invoice credit. */
  readonly total: Money
  /** Invoice credit that pays part of the total: from credit notes and negative totals. Never negative. */
  readonly creditApplied: Money
  /** The final invoice that a credit note is about; null otherwise. */
  readonly corrects: string | null
  /** Its number, as printed. */
  readonly correctsNumber?: string
  /** Of a credit note: why it was made, as printed. */
  readonly reason?: string
  /** Null while a draft, and where there are no events. */
  readonly seal: InvoiceSeal | null
  /** What somebody asked for; absent where a billing moment made it. */
  readonly request?: InvoiceRequest
}

/** What is left to pay: never negative. */
export function amountDue({ total, creditApplied, currency }: Invoice): Money {
  const due = subtractMoney(total, creditApplied)
  return due.minor > 0n ? due : zero(currency)
}

/** How a number of a series is written: `FB-000042`. Numbers are sequential from 1 without gaps within a series. */
export function invoiceNumber(series: string, number: number): string {
  return `${series}-${String(number).padStart(6, '0')}`
}

/** The series and number of a written invoice number, or null when it is not one. */
export function parseInvoiceNumber(text: string): { series: string; number: number } | null {
  const dash = text.lastIndexOf('-')
  const digits = text.slice(dash + 1)
  if (dash < 1 || digits.length < 6 || digits.length > 15 || !/^[0-9]+$/.test(digits)) return null
  return { series: text.slice(0, dash), number: Number(digits) }
}
