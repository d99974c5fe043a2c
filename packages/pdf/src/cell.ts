/** Text in a box: paragraphs that are wrapped and stand below one another. */

import type { Style, Typesetter } from './typesetter.ts'

export interface Paragraph {
  readonly text: string
  readonly style: Style
}

/** One line of a cell. */
export interface CellLine extends Paragraph {
  /** From the top of the cell to the top of the line, points. */
  readonly top: number
  readonly height: number
}

/** Height of a line by the size of its letters; the letters stand on the lower part of it. */
const LINE_HEIGHT = 1.4
const BASELINE = 1.05

export function cellLines(type: Typesetter, paragraphs: readonly Paragraph[], width: number): CellLine[] {
  let top = 0
  return paragraphs
    .filter(({ text }) => text !== '')
    .flatMap(({ text, style }) =>
      type.wrap(text, style, width).map((line) => {
        const height = style.size * LINE_HEIGHT
        const cell = { text: line, style, top, height }
        top += height
        return cell
      }),
    )
}

export function heightOf(lines: readonly CellLine[]): number {
  const last = lines.at(-1)
  return last === undefined ? 0 : last.top + last.height
}

/** Writes the line where its cell begins at `y`. */
export function writeLine(
  type: Typesetter,
  { text, style, top }: CellLine,
  { x, y, align }: { readonly x: number; readonly y: number; readonly align: 'left' | 'right' },
): void {
  type.write(text, style, { x, baseline: y + top + style.size * BASELINE, align })
}
