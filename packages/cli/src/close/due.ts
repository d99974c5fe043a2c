/** What is due before a closing: how many billing moments there are, and how their customers were invoiced until now. */

import { parseInvoiceNumber, type Store, withNextMoment } from '@farebox/core/contracts'
import { pagesOf, sideBySide } from '../move/listing.ts'

export interface Due {
  /** Billing moments up to the instant; each has an invoice, but for those that nothing is to be said of. */
  readonly moments: number
  readonly customers: number
  /** Series of the last invoices of some of these customers. */
  readonly series: ReadonlySet<string>
  /** Whether such an invoice has a tax on it. */
  readonly hasTax: boolean
}

/** So many last invoices say what the application's options are. */
const SAMPLE = 200

/** Somebody who is further behind is counted no further. */
const MOST_MOMENTS = 10_000

/** Reads every account once; memory does not grow with their number. */
export async function readDue(store: Store, until: number): Promise<Due> {
  const lastInvoices: string[] = []
  let moments = 0
  let customers = 0
  for await (const ids of pagesOf((page) => store.customerIds(page))) {
    for (const { count, lastInvoice } of await sideBySide(ids, (id) => dueOf(store, id, until))) {
      moments += count
      if (count === 0) continue
      customers += 1
      if (lastInvoice !== null && lastInvoices.length < SAMPLE) lastInvoices.push(lastInvoice)
    }
  }
  const invoices = await sideBySide(lastInvoices, (id) => store.invoice(id))
  const series = new Set(invoices.flatMap((invoice) => parseInvoiceNumber(invoice?.number ?? '')?.series ?? []))
  const hasTax = invoices.some((invoice) => invoice?.lines.some(({ type }) => type === 'tax') === true)
  return { moments, customers, series, hasTax }
}

interface DueAccount {
  readonly count: number
  readonly lastInvoice: string | null
}

function dueOf(store: Store, customerId: string, until: number): Promise<DueAccount> {
  return store.change({ customerId }, ({ subscription }) => {
    let count = 0
    let next = subscription
    while (next !== null && (next.dueAt ?? Infinity) <= until && count < MOST_MOMENTS) {
      next = withNextMoment(next)
      count += 1
    }
    const lastInvoice =
      subscription === null || subscription.nextMoment === 0 ? null : `${subscription.id}-${subscription.nextMoment - 1}`
    return { result: { count, lastInvoice }, entries: [] }
  })
}
