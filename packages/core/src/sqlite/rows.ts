/** Conversions between records and rows: `toRow` and `fromRow`, asserted on both sides. */

import type { ApiKeyRecord } from '../account/account-state.ts'
import type { Customer } from '../account/customer.ts'
import type { Subscription, SubscriptionStatus } from '../account/subscription.ts'
import type { Invoice } from '../records/invoice.ts'
import { invoiceFromStored } from '../records/invoice-document.ts'
import type { Reservation } from '../records/reservation.ts'
import type { UsageEvent } from '../records/usage-event.ts'
import { invariant } from '../values/invariant.ts'

/** Integers come back as bigint (`safeIntegers`), because quantities do not fit a double. */
export interface CustomerRow {
  readonly id: bigint
  readonly customer: string
  readonly name: string | null
  readonly email: string | null
  readonly time_zone: string
  readonly created_at: bigint
}

export interface SubscriptionRow {
  readonly id: string
  readonly plan: string
  readonly catalog_version: string
  readonly status: string
  readonly anchor: bigint
  readonly time_zone: string
  readonly starts_at: bigint
  readonly created_at: bigint
  readonly ends_at: bigint | null
  readonly next_moment: bigint
  readonly due_at: bigint | null
}

export interface EventRow {
  readonly seq: bigint
  readonly customer: string
  readonly feature: string
  readonly quantity: bigint
  readonly at: bigint
  readonly route: string | null
  readonly key: string
  readonly properties: string | null
}

export interface InvoiceRow {
  readonly seq: bigint
  readonly status: string
  readonly series: string | null
  readonly number: bigint | null
  readonly document: string
}

export interface ApiKeyRow {
  readonly id: string
  readonly customer: string
  readonly name: string | null
  readonly secret_hash: string
  readonly created_at: bigint
  readonly revoked_at: bigint | null
}

export function customerFromRow(row: CustomerRow): Customer {
  return { id: row.customer, name: row.name, email: row.email, timeZone: row.time_zone, createdAt: Number(row.created_at) }
}

export function subscriptionFromRow(customerId: string, row: SubscriptionRow): Subscription {
  return {
    id: row.id,
    customerId,
    plan: row.plan,
    catalogVersion: row.catalog_version,
    // The table's own CHECK allows these words only.
    status: row.status as SubscriptionStatus,
    anchor: Number(row.anchor),
    timeZone: row.time_zone,
    startsAt: Number(row.starts_at),
    createdAt: Number(row.created_at),
    endsAt: row.ends_at === null ? null : Number(row.ends_at),
    nextMoment: Number(row.next_moment),
    dueAt: row.due_at === null ? null : Number(row.due_at),
  }
}

export function subscriptionToRow(customerRowId: number, subscription: Subscription): Record<string, string | number | null> {
  const { id, plan, status, anchor } = subscription
  return {
    customer_id: customerRowId,
    id,
    plan,
    catalog_version: subscription.catalogVersion,
    status,
    anchor,
    time_zone: subscription.timeZone,
    starts_at: subscription.startsAt,
    created_at: subscription.createdAt,
    ends_at: subscription.endsAt,
    next_moment: subscription.nextMoment,
    due_at: subscription.dueAt,
  }
}

export function eventFromRow(row: EventRow): UsageEvent {
  invariant(row.quantity >= 0n, 'the log holds no negative quantity')
  return {
    seq: Number(row.seq),
    customerId: row.customer,
    feature: row.feature,
    quantity: row.quantity,
    at: Number(row.at),
    key: row.key,
    route: row.route,
    properties: row.properties === null ? null : JSON.parse(row.properties),
  }
}

export function apiKeyFromRow(row: ApiKeyRow): ApiKeyRecord {
  const { id, name } = row
  const revokedAt = row.revoked_at === null ? null : Number(row.revoked_at)
  return { id, customerId: row.customer, name, secretHash: row.secret_hash, createdAt: Number(row.created_at), revokedAt }
}

export function invoiceFromRow({ status, series, number, document }: InvoiceRow): Invoice {
  return invoiceFromStored({ status, series, number: number === null ? null : Number(number), document })
}

/** A reservation as a row holds it: an array, since names would take more room than values. The quantity is a decimal string, because a double would not hold it. */
type StoredReservation = [
  key: string,
  customerId: string,
  feature: string,
  quantity: string,
  at: number,
  route: string | null,
  periodStart: number,
]

export function reservationsToRow(reservations: Iterable<Reservation>): string {
  const stored: StoredReservation[] = []
  for (const { key, customerId, feature, quantity, at, route, periodStart } of reservations) {
    stored.push([key, customerId, feature, String(quantity), at, route, periodStart])
  }
  return JSON.stringify(stored)
}

export function reservationsFromRow(text: string): Reservation[] {
  const stored: StoredReservation[] = JSON.parse(text)
  return stored.map(([key, customerId, feature, quantity, at, route, periodStart]) => ({
    key,
    customerId,
    feature,
    quantity: BigInt(quantity),
    at,
    route,
    periodStart,
  }))
}
