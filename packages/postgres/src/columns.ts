/** Many rows as the parameters of one statement: an array for each column, which the server takes apart with `unnest`. */

/** What a column is of a row. */
export type Column<Row> = (row: Row) => Cell

type Cell = string | number | bigint | boolean | null | undefined

/** Must be escaped in the text of an array. */
const SPECIAL = /["\\]/g

/**
 * The text of one array per column, as PostgreSQL reads it (its documentation, 8.15.2). A column without any value is empty, and
 * `unnest` fills it up with nulls.
 */
export function columnsOf<Row>(rows: readonly Row[], ...columns: readonly Column<Row>[]): string[] {
  return columns.map((cellOf) => arrayOf(rows, cellOf))
}

function arrayOf<Row>(rows: readonly Row[], cellOf: Column<Row>): string {
  let text = ''
  let hasValue = false
  for (const row of rows) {
    const cell = cellOf(row)
    if (text !== '') text += ','
    if (cell === null || cell === undefined) {
      text += 'NULL'
    } else {
      hasValue = true
      text += typeof cell === 'string' ? quoted(cell) : String(cell)
    }
  }
  return hasValue ? `{${text}}` : '{}'
}

function quoted(text: string): string {
  const isPlain = !text.includes('"') && !text.includes('\\')
  return isPlain ? `"${text}"` : `"${text.replaceAll(SPECIAL, String.raw`\$&`)}"`
}
