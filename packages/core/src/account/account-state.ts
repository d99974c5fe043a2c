/** All that is known of one account when a decision is taken, and the only way it changes: by entries. */

import type { Invoice } from '../records/invoice.ts'
import type { Reservation } from '../records/reservation.ts'
import type { NewUsageEvent, UsageEvent } from '../records/usage-event.ts'
import { invariant } from '../values/invariant.ts'
import type { Quantity } from '../values/quantity.ts'
import type { Customer } from './customer.ts'
import type { Subscription } from './subscription.ts'

/** Posted and reserved units of one feature in one usage period that no final invoice holds yet. */
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
  readonly reservations: Map<string, Reservation>
  /** Drafts by id. */
  readonly drafts: Map<string, Invoice>
  /** The events that the log holds under the keys which this change named, by key. */
  readonly known: Map<string, UsageEvent>
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

/** An account nobody has seen yet. */
export function emptyAccount(customerId: string): AccountState {
  return {
    customerId,
    customer: null,
    subscription: null,
    usage: [],
    reservations: new Map(),
    drafts: new Map(),
    known: new Map(),
  }
}

/** The usage of a feature in a period; made with zeros when there is none. */
export function usageOf(state: AccountState, feature: string, periodStart: number): Usage {
  let usage = findUsage(state.usage, feature, periodStart)
  if (usage === undefined) state.usage.push((usage = { feature, periodStart, posted: 0n, reserved: 0n, events: 0, lastSeq: 0 }))
  return usage
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
    case 'api_key':
      return
  }
}

function applyReserved(state: AccountState, reservation: Reservation): void {
  invariant(!state.reservations.has(reservation.key), 'a reservation key is used once')
  state.reservations.set(reservation.key, reservation)
  usageOf(state, reservation.feature, reservation.periodStart).reserved += reservation.quantity
}

function applyPosted(state: AccountState, event: NewUsageEvent, periodStart: number, seq: number): void {
  if (state.reservations.has(event.key)) endReservation(state, event.key)
  const usage = usageOf(state, event.feature, periodStart)
  invariant(seq > usage.lastSeq, 'the log gives each event a later place')
  usage.posted += event.quantity
  usage.events += 1
  usage.lastSeq = seq
}

function endReservation(state: AccountState, key: string): void {
  const reservation = state.reservations.get(key)
  invariant(reservation !== undefined, 'a reservation ends once')
  state.reservations.delete(key)
  const usage = usageOf(state, reservation.feature, reservation.periodStart)
  usage.reserved -= reservation.quantity
  invariant(usage.reserved >= 0n, 'reserved units are never negative')
}
