/** The few reads around the one door for writes. They see what is committed. */

import {
  type ApiKeyRecord,
  type Invoice,
  type InvoiceQuery,
  invalidPlace,
  type Page,
  pageLimit,
  pageOf,
  pagePlace,
  type PageRequest,
  parseInvoiceNumber,
  type Quantity,
  type Reservation,
  type Store,
  type StoredCatalog,
  type StoredTotal,
  type TotalQuery,
  type UsageEvent,
} from '@farebox/core/contracts'
import type { Names } from './names.ts'
import {
  type ApiKeyRow,
  apiKeyFromRow,
  type EventRow,
  eventFromRow,
  type InvoiceRow,
  invoiceFromRow,
  type ReservationRow,
  reservationFromRow,
  type StoredTotalRow,
  totalFromRow,
} from './rows.ts'

/** Runs a statement and gives its rows. */
export type Query = <Row>(text: string, values?: readonly unknown[]) => Promise<readonly Row[]>

const EVENT = 'customer, seq, feature, quantity, at, route, key, properties'
const INVOICE = 'customer, place, status, series, number, document'
const API_KEY = 'id, customer, name, secret_hash, created_at, revoked_at'

export type Reads = Pick<
  Store,
  | 'log'
  | 'events'
  | 'recount'
  | 'totals'
  | 'invoices'
  | 'invoice'
  | 'apiKey'
  | 'apiKeys'
  | 'customerIds'
  | 'catalogs'
  | 'saveCatalog'
  | 'claimDue'
  | 'orphans'
>

/** `process` is this one, whose reservations are never those of a dead one. */
export function createReads(query: Query, { of }: Names, process: string, deadAfterMs: number): Reads {
  return {
    log,
    events,
    recount,
    totals,
    invoices,
    invoice,
    apiKey,
    apiKeys,
    customerIds,
    catalogs,
    saveCatalog,
    claimDue,
    orphans,
  }

  async function log(page: PageRequest): Promise<Page<UsageEvent>> {
    const limit = pageLimit(page)
    const [customer, seq] = placesOf(page, 2, ['', 0])
    const rows = await query<EventRow>(
      `SELECT ${EVENT} FROM ${of('events')} WHERE (customer, seq) > ($1, $2) ORDER BY customer, seq LIMIT $3`,
      [customer, seq, limit],
    )
    return pageOf(rows, limit, eventFromRow, (row) => JSON.stringify([row.customer, Number(row.seq)]))
  }

  async function events(request: TotalQuery & PageRequest): Promise<Page<UsageEvent>> {
    const limit = pageLimit(request)
    const { customerId, feature, periodStart } = request
    const ofTotal = 'customer = $1 AND feature = $2 AND period_start = $3'
    const key = [customerId, feature, periodStart]
    const after = pagePlace(request, Number.MAX_SAFE_INTEGER)
    if (request.after !== undefined) {
      const found = await query(`SELECT 1 FROM ${of('events')} WHERE ${ofTotal} AND at >= $3 AND seq = $4`, [...key, after])
      if (found.length === 0) throw invalidPlace(request.after)
    }
    // No event of a period is earlier than its start: that leaves earlier partitions alone.
    const rows = await query<EventRow>(
      `SELECT ${EVENT} FROM ${of('events')} WHERE ${ofTotal} AND at >= $3 AND seq < $4 ORDER BY seq DESC LIMIT $5`,
      [...key, after, limit],
    )
    return pageOf(rows, limit, eventFromRow, (row) => row.seq)
  }

  async function recount({
    customerId,
    feature,
    periodStart,
  }: TotalQuery): Promise<{ readonly quantity: Quantity; readonly events: number }> {
    const [row] = await query<{ quantity: string; events: string }>(
      `SELECT coalesce(sum(quantity), 0) AS quantity, coalesce(sum(events), 0) AS events FROM (
         SELECT quantity, 1 AS events FROM ${of('events')}
           WHERE customer = $1 AND feature = $2 AND period_start = $3 AND at >= $3
         UNION ALL
         SELECT quantity, events FROM ${of('sealed')} WHERE customer = $1 AND feature = $2 AND period_start = $3
       ) AS counted`,
      [customerId, feature, periodStart],
    )
    return { quantity: BigInt(row?.quantity ?? 0), events: Number(row?.events ?? 0) }
  }

  async function totals(page: PageRequest): Promise<Page<StoredTotal>> {
    const limit = pageLimit(page)
    const [customer, feature, periodStart] = placesOf(page, 3, ['', '', 0])
    const rows = await query<StoredTotalRow>(
      `SELECT t.*, coalesce(s.quantity, 0) AS dropped_quantity, coalesce(s.events, 0) AS dropped_events
       FROM ${of('totals')} t LEFT JOIN LATERAL (
         SELECT sum(quantity) AS quantity, sum(events) AS events FROM ${of('sealed')} s
         WHERE s.customer = t.customer AND s.feature = t.feature AND s.period_start = t.period_start
       ) s ON true
       WHERE (t.customer, t.feature, t.period_start) > ($1, $2, $3)
       ORDER BY t.customer, t.feature, t.period_start LIMIT $4`,
      [customer, feature, periodStart, limit],
    )
    return pageOf(rows, limit, totalFromRow, (row) => JSON.stringify([row.customer, row.feature, Number(row.period_start)]))
  }

  async function invoices(request: InvoiceQuery): Promise<Page<Invoice>> {
    const limit = pageLimit(request)
    const { customerId = null } = request
    const rows = await query<InvoiceRow>(
      `SELECT ${INVOICE} FROM ${of('invoices')} WHERE place > $1 AND ($3::text IS NULL OR customer = $3) ORDER BY place LIMIT $2`,
      [pagePlace(request, 0), limit, customerId],
    )
    return pageOf(rows, limit, invoiceFromRow, (row) => row.place)
  }

  async function invoice(idOrNumber: string): Promise<Invoice | null> {
    const { series, number } = parseInvoiceNumber(idOrNumber) ?? { series: null, number: null }
    const rows = await query<InvoiceRow>(
      `SELECT ${INVOICE} FROM ${of('invoices')} WHERE series = $2 AND number = $3
       UNION ALL SELECT ${INVOICE} FROM ${of('invoices')} WHERE id = $1 LIMIT 1`,
      [idOrNumber, series, number],
    )
    return rows[0] === undefined ? null : invoiceFromRow(rows[0])
  }

  async function apiKey(id: string): Promise<ApiKeyRecord | null> {
    const [row] = await query<ApiKeyRow>(`SELECT ${API_KEY} FROM ${of('api_keys')} WHERE id = $1`, [id])
    return row === undefined ? null : apiKeyFromRow(row)
  }

  async function apiKeys(customerId: string): Promise<readonly ApiKeyRecord[]> {
    const order = 'WHERE customer = $1 ORDER BY created_at, id'
    const rows = await query<ApiKeyRow>(`SELECT ${API_KEY} FROM ${of('api_keys')} ${order}`, [customerId])
    return rows.map(apiKeyFromRow)
  }

  async function customerIds(page: PageRequest): Promise<Page<string>> {
    const limit = pageLimit(page)
    const rows = await query<{ customer: string; place: string }>(
      `SELECT customer, place FROM ${of('accounts')} WHERE place > $1 ORDER BY place LIMIT $2`,
      [pagePlace(page, 0), limit],
    )
    return pageOf(
      rows,
      limit,
      ({ customer }) => customer,
      ({ place }) => place,
    )
  }

  function catalogs(): Promise<readonly StoredCatalog[]> {
    return query<StoredCatalog>(`SELECT version, document FROM ${of('catalogs')} ORDER BY version`)
  }

  async function saveCatalog({ version, document }: StoredCatalog): Promise<void> {
    await query(`INSERT INTO ${of('catalogs')} (version, document) VALUES ($1, $2) ON CONFLICT DO NOTHING`, [version, document])
  }

  async function claimDue(now: number, limit: number): Promise<readonly string[]> {
    const rows = await query<{ customer: string }>(
      `SELECT customer FROM ${of('subscriptions')} WHERE due_at <= $1 ORDER BY due_at, place LIMIT $2`,
      [now, limit],
    )
    return rows.map(({ customer }) => customer)
  }

  /** By the server's clock. A server that was away heard of nobody, so nobody is dead for what it missed. */
  async function orphans(): Promise<readonly Reservation[]> {
    const rows = await query<ReservationRow>(
      `SELECT customer, key, feature, quantity, at, route, period_start FROM ${of('reservations')} r
       WHERE r.process <> $1 AND NOT EXISTS (
         SELECT 1 FROM ${of('lanes')} l WHERE l.process = r.process
           AND greatest(l.seen_at, pg_postmaster_start_time()) > clock_timestamp() - make_interval(secs => $2))`,
      [process, deadAfterMs / 1000],
    )
    return rows.map(reservationFromRow)
  }
}

/** A cursor that is a list of so many texts and numbers, of the kinds that `first` has. */
function placesOf({ after }: PageRequest, count: number, first: readonly (string | number)[]): readonly unknown[] {
  if (after === undefined) return first
  let parsed: unknown
  try {
    parsed = JSON.parse(after)
  } catch {
    throw invalidPlace(after)
  }
  const places: readonly unknown[] = Array.isArray(parsed) ? parsed : []
  const isPlace = places.length === count && first.every((one, i) => typeof one === typeof places[i])
  if (!isPlace || !first.every((one, i) => typeof one === 'string' || Number.isSafeInteger(places[i]))) throw invalidPlace(after)
  return places
}
