/** Reads two stores and says where the second does not hold what the first does. */

import { isDeepStrictEqual } from 'node:util'
import { formatInstant, formatMoney, formatQuantity } from '@farebox/core'
import {
  type Counted,
  formatDecimal,
  type Invoice,
  type Store,
  type StoredRecord,
  type StoredTotal,
} from '@farebox/core/contracts'
import { readAccount } from './accounts.ts'
import { originalsOf } from './corrections.ts'
import { createDigester, type LogDigests } from './digests.ts'
import { createFindings, type Findings } from './findings.ts'
import { countOf, LOG_PAGE, pagesOf, sideBySide } from './listing.ts'
import { periodKey } from './periods.ts'
import { RECORD_KINDS, recordKey } from './records.ts'

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
  await compareRecords(options, findings)
  await compareCounters(options, findings)
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

/** Both lists have one order, so they are read side by side. */
async function compareRecords({ from, to }: CompareOptions, { count, differs, checkCount }: Findings): Promise<void> {
  let found = 0
  for (const kind of RECORD_KINDS) {
    const moved = pagesOf((request) => to.records({ ...request, kind }))
    for await (const page of pagesOf((request) => from.records({ ...request, kind }))) {
      count('record', page.length)
      const { value } = await moved.next()
      const there: readonly StoredRecord[] = value ?? []
      found += there.length
      for (const [i, record] of page.entries()) {
        if (isDeepStrictEqual(record, there[i])) continue
        const { customerId, id } = record
        const what =
          there[i] !== undefined && recordKey(there[i]) === recordKey(record) ? 'is not the same' : 'is not in its place'
        differs({ kind: 'record', customerId, message: `The ${kind} ${id} of ${customerId} ${what}` })
      }
    }
    for await (const page of moved) found += page.length
  }
  checkCount('record', found)
}

async function compareCounters({ from, to }: CompareOptions, { count, differs, checkCount }: Findings): Promise<void> {
  const moved = new Map((await to.counters()).map(({ counter, taken }) => [counter, taken]))
  for (const { counter, taken } of await from.counters()) {
    count('counter', 1)
    const found = moved.get(counter) ?? 0
    if (found !== taken)
      differs({ kind: 'counter', customerId: null, message: `The counter ${counter}: expected ${taken} taken, found ${found}` })
  }
  checkCount('counter', moved.size)
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
    const originals = await originalsOf(to, page)
    for (const event of page) moved.add(event, originals)
    onCompared((done += page.length))
  }
  for (const [key, { customerId, events, digest }] of digests) {
    count('event', events)
    const log = moved.digests.get(key)
    if (log?.digest === digest) continue
    const message = `The log of ${customerId}: expected ${events} events, found ${log?.events ?? 0}, and they are not the same`
    differs({ kind: 'event', customerId, message })
  }
  checkCount('event', done)
}

/** A period has one total for each invoice that holds events of it, and one that none holds yet. */
function keyOf(total: StoredTotal): string {
  return `${periodKey(total)} ${total.invoiceId ?? ''}`
}

function shownTotal(total: StoredTotal | undefined): string {
  if (total === undefined) return 'none'
  return total.invoiceId === null ? shownCount(total) : `${shownCount(total)}, held by ${total.invoiceId}`
}

function shownCount({ quantity, events, cost, uncovered }: Counted): string {
  const units = `${formatQuantity(quantity)} in ${events} events`
  if (cost.coefficient === 0n && uncovered.coefficient === 0n) return units
  return `${units}, at a cost of ${formatDecimal(cost)} of which ${formatDecimal(uncovered)} is uncovered`
}

function shownInvoice(invoice: Invoice | null): string {
  if (invoice === null) return 'none'
  const { number, status, total, lines } = invoice
  return `${number ?? 'no number'}, ${status}, ${formatMoney(total)} ${total.currency} in ${lines.length} lines`
}
