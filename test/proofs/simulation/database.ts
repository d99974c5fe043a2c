/** What is durable in the simulation: accounts that change by entries only, the log, totals, invoices. No crash takes any of it. */

import {
  type AccountState,
  add,
  applyEntry,
  type ChangeTarget,
  createChangedRecords,
  type Decimal,
  DECIMAL_ZERO,
  emptyAccount,
  type Entry,
  invariant,
  type Invoice,
  limitReached,
  type LoggedEvent,
  recordName,
  type Reservation,
  seqKey,
  type StoredCatalog,
  type StoredRecord,
  type StoredTotal,
  usageOf,
} from '@farebox/core/contracts'

export interface SimulatedTotal extends StoredTotal {
  quantity: bigint
  events: number
  cost: Decimal
  uncovered: Decimal
  invoiceId: string | null
  /** Places of its events. */
  readonly places: number[]
}

export class Database {
  readonly accounts: Map<string, AccountState> = new Map()
  readonly log: LoggedEvent[] = []
  /** Everything that was ever written, account by account. */
  readonly journal: Map<string, { readonly entry: Entry; readonly seq: number }[]> = new Map()
  /** Log places by customer and caller's key. */
  readonly keys: Map<string, LoggedEvent> = new Map()
  /** The totals of each period in their order: its own, and those of what came late. */
  readonly totals: Map<string, SimulatedTotal[]> = new Map()
  readonly records: Map<string, StoredRecord> = new Map()
  readonly counters: Map<string, number> = new Map()
  readonly invoices: Map<string, Invoice> = new Map()
  readonly series: Map<string, number> = new Map()
  readonly catalogs: Map<string, StoredCatalog> = new Map()
  /** The process that holds a reservation, by key. */
  readonly holders: Map<string, string> = new Map()
  readonly dead: Set<string> = new Set()

  /** A copy: what is decided on is thrown away when it cannot be written. */
  read({ customerId, keys = [], seqs = [], invoices = [], records = [] }: ChangeTarget): AccountState {
    const state = copied(this.accounts.get(customerId) ?? emptyAccount(customerId))
    for (const key of keys) {
      const event = this.keys.get(`${customerId} ${key}`)
      if (event !== undefined) state.known.set(key, event)
    }
    for (const seq of seqs) {
      const event = this.log[seq - 1]
      if (event?.customerId === customerId) state.known.set(seqKey(seq), event)
    }
    for (const id of invoices) {
      const invoice = this.invoices.get(id)
      if (invoice?.customerId === customerId) state.invoices.set(id, invoice)
    }
    for (const key of records) {
      const record = this.records.get(`${customerId} ${recordName(key)}`)
      if (record !== undefined) state.records.set(recordName(key), record)
    }
    return state
  }

  /** Writes the entries of one change: all or none. Throws what is broken. */
  write(process: string, customerId: string, entries: readonly Entry[]): void {
    const account = { state: this.read({ customerId }) }
    const { state } = account
    const records = createChangedRecords<typeof account>()
    let seq = this.log.length
    // Everything is tried on copies first, so that nothing is written when one of the entries cannot be.
    for (const entry of entries) {
      invariant(
        state.customer !== null || entry.kind === 'customer' || entry.kind === 'released',
        'an account begins with its customer',
      )
      if (entry.kind === 'posted') this.#checkPosted(entry)
      if (entry.kind === 'counted' && (this.counters.get(entry.counter) ?? 0) >= entry.limit) throw limitReached(entry)
      applyEntry(state, entry, entry.kind === 'posted' ? (seq += 1) : 0)
      records.add(account, entry)
    }
    this.accounts.set(customerId, state)
    for (const [, record] of records.written()) this.records.set(`${customerId} ${recordName(record)}`, { customerId, ...record })
    for (const entry of entries) {
      this.#keep(process, customerId, entry)
      const journal = this.journal.get(customerId) ?? []
      journal.push({ entry, seq: entry.kind === 'posted' ? this.log.length : 0 })
      this.journal.set(customerId, journal)
    }
  }

  orphans(): Reservation[] {
    return [...this.accounts.values()].flatMap(({ reservations }) =>
      [...reservations.values()].filter(({ key }) => this.dead.has(this.holders.get(key) ?? '')),
    )
  }

  #checkPosted({ event, periodStart, keyGivenBy }: Extract<Entry, { kind: 'posted' }>): void {
    invariant(event.at >= periodStart, 'an event is not earlier than its period')
    invariant(event.quantity >= 0n || event.corrects !== undefined, 'only a correction takes units back')
    invariant(keyGivenBy === 'farebox' || !this.keys.has(`${event.customerId} ${event.key}`), 'a key is counted once')
  }

  #keep(process: string, customerId: string, entry: Entry): void {
    switch (entry.kind) {
      case 'reserved':
        return void this.holders.set(entry.reservation.key, process)
      case 'posted':
        return this.#keepPosted(entry)
      case 'drafted':
        return void this.invoices.set(entry.invoice.id, entry.invoice)
      case 'finalized': {
        const number = (this.series.get(entry.series) ?? 0) + 1
        this.series.set(entry.series, number)
        this.invoices.set(entry.invoice.id, { ...entry.invoice, number: `${entry.series}-${String(number).padStart(6, '0')}` })
        for (const { feature, periodStart } of entry.sealed)
          this.#totalOf(customerId, feature, periodStart).invoiceId = entry.invoice.id
        return
      }
      case 'collected': {
        const invoice = this.invoices.get(entry.invoiceId)
        invariant(invoice !== undefined && invoice.status !== 'draft', 'what is collected is a final invoice')
        return void this.invoices.set(invoice.id, { ...invoice, status: entry.status })
      }
      case 'counted':
        return void this.counters.set(entry.counter, (this.counters.get(entry.counter) ?? 0) + 1)
      case 'customer':
      case 'subscription':
      case 'released':
      case 'granted':
      case 'payment':
      case 'unpriced':
      case 'api_key':
        return
    }
  }

  #keepPosted({ event, periodStart, keyGivenBy }: Extract<Entry, { kind: 'posted' }>): void {
    const kept = { ...event, seq: this.log.length + 1, periodStart }
    this.log.push(kept)
    if (keyGivenBy === 'caller') this.keys.set(`${event.customerId} ${event.key}`, kept)
    const total = this.#totalOf(event.customerId, event.feature, periodStart)
    total.quantity += event.quantity
    total.events += 1
    total.places.push(kept.seq)
    if (event.charge === undefined) return
    total.cost = add(total.cost, event.charge.cost)
    total.uncovered = add(total.uncovered, event.charge.uncovered)
  }

  /** The open one; made where the period has none, or an invoice holds the last. */
  #totalOf(customerId: string, feature: string, periodStart: number): SimulatedTotal {
    const key = totalKey(customerId, feature, periodStart)
    const rounds = this.totals.get(key) ?? []
    const last = rounds.at(-1)
    if (last?.invoiceId === null) return last
    const none = { quantity: 0n, events: 0, cost: DECIMAL_ZERO, uncovered: DECIMAL_ZERO }
    const total: SimulatedTotal = { customerId, feature, periodStart, ...none, invoiceId: null, dropped: none, places: [] }
    this.totals.set(key, [...rounds, total])
    return total
  }
}

export function totalKey(customerId: string, feature: string, periodStart: number): string {
  return `${customerId} ${feature} ${periodStart}`
}

function copied(state: AccountState): AccountState {
  const copy = { ...emptyAccount(state.customerId), customer: state.customer, subscription: state.subscription }
  for (const { feature, periodStart, ...figures } of state.usage) Object.assign(usageOf(copy, feature, periodStart), figures)
  copy.reservations = new Map(state.reservations)
  for (const [id, draft] of state.drafts) copy.drafts.set(id, draft)
  for (const [id, grant] of state.grants) copy.grants.set(id, { ...grant })
  for (const [id, payment] of state.payments) copy.payments.set(id, payment)
  return copy
}
