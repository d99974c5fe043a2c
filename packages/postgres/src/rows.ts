/** Conversions between records and rows. The driver gives 64-bit integers as text, because a double does not hold them. */

import {
  type AccountRecord,
  type ApiKeyRecord,
  chargeFromDocument,
  type Customer,
  customerFromDocument,
  type Decimal,
  DECIMAL_ZERO,
  formatDecimal,
  type Invoice,
  invoiceFromStored,
  type LoggedEvent,
  type ModelUsage,
  type Properties,
  type RecordKind,
  type Reservation,
  storedDecimal,
  type StoredRecord,
  type StoredTotal,
  type UsageEvent,
} from '@farebox/core/contracts'

export interface AccountRow {
  readonly customer: string
  readonly version: string
  readonly last_seq: string
  readonly name: string | null
  readonly email: string | null
  readonly time_zone: string | null
  readonly created_at: string | null
  readonly details: string | null
}

export interface SubscriptionRow {
  readonly customer: string
  readonly document: string
}

export interface RecordRow {
  readonly customer: string
  readonly kind: string
  readonly id: string
  readonly place: string
  readonly is_open: boolean
  readonly document: string
}

export interface TotalRow {
  readonly customer: string
  readonly feature: string
  readonly period_start: string
  readonly first_seq: string
  readonly quantity: string
  readonly events: string
  readonly cost: string
  readonly uncovered: string
  readonly last_seq: string
  readonly invoice_id: string | null
}

/** With what retention took out of the log. */
export interface StoredTotalRow extends TotalRow {
  readonly dropped_quantity: string
  readonly dropped_events: string
  readonly dropped_cost: string
  readonly dropped_uncovered: string
}

export interface ReservationRow {
  readonly customer: string
  readonly key: string
  readonly feature: string
  readonly quantity: string
  readonly at: string
  readonly route: string | null
  readonly period_start: string
  readonly charge: string | null
  readonly usage: ModelUsage | null
}

export interface EventRow {
  readonly customer: string
  readonly seq: string
  readonly feature: string
  readonly quantity: string
  readonly at: string
  readonly route: string | null
  readonly key: string
  readonly properties: Properties | null
  readonly charge: string | null
  readonly corrects: string | null
}

export interface LoggedEventRow extends EventRow {
  readonly period_start: string
}

export interface InvoiceRow {
  readonly customer: string
  readonly place: string
  readonly status: string
  readonly series: string | null
  readonly number: string | null
  readonly document: string
}

export interface ApiKeyRow {
  readonly id: string
  readonly customer: string
  readonly name: string | null
  readonly secret_hash: string
  readonly created_at: string
  readonly revoked_at: string | null
}

/** Null for an account whose customer was not written yet. */
export function customerFromRow({ customer, name, email, time_zone, created_at, details }: AccountRow): Customer | null {
  if (time_zone === null || created_at === null) return null
  return customerFromDocument({ id: customer, name, email, timeZone: time_zone, createdAt: Number(created_at) }, details)
}

export function reservationFromRow(row: ReservationRow): Reservation {
  const { key, customer, feature, quantity, at, route, period_start, charge, usage } = row
  const reservation = {
    key,
    customerId: customer,
    feature,
    quantity: BigInt(quantity),
    at: Number(at),
    route,
    periodStart: Number(period_start),
  }
  if (charge === null && usage === null) return reservation
  const held = charge === null ? {} : { charge: chargeFromDocument(charge) }
  return { ...reservation, ...held, ...(usage === null ? {} : { usage }) }
}

export function eventFromRow(row: EventRow): UsageEvent {
  const { seq, customer, feature, quantity, at, key, route, properties, charge, corrects } = row
  const event: { -readonly [Member in keyof UsageEvent]: UsageEvent[Member] } = {
    seq: Number(seq),
    customerId: customer,
    feature,
    quantity: BigInt(quantity),
    at: Number(at),
    key,
    route,
    properties,
  }
  if (charge !== null) event.charge = chargeFromDocument(charge)
  if (corrects !== null) event.corrects = Number(corrects)
  return event
}

export function loggedEventFromRow(row: LoggedEventRow): LoggedEvent {
  return { ...eventFromRow(row), periodStart: Number(row.period_start) }
}

export function recordFromRow({ kind, id, is_open, document }: RecordRow): AccountRecord {
  // What was written was of a known kind.
  return { kind: kind as RecordKind, id, isOpen: is_open, document }
}

export function storedRecordFromRow(row: RecordRow): StoredRecord {
  return { customerId: row.customer, ...recordFromRow(row) }
}

/** Where units alone are counted nothing is to be read. */
export function amountFromText(text: string): Decimal {
  return text === '0' ? DECIMAL_ZERO : storedDecimal(text)
}

export function amountToText(amount: Decimal): string {
  return amount.coefficient === 0n ? '0' : formatDecimal(amount)
}

export function totalFromRow(row: StoredTotalRow): StoredTotal {
  const { customer, feature, period_start, quantity, events, cost, uncovered, invoice_id } = row
  return {
    customerId: customer,
    feature,
    periodStart: Number(period_start),
    quantity: BigInt(quantity),
    events: Number(events),
    cost: amountFromText(cost),
    uncovered: amountFromText(uncovered),
    invoiceId: invoice_id,
    dropped: {
      quantity: BigInt(row.dropped_quantity),
      events: Number(row.dropped_events),
      cost: amountFromText(row.dropped_cost),
      uncovered: amountFromText(row.dropped_uncovered),
    },
  }
}

export function invoiceFromRow({ status, series, number, document }: InvoiceRow): Invoice {
  return invoiceFromStored({ status, series, number: numberOrNull(number), document })
}

export function apiKeyFromRow({ id, customer, name, secret_hash, created_at, revoked_at }: ApiKeyRow): ApiKeyRecord {
  return {
    id,
    customerId: customer,
    name,
    secretHash: secret_hash,
    createdAt: Number(created_at),
    revokedAt: numberOrNull(revoked_at),
  }
}

function numberOrNull(text: string | null): number | null {
  return text === null ? null : Number(text)
}
