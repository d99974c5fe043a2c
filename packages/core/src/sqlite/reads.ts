/** The few reads around the one door for writes. They see what is committed. */

import type { ApiKeyRecord } from '../account/account-state.ts'
import { invalidPlace, pageLimit, pageOf, pagePlace } from '../contracts/paging.ts'
import type {
  Counted,
  InvoiceQuery,
  LoggedEvent,
  Page,
  PageRequest,
  RecordQuery,
  StoredCounter,
  StoredTotal,
  TotalQuery,
  TotalsQuery,
} from '../contracts/store.ts'
import type { StoredRecord } from '../records/account-record.ts'
import { chargeFromDocument } from '../records/charge.ts'
import { type Invoice, parseInvoiceNumber } from '../records/invoice.ts'
import type { UsageEvent } from '../records/usage-event.ts'
import { add, DECIMAL_ZERO } from '../values/decimal.ts'
import type { Labels } from './labels.ts'
import {
  apiKeyFromRow,
  eventOfTotal,
  invoiceFromRow,
  loggedEventFromRow,
  storedRecordFromRow,
  type StoredRecordRow,
  totalFromRow,
} from './rows.ts'
import type { Statements, TotalPlaces } from './statements.ts'

export interface Reads {
  log(page: PageRequest): Page<LoggedEvent>
  events(query: TotalQuery & PageRequest): Page<UsageEvent>
  recount(query: TotalQuery): Counted
  totalsOf(query: TotalsQuery): StoredTotal[]
  totals(page: PageRequest): Page<StoredTotal>
  invoices(query: InvoiceQuery): Page<Invoice>
  invoice(idOrNumber: string): Invoice | null
  customerIds(page: PageRequest): Page<string>
  records(query: RecordQuery): Page<StoredRecord>
  counters(): StoredCounter[]
  apiKey(id: string): ApiKeyRecord | null
  apiKeys(customerId: string): ApiKeyRecord[]
}

export function createReads(statements: Statements, labels: Labels): Reads {
  const ofLog = { log, events, recount, totalsOf, totals }
  return { ...ofLog, invoices, invoice, customerIds, records, counters, apiKey, apiKeys }

  function log(page: PageRequest): Page<LoggedEvent> {
    const limit = pageLimit(page)
    const rows = statements.log.all(pagePlace(page, 0), limit)
    return pageOf(rows, limit, loggedEventFromRow, (row) => String(row.seq))
  }

  function events(query: TotalQuery & PageRequest): Page<UsageEvent> {
    const limit = pageLimit(query)
    const after = query.after === undefined ? null : pagePlace(query, 0)
    const places = placesOf(query)
    const first = after === null ? places?.last_seq : previousOf(query, places, after)
    if (first === undefined) {
      if (after !== null) throw invalidPlace(query.after)
      return { items: [], next: null }
    }
    const { customerId, feature } = query
    const rows = statements.chain.all(first, limit)
    return pageOf(
      rows,
      limit,
      (row) => eventOfTotal(customerId, feature, row),
      ([seq]) => String(seq),
    )
  }

  /** Place of the event before one of a total; undefined where that is no event of it. */
  function previousOf(query: TotalQuery, places: TotalPlaces | undefined, seq: number): bigint | undefined {
    const total = totalsKeyOf(query)
    if (total === null || places === undefined || seq > places.last_seq || seq <= places.before) return undefined
    return statements.previousOf.get({ ...total, seq })
  }

  function recount(query: TotalQuery): Counted {
    const places = placesOf(query)
    const counted = places === undefined ? undefined : statements.recount.get(places.last_seq)
    let [cost, uncovered] = [DECIMAL_ZERO, DECIMAL_ZERO]
    if (places !== undefined && counted !== undefined && counted.charged > 0n) {
      // Added here: SQLite has no exact decimals.
      for (const document of statements.charges.iterate(places.last_seq)) {
        const charge = chargeFromDocument(document)
        cost = add(cost, charge.cost)
        uncovered = add(uncovered, charge.uncovered)
      }
    }
    return { quantity: counted?.quantity ?? 0n, events: Number(counted?.events ?? 0n), cost, uncovered }
  }

  function placesOf({ invoiceId, ...query }: TotalQuery): TotalPlaces | undefined {
    const total = totalsKeyOf(query)
    if (total === null) return undefined
    return statements.totalPlaces.get({ ...total, is_newest: invoiceId === undefined ? 1 : 0, invoice_id: invoiceId ?? null })
  }

  function totalsOf(query: TotalsQuery): StoredTotal[] {
    const total = totalsKeyOf(query)
    return total === null ? [] : statements.totalsOf.all(total).map(totalFromRow)
  }

  function totalsKeyOf({
    customerId,
    feature,
    periodStart,
  }: TotalsQuery): { customer_id: number; feature_id: number; period_start: number } | null {
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

  function records(query: RecordQuery): Page<StoredRecord> {
    const limit = pageLimit(query)
    const { kind, customerId, isOpen } = query
    const after = pagePlace(query, 0)
    const page = { kind, is_open: isOpen === undefined ? null : Number(isOpen), after, limit }
    const ofAll = (): StoredRecordRow[] =>
      isOpen === true ? statements.openRecordsOfKind.all(kind, after, limit) : statements.records.all(page)
    const rows = customerId === undefined ? ofAll() : statements.recordsOf.all({ ...page, customer: customerId })
    return pageOf(rows, limit, storedRecordFromRow, (row) => String(row.place))
  }

  function counters(): StoredCounter[] {
    return statements.counters.all().map(({ counter, taken }) => ({ counter, taken: Number(taken) }))
  }

  function apiKey(id: string): ApiKeyRecord | null {
    const row = statements.apiKey.get(id)
    return row === undefined ? null : apiKeyFromRow(row)
  }

  function apiKeys(customerId: string): ApiKeyRecord[] {
    return statements.apiKeys.all(customerId).map(apiKeyFromRow)
  }
}
