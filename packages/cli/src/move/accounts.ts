/** Moves customers with their subscriptions and API keys, in the order in which they were first seen. */

import { isDeepStrictEqual } from 'node:util'
import { type ApiKeyRecord, type Customer, type Entry, invariant, type Store, type Subscription } from '@farebox/core/contracts'
import type { Arrived } from './arrived.ts'
import { pagesOf, sideBySide } from './listing.ts'

/** What an account holds besides usage and drafts. */
export interface Account {
  readonly customerId: string
  readonly customer: Customer | null
  readonly subscription: Subscription | null
  /** How many reservations are pending. */
  readonly pending: number
}

export interface MoveAccountsOptions {
  readonly from: Store
  readonly to: Store
  readonly arrived: Arrived
  readonly onMoved: (done: number) => void
}

export async function moveAccounts({ from, to, arrived, onMoved }: MoveAccountsOptions): Promise<void> {
  let done = 0
  for await (const ids of pagesOf((page) => from.customerIds(page))) {
    const accounts = await sideBySide(ids, async (id) => ({
      account: await readAccount(from, id),
      apiKeys: await from.apiKeys(id),
      // Nobody who is not there yet has keys.
      known: arrived.customers.has(id) ? await to.apiKeys(id) : [],
    }))
    await sideBySide(accounts, ({ account, apiKeys, known }) => writeAccount(to, account, missingOf(apiKeys, known)))
    onMoved((done += ids.length))
  }
}

export function readAccount(store: Store, customerId: string): Promise<Account> {
  return store.change({ customerId }, ({ customer, subscription, reservations }) => ({
    result: { customerId, customer, subscription, pending: reservations.size },
    entries: [],
  }))
}

/** Writes what the target does not have as it is, in one change. */
function writeAccount(to: Store, account: Account, apiKeys: readonly ApiKeyRecord[]): Promise<void> {
  const { customerId, customer, subscription } = account
  invariant(customer !== null, 'a customer who is listed is there')
  return to.change({ customerId, inOrder: true }, (state) => {
    const entries: Entry[] = []
    if (!isDeepStrictEqual(state.customer, customer)) entries.push({ kind: 'customer', customer })
    if (subscription !== null && !isDeepStrictEqual(state.subscription, subscription))
      entries.push({ kind: 'subscription', subscription })
    for (const apiKey of apiKeys) entries.push({ kind: 'api_key', apiKey })
    return { result: undefined, entries }
  })
}

function missingOf(apiKeys: readonly ApiKeyRecord[], known: readonly ApiKeyRecord[]): ApiKeyRecord[] {
  return apiKeys.filter((apiKey) => !known.some((one) => isDeepStrictEqual(one, apiKey)))
}
