/** What every listing of a store has in common. */

import { FareboxError } from '../errors.ts'
import { MAX_PAGE, type Page, type PageRequest } from './store.ts'

const DEFAULT_PAGE = 100

/** How many items the page may have. Throws `invalid_option`. */
export function pageLimit({ limit = DEFAULT_PAGE }: PageRequest): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= MAX_PAGE) return limit
  throw new FareboxError('invalid_option', `Expected limit to be a whole number from 1 to ${MAX_PAGE}, got ${String(limit)}`, {
    fields: { limit },
  })
}

/** A cursor that is a number, written as `String()` writes it, or `first` where there is none. Throws `invalid_option`. */
export function pagePlace({ after }: PageRequest, first: number): number {
  if (after === undefined) return first
  const place = Number(after)
  if (Number.isSafeInteger(place) && place >= 0 && String(place) === after) return place
  throw invalidPlace(after)
}

export function invalidPlace(after: unknown): FareboxError {
  return new FareboxError('invalid_option', `Expected after to be the cursor of a page before, got ${JSON.stringify(after)}`, {
    fields: { after },
  })
}

/** The page that rows make; a full one may be followed by another. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
  cursor: (row: Row) => string,
): Page<Item> {
  const last = rows.at(-1)
  return { items: rows.map((row) => toItem(row)), next: last === undefined || rows.length < limit ? null : cursor(last) }
}
