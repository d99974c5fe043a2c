/** Statements that write many rows at once. */

import type { Database, Statement } from 'better-sqlite3'

/** Writes rows, given as the values of all their columns one after the other; gives how many it changed. */
export type ManyRows = (values: readonly unknown[]) => number

/** Rows of one call: half of what a statement costs is the call, and they share it. */
const ROWS_AT_ONCE = [64, 32, 16, 8, 4, 2, 1] as const

/** `sql` makes the statement of the placeholders of all its rows. Each size is prepared when it is needed first. */
export function manyRows(db: Database, columns: number, sql: (rows: string) => string): ManyRows {
  const row = `(${Array(columns).fill('?').join(', ')})`
  const prepared: Statement[] = []
  return (values) => {
    let changes = 0
    let from = 0
    for (const [place, rows] of ROWS_AT_ONCE.entries()) {
      const size = rows * columns
      for (; values.length - from >= size; from += size) {
        const statement = (prepared[place] ??= prepare(rows))
        // As arguments: better-sqlite3 takes each member of an array through another call.
        changes += statement.run(...values.slice(from, from + size)).changes
      }
    }
    return changes
  }

  /** Only counts come back: no bigint has to be made of them. */
  function prepare(rows: number): Statement {
    return db.prepare(sql(Array(rows).fill(row).join(', '))).safeIntegers(false)
  }
}
