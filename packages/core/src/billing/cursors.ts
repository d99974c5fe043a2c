/** Cursors of pages: opaque to callers, checked when they come back. */

import { MAX_INSTANT } from '../values/instant.ts'
import { invalidCursor } from './problems.ts'

/** Where a listing of events goes on. */
export interface EventsCursor {
  /** First instant of the usage period that is listed. */
  readonly period: number
  /** The `seq` of the last event that was given, by feature. */
  readonly places: ReadonlyMap<string, number>
}

export function placeCursor(after: string | null): string | null {
  return after === null ? null : encode(Number(after))
}

export function parsePlaceCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined
  const place = decode(cursor)
  if (isPlace(place)) return String(place)
  throw invalidCursor()
}

export function eventsCursor({ period, places }: EventsCursor): string {
  return encode([period, [...places]])
}

export function parseEventsCursor(cursor: string | undefined): EventsCursor | null {
  if (cursor === undefined) return null
  const [period, places] = listOf(decode(cursor))
  if (!isPlace(period) || period > MAX_INSTANT) throw invalidCursor()
  return { period, places: new Map(listOf(places).map(parseFeaturePlace)) }
}

function parseFeaturePlace(entry: unknown): [feature: string, seq: number] {
  const [feature, seq] = listOf(entry)
  if (typeof feature === 'string' && isPlace(seq)) return [feature, seq]
  throw invalidCursor()
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[]
  throw invalidCursor()
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(cursor: string): unknown {
  const value = parsed(Buffer.from(cursor, 'base64url').toString())
  // One value has one cursor: decoding alone would pass over characters that are none of the alphabet.
  if (encode(value) !== cursor) throw invalidCursor()
  return value
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw invalidCursor()
  }
}

function isPlace(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
