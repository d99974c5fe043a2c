/** An invoice as a PDF: what `printedInvoice()` says, set on pages. */

import { type Invoice, type PrintedInvoice, printedInvoice, type PrintedSum, type PrintOptions } from '@farebox/core'
import { invalidOption, refuseOtherWords, refuseUnknownOptions } from '@farebox/core/contracts'
import PdfKit from 'pdfkit'
import { cellLines, heightOf, type Paragraph, writeLine } from './cell.ts'
import type { FontSource } from './font-source.ts'
import { openFamilies } from './fonts.ts'
import { writeLines } from './lines-table.ts'
import { createSheet, GREY, INK, RULE, type Sheet } from './sheet.ts'
import { createTypesetter, type Style, type Typesetter } from './typesetter.ts'

export interface InvoicePdfOptions extends PrintOptions {
  /** Default `A4`. */
  readonly pageSize?: 'A4' | 'Letter'
  /**
   * Fonts for what DejaVu Sans does not have, such as Chinese or Thai, asked in this order. Default none: such a character is
   * an empty box.
   */
  readonly fonts?: readonly FontSource[]
}

const WHERE = 'invoicePdf()'

const OPTIONS = ['seller', 'buyer', 'locale', 'timeZone', 'pageSize', 'fonts']

const TITLE: Style = { size: 20, weight: 'bold', color: INK }
const STATUS: Style = { size: 9, weight: 'bold', color: GREY }
const NAME: Style = { size: 10, weight: 'bold', color: INK }
const TEXT: Style = { size: 9, weight: 'regular', color: INK }
const LABEL: Style = { size: 9, weight: 'regular', color: GREY }
const TOTAL: Style = { size: 10, weight: 'bold', color: INK }
const NOTE: Style = { size: 7.5, weight: 'regular', color: GREY }

const STATUS_COLORS: Readonly<Record<PrintedInvoice['status'], string>> = {
  draft: GREY,
  open: '#0969da',
  paid: '#1a7f37',
  void: GREY,
  uncollectible: '#cf222e',
}

/** Of the width: where the right half of the head begins, and the sums. */
const RIGHT_HALF = 0.55

const LABEL_WIDTH = 62
const BLOCK_GAP = 26
const SUM_GAP = 3.5

/** The bytes of the document. The same invoice and options give the same bytes. Throws `invalid_option`. */
export async function invoicePdf(invoice: Invoice, options: InvoicePdfOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  refuseUnknownOptions(WHERE, options, OPTIONS)
  refuseOtherWords(WHERE, 'pageSize', options.pageSize, ['A4', 'Letter'])
  const { fonts = [], pageSize = 'A4' } = options
  if (!Array.isArray(fonts)) throw invalidOption(WHERE, 'fonts', 'a list of fonts', fonts)
  const families = openFamilies(fonts)
  const printed = printedInvoice(invoice, options)
  const doc = new PdfKit({
    size: pageSize === 'A4' ? 'A4' : 'LETTER',
    // Every text has its place: PDFKit never breaks a line or a page.
    margin: 0,
    bufferPages: true,
    pdfVersion: '1.7',
    lang: printed.locale,
    displayTitle: true,
    info: infoOf(invoice, printed),
  })
  const type = createTypesetter(doc, families)
  const sheet = createSheet(doc, type, printed)
  writeHead(type, sheet, printed)
  writeLines(type, sheet, printed)
  writeSums(type, sheet, printed.sums)
  writeNotes(type, sheet, printed)
  sheet.finish()
  doc.end()
  return bytesOf(doc)
}

/** The date is the invoice's own: that of the printing would make each document another. */
function infoOf({ finalizedAt, issuedAt }: Invoice, { title, seller }: PrintedInvoice): PDFKit.DocumentInfo {
  const author = seller[0] === undefined ? {} : { Author: seller[0] }
  return { Title: title, ...author, Creator: 'Farebox', CreationDate: new Date(finalizedAt ?? issuedAt) }
}

async function bytesOf(doc: PDFKit.PDFDocument): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  for await (const chunk of doc) chunks.push(chunk as Uint8Array)
  return new Uint8Array(Buffer.concat(chunks))
}

/** Title and status beside the seller; the buyer beside the facts. */
function writeHead(type: Typesetter, sheet: Sheet, { title, status, seller, buyer, facts }: PrintedInvoice): void {
  const middle = sheet.left + (sheet.right - sheet.left) * RIGHT_HALF
  const halfWidth = middle - sheet.left - BLOCK_GAP
  const titleBlock = [
    { text: title, style: TITLE },
    { text: status.toUpperCase(), style: { ...STATUS, color: STATUS_COLORS[status] } },
  ]
  const titleEnd = block(titleBlock, sheet.left, halfWidth)
  const sellerEnd = block(partyBlock(seller), middle, sheet.right - middle)
  sheet.y = Math.max(titleEnd, sellerEnd) + BLOCK_GAP
  const buyerEnd = block(
    [...(buyer.length > 0 ? [{ text: 'Bill to', style: LABEL }] : []), ...partyBlock(buyer)],
    sheet.left,
    halfWidth,
  )
  const x = buyer.length > 0 ? middle : sheet.left
  let factsEnd = sheet.y
  for (const { label, value } of facts) {
    const lines = cellLines(type, [{ text: value, style: TEXT }], sheet.right - x - LABEL_WIDTH)
    for (const line of cellLines(type, [{ text: label, style: LABEL }], LABEL_WIDTH))
      writeLine(type, line, { x, y: factsEnd, align: 'left' })
    for (const line of lines) writeLine(type, line, { x: x + LABEL_WIDTH, y: factsEnd, align: 'left' })
    factsEnd += heightOf(lines)
  }
  sheet.y = Math.max(buyerEnd, factsEnd) + BLOCK_GAP

  /** Where the block ends. */
  function block(paragraphs: readonly Paragraph[], left: number, width: number): number {
    const lines = cellLines(type, paragraphs, width)
    for (const line of lines) writeLine(type, line, { x: left, y: sheet.y, align: 'left' })
    return sheet.y + heightOf(lines)
  }
}

function partyBlock(texts: readonly string[]): Paragraph[] {
  return texts.map((text, index) => ({ text, style: index === 0 ? NAME : TEXT }))
}

/** On one page, below one another at the right. */
function writeSums(type: Typesetter, sheet: Sheet, sums: readonly PrintedSum[]): void {
  const left = sheet.left + (sheet.right - sheet.left) * (1 - RIGHT_HALF)
  const rows = sums.map(({ label, amount, kind }) => {
    const style = kind === 'total' ? TOTAL : kind === 'note' ? NOTE : TEXT
    const room = sheet.right - left - type.width(amount, style) - BLOCK_GAP
    return {
      kind,
      amount: cellLines(type, [{ text: amount, style }], sheet.right - left),
      label: cellLines(type, [{ text: label, style }], room),
    }
  })
  const height = rows.reduce((sum, { label }) => sum + heightOf(label) + 2 * SUM_GAP, BLOCK_GAP)
  if (!sheet.need(Math.min(height, sheet.room))) sheet.y += BLOCK_GAP / 2
  for (const { kind, label, amount } of rows) {
    sheet.need(heightOf(label) + 2 * SUM_GAP)
    if (kind === 'total') sheet.rule(left, RULE)
    const y = sheet.y + SUM_GAP
    for (const line of label) writeLine(type, line, { x: left, y, align: 'left' })
    for (const line of amount) writeLine(type, line, { x: sheet.right, y, align: 'right' })
    sheet.y = y + heightOf(label) + (kind === 'note' ? 0 : SUM_GAP)
  }
}

function writeNotes(type: Typesetter, sheet: Sheet, { notes, seal }: PrintedInvoice): void {
  const paragraphs = [...notes, ...(seal === null ? [] : [`${seal.label}: ${seal.root}`])]
  sheet.y += BLOCK_GAP
  for (const text of paragraphs) {
    for (const line of cellLines(type, [{ text, style: NOTE }], sheet.right - sheet.left)) {
      sheet.need(line.height)
      writeLine(type, { ...line, top: 0 }, { x: sheet.left, y: sheet.y, align: 'left' })
      sheet.y += line.height
    }
  }
}
