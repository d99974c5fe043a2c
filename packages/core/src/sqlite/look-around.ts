/** Shows a decision what it names beyond its account: events, final invoices and closed records. */

import { type ChangeTarget, type LoggedEvent, seqKey } from '../contracts/store.ts'
import type { Waiting } from '../contracts/waiting.ts'
import { recordName } from '../records/account-record.ts'
import type { Accounts, LoadedAccount } from './accounts.ts'
import { loggedEventFromRow, invoiceFromRow, recordFromRow } from './rows.ts'
import type { Statements } from './statements.ts'
import type { Batch, EntryWriter } from './write-entry.ts'

/** Whether a change names anything: nearly none does. */
export function looksAround({ keys, seqs, invoices, records }: ChangeTarget): boolean {
  return keys !== undefined || seqs !== undefined || invoices !== undefined || records !== undefined
}

/** Whether the log has none of the keys that the changes name: nearly always, and few statements say so for all of them. */
export function areKeysNew(waiting: readonly Waiting[], accounts: Accounts, statements: Statements): boolean {
  const asked: unknown[] = []
  for (const { request } of waiting) {
    const { customerId, keys } = request.target
    if (keys === undefined) continue
    const { rowId } = accounts.get(customerId)
    for (const key of keys) asked.push(rowId, key)
  }
  return !statements.anyEventKey(asked)
}

export interface Look {
  readonly statements: Statements
  readonly writeEvents: EntryWriter['writeEvents']
  readonly batch: Batch
  readonly account: LoadedAccount
  readonly target: ChangeTarget
}

/** Fills what `forgetLook` empties again. */
export function lookAround({ statements, writeEvents, batch, account, target }: Look): void {
  const { rowId, state } = account
  if (rowId === 0) return
  const { keys = [], seqs = [], invoices = [], records = [] } = target
  for (const key of keys) {
    const given = batch.keys.get(key)
    const isGiven = given?.customerId === rowId
    if (!isGiven && batch.areKeysNew) continue
    const seq = isGiven ? given.seq : statements.seqOfKey.get(rowId, key)
    const event = seq === undefined ? undefined : eventAt(seq)
    if (event !== undefined) state.known.set(key, event)
  }
  for (const seq of seqs) {
    const event = eventAt(seq)
    if (event !== undefined) state.known.set(seqKey(seq), event)
  }
  for (const id of invoices) {
    const row = statements.ownInvoice.get(rowId, id)
    if (row !== undefined) state.invoices.set(id, invoiceFromRow(row))
  }
  for (const key of records) {
    // Records are written at the end of the batch: what an earlier change of it did is not in the table yet.
    const changed = batch.records.find(account, key)
    const row = changed === undefined ? statements.ownRecord.get(rowId, key.kind, key.id) : undefined
    const record = row === undefined ? changed : recordFromRow(row)
    if (record !== undefined) state.records.set(recordName(key), record)
  }

  /** An earlier change of the batch may have made it. */
  function eventAt(seq: bigint | number): LoggedEvent | undefined {
    writeEvents(batch)
    const row = statements.eventBySeq.get(rowId, seq)
    return row === undefined ? undefined : loggedEventFromRow(row)
  }
}

export function forgetLook({ state }: LoadedAccount): void {
  // Clearing a map makes it a new table, even where there was nothing in it.
  if (state.known.size > 0) state.known.clear()
  if (state.invoices.size > 0) state.invoices.clear()
  if (state.records.size > 0) state.records.clear()
}
