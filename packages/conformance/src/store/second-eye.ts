/** The second eye: what the database holds by its public views, whatever the driver makes of integers and JSON. */

import type { StoreDatabase, StoreRow } from './database.ts'

export interface SeenCustomer {
  readonly customer: string
  readonly name: string | null
  readonly email: string | null
  readonly timeZone: string
  readonly createdAt: number
  readonly subscription: string | null
  readonly plan: string | null
  readonly status: string | null
}

export interface SeenEvent {
  readonly customer: string
  readonly seq: number
  readonly feature: string
  readonly quantity: bigint
  readonly at: number
  readonly route: string | null
  readonly key: string
  readonly properties: unknown
}

export interface SeenTotal {
  readonly customer: string
  readonly feature: string
  readonly periodStart: number
  readonly quantity: bigint
  readonly events: number
  readonly invoice: string | null
}

export interface SeenReservation {
  readonly customer: string
  readonly key: string
  readonly feature: string
  readonly quantity: bigint
  readonly at: number
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
  reservations(): Promise<SeenReservation[]>
  invoices(): Promise<SeenInvoice[]>
}

export function createSecondEye({ rows }: Pick<StoreDatabase, 'rows'>): SecondEye {
  return {
    async customers() {
      const found = await rows('SELECT customer, name, email, time_zone, created_at, subscription, plan, status FROM customers')
      const seen = found.map((row) => ({
        customer: text(row, 'customer'),
        name: textOrNull(row, 'name'),
        email: textOrNull(row, 'email'),
        timeZone: text(row, 'time_zone'),
        createdAt: integer(row, 'created_at'),
        subscription: textOrNull(row, 'subscription'),
        plan: textOrNull(row, 'plan'),
        status: textOrNull(row, 'status'),
      }))
      return sorted(seen, ({ customer, subscription }) => [customer, subscription ?? ''])
    },
    async events() {
      const found = await rows('SELECT seq, customer, feature, quantity_millionths, at_ms, route, key, properties FROM events')
      return sorted(found.map(eventFromRow), ({ customer, seq }) => [customer, seq])
    },
    async totals() {
      const found = await rows('SELECT customer, feature, period_start_ms, quantity_millionths, events, invoice FROM totals')
      const seen = found.map((row) => ({
        customer: text(row, 'customer'),
        feature: text(row, 'feature'),
        periodStart: integer(row, 'period_start_ms'),
        quantity: exact(row, 'quantity_millionths'),
        events: integer(row, 'events'),
        invoice: textOrNull(row, 'invoice'),
      }))
      return sorted(seen, ({ customer, feature, periodStart }) => [customer, feature, periodStart])
    },
    async reservations() {
      const found = await rows('SELECT key, customer, feature, quantity_millionths, at_ms FROM reservations')
      const seen = found.map((row) => ({
        customer: text(row, 'customer'),
        key: text(row, 'key'),
        feature: text(row, 'feature'),
        quantity: exact(row, 'quantity_millionths'),
        at: integer(row, 'at_ms'),
      }))
      return sorted(seen, ({ customer, key }) => [customer, key])
    },
    async invoices() {
      const found = await rows('SELECT id, customer, status, series, number, document FROM invoices')
      const seen = found.map((row) => ({
        customer: text(row, 'customer'),
        id: text(row, 'id'),
        status: text(row, 'status'),
        series: textOrNull(row, 'series'),
        number: row['number'] === null ? null : integer(row, 'number'),
        document: text(row, 'document'),
      }))
      return sorted(seen, ({ customer, number, id }) => [customer, number ?? Infinity, id])
    },
  }
}

/** What the views say against each other; empty when all is well. */
export async function contradictions(eye: SecondEye): Promise<string[]> {
  const events = await eye.events()
  const found: string[] = []
  const places = events.map(({ customer, seq }) => JSON.stringify([customer, seq]))
  if (new Set(places).size < places.length) found.push('two events of one customer have one place')
  const ofLog = sums(events.map((event) => ({ ...event, events: 1 })))
  const ofTotals = sums(await eye.totals())
  if (ofLog !== ofTotals) found.push(`the events sum up to ${ofLog}, the totals say ${ofTotals}`)
  const numbers = new Map<string, number[]>()
  for (const { series, number } of await eye.invoices())
    if (series !== null && number !== null) numbers.set(series, [...(numbers.get(series) ?? []), number])
  for (const [series, taken] of numbers) {
    const isGapless = taken.toSorted((a, b) => a - b).every((number, index) => number === index + 1)
    if (!isGapless) found.push(`the numbers of ${series} are ${taken.join(', ')}`)
  }
  return found
}

interface Summed {
  readonly customer: string
  readonly feature: string
  readonly quantity: bigint
  readonly events: number
}

/** Quantity and number of events for each feature of each customer, as text that compares. */
function sums(parts: readonly Summed[]): string {
  const found = new Map<string, { quantity: bigint; events: number }>()
  for (const { customer, feature, quantity, events } of parts) {
    const key = `${customer} ${feature}`
    const sum = found.get(key) ?? { quantity: 0n, events: 0 }
    found.set(key, { quantity: sum.quantity + quantity, events: sum.events + events })
  }
  const lines = [...found].filter(([, { events }]) => events > 0).map(([key, sum]) => `${key} ${sum.quantity} in ${sum.events}`)
  return lines.toSorted().join('; ')
}

function eventFromRow(row: StoreRow): SeenEvent {
  const { properties } = row
  return {
    customer: text(row, 'customer'),
    seq: integer(row, 'seq'),
    feature: text(row, 'feature'),
    quantity: exact(row, 'quantity_millionths'),
    at: integer(row, 'at_ms'),
    route: textOrNull(row, 'route'),
    key: text(row, 'key'),
    properties: typeof properties === 'string' ? JSON.parse(properties) : properties,
  }
}

function exact(row: StoreRow, column: string): bigint {
  const value = row[column]
  if (typeof value === 'bigint') return value
  const isExact = typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value))
  if (!isExact)
    throw new TypeError(`Expected ${column} to be an exact integer, got ${String(value)}: have the driver read bigints`)
  return BigInt(value)
}

function integer(row: StoreRow, column: string): number {
  return Number(exact(row, column))
}

function text(row: StoreRow, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw new TypeError(`Expected ${column} to be text, got ${String(value)}`)
  return value
}

function textOrNull(row: StoreRow, column: string): string | null {
  return row[column] === null ? null : text(row, column)
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
