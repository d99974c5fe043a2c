/** A correction points to a place in the log, which is each store's own. Between stores the key of its original says the same. */

import { seqKey, type Store, type UsageEvent } from '@farebox/core/contracts'
import { sideBySide } from './listing.ts'

/** Keys of the originals of those events that are corrections; empty nearly always. */
export type Originals = ReadonlyMap<UsageEvent, string>

const NONE: Originals = new Map()

/** One whose original the store does not have has the empty key, which no event has. */
export async function originalsOf(store: Store, events: readonly UsageEvent[]): Promise<Originals> {
  const corrections = events.filter(({ corrects }) => corrects !== undefined)
  if (corrections.length === 0) return NONE
  const keys = await sideBySide(corrections, ({ customerId, corrects = 0 }) =>
    store.change({ customerId, seqs: [corrects] }, ({ known }) => ({
      result: known.get(seqKey(corrects))?.key ?? '',
      entries: [],
    })),
  )
  return new Map(corrections.map((event, i) => [event, keys[i] ?? '']))
}
