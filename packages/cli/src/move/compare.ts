/** Reads two stores and says where the second does not hold what the first does. */

import { isDeepStrictEqual } from 'node:util'
import { formatInstant, formatMoney, formatQuantity } from '@farebox/core'
import type { Invoice, Quantity, Store, StoredTotal, UsageTotal } from '@farebox/core/contracts'
import { readAccount } from './accounts.ts'
import { createDigester, type LogDigests } from './digests.ts'
import { createFindings, type Findings } from './findings.ts'
import { countOf, LOG_PAGE, pagesOf, sideBySide } from './listing.ts'

export interface CompareOptions {
  readonly from: Store
  readonly to: Store
  /** Of the source's log, as it was moved. */
  readonly digests: LogDigests
  /** Hears how many events of the target's log were read. */
  readonly onCompared: (done: number) => void
}

/** Everything is read again, so what came into the source meanwhile is a difference too. */
export async function compare(options: CompareOptions): Promise<Findings> {
  const findings = createFindings()
  await compareCatalogs(options, findings)
  await compareAccounts(options, findings)
  await compareInvoices(options, findings)
  await compareTotals(options, findings)
  await compareEvents(options, findings)
  return findings
}

async function compareCatalogs({ from, to }: CompareOptions, { count, differs }: Findings): Promise<void> {
  const moved = new Map((await to.catalogs()).map(({ version, document }) => [version, document]))
  for (const { version, document } of await from.catalogs()) {
    count('catalog', 1)
    if (moved.get(version) !== document)
      differs({ kind: 'catalog', customerId: null, message: `The catalog ${version} is not the same` })
  }
}

async function compareAccounts({ from, to }: CompareOptions, { count, differs, checkCount }: Findings): Promise<void> {
  for await (const ids of pagesOf((page) => from.customerIds(page))) {
    count('customer', ids.length)
    await sideBySide(ids, async (customerId) => {
      const [account, moved] = await Promise.all([readAccount(from, customerId), readAccount(to, customerId)])
      const [keys, movedKeys] = await Promise.all([from.apiKeys(customerId), to.apiKeys(customerId)])
      count('subscription', account.subscription === null ? 0 : 1)
      count('api_key', keys.length)
      if (!isDeepStrictEqual(account.customer, moved.customer))
        differs({ kind: 'customer', customerId, message: `The customer ${customerId} is not the same` })
      if (!isDeepStrictEqual(account.subscription, moved.subscription))
        differs({ kind: 'subscription', customerId, message: `The subscription of ${customerId} is not the same` })
      if (!isDeepStrictEqual(keys, movedKeys))
        differs({ kind: 'api_key', customerId, message: `The API keys of ${customerId} are not the same` })
    })
  }
  checkCount('customer', await countOf((page) => to.customerIds(page)))
}

async function compareInvoices({ from, to }: CompareOptions, { count, differs, checkCount }: Findings): Promise<void> {
  for await (const page of pagesOf((request) => from.invoices(request))) {
    count('invoice', page.length)
    await sideBySide(page, async (invoice) => {
      const moved = await to.invoice(invoice.id)
      if (isDeepStrictEqual(invoice, moved)) return
      const { customerId, id } = invoice
      const message = `The invoice ${id} of ${customerId}: expected ${shownInvoice(invoice)}, found ${shownInvoice(moved)}`
      differs({ kind: 'invoice', customerId, message })
    })
  }
  checkCount('invoice', await countOf((page) => to.invoices(page)))
}

/** A total is compared with the target's, and with what the target's own log counts. */
async function compareTotals({ from, to }: CompareOptions, { count, differs, checkCount }: Findings): Promise<void> {
  const moved = new Map<string, StoredTotal>()
  for await (const page of pagesOf((request) => to.totals(request))) for (const total of page) moved.set(keyOf(total), total)
  for await (const page of pagesOf((request) => from.totals(request))) {
    count('total', page.length)
    await sideBySide(page, async (total) => {
      const found = shownTotal(moved.get(keyOf(total)))
      const expected = shownTotal(total)
      const counted = shownCount(await to.recount(total))
      if (found === expected && counted === shownCount(total)) return
      const { customerId, feature, periodStart } = total
      const where = `${feature} of ${customerId} in the period from ${formatInstant(periodStart)}`
      differs({ kind: 'total', customerId, message: `${where}: expected ${expected}, found ${found}; the log counts ${counted}` })
    })
  }
  checkCount('total', moved.size)
}

async function compareEvents(
  { to, digests, onCompared }: CompareOptions,
  { count, differs, checkCount }: Findings,
): Promise<void> {
  const moved = createDigester()
  let done = 0
  for await (const page of pagesOf((request) => to.log(request), LOG_PAGE)) {
    for (const event of page) moved.add(event)
    onCompared((done += page.length))
  }
  for (const [customerId, { events, digest }] of digests) {
    count('event', events)
    const log = moved.digests.get(customerId)
    if (log?.digest === digest) continue
    const message = `The log of ${customerId}: expected ${events} events, found ${log?.events ?? 0}, and they are not the same`
    differs({ kind: 'event', customerId, message })
  }
  checkCount('event', done)
}

function keyOf({ customerId, feature, periodStart }: UsageTotal): string {
  return `${customerId} ${feature} ${periodStart}`
}

function shownTotal(total: StoredTotal | undefined): string {
  if (total === undefined) return 'none'
  return total.invoiceId === null ? shownCount(total) : `${shownCount(total)}, held by ${total.invoiceId}`
}

function shownCount({ quantity, events }: { readonly quantity: Quantity; readonly events: number }): string {
  return `${formatQuantity(quantity)} in ${events} events`
}

function shownInvoice(invoice: Invoice | null): string {
  if (invoice === null) return 'none'
  const { number, status, total, lines } = invoice
  return `${number ?? 'no number'}, ${status}, ${formatMoney(total)} ${total.currency} in ${lines.length} lines`
}
