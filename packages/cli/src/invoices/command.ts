/** `farebox invoices` as a whole: lists invoices, and writes them as documents. */

import { amountDue, type Customer, displayMoney, type Invoice, type InvoiceStatus, type PrintOptions } from '@farebox/core'
import type { Store } from '@farebox/core/contracts'
import { CommandError } from '../command-error.ts'
import { openDatabase } from '../database.ts'
import { eachOf } from '../listing.ts'
import { count } from '../progress.ts'
import { textTable } from '../table.ts'
import { type DocumentFolders, openDocuments } from './documents.ts'

export interface InvoicesCommandOptions extends DocumentFolders {
  /** A path or a URL. */
  readonly database: string
  readonly customer?: string
  readonly status?: InvoiceStatus
  /** Who sells, as printed on documents. */
  readonly seller?: string
  readonly locale?: string
}

export const STATUSES: readonly InvoiceStatus[] = ['draft', 'open', 'paid', 'void', 'uncollectible']

const PAGE = 1_000
/** Rows that are laid out together: memory does not grow with the invoices. */
const ROWS = 500

/** Changes nothing. `names` are ids or numbers; none of them: all invoices. */
export async function invoicesCommand(names: readonly string[], options: InvoicesCommandOptions): Promise<void> {
  const { store } = await openDatabase(options.database)
  try {
    const write = await openDocuments(options)
    const isWriting = [options.html, options.json, options.pdf].some((folder) => folder !== undefined)
    let rows: string[][] = []
    let found = 0
    for await (const invoice of chosen(store, names, options)) {
      found += 1
      rows.push(cellsOf(invoice))
      if (isWriting) await write(invoice, await printOptions(store, invoice, options))
      if (rows.length >= ROWS) rows = show(rows)
    }
    if (rows.length > 0) show(rows)
    const folders = [options.html, options.json, options.pdf].filter((folder) => folder !== undefined)
    console.error(`${count(found)} invoices${folders.length === 0 ? '' : `, written into ${folders.join(', ')}`}`)
  } finally {
    await store.close()
  }
}

async function* chosen(
  store: Store,
  names: readonly string[],
  { customer, status }: InvoicesCommandOptions,
): AsyncGenerator<Invoice> {
  const invoices =
    names.length > 0 ? named(store, names) : eachOf((after) => store.invoices({ customerId: customer, after, limit: PAGE }))
  for await (const invoice of invoices) {
    const isOurs = customer === undefined || invoice.customerId === customer
    if (isOurs && (status === undefined || invoice.status === status)) yield invoice
  }
}

async function* named(store: Store, names: readonly string[]): AsyncGenerator<Invoice> {
  for (const name of names) {
    const invoice = await store.invoice(name)
    if (invoice === null) throw new CommandError(`There is no invoice ${name}: farebox invoices lists those that are there`)
    yield invoice
  }
}

function cellsOf(invoice: Invoice): string[] {
  const { number, customerId, type, status, issuedAt, period, total } = invoice
  return [
    number ?? 'draft',
    customerId,
    type,
    status,
    dayOf(issuedAt),
    `${dayOf(period[0])} up to ${dayOf(period[1])}`,
    displayMoney(total),
    displayMoney(amountDue(invoice)),
  ]
}

function dayOf(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10)
}

/** Gives the rows that are left: none. */
function show(rows: readonly string[][]): string[][] {
  console.log(textTable([['number', 'customer', 'type', 'status', 'issued', 'period', 'total', 'due'], ...rows], 6))
  return []
}

async function printOptions(
  store: Store,
  { customerId }: Invoice,
  { seller, locale }: InvoicesCommandOptions,
): Promise<PrintOptions> {
  const customer = await store.change({ customerId }, (state) => ({ result: state.customer, entries: [] }))
  return {
    buyer: buyerOf(customerId, customer),
    timeZone: customer?.timeZone ?? 'UTC',
    // A shell gives a line feed as two characters where nobody quotes it.
    ...(seller === undefined ? {} : { seller: seller.replaceAll('\\n', '\n') }),
    ...(locale === undefined ? {} : { locale }),
  }
}

function buyerOf(id: string, customer: Customer | null): string {
  const { name, email, country, taxId } = customer ?? {}
  return [name ?? id, email, country, taxId].filter((line) => line !== undefined && line !== null).join('\n')
}
