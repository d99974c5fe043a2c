/** Writes the invoices as HTML pages, one file each and a page that lists them. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { displayMoney, invoiceHtml } from '@farebox/core'
import type { Invoice } from '@farebox/core'

/** Each page is a file; a replay of millions of customers would fill a disk with them. */
const MAX_PAGES = 5000

/** Replaces the folder's content; the returned path is that of the page that lists the others. */
export function writeInvoices(folder: string, invoices: readonly Invoice[]): string {
  const shown = invoices.slice(0, MAX_PAGES)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const invoice of shown) writeFileSync(path.join(folder, fileOf(invoice)), invoiceHtml(invoice))
  const index = path.join(folder, 'index.html')
  writeFileSync(index, indexPage(shown, invoices.length))
  return index
}

function fileOf(invoice: Invoice): string {
  return `${(invoice.number ?? invoice.id).replaceAll(/[^\w-]/g, '_')}.html`
}

function indexPage(shown: readonly Invoice[], count: number): string {
  const rows = shown.map((invoice) => {
    const name = invoice.number ?? invoice.id
    // A customer id holds no markup: the log's parser takes addresses and host names only.
    return `<tr><td><a href="${fileOf(invoice)}">${name}</a></td><td>${invoice.customerId}</td><td align="right">${displayMoney(invoice.total)}</td></tr>`
  })
  const note = count > shown.length ? `<p>The first ${shown.length} of ${count}.</p>` : ''
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Invoices</title>
<style>body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 48rem; } td { padding: 0.1rem 1rem 0.1rem 0; }</style>
<h1>Invoices</h1>
${note}
<table>
${rows.join('\n')}
</table>
`
}
