/** A customer's plans over time: segments, their usage periods, and the billing moments between them. */

import type { Quantity } from '../values/quantity.ts'
import { invariant } from '../values/invariant.ts'
import type { Money } from '../values/money.ts'
import { boundary, type Every, type Period, periodAt, type Schedule } from '../values/period.ts'

export type SubscriptionStatus = 'pending_payment' | 'trialing' | 'active' | 'past_due' | 'canceled'

/** How a subscription stands with its payments. */
export type Standing = 'good' | 'pending_payment' | 'past_due'

/** One stretch of time on one plan version. [startsAt, endsAt) */
export interface Segment {
  /** A trial has no base price and no overage; a pause has no service. */
  readonly kind: 'plan' | 'trial' | 'pause'
  /** The plan's code in the catalog version below. */
  readonly plan: string
  /** The catalog version it was sold under; it keeps it until it is moved. */
  readonly catalogVersion: string
  /** Epoch milliseconds. Usage periods and intervals are counted from it in the subscription's time zone. */
  readonly anchor: number
  /** How long a usage period is. A trial is one period, however long. */
  readonly every: Every
  /** Usage periods between two base prices; null: the base price is due once. */
  readonly periodsPerInterval: number | null
  /** Epoch milliseconds, inclusive. */
  readonly startsAt: number
  /** Epoch milliseconds, exclusive; null while it goes on. */
  readonly endsAt: number | null
  /** Present where the segment begins inside a usage period: what its allowance of the rest of that period is. */
  readonly cut?: Cut
  /** Present where it ended early and something is given back. */
  readonly credit?: SegmentCredit
  /** Present where a change of price ended it inside a usage period: of that period's allowance it keeps what was used, and the rest goes on. */
  readonly kept?: KeptAllowance
}

/** What a segment keeps of the allowance of its last usage period. */
export interface KeptAllowance {
  /** First instant of that period, epoch milliseconds. */
  readonly periodStart: number
  /** Used of the whole allowance by then, in earlier segments too: by feature, in millionths as decimal strings. */
  readonly used: Readonly<Record<string, string>>
}

/** A segment that begins inside a usage period. */
export interface Cut {
  /** A change of plan gives its share of the allowance; a change of price goes on with what is left of it. */
  readonly kind: 'change' | 'price'
  /** Share of the usage period that is left: numerator and denominator. A change of price goes on with that of the change before it. */
  readonly share: readonly [numerator: number, denominator: number]
  /** Used of that before the cut: by feature, or by `prepaidName`, in millionths as decimal strings. Another plan has it whole, except in a trial. */
  readonly usedBefore: Readonly<Record<string, string>>
}

/** Something of a base price is given back when its segment ends before the interval that was paid: how much, what is used by then says. */
export interface SegmentCredit {
  readonly rule: 'time' | 'max_consumption'
}

/** A coupon that a subscription has redeemed. */
export interface SubscriptionDiscount {
  readonly coupon: string
  /** The catalog version whose coupon it is. */
  readonly catalogVersion: string
  readonly redeemedAt: number
  /** Intervals that it still reduces; null: all to come. */
  readonly cyclesLeft: number | null
}

/** What was paid in advance for the running interval. */
export interface PaidBase {
  /** [start, end) in epoch milliseconds. */
  readonly period: readonly [start: number, end: number]
  /** Discounts taken off, without tax. */
  readonly amount: Money
  readonly invoiceId: string
}

export interface Subscription {
  readonly id: string
  readonly customerId: string
  /** ISO 4217. */
  readonly currency: string
  /** IANA name, taken from the customer when the subscription was made. */
  readonly timeZone: string
  /** When it was made. One that was to start by then has begun, whatever a clock says later. Epoch milliseconds. */
  readonly createdAt: number
  /** In order, without overlap; those to come included. A gap is time without a subscription. */
  readonly segments: readonly Segment[]
  readonly standing: Standing
  /** Everything before this instant is invoiced; null: nothing yet. */
  readonly billedUntil: number | null
  /** Number of the next billing moment: 0 is the start. */
  readonly nextMoment: number
  /** When that moment is: epoch milliseconds; null when nothing more will be due. */
  readonly dueAt: number | null
  readonly discounts: readonly SubscriptionDiscount[]
  readonly paidBase: PaidBase | null
  /** Usage charges billed since the running interval began, for a committed minimum. Minor units. */
  readonly billedInInterval: Money
}

/** The segment that holds an instant; null where there is none. */
export function segmentAt({ segments }: Subscription, at: number): Segment | null {
  // The last one nearly always.
  for (let i = segments.length - 1; i >= 0; i -= 1) {
    const segment = segments[i] as Segment
    if (at >= segment.startsAt) return segment.endsAt === null || at < segment.endsAt ? segment : null
  }
  return null
}

/** The segment in force at an instant, else the last that was, else the first to come. */
export function segmentFor(subscription: Subscription, at: number): Segment {
  const { segments } = subscription
  const begun = segments.findLast(({ startsAt }) => startsAt <= at)
  const segment = begun ?? segments[0]
  invariant(segment !== undefined, 'a subscription has a segment')
  return segment
}

export function statusAt(subscription: Subscription, at: number): SubscriptionStatus {
  const last = subscription.segments.at(-1)
  if (last === undefined || (last.endsAt !== null && at >= last.endsAt)) return 'canceled'
  if (subscription.standing !== 'good') return subscription.standing
  return segmentAt(subscription, at)?.kind === 'trial' ? 'trialing' : 'active'
}

/** The usage period of a segment that holds an instant, cut by the segment's start and end. [start, end) */
export function usagePeriod(segment: Segment, timeZone: string, at: number): Period {
  const { startsAt, endsAt } = segment
  if (segment.kind === 'trial') return { index: 0, start: startsAt, end: endsAt ?? Infinity }
  const period = periodAt(scheduleOf(segment, timeZone), at)
  if (period.start >= startsAt && (endsAt === null || period.end <= endsAt)) return period
  const end = endsAt === null ? period.end : Math.min(period.end, endsAt)
  return { index: period.index, start: Math.max(period.start, startsAt), end }
}

/** Whether a period begins where its segment was cut out of a longer one. */
export function isCut({ cut, startsAt }: Segment, periodStart: number): boolean {
  return cut !== undefined && periodStart === startsAt
}

/** The first and the last of the segments that changes of price made of one: allowance, grants and what was paid go on through them. */
export function priceChain({ segments }: Subscription, segment: Segment): { readonly first: Segment; readonly last: Segment } {
  let [first, last] = [segment, segment]
  while (first.cut?.kind === 'price') {
    const before = segments.find(({ endsAt }) => endsAt === first.startsAt)
    if (before === undefined) break
    first = before
  }
  for (;;) {
    const next = segments.find(({ startsAt, cut }) => startsAt === last.endsAt && cut?.kind === 'price')
    if (next === undefined) return { first, last }
    last = next
  }
}

/** The interval of a segment that holds an instant: what its base price pays for, whole. One that is due once has no end. */
export function intervalAt(segment: Segment, timeZone: string, at: number): Period {
  const schedule = scheduleOf(segment, timeZone)
  const period = periodAt(schedule, at)
  const { index } = period
  const { periodsPerInterval: length } = segment
  if (length === 1) return period
  if (length === null) return { index: 0, start: segment.startsAt, end: Infinity }
  const number = Math.floor(index / length)
  return { index: number, start: boundary(schedule, number * length), end: boundary(schedule, (number + 1) * length) }
}

/** When the next billing moment after `after` (null: the first) is; null when nothing more will be due. */
export function nextMomentAfter(subscription: Subscription, after: number | null): number | null {
  const { segments, timeZone } = subscription
  if (after === null) return segments[0]?.startsAt ?? null
  const segment = segmentAt(subscription, after)
  if (segment === null) return segments.find(({ startsAt }) => startsAt > after)?.startsAt ?? null
  if (segment.kind === 'pause') return segment.endsAt
  return usagePeriod(segment, timeZone, after).end
}

/** The part of a usage period that ends at the next billing moment; null where nothing was in force before it. */
export function endingPeriod(subscription: Subscription): { readonly segment: Segment; readonly period: Period } | null {
  const { billedUntil, timeZone } = subscription
  if (billedUntil === null) return null
  const segment = segmentAt(subscription, billedUntil)
  if (segment === null || segment.kind === 'pause') return null
  return { segment, period: usagePeriod(segment, timeZone, billedUntil) }
}

/**
 * The instant at which a request counts that came at `at` by a clock: no earlier than what is not invoiced yet, for a clock
 * may be set back, and another process's may be behind.
 */
export function countedAt({ billedUntil, segments, createdAt }: Subscription, at: number): number {
  if (billedUntil !== null) return at > billedUntil ? at : billedUntil
  const startsAt = segments[0]?.startsAt ?? at
  return at >= startsAt || startsAt > createdAt ? at : startsAt
}

/** Whether what happened at an instant is on a final invoice, or would have been. */
export function isInvoiced({ billedUntil }: Subscription, at: number): boolean {
  return billedUntil !== null && at < billedUntil
}

/** The subscription after the invoice of its next billing moment is final (or was not needed). */
export function withNextMoment(subscription: Subscription): Subscription {
  invariant(subscription.dueAt !== null, 'a billing moment that is passed was due')
  const billed = { ...subscription, billedUntil: subscription.dueAt, nextMoment: subscription.nextMoment + 1 }
  return { ...billed, dueAt: nextMomentAfter(billed, billed.billedUntil) }
}

/** The subscription after something came late: where nothing more was due, one more moment bills it. */
export function withLateMoment(subscription: Subscription): Subscription {
  const { dueAt, billedUntil } = subscription
  return dueAt === null && billedUntil !== null ? { ...subscription, dueAt: billedUntil } : subscription
}

/** Whether the next billing moment is one of late events alone, after everything else was billed. */
export function isLateMoment({ dueAt, billedUntil }: Subscription): boolean {
  return dueAt !== null && dueAt === billedUntil
}

/** The subscription with other segments: its next moment is looked for again. */
export function withSegments(subscription: Subscription, segments: readonly Segment[]): Subscription {
  for (const [index, { startsAt, endsAt }] of segments.entries()) {
    invariant(endsAt === null || endsAt > startsAt, 'a segment has a duration')
    const next = segments[index + 1]
    invariant(next === undefined || (endsAt !== null && endsAt <= next.startsAt), 'segments follow one another')
  }
  const changed = { ...subscription, segments }
  return { ...changed, dueAt: nextMomentAfter(changed, changed.billedUntil) }
}

function scheduleOf({ anchor, every }: Segment, timeZone: string): Schedule {
  return { anchor, every, timeZone }
}

/** What a database shows of a subscription besides its document. */
export interface SubscriptionColumns {
  readonly id: string
  readonly plan: string
  readonly catalogVersion: string
  readonly status: SubscriptionStatus
  readonly anchor: number
  readonly startsAt: number
  readonly endsAt: number | null
  readonly nextMoment: number
  readonly dueAt: number | null
}

/** Of the segment up to which it is invoiced. */
export function subscriptionColumns(subscription: Subscription): SubscriptionColumns {
  const { id, nextMoment, dueAt, billedUntil, createdAt, segments } = subscription
  const at = billedUntil ?? Math.max(createdAt, segments[0]?.startsAt ?? createdAt)
  const { plan, catalogVersion, anchor } = segmentFor(subscription, at)
  const startsAt = segments[0]?.startsAt ?? createdAt
  const endsAt = segments.at(-1)?.endsAt ?? null
  return { id, plan, catalogVersion, status: statusAt(subscription, at), anchor, startsAt, endsAt, nextMoment, dueAt }
}

export function subscriptionToDocument(subscription: Subscription): string {
  return JSON.stringify(subscription, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}

export function subscriptionFromDocument(document: string): Subscription {
  return JSON.parse(document, (name, value: unknown) => (name === 'minor' && typeof value === 'string' ? BigInt(value) : value))
}

/** What was used before a cut of a feature, or under a `prepaidName`, in millionths. */
export function usedBeforeCut(cut: Cut | undefined, name: string): Quantity {
  return BigInt(cut?.usedBefore[name] ?? '0')
}
