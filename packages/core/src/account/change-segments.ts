/** What changes of a subscription do to its segments: plans, ends, pauses and prices, at an instant. Pure. */

import type { Plan } from '../catalog/plan.ts'
import { invariant } from '../values/invariant.ts'
import { periodAt } from '../values/period.ts'
import { shareOf } from '../values/proration.ts'
import { segmentsFrom } from './opening.ts'
import {
  type Cut,
  intervalAt,
  isCut,
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
  /** The segment that it leaves. */
  readonly segment: Segment
  readonly to: PlanVersion
  /** Whether something is given back of the price before; null: nothing. */
  readonly credit: SegmentCredit | null
  /** What was used in the running usage period: a trial goes on with what is left of its allowance. */
  readonly usedBefore: Cut['usedBefore']
}

/** Another plan from an instant on, whatever was to come then. */
export function withPlan({ subscription, segment, at, from, to, credit, usedBefore }: ToPlan): Subscription {
  const before = segmentsBefore(subscription, at)
  const { plan, catalogVersion } = to
  if (segment.kind === 'trial' && segment.endsAt !== null && at < segment.endsAt) {
    const shared = { plan: plan.code, catalogVersion, every: plan.every, periodsPerInterval: plan.periodsPerInterval }
    const ends = segment.endsAt
    const cut: Cut = { kind: 'change', share: [1, 1], usedBefore }
    const trial: Segment = { kind: 'trial', ...shared, anchor: at, startsAt: at, endsAt: ends, cut }
    return withSegments(subscription, [...before, trial, { kind: 'plan', ...shared, anchor: ends, startsAt: ends, endsAt: null }])
  }
  const left = credit === null ? before : creditLast(before, credit)
  return withSegments(subscription, [...left, planSegment(subscription, { segment, at, from, to })])
}

type PlanSegment = Pick<ToPlan, 'segment' | 'at' | 'from' | 'to'>

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

export interface PriceMove extends Pick<SegmentChange, 'subscription' | 'at'> {
  readonly to: PlanVersion
  /** What was used in the running usage period. */
  readonly usedBefore: Cut['usedBefore']
}

/**
 * The same plan at other prices from an instant on: allowance and rhythm go on, and nothing is paid or given back. What is to come of
 * this plan has them too; an end, a pause and another plan that are to come stay.
 */
export function withPrices({ subscription, at, to, usedBefore }: PriceMove): Subscription {
  const { plan, catalogVersion } = to
  const segments = subscription.segments.flatMap((segment): Segment[] => {
    const { startsAt, endsAt } = segment
    if (segment.plan !== plan.code || (endsAt !== null && endsAt <= at)) return [segment]
    const moved = { ...segment, catalogVersion }
    // Nothing is priced in a pause, and what begins with the prices has them whole.
    if (startsAt >= at || segment.kind === 'pause') return [moved]
    return pricedFrom({ segment, moved, at, usedBefore }, subscription)
  })
  return withSegments(subscription, segments)
}

interface PricedFrom extends Pick<PriceMove, 'at' | 'usedBefore'> {
  readonly segment: Segment
  /** The same with the other prices. */
  readonly moved: Segment
}

/** Before and after a change of price: inside a usage period the allowance goes on. */
function pricedFrom({ segment, moved, at, usedBefore }: PricedFrom, { timeZone }: Subscription): [Segment, Segment] {
  const ended = withEndAt(segment, at)
  const { cut: _cut, ...begun } = { ...moved, startsAt: at }
  const { anchor, every, kind } = segment
  if (kind !== 'trial' && periodAt({ anchor, every, timeZone }, at).start === at) return [ended, begun]
  const { start: periodStart } = usagePeriod(segment, timeZone, at)
  const share = isCut(segment, periodStart) && segment.cut !== undefined ? segment.cut.share : WHOLE
  return [
    { ...ended, kept: { periodStart, used: usedBefore } },
    { ...begun, cut: { kind: 'price', share, usedBefore } },
  ]
}

const WHOLE = [1, 1] as const

/** It ends at an instant; what was to come after it does not. */
export function withEnd({
  subscription,
  at,
  credit,
}: Omit<SegmentChange, 'from'> & { readonly credit: SegmentCredit | null }): Subscription {
  const before = segmentsBefore(subscription, at)
  return withSegments(subscription, credit === null ? before : creditLast(before, credit))
}

/** An end that has not come is taken back, and with it everything that was to follow, except for prices of the same plan. */
export function withoutEnd(subscription: Subscription, at: number): Subscription {
  const segment = heldBy(subscription, at)
  const kept: Segment[] = []
  for (const next of subscription.segments) {
    const isKept =
      next.startsAt <= at || (next.kind === 'plan' && next.plan === segment.plan && next.startsAt === kept.at(-1)?.endsAt)
    if (!isKept) break
    kept.push(next)
  }
  const { credit: _credit, ...last } = kept.at(-1) ?? segment
  if (last.kind !== 'trial') return withSegments(subscription, [...kept.slice(0, -1), { ...last, endsAt: null }])
  invariant(last.endsAt !== null, 'a trial ends')
  const begins: Segment = { ...withoutChange(last), kind: 'plan', ...beginsAt(last.endsAt) }
  return withSegments(subscription, [...kept.slice(0, -1), last, begins])
}

export interface Pausing extends Omit<SegmentChange, 'from'> {
  /** When service comes back by itself; null: when somebody resumes it. */
  readonly resumesAt: number | null
  readonly credit: SegmentCredit | null
}

/** No service and no base price from an instant on. */
export function withPause({ subscription, at, resumesAt, credit }: Pausing): Subscription {
  const ended = withEnd({ subscription, at, credit })
  const segment = ended.segments.at(-1)
  invariant(segment !== undefined, 'a pause is of a segment in force')
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

/** How a plan gives something back when it ends before what was paid for it; null when it gives nothing back. */
export function creditOf({ proration }: Plan): SegmentCredit | null {
  return proration === 'none' ? null : { rule: proration }
}

function heldBy(subscription: Subscription, at: number): Segment {
  const segment = segmentAt(subscription, at)
  invariant(segment !== null, 'a change is of a segment in force')
  return segment
}

/** Up to an instant, whether the last of them was to end before or after it. */
function segmentsBefore({ segments }: Subscription, at: number): Segment[] {
  const before = segments.filter(({ startsAt }) => startsAt < at)
  const last = before.at(-1)
  return last === undefined ? [] : [...before.slice(0, -1), withEndAt(last, at)]
}

/** What another end would have given back goes with it. */
function withEndAt({ credit: _credit, ...segment }: Segment, at: number): Segment {
  return { ...segment, endsAt: at }
}

function creditLast(segments: readonly Segment[], credit: SegmentCredit): Segment[] {
  return segments.map((segment, i) => (i === segments.length - 1 ? { ...segment, credit } : segment))
}

function withoutChange({ cut: _cut, credit: _credit, kept: _kept, ...segment }: Segment): Segment {
  return segment
}

function beginsAt(at: number): Pick<Segment, 'anchor' | 'startsAt' | 'endsAt'> {
  return { anchor: at, startsAt: at, endsAt: null }
}
