/** Values of a row, whatever the driver makes of integers. */

import type { StoreRow } from './database.ts'

export function exact(row: StoreRow, column: string): bigint {
  const value = row[column]
  if (typeof value === 'bigint') return value
  const isExact = typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value))
  if (!isExact)
    throw new TypeError(`Expected ${column} to be an exact integer, got ${String(value)}: have the driver read bigints`)
  return BigInt(value)
}

export function integer(row: StoreRow, column: string): number {
  return Number(exact(row, column))
}

export function integerOrNull(row: StoreRow, column: string): number | null {
  return row[column] === null ? null : integer(row, column)
}

/** A database without truth values has 0 and 1. */
export function truth(row: StoreRow, column: string): boolean {
  const value = row[column]
  return typeof value === 'boolean' ? value : integer(row, column) === 1
}

export function text(row: StoreRow, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw new TypeError(`Expected ${column} to be text, got ${String(value)}`)
  return value
}

export function textOrNull(row: StoreRow, column: string): string | null {
  return row[column] === null ? null : text(row, column)
}
