/** How the checks use the one door for writes. */

import type {
  AccountState,
  ChangeTarget,
  Entry,
  LoggedEvent,
  Page,
  PageRequest,
  Store,
  UsageEvent,
} from '@farebox/core/contracts'
import { opening } from './records.ts'

/** The customer is a member of what it is asked for, or the one of every check. */
type Target = Omit<ChangeTarget, 'customerId'> & { readonly customerId?: string }

/** Writes entries, and makes the customer where there is none. */
export function write(store: Store, entries: readonly Entry[], { customerId = 'ada', ...target }: Target = {}): Promise<void> {
  const written = store.change({ customerId, ...target }, (state) => ({
    result: undefined,
    entries: [...opening(state), ...entries],
  }))
  // A check that fails leaves changes behind for which nobody waits.
  written.catch(() => {})
  return written
}

/** Whether a change was refused. Why is the store's own: the contract names no reason for entries that cannot be written. */
export function isRefused(changed: Promise<unknown>): Promise<boolean> {
  return changed.then(
    () => false,
    () => true,
  )
}

/** The account as a change sees it now, in an order of its own: a copy, since the state belongs to the store. */
export async function accountOf(store: Store, customerId = 'ada', keys?: readonly string[]): Promise<AccountState> {
  const state = await store.change(keys === undefined ? { customerId } : { customerId, keys }, (seen) => ({
    result: structuredClone(seen),
    entries: [],
  }))
  state.usage.sort((a, b) => a.periodStart - b.periodStart || (a.feature < b.feature ? -1 : 1))
  // Usage that was reserved and released again may be remembered or not: it says the same.
  return { ...state, usage: state.usage.filter(({ events, reserved }) => events > 0 || reserved > 0n) }
}

/** The event that the log holds under a key which its sender gave. */
export async function knownUnder(store: Store, key: string, customerId = 'ada'): Promise<UsageEvent | undefined> {
  const { known } = await accountOf(store, customerId, [key])
  return known.get(key)
}

/** Every item of a listing, page by page. */
export async function allOf<T>(list: (page: PageRequest) => Promise<Page<T>>, limit = 1_000): Promise<T[]> {
  const items: T[] = []
  let after: string | undefined
  for (;;) {
    const page = await list({ after, limit })
    items.push(...page.items)
    if (page.next === null) return items
    after = page.next
  }
}

/** The whole log. */
export function logOf(store: Store): Promise<LoggedEvent[]> {
  return allOf(store.log)
}

/** An entry that no store can write: nobody reserved it. */
export const UNWRITABLE: Entry = { kind: 'released', key: 'never-reserved' }
