/** Statements that write many rows at once. */

import type { Database } from 'better-sqlite3'

/** Writes rows, given as the values of all their columns one after the other; gives how many it changed. */
export type ManyRows = (values: readonly unknown[]) => number

/** Rows of one call: half of what a statement costs is the call, and they share it. */
const ROWS_AT_ONCE = [64, 32, 16, 8, 4, 2, 1] as const

/** `sql` makes the statement of the placeholders of all its rows. */
export function manyRows(db: Database, columns: number, sql: (rows: string) => string): ManyRows {
  const row = `(${Array(columns).fill('?').join(', ')})`
  const prepared = ROWS_AT_ONCE.map((rows) => ({
    size: rows * columns,
    // Only counts come back: no bigint has to be made of them.
    statement: db.prepare(sql(Array(rows).fill(row).join(', '))).safeIntegers(false),
  }))
  return (values) => {
    let changes = 0
    let from = 0
    for (const { size, statement } of prepared)
      for (; values.length - from >= size; from += size)
        changes += statement.run(size === values.length ? values : values.slice(from, from + size)).changes
    return changes
  }
}
