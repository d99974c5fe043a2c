/** @farebox/pdf: invoices as PDF documents. */

export { invoicePdf } from './invoice-pdf.ts'
export type { InvoicePdfOptions } from './invoice-pdf.ts'
export type { FontSource } from './font-source.ts'
