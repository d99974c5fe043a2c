/** What changes of a subscription do to its segments: plans, ends, pauses and prices, at an instant. Pure. */

import type { Plan } from '../catalog/plan.ts'
import { invariant } from '../values/invariant.ts'
import { periodAt } from '../values/period.ts'
import { shareOf, type Share, unusedShare } from '../values/proration.ts'
import { segmentsFrom } from './opening.ts'
import {
  intervalAt,
  type Segment,
  segmentAt,
  type SegmentCredit,
  type Subscription,
  usagePeriod,
  withSegments,
} from './subscription.ts'

/** A plan of a catalog version. */
export interface PlanVersion {
  readonly plan: Plan
  readonly catalogVersion: string
}

export interface SegmentChange {
  readonly subscription: Subscription
  /** The instant from which it counts; `effectiveAt` gives one that is not invoiced. */
  readonly at: number
  /** The plan that is in force before it. */
  readonly from: Plan
}

/** The first instant from which a change can count: no invoiced one. */
export function effectiveAt({ billedUntil }: Subscription, at: number): number {
  return billedUntil !== null && at <= billedUntil ? billedUntil + 1 : at
}

/** When the interval that holds an instant ends: the trial, the paid interval, or the usage period of a plan that is paid once. */
export function renewalAfter(subscription: Subscription, at: number): number {
  const segment = heldBy(subscription, at)
  if (segment.kind === 'trial') return segment.endsAt ?? at
  const { end } = intervalAt(segment, subscription.timeZone, at)
  return end === Infinity ? usagePeriod(segment, subscription.timeZone, at).end : end
}

/** Whether one plan is an upgrade of another: a longer interval, or of the same length a higher price. The length outranks the price. */
export function isUpgrade(from: Plan, to: Plan): boolean {
  const length = (plan: Plan): number =>
    plan.periodsPerInterval === null
      ? Infinity
      : plan.periodsPerInterval * (plan.every.unit === 'week' ? 7 : 30) * plan.every.count
  if (from.isFree) return !to.isFree
  if (length(from) !== length(to)) return length(to) > length(from)
  const scale = Math.max(from.price.scale, to.price.scale)
  const at = ({ price }: Plan): bigint => price.coefficient * 10n ** BigInt(scale - price.scale)
  return at(to) > at(from)
}

export interface ToPlan extends SegmentChange {
  readonly to: PlanVersion
  /** What is given back of the price before, of what was paid; null: nothing. */
  readonly credit: SegmentCredit | null
}

/** Another plan from an instant on. */
export function withPlan({ subscription, at, from, to, credit }: ToPlan): Subscription {
  const segment = heldBy(subscription, at)
  const before = segmentsBefore(subscription, at)
  if (segment.kind === 'trial') {
    const { code, every, periodsPerInterval } = to.plan
    const shared = { plan: code, catalogVersion: to.catalogVersion, every, periodsPerInterval }
    const ends = segment.endsAt
    invariant(ends !== null, 'a trial ends')
    const trial: Segment = { kind: 'trial', ...shared, anchor: at, startsAt: at, endsAt: ends }
    return withSegments(subscription, [...before, trial, { kind: 'plan', ...shared, anchor: ends, startsAt: ends, endsAt: null }])
  }
  const left = credit === null ? before : creditLast(before, credit)
  return withSegments(subscription, [...left, planSegment(subscription, { segment, at, from, to })])
}

interface PlanSegment {
  readonly segment: Segment
  readonly at: number
  readonly from: Plan
  readonly to: PlanVersion
}

/** One of the same interval goes on in its rhythm and has its share of the running period; another begins a rhythm of its own. */
function planSegment({ timeZone }: Subscription, { segment, at, from, to }: PlanSegment): Segment {
  const { plan, catalogVersion } = to
  const isSameRhythm =
    !from.isFree && segment.kind === 'plan' && plan.interval === from.interval && plan.periodsPerInterval !== null
  const shared = {
    kind: 'plan',
    plan: plan.code,
    catalogVersion,
    every: plan.every,
    periodsPerInterval: plan.periodsPerInterval,
  } as const
  if (!isSameRhythm) return { ...shared, anchor: at, startsAt: at, endsAt: null }
  const next: Segment = { ...shared, anchor: segment.anchor, startsAt: at, endsAt: null }
  const period = periodAt({ anchor: segment.anchor, every: segment.every, timeZone }, at)
  if (period.start === at) return next
  const share = shareOf([at, period.end], [period.start, period.end], { timeZone, unit: plan.prorationUnit })
  return { ...next, cut: { kind: 'change', share: [Number(share.numerator), Number(share.denominator)], usedBefore: {} } }
}

export interface PriceMove extends SegmentChange {
  readonly to: PlanVersion
  /** Units used in the running usage period, by feature, in millionths. */
  readonly usedBefore: ReadonlyMap<string, bigint>
}

/** The same plan at other prices from an instant on: allowance and rhythm go on, and nothing is paid or given back. */
export function withPrices({ subscription, at, to, usedBefore }: PriceMove): Subscription {
  const segment = heldBy(subscription, at)
  const { plan, catalogVersion } = to
  const { start } = usagePeriod(segment, subscription.timeZone, at)
  const next: Segment = { ...withoutChange(segment), plan: plan.code, catalogVersion, startsAt: at }
  const usedByNow = Object.fromEntries([...usedBefore].map(([feature, used]) => [feature, String(used)]))
  const later = subscription.segments.filter(({ startsAt }) => startsAt > at)
  const cut: Segment = start === at ? next : { ...next, cut: { kind: 'price', share: [1, 1], usedBefore: usedByNow } }
  return withSegments(subscription, [...segmentsBefore(subscription, at), cut, ...later])
}

/** It ends at an instant; what was to come after it does not. */
export function withEnd({
  subscription,
  at,
  credit,
}: Omit<SegmentChange, 'from'> & { readonly credit: SegmentCredit | null }): Subscription {
  const before = segmentsBefore(subscription, at)
  return withSegments(subscription, credit === null ? before : creditLast(before, credit))
}

/** An end that has not come is taken back, and with it everything that was to follow. */
export function withoutEnd(subscription: Subscription, at: number): Subscription {
  const segment = heldBy(subscription, at)
  const before = subscription.segments.filter(({ startsAt }) => startsAt < segment.startsAt)
  const { credit: _credit, ...open } = segment
  if (segment.kind !== 'trial') return withSegments(subscription, [...before, { ...open, endsAt: null }])
  invariant(segment.endsAt !== null, 'a trial ends')
  const { endsAt: startsAt } = segment
  return withSegments(subscription, [...before, open, { ...open, kind: 'plan', anchor: startsAt, startsAt, endsAt: null }])
}

export interface Pausing extends Omit<SegmentChange, 'from'> {
  /** When service comes back by itself; null: when somebody resumes it. */
  readonly resumesAt: number | null
  readonly credit: SegmentCredit | null
}

/** No service and no base price from an instant on. */
export function withPause({ subscription, at, resumesAt, credit }: Pausing): Subscription {
  const segment = heldBy(subscription, at - 1)
  const ended = withEnd({ subscription, at, credit })
  const paused: Segment = { ...withoutChange(segment), kind: 'pause', anchor: at, startsAt: at, endsAt: resumesAt }
  const back: Segment[] = resumesAt === null ? [] : [{ ...withoutChange(segment), kind: 'plan', ...beginsAt(resumesAt) }]
  return withSegments(subscription, [...ended.segments, paused, ...back])
}

/** Service from an instant on, in a rhythm of its own. */
export function withResumption({ subscription, at }: Omit<SegmentChange, 'from'>): Subscription {
  const segment = heldBy(subscription, at)
  return withSegments(subscription, [
    ...segmentsBefore(subscription, at),
    { ...withoutChange(segment), kind: 'plan', ...beginsAt(at) },
  ])
}

/** A plan after the last one ended. */
export function withNewPlan(subscription: Subscription, { plan, catalogVersion }: PlanVersion, startsAt: number): Subscription {
  return withSegments(subscription, [
    ...subscription.segments,
    ...segmentsFrom({ plan, catalogVersion, startsAt }, subscription.timeZone),
  ])
}

export interface CreditOf {
  readonly subscription: Subscription
  readonly at: number
  readonly plan: Plan
  /** Shares of the running period's allowances, credits or balance that are used. */
  readonly used: readonly Share[]
}

/** What a plan gives back when it ends at an instant; null when nothing was paid that goes beyond it, or the plan gives nothing back. */
export function creditAt({ subscription, at, plan, used }: CreditOf): SegmentCredit | null {
  const { paidBase, timeZone } = subscription
  if (plan.proration === 'none' || paidBase === null || at >= paidBase.period[1] || at < paidBase.period[0]) return null
  const count = { timeZone, unit: plan.prorationUnit } as const
  const gone = shareOf([paidBase.period[0], at], paidBase.period, count)
  const share = plan.proration === 'time' ? unusedShare(gone) : unusedShare(gone, ...used)
  return { share: [String(share.numerator), String(share.denominator)], rule: plan.proration }
}

function heldBy(subscription: Subscription, at: number): Segment {
  const segment = segmentAt(subscription, at)
  invariant(segment !== null, 'a change is of a segment in force')
  return segment
}

function segmentsBefore({ segments }: Subscription, at: number): Segment[] {
  return segments
    .filter(({ startsAt }) => startsAt < at)
    .map((segment) => (segment.endsAt === null || segment.endsAt > at ? { ...segment, endsAt: at } : segment))
}

function creditLast(segments: readonly Segment[], credit: SegmentCredit): Segment[] {
  return segments.map((segment, i) => (i === segments.length - 1 ? { ...segment, credit } : segment))
}

function withoutChange({ cut: _cut, credit: _credit, ...segment }: Segment): Segment {
  return segment
}

function beginsAt(at: number): Pick<Segment, 'anchor' | 'startsAt' | 'endsAt'> {
  return { anchor: at, startsAt: at, endsAt: null }
}
