/** What the target holds already of the source, and whether it holds anything else. */

import { FareboxError, type InvoiceStatus, type Store, type StoredRecord } from '@farebox/core/contracts'
import { readAccount } from './accounts.ts'
import { originalsOf } from './corrections.ts'
import { createDigester, type LogDigests } from './digests.ts'
import { LOG_PAGE, pagesOf, sideBySide } from './listing.ts'
import { periodKey } from './periods.ts'
import { RECORD_KINDS, recordKey } from './records.ts'
import type { Survey } from './survey.ts'

export interface Arrived {
  readonly customers: ReadonlySet<string>
  /** How many totals of a period a final invoice holds, by `periodKey`. Their events are all there. */
  readonly sealedRounds: ReadonlyMap<string, number>
  /** By id. A draft is no final one yet. */
  readonly invoices: ReadonlyMap<string, InvoiceStatus>
  /** By `recordKey`. */
  readonly records: ReadonlyMap<string, StoredRecord>
}

export interface ArrivedOptions {
  readonly from: Store
  readonly to: Store
  readonly source: Survey
}

/**
 * Throws `target_not_empty` when the target holds a customer, an event, a record or an invoice that is not the source's. An empty
 * target costs nothing; else the log of both is read once.
 */
export async function readArrived({ from, to, source }: ArrivedOptions): Promise<Arrived> {
  const customers = new Set<string>()
  for await (const ids of pagesOf((page) => to.customerIds(page))) {
    await sideBySide(ids, (id) => refuseOtherAccount(from, to, id))
    for (const id of ids) customers.add(id)
  }
  if (customers.size === 0) return { customers, sealedRounds: new Map(), invoices: new Map(), records: new Map() }
  const sealedRounds = new Map<string, number>()
  for await (const page of pagesOf((request) => to.totals(request))) {
    for (const total of page) {
      const key = periodKey(total)
      if (!source.periods.has(key)) throw notEmpty(`a total of ${total.customerId}`)
      if (total.invoiceId !== null) sealedRounds.set(key, (sealedRounds.get(key) ?? 0) + 1)
    }
  }
  const invoices = await readInvoices({ from, to, source })
  const records = await readRecords({ from, to })
  await refuseOtherCounters({ from, to })
  await refuseOtherEvents(from, await digestsOf(to))
  return { customers, sealedRounds, invoices, records }
}

/** An id alone says little, for the same customers may be in a test database. */
async function refuseOtherAccount(from: Store, to: Store, customerId: string): Promise<void> {
  const [there, here] = await Promise.all([readAccount(to, customerId), readAccount(from, customerId)])
  if (there.customer?.createdAt !== here.customer?.createdAt) throw notEmpty(`the customer ${customerId}`)
  if (there.pending > 0) throw notEmpty(`${there.pending} pending reservations of ${customerId}`)
}

async function readInvoices({ from, to, source }: ArrivedOptions): Promise<Map<string, InvoiceStatus>> {
  const invoices = new Map<string, InvoiceStatus>()
  for await (const page of pagesOf((request) => to.invoices(request))) {
    await sideBySide(page, async ({ id, number, status }) => {
      const original = await from.invoice(id)
      const isSame = original !== null && original.id === id && (number === null || number === original.number)
      if (!isSame) throw notEmpty(`the invoice ${number ?? id}`)
      invoices.set(id, status)
    })
  }
  for (const [name, ids] of source.series) refuseOtherOrder(name, ids, (id) => isFinal(invoices.get(id)))
  return invoices
}

export function isFinal(status: InvoiceStatus | undefined): boolean {
  return status !== undefined && status !== 'draft'
}

/** Numbers are given in their order, so those that are there come before all that are not. */
function refuseOtherOrder(name: string, ids: readonly string[], isThere: (id: string) => boolean): void {
  const first = ids.findIndex((id) => !isThere(id))
  if (first !== -1 && ids.slice(first).some(isThere)) throw notEmpty(`the series ${name} without its number ${first + 1}`)
}

/** The target's records of each kind must be the first of the source's. */
async function readRecords({ from, to }: Pick<ArrivedOptions, 'from' | 'to'>): Promise<Map<string, StoredRecord>> {
  const records = new Map<string, StoredRecord>()
  for (const kind of RECORD_KINDS) {
    const there: StoredRecord[] = []
    for await (const page of pagesOf((request) => to.records({ ...request, kind }))) there.push(...page)
    let place = 0
    if (there.length > 0)
      for await (const page of pagesOf((request) => from.records({ ...request, kind }))) {
        for (const record of page) {
          const found = there[place]
          if (found !== undefined && recordKey(found) !== recordKey(record)) throw notEmpty(shownRecord(found))
          place += 1
        }
      }
    const more = there[place]
    if (more !== undefined) throw notEmpty(shownRecord(more))
    for (const record of there) records.set(recordKey(record), record)
  }
  return records
}

function shownRecord({ kind, id, customerId }: StoredRecord): string {
  return `the ${kind === 'unpriced' ? 'unpriced usage' : kind} ${id} of ${customerId}`
}

async function refuseOtherCounters({ from, to }: Pick<ArrivedOptions, 'from' | 'to'>): Promise<void> {
  const most = new Map((await from.counters()).map(({ counter, taken }) => [counter, taken]))
  for (const { counter, taken } of await to.counters())
    if (taken > (most.get(counter) ?? 0)) throw notEmpty(`${taken} taken of the counter ${counter}`)
}

async function digestsOf(store: Store): Promise<LogDigests> {
  const digester = createDigester()
  for await (const page of pagesOf((request) => store.log(request), LOG_PAGE)) {
    const originals = await originalsOf(store, page)
    for (const event of page) digester.add(event, originals)
  }
  return digester.digests
}

/** The target's log of each period must be the beginning of the source's. */
async function refuseOtherEvents(from: Store, arrived: LogDigests): Promise<void> {
  if (arrived.size === 0) return
  const digester = createDigester()
  let found = 0
  for await (const page of pagesOf((request) => from.log(request), LOG_PAGE)) {
    const originals = await originalsOf(from, page)
    for (const event of page) {
      const { events, digest } = digester.add(event, originals)
      const there = arrived.get(periodKey(event))
      if (there?.events !== events) continue
      if (there.digest !== digest) throw notEmpty(`other events of ${event.customerId}`)
      found += 1
    }
  }
  if (found === arrived.size) return
  for (const [key, { customerId, events }] of arrived) {
    const here = digester.digests.get(key)?.events ?? 0
    if (here < events) throw notEmpty(`${events - here} more events of ${customerId}`)
  }
}

function notEmpty(what: string): FareboxError {
  return new FareboxError(
    'target_not_empty',
    `Expected a target that is empty or was begun by a move of the same source, found ${what}, which the source does not have: give another target`,
    { fields: { found: what } },
  )
}
