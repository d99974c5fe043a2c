/** Statements for many rows at once. */

import type { Database, Statement } from 'better-sqlite3'

/** Writes rows, given as the values of all their columns one after the other; gives how many it changed. */
export type ManyRows = (values: readonly unknown[]) => number

/** Whether any of the rows is there, given like that. */
export type AnyRow = (values: readonly unknown[]) => boolean

/** Rows of one call: half of what a statement costs is the call, and they share it. */
const ROWS_AT_ONCE = [64, 32, 16, 8, 4, 2, 1] as const

/** `sql` makes the statement of the placeholders of all its rows. */
export function manyRows(db: Database, columns: number, sql: (rows: string) => string): ManyRows {
  const statementsOf = inParts(db, columns, sql)
  return (values) => {
    let changes = 0
    // As arguments: better-sqlite3 takes each member of an array through another call.
    for (const [statement, part] of statementsOf(values)) changes += statement.run(...part).changes
    return changes
  }
}

/** `sql` makes a query that has a row when it finds one. */
export function anyRow(db: Database, columns: number, sql: (rows: string) => string): AnyRow {
  const statementsOf = inParts(db, columns, sql)
  return (values) => {
    for (const [statement, part] of statementsOf(values)) if (statement.get(...part) !== undefined) return true
    return false
  }
}

/** Few statements, each with its values. Each size is prepared when it is needed first. */
function inParts(db: Database, columns: number, sql: (rows: string) => string) {
  const row = `(${Array(columns).fill('?').join(', ')})`
  const prepared: Statement[] = []
  return function* (values: readonly unknown[]): Generator<readonly [Statement, readonly unknown[]]> {
    let from = 0
    for (const [place, rows] of ROWS_AT_ONCE.entries()) {
      const size = rows * columns
      for (; values.length - from >= size; from += size)
        yield [(prepared[place] ??= prepare(rows)), values.slice(from, from + size)]
    }
  }

  /** No value comes back that a bigint has to be made of. */
  function prepare(rows: number): Statement {
    return db.prepare(sql(Array(rows).fill(row).join(', '))).safeIntegers(false)
  }
}
