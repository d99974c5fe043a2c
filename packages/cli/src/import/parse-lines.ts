/** Reads the lines of an export again. What is not as it was written throws, and whoever reads the file says in which line. */

import {
  type AccountRecord,
  type ApiKeyRecord,
  chargeFromDocument,
  type Customer,
  customerFromDocument,
  DECIMAL_ZERO,
  grantFromRecord,
  type Invoice,
  invoiceFromStored,
  type LoggedEvent,
  parseInstant,
  parseInvoiceNumber,
  paymentFromRecord,
  type RecordKind,
  storedDecimal,
  type StoredCatalog,
  type StoredCounter,
  type StoredRecord,
  type StoredTotal,
  type Subscription,
  subscriptionFromDocument,
  unpricedFromRecord,
} from '@farebox/core/contracts'
import { RECORD_KINDS } from '../move/records.ts'

export type Line = Readonly<Record<string, unknown>>

/** The object of a line. */
export function parseLine(text: string): Line {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it is no JSON object')
  return value as Line
}

export function catalogOf(line: Line): StoredCatalog {
  return { version: textIn(line, 'version'), document: documentIn(line, 'document') }
}

export interface ReadAccount {
  readonly customer: Customer
  readonly subscription: Subscription | null
  readonly apiKeys: readonly ApiKeyRecord[]
}

export function accountOf(line: Line): ReadAccount {
  const id = textIn(line, 'id')
  const columns = {
    id,
    name: textOrNullIn(line, 'name'),
    email: textOrNullIn(line, 'email'),
    timeZone: textIn(line, 'time_zone'),
    createdAt: instantIn(line, 'created_at'),
  }
  const keys = line['api_keys']
  if (!Array.isArray(keys)) throw new Error('api_keys is no list')
  return {
    customer: customerFromDocument(columns, line['details'] === null ? null : documentIn(line, 'details')),
    subscription: line['subscription'] === null ? null : subscriptionFromDocument(documentIn(line, 'subscription')),
    apiKeys: keys.map((key: Line) => ({
      id: textIn(key, 'id'),
      customerId: id,
      name: textOrNullIn(key, 'name'),
      secretHash: textIn(key, 'secret_hash'),
      createdAt: instantIn(key, 'created_at'),
      revokedAt: key['revoked_at'] === null ? null : instantIn(key, 'revoked_at'),
    })),
  }
}

export function recordOf(line: Line): StoredRecord {
  const kind = textIn(line, 'record') as RecordKind
  if (!RECORD_KINDS.includes(kind)) throw new Error(`there is no record ${kind}`)
  if (typeof line['open'] !== 'boolean') throw new Error('open is neither true nor false')
  const record = { kind, id: textIn(line, 'id'), isOpen: line['open'], document: documentIn(line, 'document') }
  READERS[kind](record)
  return { customerId: textIn(line, 'customer'), ...record }
}

/** They throw for a document that is none of theirs. */
const READERS: Readonly<Record<RecordKind, (record: AccountRecord) => unknown>> = {
  grant: grantFromRecord,
  payment: paymentFromRecord,
  unpriced: unpricedFromRecord,
}

export function counterOf(line: Line): StoredCounter {
  return { counter: textIn(line, 'counter'), taken: countIn(line, 'taken') }
}

export function totalOf(line: Line): StoredTotal {
  return {
    customerId: textIn(line, 'customer'),
    feature: textIn(line, 'feature'),
    periodStart: instantIn(line, 'period_start'),
    quantity: quantityIn(line),
    events: countIn(line, 'events'),
    cost: storedDecimal(textIn(line, 'cost')),
    uncovered: storedDecimal(textIn(line, 'uncovered')),
    invoiceId: textOrNullIn(line, 'invoice'),
    dropped: { quantity: 0n, events: 0, cost: DECIMAL_ZERO, uncovered: DECIMAL_ZERO },
  }
}

export function invoiceOf(line: Line): Invoice {
  const number = textOrNullIn(line, 'number')
  const written = number === null ? null : parseInvoiceNumber(number)
  if (number !== null && written === null) throw new Error(`${number} is no number of an invoice`)
  const stored = { status: textIn(line, 'status'), document: documentIn(line, 'document') }
  return invoiceFromStored({ ...stored, series: written?.series ?? null, number: written?.number ?? null })
}

export function eventOf(line: Line): LoggedEvent {
  const corrects = line['corrects'] as Line | undefined
  return {
    customerId: textIn(line, 'customer'),
    seq: countIn(line, 'seq'),
    feature: textIn(line, 'feature'),
    quantity: quantityIn(line),
    at: instantIn(line, 'timestamp'),
    periodStart: instantIn(line, 'period_start'),
    key: textIn(line, 'key'),
    route: textOrNullIn(line, 'route'),
    properties: line['properties'] as LoggedEvent['properties'],
    ...(line['charge'] === undefined ? {} : { charge: chargeFromDocument(documentIn(line, 'charge')) }),
    ...(corrects === undefined ? {} : { corrects: countIn(corrects, 'seq') }),
  }
}

/** Of a correction: which event it corrects. */
export function originalOf(line: Line): { readonly seq: number; readonly key: string } | null {
  const corrects = line['corrects'] as Line | undefined
  return corrects === undefined ? null : { seq: countIn(corrects, 'seq'), key: textIn(corrects, 'key') }
}

export function textIn(line: Line, name: string): string {
  const value = line[name]
  if (typeof value !== 'string') throw new Error(`${name} is no text`)
  return value
}

function textOrNullIn(line: Line, name: string): string | null {
  return line[name] === null ? null : textIn(line, name)
}

export function countIn(line: Line, name: string): number {
  const value = line[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Error(`${name} is no whole number`)
  return value
}

function instantIn(line: Line, name: string): number {
  return parseInstant(textIn(line, name), name)
}

/** In millionths; a correction takes units back. */
function quantityIn(line: Line): bigint {
  const { coefficient, scale } = storedDecimal(textIn(line, 'quantity'))
  if (scale > PLACES) throw new Error(`quantity has more than ${PLACES} places`)
  return coefficient * 10n ** BigInt(PLACES - scale)
}

const PLACES = 6

/** As a store writes it. */
function documentIn(line: Line, name: string): string {
  const value = line[name]
  if (typeof value !== 'object' || value === null) throw new Error(`${name} is no object`)
  return JSON.stringify(value)
}
