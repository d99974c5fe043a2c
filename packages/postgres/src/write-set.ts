/** What the changes of one batch write, gathered while they are decided and sent as few statements. */

import {
  type AccountState,
  applyEntry,
  type Entry,
  invariant,
  invoiceToDocument,
  type Invoice,
  type Reservation,
  type Usage,
  type UsageEvent,
  usageOf,
} from '@farebox/core/contracts'
import { keyOf, type LockedAccount } from './accounts.ts'
import type { Command } from './link.ts'
import type { Statements } from './statements.ts'

export interface WriteSet {
  /** Applies an entry to the account and keeps it to be written. */
  add(account: LockedAccount, entry: Entry): void
  /** Accounts that the batch changed. */
  readonly changed: ReadonlySet<LockedAccount>
  /** Instants of the events. */
  readonly instants: readonly number[]
  /** The statements, in an order that their rows allow. */
  commands(): Command[]
  /** How many rows each of the statements that must find their rows has to change, by its place among `commands`. */
  readonly mustChange: ReadonlyMap<number, string>
}

interface PostedEvent {
  readonly event: UsageEvent
  readonly periodStart: number
}

type Finalized = Extract<Entry, { kind: 'finalized' }>

/** `known` gains the events that are posted under callers' keys: later changes of the batch see them. */
export function createWriteSet(statements: Statements, process: string, known: Map<string, UsageEvent>): WriteSet {
  const changed = new Set<LockedAccount>()
  const reserved = new Map<string, Reservation>()
  const ended: { readonly customerId: string; readonly key: string }[] = []
  const events: PostedEvent[] = []
  const givenKeys: UsageEvent[] = []
  const totals = new Map<Usage, AccountState>()
  const rows: Command[] = []
  const drafts = new Map<string, Invoice>()
  const finalized: Finalized[] = []
  const instants: number[] = []
  const mustChange = new Map<number, string>()

  return { add, changed, instants, commands, mustChange }

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
        rows.push(statements.saveCustomer(id, name, email, timeZone, createdAt))
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
        break
      case 'finalized':
        finalized.push(entry)
        break
    }
    applyEntry(state, entry)
  }

  function post(account: LockedAccount, entry: Extract<Entry, { kind: 'posted' }>): void {
    const { state } = account
    const { event: posted, periodStart } = entry
    account.lastSeq += 1
    const event = { ...posted, seq: account.lastSeq }
    events.push({ event, periodStart })
    instants.push(event.at)
    if (entry.keyGivenBy === 'caller') {
      givenKeys.push(event)
      known.set(keyOf(event), event)
    }
    if (state.reservations.has(event.key)) end(state, event.key)
    totals.set(usageOf(state, event.feature, periodStart), state)
    applyEntry(state, entry, event.seq)
  }

  function end({ customerId, reservations }: AccountState, key: string): void {
    invariant(reservations.has(key), 'a reservation ends once')
    // One that this very batch made was never written.
    if (!reserved.delete(keyOf({ customerId, key }))) ended.push({ customerId, key })
  }

  function saveSubscription({ subscription }: Extract<Entry, { kind: 'subscription' }>): Command {
    const { customerId, id, plan, catalogVersion, status, anchor, timeZone } = subscription
    const { startsAt, createdAt, endsAt, nextMoment, dueAt } = subscription
    const sold = [plan, catalogVersion, status, anchor, timeZone, startsAt, createdAt]
    return statements.saveSubscription(customerId, id, ...sold, endsAt, nextMoment, dueAt)
  }

  function commands(): Command[] {
    const all = [saveAccounts(), ...rows]
    if (reserved.size > 0) all.push(statements.reserve(JSON.stringify([...reserved.values()].map(reservationToRow)), process))
    if (ended.length > 0) {
      const customers = ended.map(({ customerId }) => customerId)
      all.push(
        statements.release(
          customers,
          ended.map(({ key }) => key),
        ),
      )
    }
    if (events.length > 0) all.push(statements.append(JSON.stringify(events.map(eventToRow))))
    if (givenKeys.length > 0) all.push(statements.keepKeys(JSON.stringify(givenKeys.map(keyToRow))))
    if (totals.size > 0) all.push(statements.saveTotals(JSON.stringify([...totals].map(totalToRow))))
    for (const invoice of drafts.values())
      all.push(statements.saveDraft(invoice.customerId, invoice.id, invoiceToDocument(invoice)))
    for (const entry of finalized) finalize(all, entry)
    return all
  }

  function saveAccounts(): Command {
    const accounts = [...changed].map(({ state, lastSeq }) => ({ customer: state.customerId, last_seq: lastSeq }))
    return statements.saveAccounts(JSON.stringify(accounts))
  }

  function finalize(all: Command[], { invoice, series, sealed }: Finalized): void {
    const { customerId, id, status } = invoice
    mustChange.set(all.length, 'an invoice is finalized once, from its draft')
    all.push(statements.finalize(customerId, id, status, series, invoiceToDocument(invoice)))
    for (const { feature, periodStart } of sealed) {
      mustChange.set(all.length, 'a total is sealed once')
      all.push(statements.seal(customerId, feature, periodStart, id))
    }
  }
}

function reservationToRow({ customerId, key, feature, quantity, at, route, periodStart }: Reservation): object {
  return { customer: customerId, key, feature, quantity: String(quantity), at, route, period_start: periodStart }
}

function eventToRow({ event, periodStart }: PostedEvent): object {
  const { customerId, seq, feature, quantity, at, route, key, properties } = event
  return { customer: customerId, seq, feature, period_start: periodStart, quantity: String(quantity), at, route, key, properties }
}

function keyToRow({ customerId, key, seq, at }: UsageEvent): object {
  return { customer: customerId, key, seq, at }
}

function totalToRow([usage, { customerId }]: readonly [Usage, AccountState]): object {
  const { feature, periodStart, posted, events, lastSeq } = usage
  return {
    customer: customerId,
    feature,
    period_start: periodStart,
    quantity: String(posted),
    events,
    last_seq: lastSeq,
  }
}
