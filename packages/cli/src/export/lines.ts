/** The lines of an export: each is a JSON object with a `kind`, and together they are all that a store holds. README.md describes them. */

import {
  type AccountRecord,
  type ApiKeyRecord,
  chargeToDocument,
  type Customer,
  customerToDocument,
  formatDecimal,
  formatInstant,
  type Invoice,
  invoiceToDocument,
  type LoggedEvent,
  type StoredCatalog,
  type StoredCounter,
  type StoredRecord,
  type StoredTotal,
  type Subscription,
  subscriptionToDocument,
} from '@farebox/core/contracts'
import { formatQuantity } from '@farebox/core'

/** What is written is read for ever: another form of a line is another version. */
export const EXPORT_VERSION = 1

/** How many of each kind the lines hold, the last line excepted. */
export interface ExportCounts {
  catalogs: number
  customers: number
  records: number
  counters: number
  totals: number
  invoices: number
  events: number
}

export function headerLine(): string {
  return lineOf('farebox', { version: EXPORT_VERSION })
}

/** Without it the lines were cut off. */
export function endLine(counts: ExportCounts): string {
  return lineOf('end', counts)
}

export function catalogLine({ version, document }: StoredCatalog): string {
  return lineOf('catalog', { version, document: jsonOf(document) })
}

export interface ExportedAccount {
  readonly customer: Customer
  readonly subscription: Subscription | null
  readonly apiKeys: readonly ApiKeyRecord[]
}

export function customerLine({ customer, subscription, apiKeys }: ExportedAccount): string {
  const { id, name, email, timeZone, createdAt } = customer
  const details = customerToDocument(customer)
  return lineOf('customer', {
    id,
    name,
    email,
    time_zone: timeZone,
    created_at: formatInstant(createdAt),
    details: details === null ? null : jsonOf(details),
    subscription: subscription === null ? null : jsonOf(subscriptionToDocument(subscription)),
    api_keys: apiKeys.map((key) => ({
      id: key.id,
      name: key.name,
      secret_hash: key.secretHash,
      created_at: formatInstant(key.createdAt),
      revoked_at: key.revokedAt === null ? null : formatInstant(key.revokedAt),
    })),
  })
}

export function recordLine({ customerId, kind, id, isOpen, document }: StoredRecord): string {
  return lineOf('record', {
    customer: customerId,
    record: kind satisfies AccountRecord['kind'],
    id,
    open: isOpen,
    document: jsonOf(document),
  })
}

export function counterLine({ counter, taken }: StoredCounter): string {
  return lineOf('counter', { counter, taken })
}

export function totalLine(total: StoredTotal): string {
  const { customerId, feature, periodStart, quantity, events, cost, uncovered, invoiceId } = total
  return lineOf('total', {
    customer: customerId,
    feature,
    period_start: formatInstant(periodStart),
    quantity: formatQuantity(quantity),
    events,
    cost: formatDecimal(cost),
    uncovered: formatDecimal(uncovered),
    invoice: invoiceId,
  })
}

export function invoiceLine(invoice: Invoice): string {
  const { id, customerId, number, status } = invoice
  return lineOf('invoice', { id, customer: customerId, number, status, document: jsonOf(invoiceToDocument(invoice)) })
}

/** `original` is the key of the event that a correction corrects. */
export function eventLine(event: LoggedEvent, original: string | undefined): string {
  const { customerId, seq, feature, quantity, at, periodStart, key, route, properties, charge, corrects } = event
  return lineOf('event', {
    customer: customerId,
    seq,
    feature,
    quantity: formatQuantity(quantity),
    timestamp: formatInstant(at),
    period_start: formatInstant(periodStart),
    key,
    route,
    properties,
    // What is undefined is left out.
    charge: charge === undefined ? undefined : jsonOf(chargeToDocument(charge)),
    corrects: corrects === undefined ? undefined : { seq: corrects, key: original },
  })
}

function lineOf(kind: string, members: object): string {
  return JSON.stringify({ kind, ...members })
}

/** A store's own documents are JSON that is written again as it was: their names are words, and so keep their order. */
function jsonOf(document: string): unknown {
  return JSON.parse(document)
}
