/** Changes of a final invoice that see all that became of it: its payments, their refunds, its credit notes. */

import type { AccountState } from './account/account-state.ts'
import { type Collection, collectionIn, type CollectionSize, collectionTarget } from './account/collection.ts'
import type { Change, Store } from './contracts/store.ts'
import { FareboxError } from './errors.ts'
import type { Invoice } from './records/invoice.ts'

export interface CollectionQuery {
  readonly id: string
  readonly customerId: string
  /** Whether the change takes a number. */
  readonly inOrder?: boolean
}

/** Sees and decides in one act, so that no two of them give back the same money. `collection` is null where there is no such invoice. */
export type DecideOnCollection<T> = (state: AccountState, collection: Collection | null) => Change<T>

/** Most invoices are paid at once and never corrected; one that is not is looked at again. */
const USUAL: CollectionSize = { payments: 1, creditNotes: 0 }

const MORE: unique symbol = Symbol('more')

export async function changeCollection<T>(
  store: Store,
  { id, customerId, inOrder = false }: CollectionQuery,
  decide: DecideOnCollection<T>,
  size: CollectionSize = USUAL,
): Promise<T> {
  const target = { customerId, inOrder, ...collectionTarget(id, size) }
  const result = await store.change(target, (state): Change<T | typeof MORE> => {
    const collection = collectionIn(state, id, size)
    return collection === 'more' ? { result: MORE, entries: [] } : decide(state, collection)
  })
  if (result !== MORE) return result
  const larger = { payments: 2 * size.payments, creditNotes: 2 * size.creditNotes + 1 }
  return changeCollection(store, { id, customerId, inOrder }, decide, larger)
}

export async function readCollection(store: Store, query: CollectionQuery): Promise<Collection> {
  return changeCollection(store, query, (_state, collection) => {
    if (collection === null) throw noInvoice(query.id)
    return { result: collection, entries: [] }
  })
}

/** Throws `not_found`. */
export async function findInvoice(store: Store, idOrNumber: string): Promise<Invoice> {
  const invoice = typeof idOrNumber === 'string' ? await store.invoice(idOrNumber) : null
  if (invoice === null) throw noInvoice(idOrNumber)
  return invoice
}

function noInvoice(idOrNumber: string): FareboxError {
  return new FareboxError(
    'not_found',
    `Expected the id or number of an invoice, got ${JSON.stringify(idOrNumber)}: invoices.list() has them`,
    {
      fields: { invoice: idOrNumber },
    },
  )
}
