/** Measures, wraps and writes text, each part of it in the first font that has its glyphs. */

import type { FontFamily, Weight } from './fonts.ts'

export interface Style {
  /** Points. */
  readonly size: number
  readonly weight: Weight
  readonly color: string
}

export interface Place {
  /** Left edge of the text, or its right edge when it is aligned to the right. */
  readonly x: number
  /** Of the letters; the page is counted from its top. */
  readonly baseline: number
  readonly align: 'left' | 'right'
}

export interface Typesetter {
  width(text: string, style: Style): number
  /** The text in lines that fit; a word that does not fit alone is cut. */
  wrap(text: string, style: Style, width: number): string[]
  write(text: string, style: Style, place: Place): void
}

/** A part of a text in one font and one direction. */
interface Run {
  readonly text: string
  readonly family: number
  readonly isRightToLeft: boolean
}

/** Words of Arabic or Hebrew with what stands between them. */
const RIGHT_TO_LEFT =
  /((?:\p{Script=Arabic}|\p{Script=Hebrew})(?:\p{Script=Arabic}|\p{Script=Hebrew}|\p{M})*(?:[^\p{L}\p{N}]+(?:\p{Script=Arabic}|\p{Script=Hebrew})(?:\p{Script=Arabic}|\p{Script=Hebrew}|\p{M})*)*)/u

export function createTypesetter(doc: PDFKit.PDFDocument, families: readonly FontFamily[]): Typesetter {
  const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  const words = new Intl.Segmenter(undefined, { granularity: 'word' })
  for (const [index, { regular, bold }] of families.entries()) {
    // PDFKit takes an opened font as well as its bytes, which its types do not say.
    doc.registerFont(nameOf(index, 'regular'), regular as never)
    doc.registerFont(nameOf(index, 'bold'), bold as never)
  }
  return { width, wrap, write }

  function width(text: string, style: Style): number {
    return runsOf(text).reduce((sum, run) => sum + widthOfRun(run, style), 0)
  }

  function wrap(text: string, style: Style, most: number): string[] {
    const lines: string[] = []
    let line = ''
    for (const piece of piecesOf(text)) {
      if (width((line + piece).trimEnd(), style) <= most) line += piece
      else {
        if (line.trim() !== '') lines.push(line.trimEnd())
        const rest = cut(piece.trimStart(), style, most)
        lines.push(...rest.slice(0, -1))
        line = rest.at(-1) ?? ''
      }
    }
    return line.trim() === '' && lines.length > 0 ? lines : [...lines, line.trimEnd()]
  }

  /** A word in parts that fit. */
  function cut(word: string, style: Style, most: number): string[] {
    const parts: string[] = []
    let part = ''
    for (const { segment } of graphemes.segment(word)) {
      if (part !== '' && width((part + segment).trimEnd(), style) > most) {
        parts.push(part)
        part = ''
      }
      part += segment
    }
    return [...parts, part]
  }

  /** What stays together: words with the spaces and marks that follow them. */
  function piecesOf(text: string): string[] {
    const pieces: string[] = []
    for (const { segment, isWordLike } of words.segment(text)) {
      const last = pieces.at(-1)
      const isOpen = last !== undefined && (isWordLike !== true || !/[\s\p{Lo}-]$/u.test(last))
      if (isOpen) pieces[pieces.length - 1] = last + segment
      else pieces.push(segment)
    }
    return pieces
  }

  function write(text: string, style: Style, { x, baseline, align }: Place): void {
    let left = align === 'right' ? x - width(text, style) : x
    for (const run of runsOf(text)) {
      select(run, style)
      doc.fillColor(style.color).text(run.text, left, baseline, { lineBreak: false, baseline: 'alphabetic', ...layoutOf(run) })
      left += widthOfRun(run, style)
    }
  }

  function widthOfRun(run: Run, style: Style): number {
    select(run, style)
    return doc.widthOfString(run.text, layoutOf(run))
  }

  function select({ family }: Run, { weight, size }: Style): void {
    doc.font(nameOf(family, weight)).fontSize(size)
  }

  function runsOf(text: string): Run[] {
    return text.split(RIGHT_TO_LEFT).flatMap((part, index) => (part === '' ? [] : runsOfPart(part, index % 2 === 1)))
  }

  function runsOfPart(text: string, isRightToLeft: boolean): Run[] {
    // Most texts need no other font, and telling characters apart is slow.
    if (hasAll(0, text)) return [{ text, family: 0, isRightToLeft }]
    const runs: Run[] = []
    for (const { segment } of graphemes.segment(text)) {
      const family = familyOf(segment)
      const last = runs.at(-1)
      if (last?.family === family) runs[runs.length - 1] = { ...last, text: last.text + segment }
      else runs.push({ text: segment, family, isRightToLeft })
    }
    return runs
  }

  /** The first that has all of the character; the first of all, which draws a box, when none has. */
  function familyOf(grapheme: string): number {
    return Math.max(
      0,
      families.findIndex((_, family) => hasAll(family, grapheme)),
    )
  }

  function hasAll(family: number, text: string): boolean {
    const { regular } = families[family] ?? {}
    for (const character of text) if (regular?.hasGlyphForCodePoint(character.codePointAt(0) ?? 0) !== true) return false
    return true
  }
}

/** PDFKit lays words out one by one, from left to right, unless it is told features: then the whole run is laid out as its script asks. */
function layoutOf({ isRightToLeft }: Run): PDFKit.Mixins.TextOptions {
  return isRightToLeft ? { features: [] } : {}
}

function nameOf(index: number, weight: Weight): string {
  return `${index}-${weight}`
}
