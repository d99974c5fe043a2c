/** The lines of an invoice as a table that goes on over pages, its head on each of them. */

import type { PrintedInvoice, PrintedLine } from '@farebox/core'
import { type CellLine, cellLines, heightOf, type Paragraph, writeLine } from './cell.ts'
import { GREY, INK, RULE, type Sheet } from './sheet.ts'
import type { Style, Typesetter } from './typesetter.ts'

interface Column {
  readonly heading: string
  readonly paragraphs: (line: PrintedLine) => readonly Paragraph[]
  readonly align: 'left' | 'right'
}

interface PlacedColumn extends Column {
  /** The edge that the text is aligned to. */
  readonly x: number
  readonly width: number
}

interface Cell {
  readonly column: PlacedColumn
  readonly lines: readonly CellLine[]
}

const HEADING: Style = { size: 7.5, weight: 'regular', color: GREY }
const NAME: Style = { size: 9, weight: 'bold', color: INK }
const FIGURE: Style = { size: 8.5, weight: 'regular', color: INK }
const AMOUNT: Style = { size: 8.5, weight: 'bold', color: INK }
const DETAIL: Style = { size: 7.5, weight: 'regular', color: GREY }

const GAP = 12
const PADDING = 6

/** The description keeps so much of the width, whatever the figures take. */
const LEAST_DESCRIPTION = 0.26

export function writeLines(type: Typesetter, sheet: Sheet, { lines }: PrintedInvoice): void {
  const columns = place(type, sheet, columnsOf(lines), lines)
  sheet.need(4 * HEADING.size + 4 * PADDING)
  head()
  for (const line of lines) {
    const cells = columns.map((column) => ({ column, lines: cellLines(type, column.paragraphs(line), column.width) }))
    const height = rowHeight(cells)
    // A row that no page can hold is cut between two of its lines; any other stays together.
    if (height <= sheet.room && sheet.need(height)) head()
    row(cells)
  }

  function head(): void {
    row(columns.map((column) => ({ column, lines: cellLines(type, [{ text: column.heading, style: HEADING }], column.width) })))
  }

  function row(cells: readonly Cell[]): void {
    let y = sheet.y + PADDING
    let end = y
    for (const { column, line } of inOrder(cells)) {
      sheet.y = y + line.top
      if (sheet.need(line.height)) {
        head()
        y = sheet.y + PADDING - line.top
      }
      writeLine(type, line, { x: column.x, y, align: column.align })
      end = Math.max(end, y + line.top + line.height)
    }
    sheet.y = end + PADDING
    sheet.rule(sheet.left, RULE)
  }

  /** Column by column, as it is read; from top to bottom where the row goes on over pages. */
  function inOrder(cells: readonly Cell[]): { readonly column: PlacedColumn; readonly line: CellLine }[] {
    const all = cells.flatMap((cell) => cell.lines.map((line) => ({ column: cell.column, line })))
    return rowHeight(cells) <= sheet.bottom - sheet.y ? all : all.toSorted((a, b) => a.line.top - b.line.top)
  }
}

function rowHeight(cells: readonly Cell[]): number {
  return Math.max(...cells.map(({ lines }) => heightOf(lines))) + 2 * PADDING
}

function columnsOf(lines: readonly PrintedLine[]): Column[] {
  const description: Column = {
    heading: 'Description',
    paragraphs: (line) => [
      { text: line.description, style: NAME },
      ...line.details.map((text): Paragraph => ({ text, style: DETAIL })),
    ],
    align: 'left',
  }
  const tax: Column = {
    heading: 'Tax',
    paragraphs: (line) => [
      { text: line.tax, style: FIGURE },
      { text: line.taxRate, style: DETAIL },
    ],
    align: 'right',
  }
  const isTaxed = lines.some(({ taxRate }) => taxRate !== '')
  const isAboutUnits = lines.some(({ quantity }) => quantity !== '')
  return [
    description,
    ...(isAboutUnits
      ? [
          figure('Quantity', 'quantity'),
          figure('Included', 'included'),
          figure('Billable', 'billable'),
          figure('Unit price', 'unitPrice'),
        ]
      : []),
    ...(isTaxed ? [tax] : []),
    figure('Amount', 'amount'),
  ]
}

function figure(heading: string, member: 'quantity' | 'included' | 'billable' | 'unitPrice' | 'amount'): Column {
  const style = member === 'amount' ? AMOUNT : FIGURE
  return { heading, paragraphs: (line) => [{ text: line[member], style }], align: 'right' }
}

/** Figures get the width that they need, the widest less when there is not enough; the description gets the rest. */
function place(type: Typesetter, sheet: Sheet, columns: readonly Column[], lines: readonly PrintedLine[]): PlacedColumn[] {
  const whole = sheet.right - sheet.left
  const [description, ...figures] = columns
  const wanted = figures.map(({ heading, paragraphs }) => {
    const texts = [{ text: heading, style: HEADING }, ...lines.flatMap(paragraphs)]
    return Math.max(...texts.map(({ text, style }) => type.width(text, style)))
  })
  const most = widest(wanted, whole * (1 - LEAST_DESCRIPTION) - GAP * figures.length)
  let x = sheet.right
  const placed: PlacedColumn[] = []
  for (const [index, column] of [...figures.entries()].toReversed()) {
    // A hair more than it measures, so that rounding never wraps a figure.
    const width = Math.min(wanted[index] ?? 0, most) + 0.01
    placed.unshift({ ...column, x, width })
    x -= width + GAP
  }
  return description === undefined ? placed : [{ ...description, x: sheet.left, width: x - sheet.left }, ...placed]
}

/** How wide a column may be, so that all of them fit and no narrower one gives way. */
function widest(wanted: readonly number[], room: number): number {
  let left = room
  for (const [index, width] of wanted.toSorted((a, b) => a - b).entries()) {
    const fair = left / (wanted.length - index)
    if (width > fair) return fair
    left -= width
  }
  return Infinity
}
