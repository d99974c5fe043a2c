/** The records that a batch of changes touches: each is written once, as it is at the end. */

import { type AccountRecord, grantToRecord, type RecordKey, recordName } from '../records/account-record.ts'
import { invariant } from '../values/invariant.ts'
import { type AccountState, type Entry, recordsChangedBy } from './account-state.ts'

/** Any store's own shape of a loaded account. */
interface WithState {
  readonly state: AccountState
}

export interface ChangedRecords<Account extends WithState> {
  /** Takes note of what an entry changes, once it is applied. */
  add(account: Account, entry: Entry): void
  /** A record as the batch has changed it so far; undefined where it has not. */
  find(account: Account, key: RecordKey): AccountRecord | undefined
  /** What is to be written, in the order in which it was first touched. */
  written(): Iterable<readonly [account: Account, record: AccountRecord]>
}

/** The id of an open grant, which is written as it is at the end: a batch may use it a thousand times. */
type Touched = AccountRecord | string

export function createChangedRecords<Account extends WithState>(): ChangedRecords<Account> {
  const touched = new Map<Account, Map<string, Touched>>()
  // Listings of a store are in the order of writing, whichever account a record is of.
  const order: (readonly [account: Account, name: string])[] = []

  return { add, find, written }

  function add(account: Account, entry: Entry): void {
    if (entry.kind === 'posted') for (const { grant } of entry.event.charge?.parts ?? []) touchGrant(account, grant)
    else if (entry.kind === 'granted' && !entry.grant.isClosed) touchGrant(account, entry.grant.id)
    else for (const record of recordsChangedBy(account.state, entry)) touch(account, recordName(record), record)
  }

  function touchGrant(account: Account, id: string): void {
    touch(account, recordName({ kind: 'grant', id }), id)
  }

  function find(account: Account, key: RecordKey): AccountRecord | undefined {
    const record = touched.get(account)?.get(recordName(key))
    return typeof record === 'string' ? openGrant(account, record) : record
  }

  function touch(account: Account, name: string, record: Touched): void {
    let ofAccount = touched.get(account)
    if (ofAccount === undefined) touched.set(account, (ofAccount = new Map()))
    if (!ofAccount.has(name)) order.push([account, name])
    ofAccount.set(name, record)
  }

  function* written(): Iterable<readonly [Account, AccountRecord]> {
    for (const [account, name] of order) {
      const record = touched.get(account)?.get(name)
      invariant(record !== undefined, 'what was touched is there')
      yield [account, typeof record === 'string' ? openGrant(account, record) : record]
    }
  }
}

function openGrant({ state }: WithState, id: string): AccountRecord {
  const grant = state.grants.get(id)
  invariant(grant !== undefined, 'a grant that was touched last while it was open is open')
  return grantToRecord(grant)
}
