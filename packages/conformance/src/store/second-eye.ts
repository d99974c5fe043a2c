/** The second eye: what the database holds by its public views, whatever the driver makes of integers and JSON. */

import type { StoreDatabase, StoreRow } from './database.ts'
import { exact, integer, integerOrNull, text, textOrNull, truth } from './row-values.ts'

export interface SeenCustomer {
  readonly customer: string
  readonly name: string | null
  readonly email: string | null
  readonly timeZone: string
  readonly createdAt: number
  readonly details: string | null
  readonly subscription: string | null
  readonly plan: string | null
  readonly status: string | null
}

export interface SeenEvent {
  readonly customer: string
  readonly seq: number
  readonly feature: string
  readonly periodStart: number
  readonly quantity: bigint
  readonly at: number
  readonly route: string | null
  readonly key: string
  readonly properties: unknown
  readonly charge: string | null
  readonly corrects: number | null
}

export interface SeenTotal {
  readonly customer: string
  readonly feature: string
  readonly periodStart: number
  /** 0 is the period's own; what came after its invoice is in later ones. */
  readonly round: number
  readonly quantity: bigint
  readonly events: number
  readonly cost: string
  readonly uncovered: string
  readonly invoice: string | null
}

export interface SeenRecord {
  readonly customer: string
  readonly kind: string
  readonly id: string
  readonly isOpen: boolean
  readonly document: string
}

export interface SeenGrant {
  readonly customer: string
  readonly id: string
  readonly unit: string
  readonly source: string
  readonly granted: string
  readonly used: string
  readonly revoked: string
  readonly expiresAt: number | null
  readonly isOpen: boolean
}

export interface SeenCounter {
  readonly counter: string
  readonly taken: number
}

export interface SeenReservation {
  readonly customer: string
  readonly key: string
  readonly feature: string
  readonly quantity: bigint
  readonly at: number
  readonly charge: string | null
}

export interface SeenInvoice {
  readonly customer: string
  readonly id: string
  readonly status: string
  readonly series: string | null
  readonly number: number | null
  readonly document: string
}

/** Each by customer, and then by the order or the name of the thing. */
export interface SecondEye {
  customers(): Promise<SeenCustomer[]>
  events(): Promise<SeenEvent[]>
  totals(): Promise<SeenTotal[]>
  records(): Promise<SeenRecord[]>
  grants(): Promise<SeenGrant[]>
  counters(): Promise<SeenCounter[]>
  reservations(): Promise<SeenReservation[]>
  invoices(): Promise<SeenInvoice[]>
}

export function createSecondEye({ rows }: Pick<StoreDatabase, 'rows'>): SecondEye {
  /** The rows of a view, in an order of their own. */
  async function list<Seen>(view: View<Seen>): Promise<Seen[]> {
    const found = await rows(`SELECT ${view.columns} FROM ${view.name}`)
    return sorted(found.map(view.seen), view.placeOf)
  }
  return {
    customers: () => list(CUSTOMERS),
    events: () => list(EVENTS),
    totals: () => list(TOTALS),
    records: () => list(RECORDS),
    grants: () => list(GRANTS),
    counters: () => list(COUNTERS),
    reservations: () => list(RESERVATIONS),
    invoices: () => list(INVOICES),
  }
}

/** A public view and what is read of it. */
interface View<Seen> {
  readonly name: string
  readonly columns: string
  readonly seen: (row: StoreRow) => Seen
  readonly placeOf: (seen: Seen) => readonly (string | number)[]
}

const CUSTOMERS: View<SeenCustomer> = {
  name: 'customers',
  columns: 'customer, name, email, time_zone, created_at, details, subscription, plan, status',
  seen: (row) => ({
    customer: text(row, 'customer'),
    name: textOrNull(row, 'name'),
    email: textOrNull(row, 'email'),
    timeZone: text(row, 'time_zone'),
    createdAt: integer(row, 'created_at'),
    details: textOrNull(row, 'details'),
    subscription: textOrNull(row, 'subscription'),
    plan: textOrNull(row, 'plan'),
    status: textOrNull(row, 'status'),
  }),
  placeOf: ({ customer, subscription }) => [customer, subscription ?? ''],
}

const EVENTS: View<SeenEvent> = {
  name: 'events',
  columns: 'seq, customer, feature, period_start_ms, quantity_millionths, at_ms, route, key, properties, charge, corrects',
  seen: (row) => {
    const { properties } = row
    return {
      customer: text(row, 'customer'),
      seq: integer(row, 'seq'),
      feature: text(row, 'feature'),
      periodStart: integer(row, 'period_start_ms'),
      quantity: exact(row, 'quantity_millionths'),
      at: integer(row, 'at_ms'),
      route: textOrNull(row, 'route'),
      key: text(row, 'key'),
      properties: typeof properties === 'string' ? JSON.parse(properties) : properties,
      charge: textOrNull(row, 'charge'),
      corrects: integerOrNull(row, 'corrects'),
    }
  },
  placeOf: ({ customer, seq }) => [customer, seq],
}

const TOTALS: View<SeenTotal> = {
  name: 'totals',
  columns: 'customer, feature, period_start_ms, round, quantity_millionths, events, cost, uncovered, invoice',
  seen: (row) => ({
    customer: text(row, 'customer'),
    feature: text(row, 'feature'),
    periodStart: integer(row, 'period_start_ms'),
    round: integer(row, 'round'),
    quantity: exact(row, 'quantity_millionths'),
    events: integer(row, 'events'),
    cost: text(row, 'cost'),
    uncovered: text(row, 'uncovered'),
    invoice: textOrNull(row, 'invoice'),
  }),
  placeOf: ({ customer, feature, periodStart, round }) => [customer, feature, periodStart, round],
}

const RECORDS: View<SeenRecord> = {
  name: 'records',
  columns: 'customer, kind, id, is_open, document',
  seen: (row) => ({
    customer: text(row, 'customer'),
    kind: text(row, 'kind'),
    id: text(row, 'id'),
    isOpen: truth(row, 'is_open'),
    document: text(row, 'document'),
  }),
  placeOf: ({ customer, kind, id }) => [customer, kind, id],
}

const GRANTS: View<SeenGrant> = {
  name: 'grants',
  columns: 'customer, id, unit, source, granted, used, revoked, expires_at, is_open',
  seen: (row) => ({
    customer: text(row, 'customer'),
    id: text(row, 'id'),
    unit: text(row, 'unit'),
    source: text(row, 'source'),
    granted: text(row, 'granted'),
    used: text(row, 'used'),
    revoked: text(row, 'revoked'),
    expiresAt: integerOrNull(row, 'expires_at'),
    isOpen: truth(row, 'is_open'),
  }),
  placeOf: ({ customer, id }) => [customer, id],
}

const COUNTERS: View<SeenCounter> = {
  name: 'counters',
  columns: 'counter, taken',
  seen: (row) => ({ counter: text(row, 'counter'), taken: integer(row, 'taken') }),
  placeOf: ({ counter }) => [counter],
}

const RESERVATIONS: View<SeenReservation> = {
  name: 'reservations',
  columns: 'key, customer, feature, quantity_millionths, at_ms, charge',
  seen: (row) => ({
    customer: text(row, 'customer'),
    key: text(row, 'key'),
    feature: text(row, 'feature'),
    quantity: exact(row, 'quantity_millionths'),
    at: integer(row, 'at_ms'),
    charge: textOrNull(row, 'charge'),
  }),
  placeOf: ({ customer, key }) => [customer, key],
}

const INVOICES: View<SeenInvoice> = {
  name: 'invoices',
  columns: 'customer, id, status, series, number, document',
  seen: (row) => ({
    customer: text(row, 'customer'),
    id: text(row, 'id'),
    status: text(row, 'status'),
    series: textOrNull(row, 'series'),
    number: integerOrNull(row, 'number'),
    document: text(row, 'document'),
  }),
  placeOf: ({ customer, number, id }) => [customer, number ?? Infinity, id],
}

/** By code units, as no collation of a database would change it. */
function sorted<T>(items: readonly T[], placeOf: (item: T) => readonly (string | number)[]): T[] {
  return items.toSorted((a, b) => {
    const other = placeOf(b)
    for (const [index, one] of placeOf(a).entries()) {
      const against = other[index] as string | number
      if (one !== against) return one < against ? -1 : 1
    }
    return 0
  })
}
