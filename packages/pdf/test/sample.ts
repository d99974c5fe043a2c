/** Invoices to print, and a reader of what was printed. */

import type { Invoice, InvoiceLine } from '@farebox/core'
import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs'

const JANUARY = [Date.UTC(2026, 0, 1), Date.UTC(2026, 1, 1)] as const

const ONE = 1_000_000n

export function usd(minor: bigint): Invoice['total'] {
  return { minor, currency: 'USD' }
}

export function line(id: string, members: Partial<InvoiceLine> = {}): InvoiceLine {
  return {
    id,
    type: 'feature_usage',
    description: `Feature ${id}`,
    plan: 'pro',
    feature: id,
    period: JANUARY,
    quantity: 12_345_678_901n,
    included: 10n * ONE,
    billable: 12_335_678_901n,
    unitPrice: '0.0015',
    per: ONE,
    amount: usd(1850n),
    ...members,
  }
}

/** Of these lines, each taxed at 19 %, less a discount; the figures need not add up to be printed. */
export function invoiceOf(lines: readonly InvoiceLine[], members: Partial<Invoice> = {}): Invoice {
  const taxes = lines.map((taxed): InvoiceLine => ({
    ...line(`tax-${taxed.id}`),
    type: 'tax',
    of: taxed.id,
    amount: usd(352n),
    tax: { name: 'VAT DE', rate: '19', treatment: 'exclusive', taxable: taxed.amount },
  }))
  const discount = line('discount-1', { type: 'discount', description: 'Launch offer', amount: usd(-185n) })
  return {
    id: 'sub_1-1',
    number: 'FB-000042',
    status: 'open',
    type: 'recurring',
    customerId: 'user_123',
    subscriptionId: 'sub_1',
    currency: 'USD',
    period: JANUARY,
    issuedAt: JANUARY[1],
    finalizedAt: Date.UTC(2026, 1, 3, 4, 5, 6),
    lines: [...lines, discount, ...taxes],
    subtotal: usd(1850n),
    discount: usd(185n),
    tax: usd(352n),
    total: usd(2017n),
    creditApplied: usd(17n),
    corrects: null,
    seal: { root: 'aed46798efe5af1495e3e8dee29abcf861932c4ea181062792621d66ee686ae3', events: 1204 },
    ...members,
  }
}

export interface ReadPdf {
  readonly info: Readonly<Record<string, unknown>>
  /** Width and height of the first page, points. */
  readonly size: readonly [width: number, height: number]
  /** The text of each page in its order, without spaces: where a line is broken is not what is read. */
  readonly pages: readonly string[]
}

/** What another program reads out of the document. */
export async function read(bytes: Uint8Array): Promise<ReadPdf> {
  // The reader keeps the bytes for itself.
  const pdf = await getDocument({ data: bytes.slice(), verbosity: 0 }).promise
  const pages: string[] = []
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const { items } = await (await pdf.getPage(number)).getTextContent()
    pages.push(withoutSpaces(items.map((item) => ('str' in item ? item.str : '')).join('')))
  }
  const [, , width = 0, height = 0] = (await pdf.getPage(1)).view
  const { info } = await pdf.getMetadata()
  await pdf.loadingTask.destroy()
  return { info: info as Record<string, unknown>, size: [width, height], pages }
}

export function withoutSpaces(text: string): string {
  return text.replaceAll(/\s/g, '')
}
