/** Puts lines together to an invoice whose total is the sum of its rounded lines. */

import type { Subscription } from '../account/subscription.ts'
import type { Invoice, InvoiceLine, InvoiceType } from '../records/invoice.ts'
import { invariant } from '../values/invariant.ts'
import { sumMoney } from '../values/money.ts'
import type { Span } from './lines.ts'

export interface InvoiceInput {
  readonly subscription: Subscription
  /** Number of the billing moment that the invoice is for. */
  readonly moment: number
  readonly type: InvoiceType
  readonly currency: string
  readonly period: Span
  /** The instant of the billing moment, epoch milliseconds. */
  readonly issuedAt: number
  readonly lines: readonly InvoiceLine[]
}

/** A draft. The same input gives the same invoice. */
export function buildInvoice({ subscription, moment, type, currency, period, issuedAt, lines }: InvoiceInput): Invoice {
  invariant(new Set(lines.map((line) => line.id)).size === lines.length, 'each line of an invoice has its own id')
  const subtotal = sumMoney(
    lines.map((line) => line.amount),
    currency,
  )
  return {
    id: invoiceId(subscription.id, moment),
    number: null,
    status: 'draft',
    type,
    customerId: subscription.customerId,
    subscriptionId: subscription.id,
    currency,
    period,
    issuedAt,
    finalizedAt: null,
    lines,
    subtotal,
    total: subtotal,
  }
}

/** One invoice per billing moment: closing twice finds it instead of making it again. */
export function invoiceId(subscriptionId: string, moment: number): string {
  return `${subscriptionId}-${moment}`
}
