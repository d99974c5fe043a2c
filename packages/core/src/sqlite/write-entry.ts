/** Writes one entry of a change inside the batch's transaction, and applies it to the account's state. */

import { applyEntry, type Entry, type Usage, usageOf } from '../account/account-state.ts'
import type { Invoice } from '../records/invoice.ts'
import { invoiceToDocument } from '../records/invoice-document.ts'
import type { Reservation } from '../records/reservation.ts'
import { invariant } from '../values/invariant.ts'
import type { LoadedAccount, LoadedTotal } from './accounts.ts'
import type { Labels } from './labels.ts'
import { subscriptionToRow } from './rows.ts'
import type { Statements } from './statements.ts'
import type { HeldChanges } from './held.ts'

/** What one transaction gathers while its changes are applied; written once at its end. */
export interface Batch {
  /** Totals that changed. */
  readonly dirty: LoadedTotal[]
  readonly held: HeldChanges
  hasWritten: boolean
  /** Place that the next event takes in the log. */
  nextSeq: number
}

export function emptyBatch(nextSeq: number): Batch {
  return { dirty: [], held: { added: [], ended: [] }, hasWritten: false, nextSeq }
}

export interface EntryWriter {
  write(batch: Batch, account: LoadedAccount, entry: Entry): void
  /** Writes the totals that the batch changed: once each, whatever the number of events. */
  writeTotals(batch: Batch): void
}

export function createEntryWriter(statements: Statements, labels: Labels): EntryWriter {
  return { write, writeTotals }

  function write(batch: Batch, account: LoadedAccount, entry: Entry): void {
    invariant(
      account.rowId !== 0 || entry.kind === 'customer' || entry.kind === 'released',
      'an account begins with its customer',
    )
    batch.hasWritten = true
    switch (entry.kind) {
      case 'customer':
        writeCustomer(account, entry.customer)
        break
      case 'subscription':
        statements.saveSubscription.run(subscriptionToRow(account.rowId, entry.subscription))
        break
      case 'reserved':
        batch.held.added.push(entry.reservation)
        break
      case 'released':
        batch.held.ended.push(reservationOf(account, entry.key))
        break
      case 'posted':
        return writePosted(batch, account, entry)
      case 'drafted':
        writeDraft(account, entry.invoice)
        break
      case 'finalized':
        writeFinalized(batch, account, entry)
        break
      case 'api_key': {
        const { id, name, secretHash, createdAt, revokedAt } = entry.apiKey
        statements.saveApiKey.run(id, account.rowId, name, secretHash, createdAt, revokedAt)
        break
      }
    }
    applyEntry(account.state, entry)
  }

  function writeCustomer(account: LoadedAccount, customer: Extract<Entry, { kind: 'customer' }>['customer']): void {
    const { id, name, email, timeZone, createdAt } = customer
    if (account.rowId === 0)
      account.rowId = Number(statements.insertCustomer.run(id, name, email, timeZone, createdAt).lastInsertRowid)
    else statements.updateCustomer.run(name, email, timeZone, account.rowId)
  }

  function writePosted(batch: Batch, account: LoadedAccount, entry: Extract<Entry, { kind: 'posted' }>): void {
    const { event, periodStart } = entry
    const seq = batch.nextSeq
    const usage = usageOf(account.state, event.feature, periodStart)
    const routeId = event.route === null ? null : labels.idOf(event.route)
    const properties = event.properties === null ? null : JSON.stringify(event.properties)
    statements.insertEvent.run(
      seq,
      account.rowId,
      labels.idOf(event.feature),
      event.quantity,
      event.at,
      usage.lastSeq,
      routeId,
      event.key,
      properties,
    )
    if (entry.keyGivenBy === 'caller') statements.insertEventKey.run(account.rowId, event.key, seq)
    const reservation = account.state.reservations.get(event.key)
    if (reservation !== undefined) batch.held.ended.push(reservation)
    batch.nextSeq = seq + 1
    const total = totalOf(account, usage)
    if (!total.isDirty) {
      total.isDirty = true
      batch.dirty.push(total)
    }
    applyEntry(account.state, entry, seq)
  }

  function writeDraft(account: LoadedAccount, invoice: Invoice): void {
    const saved = statements.saveDraft.run(account.rowId, invoice.id, invoiceToDocument(invoice))
    invariant(saved.changes === 1, 'a final invoice never becomes a draft')
  }

  function writeFinalized(batch: Batch, account: LoadedAccount, entry: Extract<Entry, { kind: 'finalized' }>): void {
    // Totals of this very batch must be in their table before they are sealed.
    writeTotals(batch)
    const { invoice, series } = entry
    const number = statements.takeNumber.get(series)
    invariant(number !== undefined, 'a series gives its next number')
    const finalized = statements.finalizeInvoice.run(
      invoice.status,
      series,
      number,
      invoiceToDocument(invoice),
      account.rowId,
      invoice.id,
    )
    invariant(finalized.changes === 1, 'an invoice is finalized once, from its draft')
    for (const { feature, periodStart } of entry.sealed) {
      const sealed = statements.sealTotal.run(invoice.id, account.rowId, labels.idOf(feature), periodStart)
      invariant(sealed.changes === 1, 'a total is sealed once')
      const place = account.totals.findIndex(({ usage }) => usage.feature === feature && usage.periodStart === periodStart)
      account.totals.splice(place, 1)
    }
  }

  function writeTotals(batch: Batch): void {
    for (const total of batch.dirty) {
      const { account, usage } = total
      const { feature, periodStart, posted, events, lastSeq } = usage
      total.isDirty = false
      if (total.id === 0) {
        const inserted = statements.insertTotal.run(account.rowId, labels.idOf(feature), periodStart, posted, events, lastSeq)
        total.id = Number(inserted.lastInsertRowid)
      } else {
        const updated = statements.updateTotal.run(posted, events, lastSeq, total.id)
        invariant(updated.changes === 1, 'usage of a final invoice never changes')
      }
    }
    batch.dirty.length = 0
  }
}

function totalOf(account: LoadedAccount, usage: Usage): LoadedTotal {
  const { totals } = account
  // The newest is asked for most.
  for (let i = totals.length - 1; i >= 0; i -= 1) {
    const total = totals[i]
    if (total?.usage === usage) return total
  }
  const total: LoadedTotal = { account, usage, id: 0, isDirty: false }
  totals.push(total)
  return total
}

function reservationOf(account: LoadedAccount, key: string): Reservation {
  const reservation = account.state.reservations.get(key)
  invariant(reservation !== undefined, 'a reservation ends once')
  return reservation
}
