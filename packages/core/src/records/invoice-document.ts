/** An invoice as a store keeps it: one JSON document beside the columns for its number and status. */

import { invariant } from '../values/invariant.ts'
import { type Invoice, invoiceNumber, type InvoiceStatus } from './invoice.ts'

/** What a row holds of an invoice. */
export interface StoredInvoice {
  readonly status: string
  readonly series: string | null
  readonly number: number | null
  readonly document: string
}

/** Members of an invoice that are bigint in the record and a decimal string in its document. */
const BIGINT_MEMBERS = new Set(['minor', 'quantity', 'included', 'billable', 'per'])

/** The invoice without its number and status, which have columns of their own. */
export function invoiceToDocument(invoice: Invoice): string {
  const { number: _number, status: _status, ...document } = invoice
  return JSON.stringify(document, (_member, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}

/** The invoice of a row. The store's own checks allow the known statuses only. */
export function invoiceFromStored({ status, series, number, document }: StoredInvoice): Invoice {
  const members = JSON.parse(document, (member, value: unknown) =>
    BIGINT_MEMBERS.has(member) && typeof value === 'string' ? BigInt(value) : value,
  )
  invariant((number === null) === (status === 'draft'), 'a draft has no number and a final invoice has one')
  const written = series === null || number === null ? null : invoiceNumber(series, number)
  return { ...members, number: written, status: status as InvoiceStatus }
}
