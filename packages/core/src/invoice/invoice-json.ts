/** An invoice as a JSON document: exact numbers as decimal strings, instants in RFC 3339. */

import type { Invoice, InvoiceLine } from '../records/invoice.ts'
import { formatInstant } from '../values/instant.ts'
import { formatMoney } from '../values/money.ts'
import { formatQuantity, ONE } from '../values/quantity.ts'

/** The JSON form of a line. Amounts are in the currency's main unit with its places; quantities in units. */
export interface InvoiceLineJson {
  readonly type: string
  readonly description: string
  readonly plan: string
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
}

/** The JSON form of an invoice. */
export interface InvoiceJson {
  readonly id: string
  readonly number: string | null
  readonly status: string
  readonly type: string
  readonly customer: string
  readonly currency: string
  /** [start, end) */
  readonly period: readonly [start: string, end: string]
  readonly issued_at: string
  readonly finalized_at: string | null
  readonly lines: readonly InvoiceLineJson[]
  readonly subtotal: string
  readonly total: string
}

/** Pure; the same invoice gives the same document. */
export function invoiceJson(invoice: Invoice): InvoiceJson {
  return {
    id: invoice.id,
    number: invoice.number,
    status: invoice.status,
    type: invoice.type,
    customer: invoice.customerId,
    currency: invoice.currency,
    period: [formatInstant(invoice.period[0]), formatInstant(invoice.period[1])],
    issued_at: formatInstant(invoice.issuedAt),
    finalized_at: invoice.finalizedAt === null ? null : formatInstant(invoice.finalizedAt),
    lines: invoice.lines.map(lineJson),
    subtotal: formatMoney(invoice.subtotal),
    total: formatMoney(invoice.total),
  }
}

function lineJson(line: InvoiceLine): InvoiceLineJson {
  return {
    type: line.type,
    description: line.description,
    plan: line.plan,
    ...(line.feature === null ? {} : { feature: line.feature }),
    period: [formatInstant(line.period[0]), formatInstant(line.period[1])],
    quantity: formatQuantity(line.quantity),
    included: formatQuantity(line.included),
    billable: formatQuantity(line.billable),
    unit_price: line.unitPrice,
    ...(line.per === ONE ? {} : { per: formatQuantity(line.per) }),
    amount: formatMoney(line.amount),
  }
}
