/** Cursors of pages: opaque to callers, checked when they come back. */

import { Problem } from './problems.ts'

/** Where each feature's listing goes on: the `seq` of the last event that was given, by feature. */
export type EventPlaces = Readonly<Record<string, number>>

export function placeCursor(after: string | null): string | null {
  return after === null ? null : encode(Number(after))
}

export function parsePlaceCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined
  const place = decode(cursor)
  if (isPlace(place)) return String(place)
  throw invalidCursor()
}

export function eventsCursor(places: EventPlaces): string {
  return encode(places)
}

export function parseEventsCursor(cursor: string | undefined): ReadonlyMap<string, number> {
  if (cursor === undefined) return new Map()
  const places = decode(cursor)
  const isRecord = typeof places === 'object' && places !== null && !Array.isArray(places)
  if (isRecord && Object.values(places).every(isPlace)) return new Map(Object.entries(places as EventPlaces))
  throw invalidCursor()
}

export function invalidCursor(): Problem {
  return new Problem('invalid_cursor', 'Expected the cursor of a page before, got another text: begin again without one.')
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown
  } catch {
    throw invalidCursor()
  }
}

function isPlace(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
