/** Shows a decision what it names beyond its account: events, final invoices and closed records. */

import { type ChangeTarget, seqKey } from '../contracts/store.ts'
import { recordName } from '../records/account-record.ts'
import type { LoadedAccount } from './accounts.ts'
import { loggedEventFromRow, invoiceFromRow, recordFromRow } from './rows.ts'
import type { Statements } from './statements.ts'
import type { Batch } from './write-entry.ts'

/** Whether a change names anything: nearly none does. */
export function looksAround({ keys, seqs, invoices, records }: ChangeTarget): boolean {
  return keys !== undefined || seqs !== undefined || invoices !== undefined || records !== undefined
}

export interface Look {
  readonly batch: Batch
  readonly account: LoadedAccount
  readonly target: ChangeTarget
}

/** Fills what `forgetLook` empties again. */
export function lookAround(statements: Statements, { batch, account, target }: Look): void {
  const { rowId, state } = account
  if (rowId === 0) return
  const { keys = [], seqs = [], invoices = [], records = [] } = target
  for (const key of keys) {
    const row = statements.eventByKey.get(rowId, key)
    if (row !== undefined) state.known.set(key, loggedEventFromRow(row))
  }
  for (const seq of seqs) {
    const row = statements.eventBySeq.get(rowId, seq)
    if (row !== undefined) state.known.set(seqKey(seq), loggedEventFromRow(row))
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
}

export function forgetLook({ state }: LoadedAccount): void {
  state.known.clear()
  state.invoices.clear()
  state.records.clear()
}
