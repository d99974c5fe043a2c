/** The pages that a document is written on, from top to bottom: what stands on each of them, and where there is room. */

import type { PrintedInvoice } from '@farebox/core'
import type { Style, Typesetter } from './typesetter.ts'

/** Points. */
export interface Sheet {
  readonly left: number
  readonly right: number
  /** Where the next thing begins. */
  y: number
  /** Where the room of a page ends. */
  readonly bottom: number
  /** Height of the room on a page that is not the first. */
  readonly room: number
  /** Goes to a new page when there is less room than this. */
  need(height: number): boolean
  /** A line across, in points from the left edge to the right one. */
  rule(from: number, color: string): void
  /** Writes what stands on every page, when their number is known. */
  finish(): void
}

const MARGIN = 50
const FOOT = 56

/** Below the running head of a page that is not the first. */
const HEAD = 78

export const INK = '#1b1f24'
export const GREY = '#656d76'
export const RULE = '#d0d7de'

const RUNNING: Style = { size: 8, weight: 'bold', color: GREY }
const FOOTER: Style = { size: 7.5, weight: 'regular', color: GREY }

export function createSheet(doc: PDFKit.PDFDocument, type: Typesetter, { title, seller }: PrintedInvoice): Sheet {
  const { width, height } = doc.page
  const [left, right, bottom] = [MARGIN, width - MARGIN, height - FOOT]
  const sheet: Sheet = { left, right, y: MARGIN, bottom, room: bottom - HEAD, need, rule, finish }
  return sheet

  function need(needed: number): boolean {
    if (sheet.y + needed <= bottom) return false
    doc.addPage()
    type.write(title, RUNNING, { x: left, baseline: MARGIN, align: 'left' })
    type.write(seller[0] ?? '', RUNNING, { x: right, baseline: MARGIN, align: 'right' })
    sheet.y = HEAD
    return true
  }

  function rule(from: number, color: string): void {
    doc.moveTo(from, sheet.y).lineTo(right, sheet.y).lineWidth(0.5).strokeColor(color).stroke()
  }

  function finish(): void {
    const { start, count } = doc.bufferedPageRange()
    for (let page = 0; page < count; page += 1) {
      doc.switchToPage(start + page)
      const baseline = height - FOOT / 2
      type.write(title, FOOTER, { x: left, baseline, align: 'left' })
      type.write(`Page ${page + 1} of ${count}`, FOOTER, { x: right, baseline, align: 'right' })
    }
  }
}
