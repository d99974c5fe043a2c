/** Moves grants, payments and usage without a price, in the order in which they were first written; and counters. */

import { isDeepStrictEqual } from 'node:util'
import {
  type AccountState,
  DECIMAL_ZERO,
  type Entry,
  grantFromRecord,
  paymentFromRecord,
  type RecordKind,
  type Store,
  type StoredRecord,
  unpricedFromRecord,
} from '@farebox/core/contracts'
import type { Arrived } from './arrived.ts'
import { pagesOf, sideBySide } from './listing.ts'

export const RECORD_KINDS: readonly RecordKind[] = ['grant', 'payment', 'unpriced']

export interface MoveRecordsOptions {
  readonly from: Store
  readonly to: Store
  readonly arrived: Arrived
}

/** So many are taken of a counter in one change at most. */
const MOST_TAKEN = 1_000

export function recordKey({ customerId, kind, id }: StoredRecord): string {
  return `${customerId} ${kind} ${id}`
}

/** Grants come over open and as if unused: the events that were charged to them use them again. */
export async function moveRecords(options: MoveRecordsOptions): Promise<void> {
  for (const kind of RECORD_KINDS) await write(options, kind, begun)
  await moveCounters(options)
}

/** Grants as they are in the source: closed, and used by what is no event too. */
export async function endGrants(options: MoveRecordsOptions): Promise<void> {
  await write(options, 'grant', ended)
}

/** The entry that a record needs, or null where the target has it as it is. `there` is what the target had of it at the start. */
type EntryOf = (record: StoredRecord, there: StoredRecord | undefined, state: AccountState) => Entry | null

async function write({ from, to, arrived }: MoveRecordsOptions, kind: RecordKind, entryOf: EntryOf): Promise<void> {
  for await (const page of pagesOf((request) => from.records({ ...request, kind }))) {
    await sideBySide(page, (record) =>
      to.change({ customerId: record.customerId, inOrder: true }, (state) => {
        const entry = entryOf(record, arrived.records.get(recordKey(record)), state)
        return { result: undefined, entries: entry === null ? [] : [entry] }
      }),
    )
  }
}

function begun(record: StoredRecord, there: StoredRecord | undefined, { grants }: AccountState): Entry | null {
  if (isDeepStrictEqual(record, there)) return null
  switch (record.kind) {
    case 'grant': {
      const used = grants.get(record.id)?.used ?? (there === undefined ? DECIMAL_ZERO : grantFromRecord(there).used)
      return { kind: 'granted', grant: { ...grantFromRecord(record), used, isClosed: false } }
    }
    case 'payment':
      return { kind: 'payment', payment: paymentFromRecord(record) }
    case 'unpriced':
      return { kind: 'unpriced', usage: unpricedFromRecord(record) }
  }
}

function ended(record: StoredRecord, there: StoredRecord | undefined, { grants }: AccountState): Entry | null {
  const grant = grantFromRecord(record)
  const isThere = grant.isClosed ? isDeepStrictEqual(record, there) : isDeepStrictEqual(grants.get(grant.id), grant)
  return isThere ? null : { kind: 'granted', grant }
}

async function moveCounters({ from, to }: MoveRecordsOptions): Promise<void> {
  const there = new Map((await to.counters()).map(({ counter, taken }) => [counter, taken]))
  // Whose change it is says nothing: counters are nobody's.
  const [customerId] = (await from.customerIds({ limit: 1 })).items
  if (customerId === undefined) return
  for (const { counter, taken } of await from.counters()) {
    for (let left = taken - (there.get(counter) ?? 0); left > 0; left -= MOST_TAKEN) {
      const entries = Array.from({ length: Math.min(left, MOST_TAKEN) }, (): Entry => ({
        kind: 'counted',
        counter,
        limit: taken,
      }))
      await to.change({ customerId }, () => ({ result: undefined, entries }))
    }
  }
}
