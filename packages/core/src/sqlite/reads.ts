/** The few reads around the one door for writes. They see what is committed. */

import type { ApiKeyRecord } from '../account/account-state.ts'
import { invalidPlace, pageLimit, pageOf, pagePlace } from '../contracts/paging.ts'
import type { InvoiceQuery, Page, PageRequest, StoredTotal, TotalQuery } from '../contracts/store.ts'
import { type Invoice, parseInvoiceNumber } from '../records/invoice.ts'
import type { UsageEvent } from '../records/usage-event.ts'
import type { Quantity } from '../values/quantity.ts'
import type { Labels } from './labels.ts'
import { apiKeyFromRow, eventFromRow, invoiceFromRow } from './rows.ts'
import type { Statements, StoredTotalRow } from './statements.ts'

export interface Reads {
  log(page: PageRequest): Page<UsageEvent>
  events(query: TotalQuery & PageRequest): Page<UsageEvent>
  recount(query: TotalQuery): { quantity: Quantity; events: number }
  totals(page: PageRequest): Page<StoredTotal>
  invoices(query: InvoiceQuery): Page<Invoice>
  invoice(idOrNumber: string): Invoice | null
  customerIds(page: PageRequest): Page<string>
  apiKey(id: string): ApiKeyRecord | null
  apiKeys(customerId: string): ApiKeyRecord[]
}

export function createReads(statements: Statements, labels: Labels): Reads {
  return { log, events, recount, totals, invoices, invoice, customerIds, apiKey, apiKeys }

  function log(page: PageRequest): Page<UsageEvent> {
    const limit = pageLimit(page)
    const rows = statements.log.all(pagePlace(page, 0), limit)
    return pageOf(rows, limit, eventFromRow, (row) => String(row.seq))
  }

  function events(query: TotalQuery & PageRequest): Page<UsageEvent> {
    const limit = pageLimit(query)
    const total = totalKeyOf(query)
    const after = query.after === undefined ? null : pagePlace(query, 0)
    const isLost = after !== null && (total === null || statements.isOfTotal.get({ ...total, seq: after }) === undefined)
    if (isLost) throw invalidPlace(query.after)
    if (total === null) return { items: [], next: null }
    const rows = statements.chain.all({ ...total, after, limit })
    return pageOf(rows, limit, eventFromRow, (row) => String(row.seq))
  }

  function recount(query: TotalQuery): { quantity: Quantity; events: number } {
    const total = totalKeyOf(query)
    const counted = total === null ? undefined : statements.recount.get(total)
    return { quantity: counted?.quantity ?? 0n, events: Number(counted?.events ?? 0n) }
  }

  function totalKeyOf({
    customerId,
    feature,
    periodStart,
  }: TotalQuery): { customer_id: number; feature_id: number; period_start: number } | null {
    const customer = statements.customer.get(customerId)
    const featureId = labels.find(feature)
    if (customer === undefined || featureId === null) return null
    return { customer_id: Number(customer.id), feature_id: featureId, period_start: periodStart }
  }

  function totals(page: PageRequest): Page<StoredTotal> {
    const limit = pageLimit(page)
    const rows = statements.totals.all(pagePlace(page, 0), limit)
    return pageOf(rows, limit, totalFromRow, (row) => String(row.id))
  }

  function invoices(query: InvoiceQuery): Page<Invoice> {
    const limit = pageLimit(query)
    const after = pagePlace(query, 0)
    const { customerId } = query
    const rows =
      customerId === undefined ? statements.invoices.all(after, limit) : statements.invoicesOf.all(customerId, after, limit)
    return pageOf(rows, limit, invoiceFromRow, (row) => String(row.seq))
  }

  function invoice(idOrNumber: string): Invoice | null {
    const written = parseInvoiceNumber(idOrNumber)
    const byNumber = written === null ? undefined : statements.invoiceByNumber.get(written.series, written.number)
    const row = byNumber ?? statements.invoiceById.get(idOrNumber)
    return row === undefined ? null : invoiceFromRow(row)
  }

  function customerIds(page: PageRequest): Page<string> {
    const limit = pageLimit(page)
    const rows = statements.customerIds.all(pagePlace(page, 0), limit)
    return pageOf(
      rows,
      limit,
      ({ customer }) => customer,
      (row) => String(row.id),
    )
  }

  function apiKey(id: string): ApiKeyRecord | null {
    const row = statements.apiKey.get(id)
    return row === undefined ? null : apiKeyFromRow(row)
  }

  function apiKeys(customerId: string): ApiKeyRecord[] {
    return statements.apiKeys.all(customerId).map(apiKeyFromRow)
  }
}

/** The log of a file is whole. */
const NOTHING = { quantity: 0n, events: 0 }

function totalFromRow(row: StoredTotalRow): StoredTotal {
  return {
    customerId: row.customer,
    feature: row.feature,
    periodStart: Number(row.period_start),
    quantity: row.quantity,
    events: Number(row.events),
    invoiceId: row.invoice_id,
    dropped: NOTHING,
  }
}
