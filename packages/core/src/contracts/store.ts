/** What a store must do. One door for writes, few reads, nothing optional. */

import type { AccountState, ApiKeyRecord, Entry } from '../account/account-state.ts'
import type { RecordKey, RecordKind, StoredRecord } from '../records/account-record.ts'
import type { Invoice } from '../records/invoice.ts'
import type { Reservation } from '../records/reservation.ts'
import type { LoggedEvent, UsageEvent } from '../records/usage-event.ts'
import type { UsageTotal } from '../records/usage-total.ts'
import type { Decimal } from '../values/decimal.ts'
import type { Quantity } from '../values/quantity.ts'

export type { LoggedEvent }

/** What `decide` returns: the answer, and the entries to write. No entries: nothing is written. */
export interface Change<T> {
  readonly result: T
  readonly entries: readonly Entry[]
}

/**
 * A change that is asked for, and who hears of it. An object rather than a promise: a busy gate asks for tens of thousands a second,
 * and each promise costs as much as a part of the decision.
 */
export interface ChangeRequest<T = unknown> {
  readonly target: ChangeTarget
  /** As of `change`. */
  decide(state: AccountState): Change<T>
  /** Told once, when the change is durable. Must not throw; runs in no particular async context. */
  resolve(result: T): void
  /** Told once instead, with what the promise of `change` would reject with. Must not throw; runs in no particular async context. */
  reject(error: unknown): void
}

export interface ChangeTarget {
  readonly customerId: string
  /** Keys given by a caller whose events `decide` must see in `state.known`. */
  readonly keys?: readonly string[]
  /** Places of the customer's own events in the log that `decide` must see in `state.known`, under `seqKey(seq)`. */
  readonly seqs?: readonly number[]
  /** Ids of the customer's own invoices, final ones too, that `decide` must see in `state.invoices`. */
  readonly invoices?: readonly string[]
  /** Records of the customer, closed ones too, that `decide` must see in `state.records`, under `recordName`. */
  readonly records?: readonly RecordKey[]
  /**
   * `now` (the default): the promise settles when the change is durable, as soon as possible. `soon`: the change may wait
   * for the next commit, at most `SETTLE_WITHIN_MS`; it is retried for as long as the store lives, and its effect is
   * visible at once to later changes of this process.
   */
  readonly urgency?: 'now' | 'soon'
  /**
   * Takes effect after every change that was asked of this store before with the same, whichever the customer: what takes numbers
   * is numbered in the order in which it was asked. Default false: only changes of one customer follow one another.
   */
  readonly inOrder?: boolean
}

/** Under what name `state.known` holds an event that was asked for by its place: no caller's key has a space. */
export function seqKey(seq: number): string {
  return `seq ${seq}`
}

/** A settlement waits at most this long for a commit to ride on. */
export const SETTLE_WITHIN_MS = 50

/** One page of a listing. `next` is the cursor of the following page, null on the last. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | null
}

/** Every listing throws `invalid_option` for a limit that is none and for an `after` that cannot be a cursor. */
export interface PageRequest {
  /** From the page before; absent for the first page. */
  readonly after?: string | undefined
  /** At most `MAX_PAGE` items; the default is 100. */
  readonly limit?: number | undefined
}

export const MAX_PAGE = 10_000

/**
 * The events of one total: a customer's use of a feature in one usage period, as far as one invoice holds it. A period has one
 * total, and one more for each later invoice that holds events which came after the period's own invoice was final.
 */
export interface TotalQuery {
  readonly customerId: string
  readonly feature: string
  /** First instant of the usage period, epoch milliseconds. */
  readonly periodStart: number
  /** The final invoice that holds it; null: what no final invoice holds yet. Default: the newest. */
  readonly invoiceId?: string | null | undefined
}

export interface InvoiceQuery extends PageRequest {
  readonly customerId?: string | undefined
}

export interface RecordQuery extends PageRequest {
  readonly kind: RecordKind
  readonly customerId?: string | undefined
  /** Open or closed ones only. Default: both. */
  readonly isOpen?: boolean | undefined
}

/** A total, of whichever invoice. */
export interface TotalsQuery {
  readonly customerId: string
  readonly feature: string
  readonly periodStart: number
}

/** A catalog as the store keeps it. */
export interface StoredCatalog {
  readonly version: string
  /** The catalog's own JSON document. */
  readonly document: string
}

/** A counter that all customers share. */
export interface StoredCounter {
  readonly counter: string
  /** How many were taken. */
  readonly taken: number
}

/** What events add up to. */
export interface Counted {
  readonly quantity: Quantity
  readonly events: number
  readonly cost: Decimal
  readonly uncovered: Decimal
}

/** A total with the invoice that holds it, null while its period is open. */
export interface StoredTotal extends UsageTotal {
  readonly invoiceId: string | null
  /** The part of it whose events the operator's retention took out of the log, counted before they went; zeros where none did. */
  readonly dropped: Counted
}

/** Facts about a store for `doctor` and for error messages. */
export interface StoreFacts {
  readonly name: string
  readonly location: string
  readonly version: string
  readonly durability: 'full' | 'process'
}

/**
 * What `storeSuite` of `@farebox/conformance` checks. Reads hold what the same store was asked to change before them, answered or
 * not, unless the database does not take it.
 */
export interface Store {
  readonly facts: StoreFacts

  /** Makes the store ready: opens it and brings the schema up to date. Safe from many processes at once. */
  open(): Promise<void>

  /**
   * Reads the account's state, applies `decide`, writes its entries: all or nothing, one at a time per account.
   * `decide` is synchronous and pure, so it may run again. When it throws, nothing is written and the promise rejects
   * with what it threw. When an entry cannot be written it rejects too (with `limit_reached` when a counter has none left), and no
   * other change does because of it. Rejects
   * with `store_unavailable` when the store cannot answer in time; its `fields.outcome` is `'unknown'` when the change may
   * have been written all the same (the answer to a commit was lost), and then the meter takes a reservation back.
   */
  change<T>(target: ChangeTarget, decide: (state: AccountState) => Change<T>): Promise<T>

  /** The same for who needs no promise: `change` is made of it. Never throws. */
  submit<T>(request: ChangeRequest<T>): void

  /** Resolves when everything asked for so far is durable. */
  flush(): Promise<void>

  /**
   * The whole log, in an order that never changes, in which each customer's events are in the order of their `seq`. Whoever reads it
   * page by page while others write gets everything that was there exactly once.
   */
  log(page: PageRequest): Promise<Page<LoggedEvent>>
  /**
   * The events of one total, newest first: the one that was written last, whatever its instant. A page costs the same wherever it
   * is. Throws `invalid_option` for an `after` that is not an event of this total.
   */
  events(query: TotalQuery & PageRequest): Promise<Page<UsageEvent>>
  /** What the log holds for a total, counted event by event. */
  recount(query: TotalQuery): Promise<Counted>
  /** The totals of one period in the order in which they were made: its own, and those of what came late. */
  totalsOf(query: TotalsQuery): Promise<readonly StoredTotal[]>
  /** Every total, in an order that stays when others come. */
  totals(page: PageRequest): Promise<Page<StoredTotal>>
  /** Invoices in the order in which they were made. */
  invoices(query: InvoiceQuery): Promise<Page<Invoice>>
  /** An invoice by its id or number, drafts included; null when there is none. */
  invoice(idOrNumber: string): Promise<Invoice | null>
  /** A key by its public id, revoked ones included; null when there is none. */
  apiKey(id: string): Promise<ApiKeyRecord | null>
  /** The keys of a customer, oldest first. */
  apiKeys(customerId: string): Promise<readonly ApiKeyRecord[]>
  /** Customers, in the order in which they were first seen. */
  customerIds(page: PageRequest): Promise<Page<string>>
  /** Records of one kind in the order in which they were first written. */
  records(query: RecordQuery): Promise<Page<StoredRecord>>
  /** The counters of which something was taken, by their names. */
  counters(): Promise<readonly StoredCounter[]>

  catalogs(): Promise<readonly StoredCatalog[]>
  /** Keeps a catalog version for ever; a version that is there already stays as it is. */
  saveCatalog(catalog: StoredCatalog): Promise<void>

  /** Customers whose subscription has a billing moment at or before `now`: the earliest first, and of those the customer first seen. */
  claimDue(now: number, limit: number): Promise<readonly string[]>
  /** Pending reservations of processes that died, or closed their store. */
  orphans(): Promise<readonly Reservation[]>

  /** Writes what waits and releases the store, which refuses everything from then on with `stopped`. Safe to call twice. */
  close(): Promise<void>
}
