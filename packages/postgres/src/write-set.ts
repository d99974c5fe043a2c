/** What the changes of one batch write, gathered while they are decided and sent as few statements. */

import {
  type AccountRecord,
  type AccountState,
  applyEntry,
  chargeToDocument,
  createChangedRecords,
  customerToDocument,
  type Entry,
  invariant,
  invoiceToDocument,
  type Invoice,
  type RecordKey,
  type LoggedEvent,
  type Reservation,
  subscriptionColumns,
  subscriptionToDocument,
  type Usage,
  type UsageEvent,
  usageOf,
} from '@farebox/core/contracts'
import { keyOf, type LockedAccount, placeOf } from './accounts.ts'
import { type Column, columnsOf } from './columns.ts'
import type { Command } from './link.ts'
import { amountToText } from './rows.ts'
import type { Statements } from './statements.ts'

export interface WriteSet {
  /** Applies an entry to the account and keeps it to be written. */
  add(account: LockedAccount, entry: Entry): void
  /** A record as the batch has changed it so far; undefined where it has not. */
  findRecord(account: LockedAccount, key: RecordKey): AccountRecord | undefined
  /** Accounts that the batch changed. */
  readonly changed: ReadonlySet<LockedAccount>
  /** Instants of the events. */
  readonly instants: readonly number[]
  /** The statements, in an order that their rows allow. */
  commands(): Command[]
  /** How many rows each of the statements that must find their rows has to change, by its place among `commands`. */
  readonly mustChange: ReadonlyMap<number, string>
}

/** Usage that the batch changed, and where it is written. */
interface ChangedTotal {
  readonly state: AccountState
  /** Place of the total's first event where the batch makes it; null where it is there. */
  readonly firstSeq: number | null
}

export interface WriteSetParts {
  readonly statements: Statements
  readonly process: string
  /** Gains the events that later changes of the batch have to see: those under callers' keys, and those at places that were asked for. */
  readonly known: Map<string, LoggedEvent>
  /** By `placeOf`. */
  readonly places: ReadonlySet<string>
  /** By `keyOf`: follows what becomes of invoices, for later changes of the batch. */
  readonly invoices: Map<string, Invoice>
}

export function createWriteSet({ statements, process, known, places, invoices }: WriteSetParts): WriteSet {
  const changed = new Set<LockedAccount>()
  const records = createChangedRecords<LockedAccount>()
  const reserved = new Map<string, Reservation>()
  const ended: { readonly customerId: string; readonly key: string }[] = []
  const events: LoggedEvent[] = []
  const givenKeys: UsageEvent[] = []
  const totals = new Map<Usage, ChangedTotal>()
  const rows: Command[] = []
  const drafts = new Map<string, Invoice>()
  /** What has to stay in its order: totals that are sealed, the invoices that hold them, and what becomes of those. */
  const invoicing: { readonly command: Command; readonly mustChange: string | null }[] = []
  const instants: number[] = []
  const mustChange = new Map<number, string>()

  return { add, findRecord: records.find, changed, instants, commands, mustChange }

  function add(account: LockedAccount, entry: Entry): void {
    const { state } = account
    invariant(
      state.customer !== null || entry.kind === 'customer' || entry.kind === 'released',
      'an account begins with its customer',
    )
    changed.add(account)
    switch (entry.kind) {
      case 'customer': {
        const { id, name, email, timeZone, createdAt } = entry.customer
        rows.push(statements.saveCustomer(id, name, email, timeZone, createdAt, customerToDocument(entry.customer)))
        break
      }
      case 'subscription':
        rows.push(saveSubscription(entry))
        break
      case 'api_key': {
        const { id, customerId, name, secretHash, createdAt, revokedAt } = entry.apiKey
        rows.push(statements.saveApiKey(customerId, id, name, secretHash, createdAt, revokedAt))
        break
      }
      case 'reserved':
        reserved.set(keyOf(entry.reservation), entry.reservation)
        break
      case 'released':
        end(state, entry.key)
        break
      case 'posted':
        return post(account, entry)
      case 'drafted':
        drafts.set(keyOf({ customerId: entry.invoice.customerId, key: entry.invoice.id }), entry.invoice)
        see(entry.invoice)
        break
      case 'finalized':
        finalize(state, entry)
        see(entry.invoice)
        break
      case 'collected': {
        const { invoiceId, status } = entry
        invariant(status !== 'draft', 'a final invoice never becomes a draft')
        const command = statements.collect(state.customerId, invoiceId, status)
        invoicing.push({ command, mustChange: 'what is collected is a final invoice of the account' })
        const seen = invoices.get(keyOf({ customerId: state.customerId, key: invoiceId }))
        if (seen !== undefined) see({ ...seen, status })
        break
      }
      case 'granted':
      case 'payment':
      case 'unpriced':
      case 'counted':
        // Written with the batch, and by it.
        break
    }
    applyEntry(state, entry)
    records.add(account, entry)
  }

  function see(invoice: Invoice): void {
    invoices.set(keyOf({ customerId: invoice.customerId, key: invoice.id }), invoice)
  }

  function post(account: LockedAccount, entry: Extract<Entry, { kind: 'posted' }>): void {
    const { state } = account
    const { event: posted, periodStart } = entry
    account.lastSeq += 1
    const event: LoggedEvent = { ...posted, seq: account.lastSeq, periodStart }
    events.push(event)
    instants.push(event.at)
    if (entry.keyGivenBy === 'caller') {
      givenKeys.push(event)
      known.set(keyOf(event), event)
    }
    if (places.size > 0 && places.has(placeOf(event))) known.set(placeOf(event), event)
    if (state.reservations.has(event.key)) end(state, event.key)
    const usage = usageOf(state, event.feature, periodStart)
    if (!totals.has(usage)) totals.set(usage, { state, firstSeq: usage.events === 0 ? event.seq : null })
    applyEntry(state, entry, event.seq)
    if (event.charge !== undefined) records.add(account, entry)
  }

  function end({ customerId, reservations }: AccountState, key: string): void {
    invariant(reservations.has(key), 'a reservation ends once')
    // One that this very batch made was never written.
    if (!reserved.delete(keyOf({ customerId, key }))) ended.push({ customerId, key })
  }

  function saveSubscription({ subscription }: Extract<Entry, { kind: 'subscription' }>): Command {
    const { id, plan, catalogVersion, status, anchor, startsAt, endsAt, nextMoment, dueAt } = subscriptionColumns(subscription)
    const sold = [plan, catalogVersion, status, anchor, startsAt, endsAt, nextMoment, dueAt]
    return statements.saveSubscription(subscription.customerId, id, ...sold, subscriptionToDocument(subscription))
  }

  /** What is posted into a period after this is in another total, so its own are written before they are sealed. */
  function finalize(state: AccountState, { invoice, series, sealed }: Extract<Entry, { kind: 'finalized' }>): void {
    const { customerId, id, status } = invoice
    // All of them, so that invoices are listed in the order in which they were made.
    for (const draft of drafts.values()) invoicing.push({ command: saveDraft(draft), mustChange: null })
    drafts.clear()
    const command = statements.finalize(customerId, id, status, series, invoiceToDocument(invoice))
    invoicing.push({ command, mustChange: 'an invoice is finalized once, from its draft' })
    for (const { feature, periodStart } of sealed) {
      const usage = usageOf(state, feature, periodStart)
      const total = totals.get(usage)
      const saved = total === undefined ? [] : saveTotals([[usage, total]])
      for (const save of saved) invoicing.push({ command: save, mustChange: null })
      totals.delete(usage)
      const seal = statements.seal(customerId, feature, periodStart, id)
      invoicing.push({ command: seal, mustChange: 'a total is sealed once' })
    }
  }

  function saveDraft(invoice: Invoice): Command {
    return statements.saveDraft(invoice.customerId, invoice.id, invoiceToDocument(invoice))
  }

  function saveTotals(changedTotals: readonly (readonly [Usage, ChangedTotal])[]): Command[] {
    const made = changedTotals.filter(([, { firstSeq }]) => firstSeq !== null)
    const kept = changedTotals.filter(([, { firstSeq }]) => firstSeq === null)
    const all: Command[] = []
    if (made.length > 0) all.push(statements.addTotals(...columnsOf(made, ...TOTAL, ([, { firstSeq }]) => firstSeq)))
    if (kept.length > 0) all.push(statements.saveTotals(...columnsOf(kept, ...TOTAL)))
    return all
  }

  function commands(): Command[] {
    const all = [saveAccounts(), ...rows]
    if (reserved.size > 0) all.push(statements.reserve(process, ...columnsOf([...reserved.values()], ...RESERVATION)))
    if (ended.length > 0) all.push(statements.release(...columnsOf(ended, ({ customerId }) => customerId, keyOf)))
    if (events.length > 0) all.push(statements.append(...columnsOf(events, ...EVENT)))
    if (givenKeys.length > 0) all.push(statements.keepKeys(...columnsOf(givenKeys, ...GIVEN_KEY)))
    for (const { command, mustChange: rule } of invoicing) {
      if (rule !== null) mustChange.set(all.length, rule)
      all.push(command)
    }
    all.push(...saveTotals([...totals]))
    const changedRecords = [...records.written()]
    if (changedRecords.length > 0) all.push(statements.saveRecords(...columnsOf(changedRecords, ...RECORD)))
    for (const invoice of drafts.values()) all.push(saveDraft(invoice))
    return all
  }

  /** In the one order of locks. */
  function saveAccounts(): Command {
    const accounts = [...changed].toSorted((a, b) => (a.state.customerId < b.state.customerId ? -1 : 1))
    return statements.saveAccounts(...columnsOf(accounts, ...LOCKED_ACCOUNT))
  }
}

/** What the columns of a table are of a row, in the order of the statement that writes them. */
type Columns<Row> = readonly Column<Row>[]

const LOCKED_ACCOUNT: Columns<LockedAccount> = [
  ({ state }) => state.customerId,
  ({ version }) => version,
  ({ lastSeq }) => lastSeq,
]

const ACCOUNT_KEY: Columns<{ readonly customerId: string; readonly key: string }> = [
  ({ customerId }) => customerId,
  ({ key }) => key,
]

const RESERVATION: Columns<Reservation> = [
  ...ACCOUNT_KEY,
  ({ feature }) => feature,
  ({ quantity }) => quantity,
  ({ at }) => at,
  ({ route }) => route,
  ({ periodStart }) => periodStart,
  ({ charge }) => (charge === undefined ? null : chargeToDocument(charge)),
  ({ usage }) => (usage === undefined ? null : JSON.stringify(usage)),
]

const EVENT: Columns<LoggedEvent> = [
  ({ customerId }) => customerId,
  ({ seq }) => seq,
  ({ feature }) => feature,
  ({ periodStart }) => periodStart,
  ({ quantity }) => quantity,
  ({ at }) => at,
  ({ route }) => route,
  ({ key }) => key,
  ({ properties }) => (properties === null ? null : JSON.stringify(properties)),
  ({ charge }) => (charge === undefined ? null : chargeToDocument(charge)),
  ({ corrects }) => corrects,
]

const GIVEN_KEY: Columns<UsageEvent> = [...ACCOUNT_KEY, ({ seq }) => seq, ({ at }) => at]

const TOTAL: Columns<readonly [Usage, ChangedTotal]> = [
  ([, { state }]) => state.customerId,
  ([{ feature }]) => feature,
  ([{ periodStart }]) => periodStart,
  ([{ posted }]) => posted,
  ([{ events }]) => events,
  ([{ cost }]) => amountToText(cost),
  ([{ uncovered }]) => amountToText(uncovered),
  ([{ lastSeq }]) => lastSeq,
]

const RECORD: Columns<readonly [LockedAccount, AccountRecord]> = [
  ([{ state }]) => state.customerId,
  ([, { kind }]) => kind,
  ([, { id }]) => id,
  ([, { isOpen }]) => isOpen,
  ([, { document }]) => document,
]
