/** Writes one entry of a change inside the batch's transaction, and applies it to the account's state. */

import { applyEntry, type Entry, loadReservation, type Usage, usageOf } from '../account/account-state.ts'
import { type ChangedRecords, createChangedRecords } from '../account/changed-records.ts'
import { type Customer, customerToDocument } from '../account/customer.ts'
import { limitReached } from '../contracts/waiting.ts'
import type { FareboxError } from '../errors.ts'
import { chargeToDocument } from '../records/charge.ts'
import type { Invoice } from '../records/invoice.ts'
import { invoiceToDocument } from '../records/invoice-document.ts'
import { DECIMAL_ZERO } from '../values/decimal.ts'
import { invariant } from '../values/invariant.ts'
import type { LoadedAccount, LoadedTotal } from './accounts.ts'
import type { Labels } from './labels.ts'
import { amountToText, subscriptionToRow } from './rows.ts'
import type { Statements } from './statements.ts'
import { type HeldChanges, HeldReservation } from './held.ts'

/** What one transaction gathers while its changes are applied; written once at its end. */
export interface Batch {
  /** Totals that changed. */
  readonly dirty: LoadedTotal[]
  /** The columns of events that are not in their table yet, one after the other. */
  readonly events: unknown[]
  /** Events under keys that callers gave, whose keys are not in their table yet. */
  readonly keys: Map<string, GivenKey>
  /** Whether the table of keys has none of those that the batch's changes name. */
  areKeysNew: boolean
  readonly held: HeldChanges
  readonly records: ChangedRecords<LoadedAccount>
  hasWritten: boolean
  /** Place that the next event takes in the log. */
  nextSeq: number
}

/** Whose key it is, and the place of its event in the log. */
interface GivenKey {
  readonly customerId: number
  readonly seq: number
}

export function emptyBatch(nextSeq: number): Batch {
  const held = { added: [], ended: [] }
  return {
    dirty: [],
    events: [],
    keys: new Map(),
    areKeysNew: false,
    held,
    records: createChangedRecords(),
    hasWritten: false,
    nextSeq,
  }
}

export interface EntryWriter {
  /** Why none of a change's entries may be written; null nearly always. */
  refusalOf(entries: readonly Entry[]): FareboxError | null
  write(batch: Batch, account: LoadedAccount, entry: Entry): void
  /** Writes the events that the batch gathered, for whoever looks for one of them in the log. */
  writeEvents(batch: Batch): void
  /** Writes what the batch gathered: events, and the totals and records that changed, once each, whatever the number of events. */
  writeGathered(batch: Batch): void
}

export function createEntryWriter(statements: Statements, labels: Labels): EntryWriter {
  return { refusalOf, write, writeEvents, writeGathered }

  /** Looked at before anything is written, so that a counter which has none left spoils no other change of the batch. */
  function refusalOf(entries: readonly Entry[]): FareboxError | null {
    let taken: Map<string, number> | null = null
    for (const entry of entries) {
      if (entry.kind !== 'counted') continue
      const { counter, limit } = entry
      taken ??= new Map()
      const before = taken.get(counter) ?? Number(statements.counter.get(counter) ?? 0n)
      if (before >= limit) return limitReached(entry)
      taken.set(counter, before + 1)
    }
    return null
  }

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
      case 'reserved': {
        const held = new HeldReservation(entry.reservation)
        batch.held.added.push(held)
        return loadReservation(account.state, held)
      }
      case 'released':
        batch.held.ended.push(heldOf(account, entry.key))
        return applyEntry(account.state, entry)
      case 'posted':
        return writePosted(batch, account, entry)
      case 'drafted':
        writeDraft(account, entry.invoice)
        break
      case 'finalized':
        writeFinalized(batch, account, entry)
        break
      case 'collected':
        collect(account, entry)
        break
      case 'counted':
        statements.takeFromCounter.run(entry.counter)
        break
      case 'granted':
      case 'payment':
      case 'unpriced':
        // Written with the batch.
        break
      case 'api_key': {
        const { id, name, secretHash, createdAt, revokedAt } = entry.apiKey
        statements.saveApiKey.run(id, account.rowId, name, secretHash, createdAt, revokedAt)
        break
      }
    }
    applyEntry(account.state, entry)
    batch.records.add(account, entry)
  }

  function writeCustomer(account: LoadedAccount, customer: Customer): void {
    const { id, name, email, timeZone, createdAt } = customer
    const details = customerToDocument(customer)
    if (account.rowId === 0)
      account.rowId = Number(statements.insertCustomer.run(id, name, email, timeZone, createdAt, details).lastInsertRowid)
    else statements.updateCustomer.run(name, email, timeZone, details, account.rowId)
  }

  function writePosted(batch: Batch, account: LoadedAccount, entry: Extract<Entry, { kind: 'posted' }>): void {
    const { event, periodStart } = entry
    const seq = batch.nextSeq
    const usage = usageOf(account.state, event.feature, periodStart)
    const total = totalOf(account, usage)
    // An event points to its total, so that is there first.
    if (total.id === 0) insertTotal(total)
    const routeId = event.route === null ? null : labels.idOf(event.route)
    const properties = event.properties === null ? null : JSON.stringify(event.properties)
    const { quantity, at, key, charge, corrects } = event
    const back = seq - usage.lastSeq
    invariant(at >= periodStart, 'an event is of a period that had begun')
    if (charge === undefined && corrects === undefined) {
      batch.events.push(seq, total.id, quantity, at, back, routeId, key, properties)
    } else {
      const rest = [charge === undefined ? null : chargeToDocument(charge), corrects ?? null]
      statements.insertChargedEvent.run(seq, total.id, quantity, at, back, routeId, key, properties, ...rest)
    }
    if (entry.keyGivenBy === 'caller') gatherKey(batch, key, { customerId: account.rowId, seq })
    if (account.state.reservations.has(event.key)) batch.held.ended.push(heldOf(account, event.key))
    batch.nextSeq = seq + 1
    if (!total.isDirty) {
      total.isDirty = true
      batch.dirty.push(total)
    }
    applyEntry(account.state, entry, seq)
    if (event.charge !== undefined) batch.records.add(account, entry)
  }

  function gatherKey(batch: Batch, key: string, given: GivenKey): void {
    // Another customer's.
    if (batch.keys.has(key)) writeKeys(batch)
    batch.keys.set(key, given)
  }

  function writeDraft(account: LoadedAccount, invoice: Invoice): void {
    const saved = statements.saveDraft.run(account.rowId, invoice.id, invoiceToDocument(invoice))
    invariant(saved.changes === 1, 'a final invoice never becomes a draft')
  }

  function writeFinalized(batch: Batch, account: LoadedAccount, entry: Extract<Entry, { kind: 'finalized' }>): void {
    // Totals of this very batch must be in their table before they are sealed.
    writeTotals(batch.dirty)
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

  function collect(account: LoadedAccount, { invoiceId, status }: Extract<Entry, { kind: 'collected' }>): void {
    invariant(status !== 'draft', 'a final invoice never becomes a draft')
    const collected = statements.collectInvoice.run(status, account.rowId, invoiceId)
    invariant(collected.changes === 1, 'what is collected is a final invoice of the account')
  }

  function writeEvents({ events }: Batch): void {
    if (events.length === 0) return
    statements.insertEvents(events)
    events.length = 0
  }

  function writeKeys(batch: Batch): void {
    const { keys } = batch
    if (keys.size === 0) return
    const columns: unknown[] = []
    for (const [key, { customerId, seq }] of keys) columns.push(customerId, key, seq)
    statements.insertEventKeys(columns)
    keys.clear()
    batch.areKeysNew = false
  }

  function writeGathered(batch: Batch): void {
    writeEvents(batch)
    writeKeys(batch)
    writeTotals(batch.dirty)
    for (const [account, { kind, id, isOpen, document }] of batch.records.written())
      statements.saveRecord.run(account.rowId, kind, id, isOpen ? 1 : 0, document)
  }

  function writeTotals(dirty: LoadedTotal[]): void {
    const uncharged: unknown[] = []
    let updated = 0
    for (const total of dirty) {
      total.isDirty = false
      const { posted, events, lastSeq, cost, uncovered } = total.usage
      // The very zeros that it began with: nothing was ever charged, and the row says so.
      if (cost === DECIMAL_ZERO && uncovered === DECIMAL_ZERO) uncharged.push(total.id, posted, events, lastSeq)
      else updated += updateCharged(total)
    }
    updated += statements.updateTotals(uncharged)
    invariant(updated === dirty.length, 'usage of a final invoice never changes')
    dirty.length = 0
  }

  function insertTotal(total: LoadedTotal): void {
    const { account, usage } = total
    const inserted = statements.insertTotal.run({
      customer_id: account.rowId,
      feature_id: labels.idOf(usage.feature),
      period_start: usage.periodStart,
      quantity: usage.posted,
      events: usage.events,
      cost: amountToText(usage.cost),
      uncovered: amountToText(usage.uncovered),
      last_seq: usage.lastSeq,
    })
    total.id = Number(inserted.lastInsertRowid)
  }

  function updateCharged({ id, usage }: LoadedTotal): number {
    const { posted, events, lastSeq, cost, uncovered } = usage
    return statements.updateChargedTotal.run(posted, events, lastSeq, amountToText(cost), amountToText(uncovered), id).changes
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

function heldOf(account: LoadedAccount, key: string): HeldReservation {
  const reservation = account.state.reservations.get(key)
  invariant(reservation instanceof HeldReservation, 'a reservation ends once')
  return reservation
}
