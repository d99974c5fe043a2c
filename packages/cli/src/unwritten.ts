/** A store on top of another one: it reads that one, and keeps in memory what would be written. */

import {
  type AccountState,
  applyEntry,
  type Change,
  type ChangeTarget,
  type Entry,
  type Invoice,
  invariant,
  type Store,
  submitBy,
} from '@farebox/core/contracts'

export interface Unwritten {
  readonly store: Store
  /** Invoices that would be final now, by id, in the order in which they became it. */
  readonly invoices: ReadonlyMap<string, Invoice>
}

/** So many customers can be due. */
const EVERYBODY = 10_000_000

/**
 * Enough of a store to close periods and to preview and audit them. Nothing reaches the other one, and reservations of processes that
 * died stay what they are. Memory grows with the customers that something would be written of.
 */
export function unwritten(base: Store): Unwritten {
  const states = new Map<string, AccountState>()
  const invoices = new Map<string, Invoice>()
  let queue: string[] = []
  let queuedUntil = -Infinity

  const store: Store = {
    get facts() {
      return base.facts
    },
    open: () => base.open(),
    change,
    submit: submitBy(change),
    flush: () => base.flush(),
    log: (page) => base.log(page),
    events: (query) => base.events(query),
    recount: (query) => base.recount(query),
    totalsOf: (query) => base.totalsOf(query),
    totals: (page) => base.totals(page),
    invoices: (query) => base.invoices(query),
    invoice: async (idOrNumber) => invoices.get(idOrNumber) ?? (await base.invoice(idOrNumber)),
    apiKey: (id) => base.apiKey(id),
    apiKeys: (customerId) => base.apiKeys(customerId),
    customerIds: (page) => base.customerIds(page),
    records: (query) => base.records(query),
    counters: () => base.counters(),
    catalogs: () => base.catalogs(),
    saveCatalog: () => Promise.resolve(),
    claimDue,
    orphans: () => Promise.resolve([]),
    close: () => base.close(),
  }
  return { store, invoices }

  async function change<T>(target: ChangeTarget, decide: (state: AccountState) => Change<T>): Promise<T> {
    const { customerId } = target
    const known = states.get(customerId)
    if (known !== undefined) return decideOn(known, decide)
    return base.change(target, (state) => {
      // Somebody else may have been faster while this waited.
      const copied = states.get(customerId)
      if (copied !== undefined) return { result: decideOn(copied, decide), entries: [] }
      const { result, entries } = decide(state)
      if (entries.length > 0) {
        // The state belongs to the other store, which knows nothing of these entries.
        const copy = structuredClone(state)
        states.set(customerId, copy)
        for (const entry of entries) apply(copy, entry)
      }
      return { result, entries: [] }
    })
  }

  function decideOn<T>(state: AccountState, decide: (state: AccountState) => Change<T>): T {
    const { result, entries } = decide(state)
    for (const entry of entries) apply(state, entry)
    return result
  }

  function apply(state: AccountState, entry: Entry): void {
    invariant(entry.kind !== 'posted', 'events have a place in a log, which this is not')
    applyEntry(state, entry)
    if (entry.kind === 'finalized') {
      const { invoice } = entry
      invoices.set(invoice.id, { ...invoice, number: `PREVIEW-${String(invoices.size + 1).padStart(6, '0')}` })
    }
  }

  /** Customers come off the queue when they are due no more. */
  async function claimDue(now: number, limit: number): Promise<readonly string[]> {
    if (now > queuedUntil) queue = [...(await base.claimDue(now, EVERYBODY))]
    queuedUntil = now
    queue = queue.filter((customerId) => {
      const state = states.get(customerId)
      return state === undefined || (state.subscription?.dueAt ?? Infinity) <= now
    })
    return queue.slice(0, limit)
  }
}
