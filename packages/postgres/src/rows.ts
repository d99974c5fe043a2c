/** Conversions between records and rows. The driver gives 64-bit integers as text, because a double does not hold them. */

import type {
  ApiKeyRecord,
  Customer,
  Invoice,
  Properties,
  Reservation,
  StoredTotal,
  Subscription,
  SubscriptionStatus,
  UsageEvent,
} from '@farebox/core/contracts'
import { invoiceFromStored } from '@farebox/core/contracts'

export interface AccountRow {
  readonly customer: string
  readonly version: string
  readonly last_seq: string
  readonly name: string | null
  readonly email: string | null
  readonly time_zone: string | null
  readonly created_at: string | null
}

export interface SubscriptionRow {
  readonly customer: string
  readonly id: string
  readonly plan: string
  readonly catalog_version: string
  readonly status: string
  readonly anchor: string
  readonly time_zone: string
  readonly starts_at: string
  readonly created_at: string
  readonly ends_at: string | null
  readonly next_moment: string
  readonly due_at: string | null
}

export interface TotalRow {
  readonly customer: string
  readonly feature: string
  readonly period_start: string
  readonly quantity: string
  readonly events: string
  readonly last_seq: string
  readonly invoice_id: string | null
}

/** With what retention took out of the log. */
export interface StoredTotalRow extends TotalRow {
  readonly dropped_quantity: string
  readonly dropped_events: string
}

export interface ReservationRow {
  readonly customer: string
  readonly key: string
  readonly feature: string
  readonly quantity: string
  readonly at: string
  readonly route: string | null
  readonly period_start: string
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
export function customerFromRow({ customer, name, email, time_zone, created_at }: AccountRow): Customer | null {
  if (time_zone === null || created_at === null) return null
  return { id: customer, name, email, timeZone: time_zone, createdAt: Number(created_at) }
}

export function subscriptionFromRow(row: SubscriptionRow): Subscription {
  return {
    id: row.id,
    customerId: row.customer,
    plan: row.plan,
    catalogVersion: row.catalog_version,
    // The table's own CHECK allows these words only.
    status: row.status as SubscriptionStatus,
    anchor: Number(row.anchor),
    timeZone: row.time_zone,
    startsAt: Number(row.starts_at),
    createdAt: Number(row.created_at),
    endsAt: numberOrNull(row.ends_at),
    nextMoment: Number(row.next_moment),
    dueAt: numberOrNull(row.due_at),
  }
}

export function reservationFromRow(row: ReservationRow): Reservation {
  const { key, customer, feature, quantity, at, route, period_start } = row
  return {
    key,
    customerId: customer,
    feature,
    quantity: BigInt(quantity),
    at: Number(at),
    route,
    periodStart: Number(period_start),
  }
}

export function eventFromRow(row: EventRow): UsageEvent {
  const { seq, customer, feature, quantity, at, key, route, properties } = row
  return {
    seq: Number(seq),
    customerId: customer,
    feature,
    quantity: BigInt(quantity),
    at: Number(at),
    key,
    route,
    properties,
  }
}

export function totalFromRow(row: StoredTotalRow): StoredTotal {
  const { customer, feature, period_start, quantity, events, invoice_id } = row
  return {
    customerId: customer,
    feature,
    periodStart: Number(period_start),
    quantity: BigInt(quantity),
    events: Number(events),
    invoiceId: invoice_id,
    dropped: { quantity: BigInt(row.dropped_quantity), events: Number(row.dropped_events) },
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
