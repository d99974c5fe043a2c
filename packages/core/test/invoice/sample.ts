/** Invoices to test with: lines of a type and an amount, and one way to put them together. */

import { buildInvoice, type InvoiceInput } from '../../src/invoice/build-invoice.ts'
import { baseLine } from '../../src/invoice/lines.ts'
import { untaxed } from '../../src/invoice/tax/tax-lines.ts'
import type { Invoice, InvoiceLine, LineType } from '../../src/records/invoice.ts'
import { decimal } from '../../src/values/decimal.ts'
import { formatMoney, type Money, toMoney, zero } from '../../src/values/money.ts'

export const JANUARY: readonly [start: number, end: number] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 1, 1)]

export function money(amount: string, currency = 'USD'): Money {
  return toMoney(decimal(amount), currency, 'half_up')
}

export function charge(id: string, amount: string, type: LineType = 'one_off', currency = 'USD'): InvoiceLine {
  const line = baseLine({ plan: { code: 'pro', name: `The ${id}`, price: decimal(amount) }, currency, period: JANUARY })
  return { ...line, id, type }
}

export function invoiceOf(lines: readonly InvoiceLine[], members: Partial<InvoiceInput> = {}): Invoice {
  const currency = members.currency ?? lines[0]?.amount.currency ?? 'USD'
  return buildInvoice({
    id: 'sub_1-1',
    type: 'recurring',
    customerId: 'user_123',
    subscriptionId: 'sub_1',
    currency,
    period: JANUARY,
    issuedAt: JANUARY[1],
    lines,
    discounts: [],
    taxOf: untaxed,
    credit: zero(currency),
    ...members,
  })
}

/** Amounts as texts, by the ids of their lines. */
export function amountsOf({ lines }: Pick<Invoice, 'lines'>): Record<string, string> {
  return Object.fromEntries(lines.map(({ id, amount }) => [id, formatMoney(amount)]))
}

export function sumsAsText({ subtotal, discount, tax, total, creditApplied }: Invoice): Record<string, string> {
  const sums = { subtotal, discount, tax, total, creditApplied }
  return Object.fromEntries(Object.entries(sums).map(([name, amount]) => [name, formatMoney(amount)]))
}
