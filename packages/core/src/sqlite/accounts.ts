/** Loads account states and keeps the hot ones. The cache changes cost, never meaning. */

import { type AccountState, emptyAccount, loadRecord, loadReservation, type Usage, usageOf } from '../account/account-state.ts'
import { subscriptionFromDocument } from '../account/subscription.ts'
import { createRecent } from '../values/recent.ts'
import type { Held } from './held.ts'
import { amountFromText, customerFromRow, invoiceFromRow, recordFromRow } from './rows.ts'
import type { Statements } from './statements.ts'

/** An account with the number that the tables know it by; 0 until its first row is written. */
export interface LoadedAccount {
  readonly state: AccountState
  rowId: number
  /** A few: one for each usage that has a row, or will have one with this batch. */
  readonly totals: LoadedTotal[]
}

/** Usage of an account, and where its total is. */
export interface LoadedTotal {
  readonly account: LoadedAccount
  readonly usage: Usage
  /** Row number; 0 while it has none. */
  id: number
  /** Whether it waits to be written with this batch. */
  isDirty: boolean
}

export interface Accounts {
  /** The same account for the same customer until the batch ends. */
  get(customerId: string): LoadedAccount
  /** Forgets those that were not asked for lately, when there are too many. */
  endBatch(): void
  /** Forgets all: another process wrote, or a transaction was rolled back. */
  clear(): void
}

/** Besides the accounts of which something is pending, `cacheSize` are kept at most between batches; 0 keeps none. */
export function createAccounts(statements: Statements, held: Held, cacheSize: number): Accounts {
  const kept = createRecent<LoadedAccount>(cacheSize, ({ state }) => state.reservations.size > 0)

  return { get: (customerId) => kept.get(customerId) ?? keep(customerId), endBatch: kept.trim, clear: kept.clear }

  function keep(customerId: string): LoadedAccount {
    const account = load(customerId)
    kept.set(customerId, account)
    return account
  }

  function load(customerId: string): LoadedAccount {
    const state = emptyAccount(customerId)
    const row = statements.customer.get(customerId)
    const account: LoadedAccount = { state, rowId: 0, totals: [] }
    if (row === undefined) return account
    const rowId = Number(row.id)
    account.rowId = rowId
    state.customer = customerFromRow(row)
    const subscription = statements.subscription.get(rowId)
    state.subscription = subscription === undefined ? null : subscriptionFromDocument(subscription)
    for (const record of statements.openRecords.all(rowId)) loadRecord(state, recordFromRow(record))
    for (const total of statements.openTotals.all(rowId)) {
      const usage = usageOf(state, total.feature, Number(total.period_start))
      usage.posted = total.quantity
      usage.events = Number(total.events)
      usage.lastSeq = Number(total.last_seq)
      usage.cost = amountFromText(total.cost)
      usage.uncovered = amountFromText(total.uncovered)
      account.totals.push({ account, usage, id: Number(total.id), isDirty: false })
    }
    for (const reservation of held.of(customerId)) loadReservation(state, reservation)
    for (const draft of statements.drafts.all(rowId)) {
      const invoice = invoiceFromRow(draft)
      state.drafts.set(invoice.id, invoice)
    }
    return account
  }
}
