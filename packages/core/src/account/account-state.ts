/** All that is known of one account when a decision is taken, and the only way it changes: by entries. */

import {
  type AccountRecord,
  grantFromRecord,
  grantToRecord,
  paymentFromRecord,
  paymentToRecord,
  unpricedToRecord,
} from '../records/account-record.ts'
import type { Charge } from '../records/charge.ts'
import type { Grant } from '../records/grant.ts'
import type { Invoice, InvoiceStatus } from '../records/invoice.ts'
import { isPaymentOpen, type Payment } from '../records/payment.ts'
import type { Reservation } from '../records/reservation.ts'
import type { UnpricedUsage } from '../records/unpriced-usage.ts'
import type { LoggedEvent, NewUsageEvent } from '../records/usage-event.ts'
import { add, type Decimal, DECIMAL_ZERO, subtract } from '../values/decimal.ts'
import { invariant } from '../values/invariant.ts'
import type { Quantity } from '../values/quantity.ts'
import type { Customer } from './customer.ts'
import type { Subscription } from './subscription.ts'

/**
 * Posted and reserved units of one feature in one usage period that no final invoice holds yet. For a period whose invoice is
 * final already it holds what came late.
 */
export interface Usage {
  readonly feature: string
  /** First instant of the usage period, epoch milliseconds. */
  readonly periodStart: number
  /** Units in the log, in millionths. */
  posted: Quantity
  /** Units held by pending reservations of every process, in millionths. */
  reserved: Quantity
  /** How many events the log holds for it. */
  events: number
  /** `seq` of the newest of them; 0 when there is none. Each event points to the one before it. */
  lastSeq: number
  /** Σ cost of the events' charges, exact. */
  cost: Decimal
  /** Of the cost: what no grant paid. */
  uncovered: Decimal
}

/**
 * One account as the store holds it. It belongs to the store: `decide` reads it and returns entries, and only
 * `applyEntry` changes it. Usage of periods that a final invoice holds is not in it.
 */
export interface AccountState {
  readonly customerId: string
  customer: Customer | null
  subscription: Subscription | null
  /** A few: one for each feature and usage period. `findUsage` finds one. */
  readonly usage: Usage[]
  /** Pending reservations by key. */
  reservations: ReadonlyMap<string, Reservation>
  /** Drafts by id. */
  readonly drafts: Map<string, Invoice>
  /** Grants that may still pay, by id. */
  readonly grants: Map<string, Grant>
  /** Attempts to collect money that the provider has not ended, by id. */
  readonly payments: Map<string, Payment>
  /** The events that the log holds under the keys which this change named, by key. */
  readonly known: Map<string, LoggedEvent>
  /**
   * The invoices that this change named, by id, as they were before it. One that became final in the same transaction has no
   * number here yet.
   */
  readonly invoices: Map<string, Invoice>
  /** The records that this change named, open or closed, by `recordName`, as they were before it. */
  readonly records: Map<string, AccountRecord>
}

/** One thing that happened to an account. A store writes it and applies it in the same transaction. */
export type Entry =
  | { readonly kind: 'customer'; readonly customer: Customer }
  | { readonly kind: 'subscription'; readonly subscription: Subscription }
  | { readonly kind: 'reserved'; readonly reservation: Reservation }
  /** The reservation ends with nothing posted: voided, or expired by the rule `void`. */
  | { readonly kind: 'released'; readonly key: string }
  /** An event enters the log; a reservation with the same key ends with it. */
  | {
      readonly kind: 'posted'
      readonly event: NewUsageEvent
      readonly periodStart: number
      readonly keyGivenBy: 'caller' | 'farebox'
    }
  /** A draft is made, or made again with what came in since. */
  | { readonly kind: 'drafted'; readonly invoice: Invoice }
  /** A draft becomes final and takes the next number of the series. Its usage leaves the open period for ever. */
  | {
      readonly kind: 'finalized'
      readonly invoice: Invoice
      readonly series: string
      readonly sealed: readonly { readonly feature: string; readonly periodStart: number }[]
    }
  /** A final invoice is paid, void or uncollectible. */
  | { readonly kind: 'collected'; readonly invoiceId: string; readonly status: InvoiceStatus }
  /** A grant is made, or is another than it was but for what posted events used of it. */
  | { readonly kind: 'granted'; readonly grant: Grant }
  | { readonly kind: 'payment'; readonly payment: Payment }
  | { readonly kind: 'unpriced'; readonly usage: UnpricedUsage }
  /**
   * Takes one of at most `limit` of a counter that all customers share, such as the redemptions of a coupon. The change is
   * refused with `limit_reached` when none is left.
   */
  | { readonly kind: 'counted'; readonly counter: string; readonly limit: number }
  | { readonly kind: 'api_key'; readonly apiKey: ApiKeyRecord }

/** A key as the store keeps it: never the secret, only its SHA-256. */
export interface ApiKeyRecord {
  readonly id: string
  readonly customerId: string
  readonly name: string | null
  /** Lower-case hex of the SHA-256 of the secret part. */
  readonly secretHash: string
  readonly createdAt: number
  readonly revokedAt: number | null
}

/** The usage of a feature in a period, or undefined when there is none. The newest are looked at first: they are asked for most. */
export function findUsage(usages: readonly Usage[], feature: string, periodStart: number): Usage | undefined {
  for (let i = usages.length - 1; i >= 0; i -= 1) {
    const usage = usages[i]
    if (usage?.periodStart === periodStart && usage.feature === feature) return usage
  }
  return undefined
}

/**
 * A map that lives long and is emptied again and again leaves a chain of dead tables behind, which V8 keeps, with all that they held, until
 * it collects the whole heap. So each time that something is pending has a map of its own.
 */
const NOTHING_PENDING: ReadonlyMap<string, Reservation> = new Map()

/** An account nobody has seen yet. */
export function emptyAccount(customerId: string): AccountState {
  return {
    customerId,
    customer: null,
    subscription: null,
    usage: [],
    reservations: NOTHING_PENDING,
    drafts: new Map(),
    grants: new Map(),
    payments: new Map(),
    known: new Map(),
    invoices: new Map(),
    records: new Map(),
  }
}

/** The usage of a feature in a period; made with zeros when there is none. */
export function usageOf(state: AccountState, feature: string, periodStart: number): Usage {
  let usage = findUsage(state.usage, feature, periodStart)
  if (usage === undefined) state.usage.push((usage = emptyUsage(feature, periodStart)))
  return usage
}

function emptyUsage(feature: string, periodStart: number): Usage {
  return { feature, periodStart, posted: 0n, reserved: 0n, events: 0, lastSeq: 0, cost: DECIMAL_ZERO, uncovered: DECIMAL_ZERO }
}

/** Takes a record that a store keeps into a state that is being loaded. Reservations come after it. */
export function loadRecord(state: AccountState, record: AccountRecord): void {
  switch (record.kind) {
    case 'grant':
      return void state.grants.set(record.id, grantFromRecord(record))
    case 'payment':
      return void state.payments.set(record.id, paymentFromRecord(record))
    case 'unpriced':
      return
  }
  invariant(false, 'a record is of a known kind')
}

/** Takes a pending reservation into a state that is being loaded. */
export function loadReservation(state: AccountState, reservation: Reservation): void {
  applyReserved(state, reservation)
}

/** The records that an entry changes, once it is applied: what a store writes besides the rows of the entry itself. */
export function recordsChangedBy(state: AccountState, entry: Entry): readonly AccountRecord[] {
  switch (entry.kind) {
    case 'granted':
      return [grantToRecord(entry.grant)]
    case 'payment':
      return [paymentToRecord(entry.payment)]
    case 'unpriced':
      return [unpricedToRecord(entry.usage)]
    case 'posted':
      return entry.event.charge === undefined ? NO_RECORDS : grantsOf(state, entry.event.charge).map(grantToRecord)
    case 'customer':
    case 'subscription':
    case 'reserved':
    case 'released':
    case 'drafted':
    case 'finalized':
    case 'collected':
    case 'counted':
    case 'api_key':
      return NO_RECORDS
  }
}

const NO_RECORDS: readonly AccountRecord[] = []

function grantsOf({ grants }: AccountState, { parts }: Charge): Grant[] {
  return parts.map(({ grant: id }) => {
    const grant = grants.get(id)
    invariant(grant !== undefined, 'a charge is paid by grants of the account')
    return grant
  })
}

/** Applies an entry in place. `seq` is the place that the log gave to a posted event. */
export function applyEntry(state: AccountState, entry: Entry, seq = 0): void {
  switch (entry.kind) {
    case 'customer':
      state.customer = entry.customer
      return
    case 'subscription':
      state.subscription = entry.subscription
      return
    case 'reserved':
      return applyReserved(state, entry.reservation)
    case 'released':
      return endReservation(state, entry.key)
    case 'posted':
      return applyPosted(state, entry.event, entry.periodStart, seq)
    case 'drafted':
      state.drafts.set(entry.invoice.id, entry.invoice)
      return
    case 'finalized':
      state.drafts.delete(entry.invoice.id)
      for (const { feature, periodStart } of entry.sealed)
        state.usage.splice(state.usage.indexOf(usageOf(state, feature, periodStart)), 1)
      return
    case 'granted':
      return applyGranted(state, entry.grant)
    case 'payment':
      if (isPaymentOpen(entry.payment)) state.payments.set(entry.payment.id, entry.payment)
      else state.payments.delete(entry.payment.id)
      return
    case 'collected':
    case 'unpriced':
    case 'counted':
    case 'api_key':
      return
  }
}

/** What reservations hold of it and events used of it is not the entry's to say. */
function applyGranted(state: AccountState, grant: Grant): void {
  if (grant.isClosed) return void state.grants.delete(grant.id)
  const held = state.grants.get(grant.id)?.held ?? DECIMAL_ZERO
  state.grants.set(grant.id, { ...grant, held })
}

function applyReserved(state: AccountState, reservation: Reservation): void {
  const pending: Map<string, Reservation> =
    state.reservations.size === 0 ? new Map() : (state.reservations as Map<string, Reservation>)
  invariant(!pending.has(reservation.key), 'a reservation key is used once')
  state.reservations = pending.set(reservation.key, reservation)
  usageOf(state, reservation.feature, reservation.periodStart).reserved += reservation.quantity
  if (reservation.charge !== undefined) hold(state, reservation.charge, add)
}

/** Adds what a charge holds to its grants, or takes it away. */
function hold({ grants }: AccountState, { parts }: Charge, by: typeof add): void {
  for (const { grant: id, amount } of parts) {
    const grant = grants.get(id)
    // One that was closed meanwhile holds nothing any more.
    if (grant === undefined) continue
    grant.held = by(grant.held, amount)
    invariant(grant.held.coefficient >= 0n, 'what is held of a grant is never negative')
  }
}

function applyPosted(state: AccountState, event: NewUsageEvent, periodStart: number, seq: number): void {
  if (state.reservations.has(event.key)) endReservation(state, event.key)
  const usage = usageOf(state, event.feature, periodStart)
  invariant(seq > usage.lastSeq, 'the log gives each event a later place')
  invariant(event.at >= periodStart, 'an event is not earlier than its period')
  usage.posted += event.quantity
  usage.events += 1
  usage.lastSeq = seq
  if (event.charge !== undefined) applyCharge(state, usage, event.charge)
}

function applyCharge(state: AccountState, usage: Usage, charge: Charge): void {
  usage.cost = add(usage.cost, charge.cost)
  usage.uncovered = add(usage.uncovered, charge.uncovered)
  for (const [index, grant] of grantsOf(state, charge).entries()) {
    grant.used = add(grant.used, charge.parts[index]?.amount ?? DECIMAL_ZERO)
    invariant(grant.used.coefficient >= 0n, 'a grant is never used less than nothing')
  }
}

function endReservation(state: AccountState, key: string): void {
  const reservation = state.reservations.get(key)
  invariant(reservation !== undefined, 'a reservation ends once')
  if (state.reservations.size === 1) state.reservations = NOTHING_PENDING
  else (state.reservations as Map<string, Reservation>).delete(key)
  const usage = usageOf(state, reservation.feature, reservation.periodStart)
  usage.reserved -= reservation.quantity
  if (reservation.charge !== undefined) hold(state, reservation.charge, subtract)
  invariant(usage.reserved >= 0n, 'reserved units are never negative')
}
