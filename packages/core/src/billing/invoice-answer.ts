/** An invoice as a program or as a browser wants it. */

import type { Context, TypedResponse } from 'hono'
import { invoiceHtml } from '../invoice/invoice-html.ts'
import { type InvoiceJson, invoiceJson } from '../invoice/invoice-json.ts'
import type { Invoice } from '../records/invoice.ts'

/** An invoice runs nothing and loads nothing: whatever text is on it stays text. */
const PAGE_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
}

export function invoiceAnswer(c: Context, invoice: Invoice): TypedResponse<InvoiceJson, 200, 'json'> {
  if (!prefersHtml(c.req.header('accept'))) return c.json(invoiceJson(invoice), 200) as never
  // The route's type knows its JSON alone.
  return c.html(invoiceHtml(invoice), 200, PAGE_HEADERS) as never
}

/** A browser, and not a program that takes anything. */
function prefersHtml(accept: string | undefined): boolean {
  return accept !== undefined && accept.includes('text/html') && !accept.includes('application/json')
}
