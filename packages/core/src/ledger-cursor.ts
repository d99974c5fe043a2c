/** Where a ledger goes on: opaque to callers, checked when it comes back. */

import { invalidPlace } from './contracts/paging.ts'
import { type Decimal, formatDecimal, parseStoredDecimal } from './values/decimal.ts'
import { MAX_INSTANT } from './values/instant.ts'

export interface LedgerCursor {
  /** Instant of the first page: what happened later is not in the ledger. */
  readonly asOf: number
  /** Place of the newest event that is in it; 0 where no open period has one. */
  readonly top: number
  /** What there was before everything that was given. */
  readonly balance: Decimal
  /** First instant of the usage period whose events are given; null: none were yet. */
  readonly period: number | null
  /** The last event that was given, by its total. */
  readonly places: ReadonlyMap<string, number>
  /** The last movement of a grant that was given. */
  readonly movement: { readonly at: number; readonly name: string } | null
}

export function writeLedgerCursor({ asOf, top, balance, period, places, movement }: LedgerCursor): string {
  const parts = [asOf, top, formatDecimal(balance), period, [...places], movement === null ? null : [movement.at, movement.name]]
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/** Throws `invalid_option`. */
export function parseLedgerCursor(cursor: string): LedgerCursor {
  const parts = typeof cursor === 'string' && cursor.length <= MAX_CURSOR ? parsed(cursor) : null
  if (!Array.isArray(parts) || parts.length !== 6) throw invalidPlace(cursor)
  const [asOf, top, amount, period, places, movement] = parts as unknown[]
  const balance = typeof amount === 'string' ? parseStoredDecimal(amount) : null
  if (!isPlace(asOf) || !isPlace(top) || balance === null || (period !== null && !isPlace(period))) throw invalidPlace(cursor)
  if (!Array.isArray(places) || !places.every(isNamedPlace)) throw invalidPlace(cursor)
  if (movement === null) return { asOf, top, balance, period, places: new Map(places), movement }
  if (!Array.isArray(movement) || !isPlace(movement[0]) || typeof movement[1] !== 'string') throw invalidPlace(cursor)
  return { asOf, top, balance, period, places: new Map(places), movement: { at: movement[0], name: movement[1] } }
}

/** A place for each feature of a plan, and a balance of any length, fit in. */
const MAX_CURSOR = 65_536

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown
  } catch {
    return null
  }
}

function isPlace(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MAX_INSTANT
}

function isNamedPlace(entry: unknown): entry is [string, number] {
  return Array.isArray(entry) && entry.length === 2 && typeof entry[0] === 'string' && isPlace(entry[1])
}
