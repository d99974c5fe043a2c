/** The few reads around the one door for writes. They see what is committed. */

import {
  type ApiKeyRecord,
  type Counted,
  DECIMAL_ZERO,
  invariant,
  type Invoice,
  type InvoiceQuery,
  invalidPlace,
  type LoggedEvent,
  type Page,
  pageLimit,
  pageOf,
  pagePlace,
  type PageRequest,
  parseInvoiceNumber,
  type RecordQuery,
  type Reservation,
  type Store,
  storedDecimal,
  type StoredCatalog,
  type StoredCounter,
  type StoredRecord,
  type StoredTotal,
  type TotalQuery,
  type TotalsQuery,
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
  loggedEventFromRow,
  type LoggedEventRow,
  type RecordRow,
  type ReservationRow,
  reservationFromRow,
  storedRecordFromRow,
  type StoredTotalRow,
  totalFromRow,
} from './rows.ts'

/** Runs a statement and gives its rows. */
export type Query = <Row>(text: string, values?: readonly unknown[]) => Promise<readonly Row[]>

const EVENT = 'customer, seq, feature, period_start, quantity, at, route, key, properties, charge, corrects'
const INVOICE = 'customer, place, status, series, number, document'
const API_KEY = 'id, customer, name, secret_hash, created_at, revoked_at'

export type Reads = Pick<
  Store,
  | 'log'
  | 'events'
  | 'recount'
  | 'totalsOf'
  | 'totals'
  | 'invoices'
  | 'invoice'
  | 'apiKey'
  | 'apiKeys'
  | 'customerIds'
  | 'records'
  | 'counters'
  | 'catalogs'
  | 'saveCatalog'
  | 'claimDue'
  | 'orphans'
>

/** `process` is this one, whose reservations are never those of a dead one. */
export function createReads(query: Query, { of }: Names, process: string, deadAfterMs: number): Reads {
  const sums = ['quantity', 'events', 'cost', 'uncovered']
  const TOTALS = `SELECT t.*, ${sums.map((name) => `coalesce(s.${name}, 0) AS dropped_${name}`).join(', ')}
    FROM ${of('totals')} t LEFT JOIN LATERAL (
      SELECT ${sums.map((name) => `sum(${name}) AS ${name}`).join(', ')} FROM ${of('sealed')} s
      WHERE s.customer = t.customer AND s.feature = t.feature AND s.period_start = t.period_start AND s.first_seq = t.first_seq
    ) s ON true`
  return {
    log,
    events,
    recount,
    totalsOf,
    totals,
    invoices,
    invoice,
    apiKey,
    apiKeys,
    customerIds,
    records,
    counters,
    catalogs,
    saveCatalog,
    claimDue,
    orphans,
  }

  async function log(page: PageRequest): Promise<Page<LoggedEvent>> {
    const limit = pageLimit(page)
    const [customer, seq] = placesOf(page, 2, ['', 0])
    const rows = await query<LoggedEventRow>(
      `SELECT ${EVENT} FROM ${of('events')} WHERE (customer, seq) > ($1, $2) ORDER BY customer, seq LIMIT $3`,
      [customer, seq, limit],
    )
    return pageOf(rows, limit, loggedEventFromRow, (row) => JSON.stringify([row.customer, Number(row.seq)]))
  }

  async function events(request: TotalQuery & PageRequest): Promise<Page<UsageEvent>> {
    const limit = pageLimit(request)
    const after = pagePlace(request, Number.MAX_SAFE_INTEGER)
    const total = await totalOf(request)
    if (request.after !== undefined) {
      const found = total === null ? [] : await query(`SELECT 1 FROM ${of('events')} WHERE ${ofTotal('$6')}`, [...total, after])
      if (found.length === 0) throw invalidPlace(request.after)
    }
    if (total === null) return { items: [], next: null }
    const rows = await query<EventRow>(
      `SELECT ${EVENT} FROM ${of('events')} WHERE ${ofTotal()} AND seq < $6 ORDER BY seq DESC LIMIT $7`,
      [...total, after, limit],
    )
    return pageOf(rows, limit, eventFromRow, (row) => row.seq)
  }

  async function recount(request: TotalQuery): Promise<Counted> {
    const total = await totalOf(request)
    if (total === null) return { quantity: 0n, events: 0, cost: DECIMAL_ZERO, uncovered: DECIMAL_ZERO }
    const [row] = await query<Record<keyof Counted, string>>(
      `SELECT coalesce(sum(quantity), 0) AS quantity, coalesce(sum(events), 0) AS events, coalesce(sum(cost), 0) AS cost,
         coalesce(sum(uncovered), 0) AS uncovered FROM (
         SELECT quantity, 1 AS events, (charge::json ->> 'cost')::numeric AS cost,
           (charge::json ->> 'uncovered')::numeric AS uncovered FROM ${of('events')} WHERE ${ofTotal()}
         UNION ALL
         SELECT quantity, events, cost, uncovered FROM ${of('sealed')}
           WHERE customer = $1 AND feature = $2 AND period_start = $3 AND first_seq = $4
       ) AS counted`,
      total,
    )
    invariant(row !== undefined, 'a sum has one row')
    const { quantity, events: count, cost, uncovered } = row
    return { quantity: BigInt(quantity), events: Number(count), cost: storedDecimal(cost), uncovered: storedDecimal(uncovered) }
  }

  /** Values $1 to $5 of `ofTotal`; null when there is no such total. */
  async function totalOf({ customerId, feature, periodStart, invoiceId }: TotalQuery): Promise<readonly unknown[] | null> {
    const [row] = await query<{ first_seq: string; last_seq: string }>(
      `SELECT first_seq, last_seq FROM ${of('totals')} WHERE customer = $1 AND feature = $2 AND period_start = $3
         AND ($4 OR invoice_id IS NOT DISTINCT FROM $5) ORDER BY first_seq DESC LIMIT 1`,
      [customerId, feature, periodStart, invoiceId === undefined, invoiceId ?? null],
    )
    return row === undefined ? null : [customerId, feature, periodStart, row.first_seq, row.last_seq]
  }

  async function totalsOf({ customerId, feature, periodStart }: TotalsQuery): Promise<readonly StoredTotal[]> {
    const rows = await query<StoredTotalRow>(
      `${TOTALS} WHERE t.customer = $1 AND t.feature = $2 AND t.period_start = $3 ORDER BY t.first_seq`,
      [customerId, feature, periodStart],
    )
    return rows.map(totalFromRow)
  }

  async function totals(page: PageRequest): Promise<Page<StoredTotal>> {
    const limit = pageLimit(page)
    const rows = await query<StoredTotalRow>(
      `${TOTALS} WHERE (t.customer, t.feature, t.period_start, t.first_seq) > ($1, $2, $3, $4)
       ORDER BY t.customer, t.feature, t.period_start, t.first_seq LIMIT $5`,
      [...placesOf(page, 4, ['', '', 0, 0]), limit],
    )
    return pageOf(rows, limit, totalFromRow, ({ customer, feature, period_start, first_seq }) =>
      JSON.stringify([customer, feature, Number(period_start), Number(first_seq)]),
    )
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

  async function records(request: RecordQuery): Promise<Page<StoredRecord>> {
    const limit = pageLimit(request)
    const { kind, customerId = null, isOpen } = request
    // Written out, so that open ones are found without looking at those that are closed.
    const which = isOpen === undefined ? '' : isOpen ? 'AND is_open' : 'AND NOT is_open'
    const rows = await query<RecordRow>(
      `SELECT customer, kind, id, place, is_open, document FROM ${of('records')} WHERE kind = $1 AND place > $2
         AND ($4::text IS NULL OR customer = $4) ${which} ORDER BY place LIMIT $3`,
      [kind, pagePlace(request, 0), limit, customerId],
    )
    return pageOf(rows, limit, storedRecordFromRow, ({ place }) => place)
  }

  async function counters(): Promise<readonly StoredCounter[]> {
    const rows = await query<{ counter: string; taken: string }>(`SELECT counter, taken FROM ${of('counters')} ORDER BY counter`)
    return rows.map(({ counter, taken }) => ({ counter, taken: Number(taken) }))
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
      `SELECT customer, key, feature, quantity, at, route, period_start, charge, usage FROM ${of('reservations')} r
       WHERE r.process <> $1 AND NOT EXISTS (
         SELECT 1 FROM ${of('lanes')} l WHERE l.process = r.process
           AND greatest(l.seen_at, pg_postmaster_start_time()) > clock_timestamp() - make_interval(secs => $2))`,
      [process, deadAfterMs / 1000],
    )
    return rows.map(reservationFromRow)
  }
}

/**
 * The events of a total, or the one at a place: values $1 to $5 say which total. No event of a period is earlier than its start: that
 * leaves earlier partitions alone.
 */
function ofTotal(place?: string): string {
  const seq = place === undefined ? 'seq BETWEEN $4 AND $5' : `seq = ${place} AND seq BETWEEN $4 AND $5`
  return `customer = $1 AND feature = $2 AND period_start = $3 AND at >= $3 AND ${seq}`
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
