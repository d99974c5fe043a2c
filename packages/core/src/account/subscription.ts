/** A customer on a plan version, with an anchor and a status; its periods and billing moments. */

import { invariant } from '../values/invariant.ts'
import { boundary, type Period, periodAt, type Schedule } from '../values/period.ts'

export type SubscriptionStatus = 'pending_payment' | 'trialing' | 'active' | 'past_due' | 'canceled'

export interface Subscription {
  readonly id: string
  readonly customerId: string
  /** The plan's code in the catalog version below. */
  readonly plan: string
  /** The catalog version it was sold under; it keeps it until it is moved. */
  readonly catalogVersion: string
  readonly status: SubscriptionStatus
  /** Epoch milliseconds. Periods are counted from it in `timeZone`. */
  readonly anchor: number
  /** IANA name, taken from the customer when the subscription was made. */
  readonly timeZone: string
  /** Epoch milliseconds, inclusive. */
  readonly startsAt: number
  /** When it was made. One that was to start by then has begun, whatever a clock says later. Epoch milliseconds. */
  readonly createdAt: number
  /** Epoch milliseconds, exclusive; null while it goes on. */
  readonly endsAt: number | null
  /** Number of the next billing moment to invoice: 0 is the start, n the end of the n-th usage period. */
  readonly nextMoment: number
  /** When that moment is: epoch milliseconds; null when nothing more will be due. */
  readonly dueAt: number | null
}

/** Usage of month and year plans resets every month. */
const USAGE_MONTHS = 1

/** The usage period that holds an instant. [start, end) */
export function usagePeriod(subscription: Subscription, at: number): Period {
  return periodAt(usageSchedule(subscription), at)
}

/** When a billing moment is: epoch milliseconds. */
export function momentAt(subscription: Subscription, moment: number): number {
  return boundary(usageSchedule(subscription), moment)
}

/** The usage period that ends at a billing moment; null at the first, where nothing was used yet. */
export function periodEndingAt(subscription: Subscription, moment: number): Period | null {
  invariant(moment >= 0, 'billing moments are counted from the start')
  if (moment === 0) return null
  return { index: moment - 1, start: momentAt(subscription, moment - 1), end: momentAt(subscription, moment) }
}

/** Whether the subscription is in force at an instant. [startsAt, endsAt) */
export function isInForce(subscription: Subscription, at: number): boolean {
  return at >= subscription.startsAt && (subscription.endsAt === null || at < subscription.endsAt)
}

/**
 * The instant at which a request counts that came at `at` by a clock: no earlier than the oldest period that is not
 * invoiced, for a clock may be set back, and another process's may be behind.
 */
export function countedAt(subscription: Subscription, at: number): number {
  const { nextMoment, startsAt, createdAt } = subscription
  // Nearly always, and it costs no calendar arithmetic: the period of a recent instant is remembered.
  if (at >= startsAt && !isInvoiced(subscription, usagePeriod(subscription, at))) return at
  const hasBegun = nextMoment > 0 || startsAt <= createdAt
  return hasBegun ? Math.max(at, momentAt(subscription, Math.max(0, nextMoment - 1))) : at
}

/** Whether a usage period was invoiced for good. */
export function isInvoiced(subscription: Subscription, period: Period): boolean {
  // Period n ends at moment n + 1.
  return period.index + 1 < subscription.nextMoment
}

/** The subscription after the invoice of its next billing moment is final (or was not needed). */
export function withNextMoment(subscription: Subscription): Subscription {
  const nextMoment = subscription.nextMoment + 1
  const dueAt = momentAt(subscription, nextMoment)
  // The usage period that an end falls into still has to be invoiced; the one after it does not exist.
  const isOver = subscription.endsAt !== null && momentAt(subscription, nextMoment - 1) >= subscription.endsAt
  return { ...subscription, nextMoment, dueAt: isOver ? null : dueAt }
}

function usageSchedule({ anchor, timeZone }: Subscription): Schedule {
  return { anchor, months: USAGE_MONTHS, timeZone }
}
