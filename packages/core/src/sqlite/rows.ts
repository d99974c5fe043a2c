/** Conversions between records and rows: `toRow` and `fromRow`, asserted on both sides. */

import type { ApiKeyRecord } from '../account/account-state.ts'
import { type Customer, customerFromDocument } from '../account/customer.ts'
import { type Subscription, subscriptionColumns, subscriptionToDocument } from '../account/subscription.ts'
import type { LoggedEvent, StoredTotal } from '../contracts/store.ts'
import type { AccountRecord, RecordKind, StoredRecord } from '../records/account-record.ts'
import { chargeFromDocument, chargeToDocument } from '../records/charge.ts'
import type { Invoice } from '../records/invoice.ts'
import { invoiceFromStored } from '../records/invoice-document.ts'
import type { ModelUsage } from '../records/model-usage.ts'
import type { Reservation } from '../records/reservation.ts'
import type { UsageEvent } from '../records/usage-event.ts'
import { type Decimal, DECIMAL_ZERO, formatDecimal, storedDecimal } from '../values/decimal.ts'
import { invariant } from '../values/invariant.ts'
import { ONE } from '../values/quantity.ts'

/** Integers come back as bigint (`safeIntegers`), because quantities do not fit a double. */
export interface CustomerRow {
  readonly id: bigint
  readonly customer: string
  readonly name: string | null
  readonly email: string | null
  readonly time_zone: string
  readonly created_at: bigint
  readonly details: string | null
}

export interface RecordRow {
  readonly place: bigint
  readonly kind: string
  readonly id: string
  readonly is_open: bigint
  readonly document: string
}

export interface StoredRecordRow extends RecordRow {
  readonly customer: string
}

export interface TotalRow {
  readonly id: bigint
  readonly feature: string
  readonly period_start: bigint
  readonly quantity: bigint
  readonly events: bigint
  readonly cost: string
  readonly uncovered: string
  readonly last_seq: bigint
}

export interface StoredTotalRow extends TotalRow {
  readonly customer: string
  readonly invoice_id: string | null
}

export interface EventRow {
  readonly seq: bigint
  readonly customer: string
  readonly feature: string
  readonly period_start: bigint
  readonly quantity: bigint
  readonly at: bigint
  readonly route: string | null
  readonly key: string
  readonly properties: string | null
  readonly charge: string | null
  readonly corrects: bigint | null
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

export function customerFromRow({ customer, name, email, time_zone, created_at, details }: CustomerRow): Customer {
  const columns = { id: customer, name, email, timeZone: time_zone, createdAt: Number(created_at) }
  return customerFromDocument(columns, details)
}

export function subscriptionToRow(customerRowId: number, subscription: Subscription): Record<string, string | number | null> {
  const { id, plan, catalogVersion, status, anchor, startsAt, endsAt, nextMoment, dueAt } = subscriptionColumns(subscription)
  return {
    customer_id: customerRowId,
    id,
    plan,
    catalog_version: catalogVersion,
    status,
    anchor,
    starts_at: startsAt,
    ends_at: endsAt,
    next_moment: nextMoment,
    due_at: dueAt,
    document: subscriptionToDocument(subscription),
  }
}

/** An event of a total, whose customer and feature are known. */
export type ChainRow = [
  seq: number,
  quantity: number | string,
  at: number,
  route: string | null,
  key: string,
  properties: string | null,
  charge: string | null,
  corrects: number | null,
]

export function eventOfTotal(customerId: string, feature: string, row: ChainRow): UsageEvent {
  const [seq, units, at, route, key, properties, charge, corrects] = row
  const quantity = units === ONE_UNIT ? ONE : BigInt(units)
  const event: Mutable<UsageEvent> = { seq, customerId, feature, quantity, at, key, route, properties: propertiesOf(properties) }
  return withCharge(event, charge, corrects)
}

const ONE_UNIT = Number(ONE)

export function eventFromRow(row: EventRow): UsageEvent {
  const { customer: customerId, feature, quantity, key, route } = row
  const [seq, at] = [Number(row.seq), Number(row.at)]
  const event: Mutable<UsageEvent> = {
    seq,
    customerId,
    feature,
    quantity,
    at,
    key,
    route,
    properties: propertiesOf(row.properties),
  }
  return withCharge(event, row.charge, row.corrects === null ? null : Number(row.corrects))
}

export function loggedEventFromRow(row: EventRow): LoggedEvent {
  return { ...eventFromRow(row), periodStart: Number(row.period_start) }
}

export function totalFromRow(row: StoredTotalRow): StoredTotal {
  return {
    customerId: row.customer,
    feature: row.feature,
    periodStart: Number(row.period_start),
    quantity: row.quantity,
    events: Number(row.events),
    cost: amountFromText(row.cost),
    uncovered: amountFromText(row.uncovered),
    invoiceId: row.invoice_id,
    dropped: NOTHING,
  }
}

type Mutable<T> = { -readonly [Member in keyof T]: T[Member] }

function propertiesOf(text: string | null): UsageEvent['properties'] {
  return text === null ? null : JSON.parse(text)
}

/** Most events have neither. */
function withCharge(event: Mutable<UsageEvent>, charge: string | null, corrects: number | null): UsageEvent {
  if (charge !== null) event.charge = chargeFromDocument(charge)
  if (corrects !== null) event.corrects = corrects
  invariant(event.quantity >= 0n || corrects !== null, 'only a correction takes units back')
  return event
}

/** The log of a file is whole. */
const NOTHING = { quantity: 0n, events: 0, cost: DECIMAL_ZERO, uncovered: DECIMAL_ZERO }

/** Where units alone are counted nothing is to be read. */
export function amountFromText(text: string): Decimal {
  return text === '0' ? DECIMAL_ZERO : storedDecimal(text)
}

export function amountToText(amount: Decimal): string {
  return amount.coefficient === 0n ? '0' : formatDecimal(amount)
}

export function recordFromRow({ kind, id, is_open, document }: RecordRow): AccountRecord {
  // What was written was of a known kind.
  return { kind: kind as RecordKind, id, isOpen: is_open === 1n, document }
}

export function storedRecordFromRow(row: StoredRecordRow): StoredRecord {
  return { customerId: row.customer, ...recordFromRow(row) }
}

export function apiKeyFromRow(row: ApiKeyRow): ApiKeyRecord {
  const { id, name } = row
  const revokedAt = row.revoked_at === null ? null : Number(row.revoked_at)
  return { id, customerId: row.customer, name, secretHash: row.secret_hash, createdAt: Number(row.created_at), revokedAt }
}

export function invoiceFromRow({ status, series, number, document }: InvoiceRow): Invoice {
  return invoiceFromStored({ status, series, number: number === null ? null : Number(number), document })
}

/**
 * A reservation as a row holds it: an array, since names would take more room than values. The quantity is a decimal string,
 * because a double would not hold it; the charge and an AI model's usage are there where there are any.
 */
type StoredReservation = [
  key: string,
  customerId: string,
  feature: string,
  quantity: string,
  at: number,
  route: string | null,
  periodStart: number,
  charge?: string | null,
  usage?: ModelUsage,
]

/** Put together by hand, because each request is in one: those of a commit mostly differ in key and customer alone. */
export function reservationsToRow(reservations: readonly Reservation[]): string {
  const parts: string[] = []
  let before: Reservation | null = null
  let rest = ''
  for (const reservation of reservations) {
    if (before === null || !areAlike(before, reservation)) rest = restOfRow(reservation)
    before = reservation
    parts.push('[', JSON.stringify(reservation.key), ',', JSON.stringify(reservation.customerId), rest, ',')
  }
  parts.pop()
  return `[${parts.join('')}]`
}

/** What follows a reservation's key and customer. */
function restOfRow({ feature, quantity, at, route, periodStart, charge, usage }: Reservation): string {
  const plain = `,${JSON.stringify(feature)},"${quantity}",${at},${JSON.stringify(route)},${periodStart}`
  if (charge === undefined && usage === undefined) return `${plain}]`
  const charged = JSON.stringify(charge === undefined ? null : chargeToDocument(charge))
  return usage === undefined ? `${plain},${charged}]` : `${plain},${charged},${JSON.stringify(usage)}]`
}

function areAlike(a: Reservation, b: Reservation): boolean {
  const isPlain = b.charge === undefined && b.usage === undefined && a.charge === undefined && a.usage === undefined
  const isSamePlace = a.feature === b.feature && a.route === b.route && a.periodStart === b.periodStart
  return isPlain && isSamePlace && a.at === b.at && a.quantity === b.quantity
}

export function reservationsFromRow(text: string): Reservation[] {
  const stored: StoredReservation[] = JSON.parse(text)
  return stored.map(([key, customerId, feature, quantity, at, route, periodStart, charge = null, usage]) => {
    const reservation = { key, customerId, feature, quantity: BigInt(quantity), at, route, periodStart }
    if (charge === null && usage === undefined) return reservation
    const held = charge === null ? {} : { charge: chargeFromDocument(charge) }
    return { ...reservation, ...held, ...(usage === undefined ? {} : { usage }) }
  })
}
