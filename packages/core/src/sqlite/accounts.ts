/** Loads account states and keeps the hot ones. The cache changes cost, never meaning. */

import { LRUCache } from 'lru-cache'
import { type AccountState, emptyAccount, type Usage, usageOf } from '../account/account-state.ts'
import type { Held } from './held.ts'
import { customerFromRow, invoiceFromRow, subscriptionFromRow } from './rows.ts'
import type { Statements } from './statements.ts'

/** An account with the number that the tables know it by; 0 until its first row is written. */
export interface LoadedAccount {
  readonly state: AccountState
  rowId: number
  /** Whether it went into the cache. */
  isKept: boolean
  /** Where the totals of its usage are; one without a row has none. */
  readonly totalIds: Map<Usage, number>
}

export interface Accounts {
  get(customerId: string): LoadedAccount
  /** Keeps an account after a commit. */
  keep(account: LoadedAccount): void
  /** Forgets all: another process wrote, or a transaction was rolled back. */
  clear(): void
}

/** `cacheSize` accounts are kept at most; 0 keeps none. */
export function createAccounts(statements: Statements, held: Held, cacheSize: number): Accounts {
  const cache = cacheSize > 0 ? new LRUCache<string, LoadedAccount>({ max: cacheSize }) : null

  return {
    get: (customerId) => cache?.get(customerId) ?? load(customerId),
    keep(account) {
      if (account.isKept) return
      account.isKept = true
      cache?.set(account.state.customerId, account)
    },
    clear: () => cache?.clear(),
  }

  function load(customerId: string): LoadedAccount {
    const state = emptyAccount(customerId)
    const row = statements.customer.get(customerId)
    const totalIds = new Map<Usage, number>()
    if (row === undefined) return { state, rowId: 0, isKept: false, totalIds }
    const rowId = Number(row.id)
    state.customer = customerFromRow(row)
    const subscription = statements.subscription.get(rowId)
    state.subscription = subscription === undefined ? null : subscriptionFromRow(customerId, subscription)
    for (const total of statements.openTotals.all(rowId)) {
      const usage = usageOf(state, total.feature, Number(total.period_start))
      usage.posted = total.quantity
      usage.events = Number(total.events)
      usage.lastSeq = Number(total.last_seq)
      totalIds.set(usage, Number(total.id))
    }
    for (const reservation of held.of(customerId)) {
      state.reservations.set(reservation.key, reservation)
      usageOf(state, reservation.feature, reservation.periodStart).reserved += reservation.quantity
    }
    for (const draft of statements.drafts.all(rowId)) {
      const invoice = invoiceFromRow(draft)
      state.drafts.set(invoice.id, invoice)
    }
    return { state, rowId, isKept: false, totalIds }
  }
}
