/** Locks accounts and brings their states up to date. What is remembered counts only while the account's version is the same. */

import {
  type AccountRecord,
  type AccountState,
  createRecent,
  emptyAccount,
  invariant,
  type Invoice,
  loadRecord,
  loadReservation,
  type Recent,
  type RecordKey,
  recordName,
  seqKey,
  subscriptionFromDocument,
  type LoggedEvent,
  usageOf,
} from '@farebox/core/contracts'
import type { QueryResult } from 'pg'
import { type Command, type Link, rowsOf } from './link.ts'
import {
  type AccountRow,
  amountFromText,
  customerFromRow,
  type LoggedEventRow,
  loggedEventFromRow,
  type InvoiceRow,
  invoiceFromRow,
  recordFromRow,
  type RecordRow,
  type ReservationRow,
  reservationFromRow,
  type SubscriptionRow,
  type TotalRow,
} from './rows.ts'
import type { Statements } from './statements.ts'

/** An account whose row this transaction holds, or will find at this version if it is to commit. */
export interface LockedAccount {
  readonly state: AccountState
  /** How many changes it had when its state was read; one more when this batch changed it. */
  version: number
  /** Place of its newest event. */
  lastSeq: number
}

/** An event that may be in the log: a customer's key. */
export interface KnownKey {
  readonly customerId: string
  readonly key: string
}

/** An event by its place in its customer's log. */
export interface KnownPlace {
  readonly customerId: string
  readonly seq: number
}

/** A record of a customer. */
export interface KnownRecord extends RecordKey {
  readonly customerId: string
}

/** What the changes of a batch have to see beyond their accounts. */
export interface Asked {
  readonly keys: readonly KnownKey[]
  readonly places: readonly KnownPlace[]
  /** By their ids. */
  readonly invoices: readonly KnownKey[]
  readonly records: readonly KnownRecord[]
}

export interface LockedAccounts {
  readonly accounts: ReadonlyMap<string, LockedAccount>
  /** The events that the log holds under the keys and at the places, by `keyOf` and `placeOf`. */
  readonly known: Map<string, LoggedEvent>
  /** The invoices and records that were asked for, by `keyOf` of their ids and `recordKeyOf`. */
  readonly invoices: Map<string, Invoice>
  readonly records: Map<string, AccountRecord>
  /** Whether one of them had changed since it was remembered: another process uses it too. */
  readonly isStale: boolean
}

export interface Accounts {
  /**
   * Begins a transaction, runs `first` in it, and locks the accounts in their one order. Gives the customers who have no row
   * instead when there are such; the transaction is to be rolled back then.
   */
  lock(link: Link, first: readonly Command[], customerIds: readonly string[], asked: Asked): Promise<Locking>
  /** The accounts as they are remembered, which counts only when their versions are found to be the same; null where one is not. */
  remembered(customerIds: readonly string[]): LockedAccounts | null
  /** What was applied to these states did not become durable, or may not have. */
  forget(customerIds: Iterable<string>): void
  /** Keeps the states of accounts that the batch left as they are written. */
  endBatch(): void
}

export type Locking = LockedAccounts | { readonly missing: readonly string[] }

export function keyOf({ customerId, key }: KnownKey): string {
  return `${customerId}\n${key}`
}

export function placeOf({ customerId, seq }: KnownPlace): string {
  return keyOf({ customerId, key: seqKey(seq) })
}

export function recordKeyOf({ customerId, ...record }: KnownRecord): string {
  return keyOf({ customerId, key: recordName(record) })
}

export function createAccounts(statements: Statements, cacheSize: number): Accounts {
  const kept: Recent<LockedAccount> = createRecent(cacheSize)

  return {
    lock,
    remembered(customerIds) {
      const accounts = new Map<string, LockedAccount>()
      for (const customerId of customerIds) {
        const account = kept.get(customerId)
        if (account === undefined) return null
        accounts.set(customerId, account)
      }
      return { accounts, known: new Map(), invoices: new Map(), records: new Map(), isStale: false }
    },
    forget(customerIds) {
      for (const customerId of customerIds) kept.delete(customerId)
    },
    endBatch: kept.trim,
  }

  async function lock(link: Link, first: readonly Command[], customerIds: readonly string[], asked: Asked): Promise<Locking> {
    const cold = customerIds.filter((customerId) => kept.get(customerId) === undefined)
    const looks = looksFor(asked)
    // Statements of one group run one after the other: these see what the lock waited for.
    const loads = cold.length > 0 ? loading(cold) : []
    const results = await link.run([statements.begin, statements.set, ...first, statements.lock(customerIds), ...looks, ...loads])
    const lockedAt = 2 + first.length
    const rows = rowsOf<AccountRow>(results, lockedAt)
    if (rows.length < customerIds.length) {
      const found = new Set(rows.map(({ customer }) => customer))
      return { missing: customerIds.filter((customerId) => !found.has(customerId)) }
    }
    if (cold.length > 0) load(rows, new Set(cold), results.slice(-LOADED))
    const stale = rows.filter(({ customer, version }) => kept.get(customer)?.version !== Number(version))
    if (stale.length > 0) {
      const customers = stale.map(({ customer }) => customer)
      load(stale, new Set(customers), await link.run(loading(customers)))
    }
    const accounts = new Map(customerIds.map((customerId) => [customerId, accountOf(customerId)]))
    const found = results.slice(lockedAt + 1, lockedAt + 1 + looks.length)
    return { accounts, ...foundFrom(asked, found), isStale: stale.length > 0 }
  }

  function accountOf(customerId: string): LockedAccount {
    const account = kept.get(customerId)
    invariant(account !== undefined, 'a locked account is loaded')
    return account
  }

  function looksFor({ keys, places, invoices, records }: Asked): Command[] {
    const looks: Command[] = []
    if (keys.length > 0)
      looks.push(
        statements.known(
          customersOf(keys),
          keys.map(({ key }) => key),
        ),
      )
    if (places.length > 0)
      looks.push(
        statements.knownPlaces(
          customersOf(places),
          places.map(({ seq }) => seq),
        ),
      )
    if (invoices.length > 0)
      looks.push(
        statements.knownInvoices(
          customersOf(invoices),
          invoices.map(({ key }) => key),
        ),
      )
    if (records.length > 0)
      looks.push(
        statements.knownRecords(
          customersOf(records),
          records.map(({ kind }) => kind),
          records.map(({ id }) => id),
        ),
      )
    return looks
  }

  function loading(customerIds: readonly string[]): Command[] {
    return [
      statements.subscriptions(customerIds),
      statements.openRecords(customerIds),
      statements.openTotals(customerIds),
      statements.reservations(customerIds),
      statements.drafts(customerIds),
    ]
  }

  function load(rows: readonly AccountRow[], which: ReadonlySet<string>, results: readonly QueryResult[]): void {
    const states = new Map<string, AccountState>()
    for (const row of rows) {
      if (!which.has(row.customer)) continue
      const state = emptyAccount(row.customer)
      state.customer = customerFromRow(row)
      states.set(row.customer, state)
      kept.set(row.customer, { state, version: Number(row.version), lastSeq: Number(row.last_seq) })
    }
    const stateOf = ({ customer }: { readonly customer: string }): AccountState => {
      const state = states.get(customer)
      invariant(state !== undefined, 'a row belongs to an account that was asked for')
      return state
    }
    for (const row of rowsOf<SubscriptionRow>(results, 0)) stateOf(row).subscription = subscriptionFromDocument(row.document)
    for (const row of rowsOf<RecordRow>(results, 1)) loadRecord(stateOf(row), recordFromRow(row))
    for (const row of rowsOf<TotalRow>(results, 2)) {
      const usage = usageOf(stateOf(row), row.feature, Number(row.period_start))
      usage.posted = BigInt(row.quantity)
      usage.events = Number(row.events)
      usage.lastSeq = Number(row.last_seq)
      usage.cost = amountFromText(row.cost)
      usage.uncovered = amountFromText(row.uncovered)
    }
    for (const row of rowsOf<ReservationRow>(results, 3)) loadReservation(stateOf(row), reservationFromRow(row))
    for (const row of rowsOf<InvoiceRow>(results, 4)) {
      const invoice = invoiceFromRow(row)
      stateOf(row).drafts.set(invoice.id, invoice)
    }
  }
}

/** How many statements load accounts. */
const LOADED = 5

type KnownRow = Omit<LoggedEventRow, 'seq'> & { readonly seq: string | null; readonly document: SealedEvent | null }

/** An event as its key keeps it once its partition is gone. */
type SealedEvent = Omit<LoggedEventRow, 'customer' | 'key'>

/** What `looksFor` found: a result for each kind that was asked for, in its order. */
function foundFrom(asked: Asked, results: readonly QueryResult[]): Omit<LockedAccounts, 'accounts' | 'isStale'> {
  let place = 0
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what was asked for decides what its rows are
  const next = <Row>({ length }: readonly unknown[]): readonly Row[] => (length === 0 ? [] : rowsOf<Row>(results, place++))
  const known = new Map(next<KnownRow>(asked.keys).map(knownFromRow))
  for (const row of next<LoggedEventRow>(asked.places)) {
    const event = loggedEventFromRow(row)
    known.set(placeOf(event), event)
  }
  const invoices = next<InvoiceRow>(asked.invoices).map((row): [string, Invoice] => {
    const invoice = invoiceFromRow(row)
    return [keyOf({ customerId: row.customer, key: invoice.id }), invoice]
  })
  const records = next<RecordRow>(asked.records).map((row): [string, AccountRecord] => {
    const record = recordFromRow(row)
    return [recordKeyOf({ customerId: row.customer, kind: record.kind, id: record.id }), record]
  })
  return { known, invoices: new Map(invoices), records: new Map(records) }
}

function customersOf(asked: readonly { readonly customerId: string }[]): string[] {
  return asked.map(({ customerId }) => customerId)
}

function knownFromRow(row: KnownRow): [string, LoggedEvent] {
  const { customer, key, seq, document } = row
  const event = seq === null ? document : { ...row, seq }
  invariant(event !== null, 'a key is of an event, or keeps the one that is gone')
  return [keyOf({ customerId: customer, key }), loggedEventFromRow({ ...event, customer, key })]
}
