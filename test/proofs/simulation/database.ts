/** What is durable in the simulation: accounts that change by entries only, the log, totals, invoices. No crash takes any of it. */

import {
  type AccountState,
  applyEntry,
  emptyAccount,
  type Entry,
  invariant,
  type Invoice,
  type Reservation,
  type StoredCatalog,
  type StoredTotal,
  type UsageEvent,
  usageOf,
} from '@farebox/core/contracts'

export interface SimulatedTotal extends StoredTotal {
  quantity: bigint
  events: number
  invoiceId: string | null
}

export class Database {
  readonly accounts: Map<string, AccountState> = new Map()
  readonly log: UsageEvent[] = []
  /** First instant of the usage period that an event was counted in, by its place. */
  readonly periods: Map<number, number> = new Map()
  /** Everything that was ever written, account by account. */
  readonly journal: Map<string, { readonly entry: Entry; readonly seq: number }[]> = new Map()
  /** Log places by customer and caller's key. */
  readonly keys: Map<string, UsageEvent> = new Map()
  readonly totals: Map<string, SimulatedTotal> = new Map()
  readonly invoices: Map<string, Invoice> = new Map()
  readonly series: Map<string, number> = new Map()
  readonly catalogs: Map<string, StoredCatalog> = new Map()
  /** The process that holds a reservation, by key. */
  readonly holders: Map<string, string> = new Map()
  readonly dead: Set<string> = new Set()

  /** A copy: what is decided on is thrown away when it cannot be written. */
  read(customerId: string, keys: readonly string[] = []): AccountState {
    const state = copied(this.accounts.get(customerId) ?? emptyAccount(customerId))
    for (const key of keys) {
      const event = this.keys.get(`${customerId} ${key}`)
      if (event !== undefined) state.known.set(key, event)
    }
    return state
  }

  /** Writes the entries of one change: all or none. Throws what is broken. */
  write(process: string, customerId: string, entries: readonly Entry[]): void {
    const state = this.read(customerId)
    let seq = this.log.length
    // Everything is tried on copies first, so that nothing is written when one of the entries cannot be.
    for (const entry of entries) {
      invariant(
        state.customer !== null || entry.kind === 'customer' || entry.kind === 'released',
        'an account begins with its customer',
      )
      if (entry.kind === 'posted') this.#checkPosted(entry)
      applyEntry(state, entry, entry.kind === 'posted' ? (seq += 1) : 0)
    }
    this.accounts.set(customerId, state)
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
    const total = this.totals.get(totalKey(event.customerId, event.feature, periodStart))
    invariant(total === undefined || total.invoiceId === null, 'usage of a final invoice never changes')
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
      case 'customer':
      case 'subscription':
      case 'released':
      case 'api_key':
        return
    }
  }

  #keepPosted({ event, periodStart, keyGivenBy }: Extract<Entry, { kind: 'posted' }>): void {
    const kept = { ...event, seq: this.log.length + 1 }
    this.log.push(kept)
    this.periods.set(kept.seq, periodStart)
    if (keyGivenBy === 'caller') this.keys.set(`${event.customerId} ${event.key}`, kept)
    const total = this.#totalOf(event.customerId, event.feature, periodStart)
    total.quantity += event.quantity
    total.events += 1
  }

  #totalOf(customerId: string, feature: string, periodStart: number): SimulatedTotal {
    const key = totalKey(customerId, feature, periodStart)
    let total = this.totals.get(key)
    if (total === undefined) {
      const dropped = { quantity: 0n, events: 0 }
      this.totals.set(key, (total = { customerId, feature, periodStart, quantity: 0n, events: 0, invoiceId: null, dropped }))
    }
    return total
  }
}

export function totalKey(customerId: string, feature: string, periodStart: number): string {
  return `${customerId} ${feature} ${periodStart}`
}

function copied(state: AccountState): AccountState {
  const copy = { ...emptyAccount(state.customerId), customer: state.customer, subscription: state.subscription }
  for (const { feature, periodStart, ...figures } of state.usage) Object.assign(usageOf(copy, feature, periodStart), figures)
  for (const [key, reservation] of state.reservations) copy.reservations.set(key, reservation)
  for (const [id, draft] of state.drafts) copy.drafts.set(id, draft)
  return copy
}
