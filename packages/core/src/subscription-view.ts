/** A subscription as people and programs see it at an instant. */

import {
  intervalAt,
  type Segment,
  segmentAt,
  segmentFor,
  statusAt,
  type Subscription,
  type SubscriptionStatus,
  usagePeriod,
} from './account/subscription.ts'

/** Something that is to come. */
export interface ScheduledChange {
  readonly kind: 'plan' | 'prices' | 'end' | 'pause' | 'resumption' | 'trial_end'
  /** Epoch milliseconds. */
  readonly at: number
  /** The plan from then on; null where there is none. */
  readonly plan: string | null
}

export interface SubscriptionView {
  readonly id: string
  readonly customerId: string
  readonly plan: string
  readonly catalogVersion: string
  readonly status: SubscriptionStatus
  readonly isPaused: boolean
  readonly currency: string
  readonly timeZone: string
  /** Epoch milliseconds: what periods are counted from. */
  readonly anchor: number
  /** First instant of the subscription, epoch milliseconds. */
  readonly startsAt: number
  /** Epoch milliseconds, exclusive; null while it goes on. */
  readonly endsAt: number | null
  readonly trialEndsAt: number | null
  /** The running usage period, [start, end) in epoch milliseconds; null when none runs. */
  readonly usagePeriod: readonly [start: number, end: number] | null
  /** When the base price is due again; null when it is not. */
  readonly renewsAt: number | null
  /** In order. */
  readonly scheduled: readonly ScheduledChange[]
  readonly discounts: readonly { readonly coupon: string; readonly cyclesLeft: number | null }[]
  readonly createdAt: number
  /** When the next invoice is due to be made; null when nothing more is. */
  readonly dueAt: number | null
  readonly nextMoment: number
}

/** Pure. */
export function shownSubscription(subscription: Subscription, now: number): SubscriptionView {
  const { id, customerId, currency, timeZone, segments, createdAt, dueAt, nextMoment } = subscription
  const segment = segmentFor(subscription, now)
  const running = segmentAt(subscription, now)
  const period = running === null || running.kind === 'pause' ? null : usagePeriod(running, timeZone, now)
  const interval = running?.kind === 'plan' ? intervalAt(running, timeZone, now) : null
  const renews =
    interval === null || interval.end === Infinity || (running?.endsAt ?? Infinity) <= interval.end ? null : interval.end
  return {
    id,
    customerId,
    plan: segment.plan,
    catalogVersion: segment.catalogVersion,
    status: statusAt(subscription, now),
    isPaused: running?.kind === 'pause',
    currency,
    timeZone,
    anchor: segment.anchor,
    startsAt: segments[0]?.startsAt ?? createdAt,
    endsAt: segments.at(-1)?.endsAt ?? null,
    trialEndsAt: running?.kind === 'trial' ? running.endsAt : null,
    usagePeriod: period === null ? null : [period.start, period.end],
    renewsAt: renews,
    scheduled: scheduledAfter(subscription, now),
    discounts: subscription.discounts.map(({ coupon, cyclesLeft }) => ({ coupon, cyclesLeft })),
    createdAt,
    dueAt,
    nextMoment,
  }
}

function scheduledAfter({ segments }: Subscription, now: number): ScheduledChange[] {
  const scheduled: ScheduledChange[] = []
  for (const [index, segment] of segments.entries()) {
    const before = segments[index - 1]
    if (segment.startsAt <= now || before === undefined) continue
    scheduled.push({
      kind: changeBetween(before, segment),
      at: segment.startsAt,
      plan: segment.kind === 'pause' ? null : segment.plan,
    })
  }
  const end = segments.at(-1)?.endsAt ?? null
  return end !== null && end > now ? [...scheduled, { kind: 'end', at: end, plan: null }] : scheduled
}

function changeBetween(before: Segment, { kind, plan, startsAt }: Segment): ScheduledChange['kind'] {
  if (kind === 'pause') return 'pause'
  if (before.kind === 'pause') return 'resumption'
  if (before.kind === 'trial') return 'trial_end'
  return before.plan === plan && before.endsAt === startsAt ? 'prices' : 'plan'
}
