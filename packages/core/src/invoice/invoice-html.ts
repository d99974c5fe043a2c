/** An invoice as a page that stands alone: no script, nothing loaded, every text escaped. */

import type { Invoice, InvoiceLine } from '../records/invoice.ts'
import { displayMoney } from '../values/money.ts'
import { formatQuantity, ONE } from '../values/quantity.ts'

/** What the page shows besides the invoice. */
export interface InvoiceHtmlOptions {
  /** Who sells; shown at the top. */
  readonly seller?: string
  /** BCP 47; formats amounts and dates. Default `en-US`. */
  readonly locale?: string
  /** IANA name; dates are shown in it. Default `UTC`. */
  readonly timeZone?: string
}

/** Pure; the same invoice and options give the same page. */
export function invoiceHtml(invoice: Invoice, options: InvoiceHtmlOptions = {}): string {
  const locale = options.locale ?? 'en-US'
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: options.timeZone ?? 'UTC' })
  const date = (instant: number): string => escape(format.format(instant))
  const title = invoice.number === null ? 'Draft invoice' : `Invoice ${invoice.number}`
  return `<!doctype html>
<html lang="${escape(locale)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<div><h1>${escape(title)}</h1>${options.seller === undefined ? '' : `<p>${escape(options.seller)}</p>`}</div>
<p class="status ${escape(invoice.status)}">${escape(invoice.status)}</p>
</header>
<dl>
<div><dt>Customer</dt><dd>${escape(invoice.customerId)}</dd></div>
<div><dt>Issued</dt><dd>${date(invoice.issuedAt)}</dd></div>
<div><dt>Period</dt><dd>${date(invoice.period[0])} up to ${date(invoice.period[1])}</dd></div>
<div><dt>Kind</dt><dd>${escape(invoice.type)}</dd></div>
</dl>
<table>
<thead><tr><th scope="col">Description</th><th scope="col">Period</th><th scope="col">Quantity</th><th scope="col">Included</th><th scope="col">Billable</th><th scope="col">Unit price</th><th scope="col">Amount</th></tr></thead>
<tbody>
${invoice.lines.map((line) => lineRow(line, locale, date)).join('\n')}
</tbody>
<tfoot>
<tr><th scope="row" colspan="6">Subtotal</th><td>${escape(displayMoney(invoice.subtotal, locale))}</td></tr>
<tr class="total"><th scope="row" colspan="6">Total ${escape(invoice.currency)}</th><td>${escape(displayMoney(invoice.total, locale))}</td></tr>
</tfoot>
</table>
<p class="note">Periods include their first instant and end just before their last. Each amount is rounded once, half up, and the total is the sum of the amounts.</p>
</main>
</body>
</html>
`
}

function lineRow(line: InvoiceLine, locale: string, date: (instant: number) => string): string {
  const unitPrice =
    line.unitPrice === null ? '–' : `${line.unitPrice}${line.per === ONE ? '' : ` per ${formatQuantity(line.per)}`}`
  const cells = [
    formatQuantity(line.quantity),
    formatQuantity(line.included),
    formatQuantity(line.billable),
    unitPrice,
    displayMoney(line.amount, locale),
  ]
  return `<tr><th scope="row">${escape(line.description)}</th><td>${date(line.period[0])} up to ${date(line.period[1])}</td>${cells.map((cell) => `<td>${escape(cell)}</td>`).join('')}</tr>`
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
}

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0; padding: 2rem 1rem; }
main { max-width: 56rem; margin: 0 auto; }
header { display: flex; justify-content: space-between; align-items: flex-start; gap: 1rem; }
h1 { margin: 0; font-size: 1.5rem; }
header p { margin: 0.25rem 0 0; }
.status { padding: 0.1rem 0.6rem; border: 1px solid currentcolor; border-radius: 1rem; text-transform: capitalize; }
dl { display: flex; flex-wrap: wrap; gap: 0.5rem 2.5rem; margin: 1.5rem 0; }
dt { font-size: 0.8rem; opacity: 0.7; }
dd { margin: 0; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.5rem 0.4rem; border-bottom: 1px solid #8884; text-align: right; vertical-align: top; }
tbody th, tbody td:nth-child(2), thead th:first-child, thead th:nth-child(2) { text-align: left; }
tbody th { font-weight: 500; }
tfoot th { text-align: right; font-weight: 500; }
.total th, .total td { font-weight: 700; border-bottom: 0; }
.note { margin-top: 1.5rem; font-size: 0.8rem; opacity: 0.7; }
`
