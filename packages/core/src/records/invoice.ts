/** A demand for payment and its lines. Amounts are in the currency's minor unit. */

import type { Money } from '../values/money.ts'
import type { Quantity } from '../values/quantity.ts'

/** draft → open → paid | void | uncollectible. A final invoice never changes. */
export type InvoiceStatus = 'draft' | 'open' | 'paid' | 'void' | 'uncollectible'

export type InvoiceType = 'recurring' | 'overage'

export type LineType = 'plan_base' | 'feature_usage'

/** A line of an invoice. Its amount was rounded once, half up, from the exact amount. */
export interface InvoiceLine {
  /** Stable within the invoice: building the invoice again gives the same ids. */
  readonly id: string
  readonly type: LineType
  readonly description: string
  readonly plan: string
  readonly feature: string | null
  /** [start, end) in epoch milliseconds: what the line is for. */
  readonly period: readonly [start: number, end: number]
  /** Units used (for a base line one), in millionths. A usage line beyond the first price tier shows the units of its tier only. */
  readonly quantity: Quantity
  /** Units of `quantity` covered by the allowance, in millionths. */
  readonly included: Quantity
  /** Units of `quantity` that were priced, in millionths. */
  readonly billable: Quantity
  /** Decimal string in the currency's main unit, exact, with at least the currency's places; null where nothing was priced. */
  readonly unitPrice: string | null
  /** How many units one `unitPrice` covers, in millionths: a package's size, else one unit. */
  readonly per: Quantity
  readonly amount: Money
}

export interface Invoice {
  /** Stable before and after numbering: `<subscription id>-<billing moment>`. */
  readonly id: string
  /** Given when the invoice is finalized, sequential without gaps within the series; null while a draft. */
  readonly number: string | null
  readonly status: InvoiceStatus
  readonly type: InvoiceType
  readonly customerId: string
  readonly subscriptionId: string
  readonly currency: string
  /** The closed usage period, or for a first invoice the period that its base price pays for. [start, end) in epoch ms. */
  readonly period: readonly [start: number, end: number]
  /** When the invoice became due to be made: epoch milliseconds. */
  readonly issuedAt: number
  /** When it was given its number; null while a draft. */
  readonly finalizedAt: number | null
  readonly lines: readonly InvoiceLine[]
  readonly subtotal: Money
  readonly total: Money
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
