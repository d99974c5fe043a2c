/** An invoice as a page that stands alone: no script, nothing loaded, every text escaped. */

import type { Invoice } from '../records/invoice.ts'
import { escapeHtml as escape } from '../values/html.ts'
import { type PrintedInvoice, printedInvoice, type PrintedLine, type PrintedSum, type PrintOptions } from './printed-invoice.ts'

/** Pure; the same invoice and options give the same page. */
export function invoiceHtml(invoice: Invoice, options: PrintOptions = {}): string {
  const printed = printedInvoice(invoice, options)
  const { locale, title, status, seller, facts, lines, sums, notes } = printed
  const isTaxed = lines.some(({ taxRate }) => taxRate !== '')
  const columns = ['Description', 'Quantity', 'Included', 'Billable', 'Unit price', ...(isTaxed ? ['Tax'] : []), 'Amount']
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
<div><h1>${escape(title)}</h1>${party('seller', seller)}</div>
<p class="status ${escape(status)}">${escape(status)}</p>
</header>
<section class="about">
${party('buyer', printed.buyer)}
<dl>
${facts.map(({ label, value }) => `<div><dt>${escape(label)}</dt><dd>${escape(value)}</dd></div>`).join('\n')}
</dl>
</section>
<div class="lines">
<table>
<thead><tr>${columns.map((column) => `<th scope="col">${column}</th>`).join('')}</tr></thead>
<tbody>
${lines.map((line) => lineRow(line, isTaxed)).join('\n')}
</tbody>
</table>
</div>
<table class="sums">
<tbody>
${sums.map(sumRow).join('\n')}
</tbody>
</table>
<footer>
${notes.map((note) => `<p>${escape(note)}</p>`).join('\n')}
${sealText(printed)}
</footer>
</main>
</body>
</html>
`
}

function party(role: string, texts: readonly string[]): string {
  return texts.length === 0 ? '' : `<address class="${role}">${texts.map(escape).join('<br>')}</address>`
}

function lineRow(
  { description, details, quantity, included, billable, unitPrice, ...line }: PrintedLine,
  isTaxed: boolean,
): string {
  const below = details.map((detail) => `<small>${escape(detail)}</small>`).join('')
  const figures = [quantity, included, billable, unitPrice].map((figure) => `<td>${escape(figure)}</td>`).join('')
  const rate = line.taxRate === '' ? '' : `<small>${escape(line.taxRate)}</small>`
  const tax = isTaxed ? `<td>${escape(line.tax)}${rate}</td>` : ''
  return `<tr><th scope="row">${escape(description)}${below}</th>${figures}${tax}<td>${escape(line.amount)}</td></tr>`
}

function sumRow({ label, amount, kind }: PrintedSum): string {
  return `<tr class="${kind}"><th scope="row">${escape(label)}</th><td>${escape(amount)}</td></tr>`
}

function sealText({ seal }: PrintedInvoice): string {
  return seal === null ? '' : `<p>${escape(seal.label)}: <code>${escape(seal.root)}</code></p>`
}

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0; padding: 2.5rem 1rem; }
main { max-width: 56rem; margin: 0 auto; }
header { display: flex; justify-content: space-between; align-items: flex-start; gap: 1rem; }
h1 { margin: 0 0 0.25rem; font-size: 1.6rem; letter-spacing: -0.01em; }
address { font-style: normal; }
small { display: block; font-size: 0.8rem; font-weight: 400; opacity: 0.7; }
.status { margin: 0.3rem 0 0; padding: 0.1rem 0.7rem; border: 1px solid currentcolor; border-radius: 1rem; text-transform: capitalize; }
.paid { color: light-dark(#137333, #81c995); }
.uncollectible { color: light-dark(#b3261e, #f2b8b5); }
.draft, .void { opacity: 0.7; }
.about { display: flex; flex-wrap: wrap; gap: 1.5rem 4rem; margin: 2rem 0; }
dl { display: flex; flex-wrap: wrap; gap: 0.75rem 2.5rem; margin: 0; }
dt { font-size: 0.8rem; opacity: 0.7; }
dd { margin: 0; overflow-wrap: anywhere; }
.lines { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.55rem 0.5rem; border-bottom: 1px solid #8884; text-align: right; vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
td { white-space: nowrap; }
thead th { font-size: 0.8rem; font-weight: 500; opacity: 0.7; white-space: nowrap; }
thead th:first-child, tbody th { text-align: left; }
tbody th { font-weight: 500; overflow-wrap: anywhere; }
.sums { width: auto; min-width: 45%; margin: 1rem 0 0 auto; }
.sums th, .sums td { padding: 0.3rem 0; border: 0; }
.sums th { padding-right: 2rem; font-weight: 400; }
.sums .total th, .sums .total td { padding-top: 0.5rem; border-top: 1px solid #8884; font-weight: 700; }
.sums .note { font-size: 0.85rem; opacity: 0.7; }
footer { margin-top: 2.5rem; font-size: 0.8rem; opacity: 0.7; }
footer p { margin: 0.25rem 0; overflow-wrap: anywhere; }
@media print { body { padding: 0; } .lines { overflow: visible; } tr { break-inside: avoid; } thead { display: table-header-group; } }
`
