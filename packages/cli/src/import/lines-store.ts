/** An export as a store that is only read: what `move` takes its source for. */

import {
  type AccountState,
  type Change,
  type ChangeTarget,
  emptyAccount,
  FareboxError,
  invalidPlace,
  invariant,
  type LoggedEvent,
  type Page,
  type PageRequest,
  pageLimit,
  pagePlace,
  seqKey,
  type Store,
  type StoredTotal,
  submitBy,
  type TotalQuery,
  type TotalsQuery,
  type UsageEvent,
} from '@farebox/core/contracts'
import { periodKey } from '../move/periods.ts'
import { indexLines, originalName } from './line-index.ts'
import { accountOf, eventOf, invoiceOf, parseLine, recordOf } from './parse-lines.ts'
import { openPlaces, type Place } from './places.ts'

/** Memory grows with customers, totals, records and invoices (some bytes each), not with events. `name` is for messages. */
export async function openLines(file: string, name: string): Promise<Store> {
  const index = await indexLines(file, name)
  const places = openPlaces(file)
  const customerIds = [...index.customers.keys()]
  const invoices = [...index.invoices.values()]
  const periods = Map.groupBy(index.totals, periodKey)
  const totalsOf = (query: TotalsQuery): readonly StoredTotal[] => periods.get(periodKey(query)) ?? []
  const linesAt = <T>(some: readonly Place[], toItem: (text: string) => T): T[] => some.map((place) => toItem(places.read(place)))

  return {
    facts: { name: 'json-lines', location: name, version: '1', durability: 'full' },
    open: async () => {},
    change,
    submit: submitBy(change),
    flush: async () => {},
    log,
    events: async (query) => eventsOf(query),
    recount: refuse,
    totalsOf: async (query) => totalsOf(query),
    totals: async (page) => pageOf(index.totals, page),
    invoices: async (query) => {
      const { items, next } = pageOf(invoices, query)
      return { items: linesAt(items, (text) => invoiceOf(parseLine(text))), next }
    },
    invoice: async (id) => {
      const place = index.invoices.get(id)
      return place === undefined ? null : invoiceOf(parseLine(places.read(place)))
    },
    apiKey: refuse,
    apiKeys: async (customerId) => accountAt(customerId)?.apiKeys ?? [],
    customerIds: async (page) => pageOf(customerIds, page),
    records: async (query) => {
      const { items, next } = pageOf(index.records.get(query.kind) ?? [], query)
      return { items: linesAt(items, (text) => recordOf(parseLine(text))), next }
    },
    counters: async () => index.counters,
    catalogs: async () => index.catalogs,
    saveCatalog: refuse,
    claimDue: async () => [],
    orphans: async () => [],
    close: async () => places.close(),
  }

  function accountAt(customerId: string) {
    const place = index.customers.get(customerId)
    return place === undefined ? null : accountOf(parseLine(places.read(place)))
  }

  async function change<T>(target: ChangeTarget, decide: (state: AccountState) => Change<T>): Promise<T> {
    const { customerId, seqs = [] } = target
    const account = accountAt(customerId)
    const state = emptyAccount(customerId)
    state.customer = account?.customer ?? null
    state.subscription = account?.subscription ?? null
    for (const seq of seqs) {
      const key = index.originals.get(originalName(customerId, seq))
      // Its key is all that anybody asks of an event that was corrected.
      if (key !== undefined) state.known.set(seqKey(seq), { ...NAMED, customerId, seq, key })
    }
    const { result, entries } = decide(state)
    invariant(entries.length === 0, 'an export is only read')
    return result
  }

  async function log(page: PageRequest): Promise<Page<LoggedEvent>> {
    const { offset, end } = index.events
    const from = pagePlace(page, offset)
    const { texts, next } = places.lines(from, end, pageLimit(page))
    return { items: texts.map((text) => eventOf(parseLine(text))), next: next >= end ? null : String(next) }
  }

  /** Of what came late alone; the other events are read as a log. */
  function eventsOf(query: TotalQuery & PageRequest): Page<UsageEvent> {
    const ofPeriod = index.late.get(periodKey(query))
    invariant(ofPeriod !== undefined, 'only the events of a period with several totals are asked for')
    let first = 0
    for (const total of totalsOf(query)) {
      const own = ofPeriod.slice(first, first + total.events)
      if (total.invoiceId === (query.invoiceId ?? null)) {
        const { items, next } = pageOf(own.toReversed(), query)
        return { items: linesAt(items, (text) => eventOf(parseLine(text))), next }
      }
      first += total.events
    }
    return { items: [], next: null }
  }
}

const NAMED = { feature: '', quantity: 0n, at: 0, periodStart: 0, route: null, properties: null } as const

/** A cursor is the number of items before it. */
function pageOf<T>(items: readonly T[], page: PageRequest): Page<T> {
  const first = pagePlace(page, 0)
  if (first > items.length) throw invalidPlace(page.after)
  const end = first + pageLimit(page)
  return { items: items.slice(first, end), next: end < items.length ? String(end) : null }
}

function refuse(): never {
  throw new FareboxError('not_movable', 'Expected something that an export is asked for, got another question')
}
