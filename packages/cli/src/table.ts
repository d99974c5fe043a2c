/** Lays out rows as a table of plain text. */

/** The first `left` columns are flush left, the others flush right. The first row is the heading. */
export function textTable(rows: readonly (readonly string[])[], left = 1): string {
  const widths: number[] = []
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  const format = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column < left ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  const [heading, ...body] = rows.map(format)
  return [heading, '-'.repeat(widths.reduce((sum, width) => sum + width + 2, -2)), ...body].join('\n')
}
