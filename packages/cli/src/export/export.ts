/** All that a store holds, line by line, in an order in which it can be read again in one pass. */

import { type Invoice, MAX_PAGE, type Store, type StoredTotal } from '@farebox/core/contracts'
import { CommandError } from '../command-error.ts'
import { eachOf } from '../listing.ts'
import { originalsOf } from '../move/corrections.ts'
import { pagesOf, sideBySide } from '../move/listing.ts'
import { periodKey } from '../move/periods.ts'
import { RECORD_KINDS } from '../move/records.ts'
import {
  catalogLine,
  counterLine,
  customerLine,
  endLine,
  eventLine,
  type ExportCounts,
  headerLine,
  invoiceLine,
  recordLine,
  totalLine,
} from './lines.ts'

/**
 * Memory grows with the number of periods alone. Rejects where reservations are pending, where retention took months, and at the end when
 * something was written meanwhile: then the last line is missing, and nobody takes the rest for whole.
 */
export async function* exportLines(store: Store): AsyncGenerator<string> {
  const counts: ExportCounts = { catalogs: 0, customers: 0, records: 0, counters: 0, totals: 0, invoices: 0, events: 0 }
  yield headerLine()
  for (const catalog of await store.catalogs()) {
    counts.catalogs += 1
    yield catalogLine(catalog)
  }
  yield* customerLines(store, counts)
  for (const kind of RECORD_KINDS) {
    for await (const record of eachOf((after) => store.records({ kind, after, limit: MAX_PAGE }))) {
      counts.records += 1
      yield recordLine(record)
    }
  }
  for (const counter of await store.counters()) {
    counts.counters += 1
    yield counterLine(counter)
  }
  const expected = yield* totalLines(store, counts)
  for await (const invoice of eachOf<Invoice>((after) => store.invoices({ after, limit: MAX_PAGE }))) {
    counts.invoices += 1
    yield invoiceLine(invoice)
  }
  for await (const page of pagesOf((request) => store.log(request), MAX_PAGE)) {
    const originals = await originalsOf(store, page)
    counts.events += page.length
    for (const event of page) yield eventLine(event, originals.get(event))
  }
  if (counts.events !== expected)
    throw new CommandError(
      `The log had ${counts.events} events and the totals ${expected}: something was written meanwhile, so stop the application and export again`,
    )
  yield endLine(counts)
}

async function* customerLines(store: Store, counts: ExportCounts): AsyncGenerator<string> {
  for await (const ids of pagesOf((page) => store.customerIds(page))) {
    const accounts = await sideBySide(ids, async (customerId) => ({
      account: await store.change({ customerId }, ({ customer, subscription, reservations }) => ({
        result: { customer, subscription, pending: reservations.size },
        entries: [],
      })),
      apiKeys: await store.apiKeys(customerId),
    }))
    for (const { account, apiKeys } of accounts) {
      const { customer, subscription, pending } = account
      if (pending > 0) throw pendingRequests()
      if (customer === null) continue
      counts.customers += 1
      yield customerLine({ customer, subscription, apiKeys })
    }
  }
}

/** The totals of a period in the order in which they were made. Gives how many events they hold. */
async function* totalLines(store: Store, counts: ExportCounts): AsyncGenerator<string, number> {
  const several = await periodsWithSeveral(store)
  let events = 0
  for await (const listed of eachOf((after) => store.totals({ after, limit: MAX_PAGE }))) {
    const key = periodKey(listed)
    if (several.get(key) === 'written') continue
    const totals = several.has(key) ? await store.totalsOf(listed) : [listed]
    if (several.has(key)) several.set(key, 'written')
    for (const total of totals) {
      if (total.dropped.events > 0) throw dropped(total)
      counts.totals += 1
      events += total.events
      yield totalLine(total)
    }
  }
  return events
}

/** A listing of all totals says nothing about the order of those of one period. */
async function periodsWithSeveral(store: Store): Promise<Map<string, 'found' | 'written'>> {
  const seen = new Set<string>()
  const several = new Map<string, 'found' | 'written'>()
  for await (const total of eachOf((after) => store.totals({ after, limit: MAX_PAGE }))) {
    const key = periodKey(total)
    if (seen.has(key)) several.set(key, 'found')
    seen.add(key)
  }
  return several
}

function dropped({ customerId, dropped: { events } }: StoredTotal): CommandError {
  return new CommandError(
    `Retention took ${events} events of ${customerId} out of the log, and what is left could not be counted again: copy the database itself, or export its events with --format csv`,
  )
}

function pendingRequests(): CommandError {
  return new CommandError(
    'Requests are in flight: stop the application, which settles them, or give --on-crash charge or --on-crash void when its process died',
  )
}
