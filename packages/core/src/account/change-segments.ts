/** What changes of a subscription do to its segments: plans, ends, pauses and prices, at an instant. Pure. */

import type { Plan } from '../catalog/plan.ts'
import { compare } from '../values/decimal.ts'
import { invariant } from '../values/invariant.ts'
import { periodAt } from '../values/period.ts'
import { shareOf } from '../values/proration.ts'
import type { Quantity } from '../values/quantity.ts'
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
  usedBeforeCut,
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
  if (from.isFree) return !to.isFree
  const [before, after] = [daysOf(from), daysOf(to)]
  return before === after ? compare(to.price, from.price) > 0 : after > before
}

/** About how long the interval of a plan is, to tell the longer one. */
function daysOf({ periodsPerInterval, every }: Plan): number {
  if (periodsPerInterval === null) return Infinity
  return periodsPerInterval * every.count * (every.unit === 'week' ? 7 : 30)
}

/** What a change at an instant leaves: what runs up to it, whatever else was to begin then; else what begins then. Null where nothing is in force. */
export function leftAt(subscription: Subscription, at: number): Segment | null {
  const begun = segmentAt(subscription, at)
  const before = segmentAt(subscription, at - 1)
  const isLeft = before?.kind === 'plan' || (before?.kind === 'trial' && before.endsAt !== at)
  return begun !== null && isLeft ? before : begun
}

export interface ToPlan extends SegmentChange {
  /** The plan of the segment that the change leaves. */
  readonly from: Plan
  readonly to: PlanVersion
  /** What is given back of the price before, of what was paid; null: nothing. */
  readonly credit: SegmentCredit | null
  /** Used in the running usage period, by feature or `prepaidName`, in millionths: a trial goes on with what is left of its allowance. */
  readonly used: ReadonlyMap<string, Quantity>
}

/** Another plan from an instant on. */
export function withPlan({ subscription, at, from, to, credit, used }: ToPlan): Subscription {
  const segment = leftAt(subscription, at) ?? heldBy(subscription, at)
  const before = segmentsBefore(subscription, at, credit)
  if (segment.kind === 'trial') {
    const { code, every, periodsPerInterval } = to.plan
    const shared = { plan: code, catalogVersion: to.catalogVersion, every, periodsPerInterval }
    const ends = segment.endsAt
    invariant(ends !== null, 'a trial ends')
    const cut: Cut = { ...cutOfUsed(segment, segment.startsAt, used), kind: 'change', share: [1, 1] }
    const trial: Segment = { kind: 'trial', ...shared, anchor: at, startsAt: at, endsAt: ends, cut }
    return withSegments(subscription, [...before, trial, { kind: 'plan', ...shared, ...beginsAt(ends) }])
  }
  return withSegments(subscription, [...before, planSegment(subscription, { segment, at, from, to })])
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
  const { code, every, periodsPerInterval } = plan
  const shared = { kind: 'plan', plan: code, catalogVersion, every, periodsPerInterval } as const
  // Who pays for the first time begins to be billed then.
  const isFirstPaid = from.isFree && !plan.isFree
  const isSameRhythm = !isFirstPaid && segment.kind === 'plan' && plan.interval === from.interval && periodsPerInterval !== null
  if (!isSameRhythm) return { ...shared, ...beginsAt(at) }
  const next: Segment = { ...shared, anchor: segment.anchor, startsAt: at, endsAt: null }
  const period = periodAt({ anchor: segment.anchor, every: segment.every, timeZone }, at)
  // With the interval everything begins anew; inside of one, the cut says that the rest of its price is due.
  if (intervalAt(next, timeZone, at).start === at) return next
  const share = shareOf([at, period.end], [period.start, period.end], { timeZone, unit: plan.prorationUnit })
  return { ...next, cut: { kind: 'change', share: [Number(share.numerator), Number(share.denominator)], usedBefore: {} } }
}

/** Gives a plan's code its plan in the catalog version that a subscription is moved to; undefined where it has none. */
export type CurrentPlan = (code: string) => PlanVersion | undefined

export interface PriceMove extends SegmentChange {
  /** Used in the running usage period, by feature or `prepaidName`, in millionths. */
  readonly used: ReadonlyMap<string, Quantity>
  readonly current: CurrentPlan
}

/** The same plans at other prices from an instant on: allowance and rhythm go on, and nothing is paid or given back. */
export function withPrices({ subscription, at, used, current }: PriceMove): Subscription {
  const segment = heldBy(subscription, at)
  const to = current(segment.plan)
  invariant(to !== undefined, 'a subscription is moved to a plan that there is')
  const { cut: _cut, kept: _kept, ...goesOn } = segment
  const next: Segment = { ...goesOn, catalogVersion: to.catalogVersion, startsAt: at }
  const later = subscription.segments.filter(({ startsAt }) => startsAt > at).map((one) => atPrices(one, current))
  const { start } = usagePeriod(segment, subscription.timeZone, at)
  const cut = start === at ? UNUSED : cutOfUsed(segment, start, used)
  const before = segmentsBefore(subscription, at, null).map((one) =>
    one.endsAt === at && start !== at ? { ...one, kept: { periodStart: start, used: cut.usedBefore } } : one,
  )
  return withSegments(subscription, [...before, { ...next, cut }, ...later])
}

const UNUSED: Cut = { kind: 'price', share: [1, 1], usedBefore: {} }

/** What is left of the allowance goes on, whatever cut it before. */
function cutOfUsed(segment: Segment, periodStart: number, used: ReadonlyMap<string, Quantity>): Cut {
  const { cut: own = UNUSED } = segment
  const before = isCut(segment, periodStart) ? own : UNUSED
  const features = new Set([...Object.keys(before.usedBefore), ...used.keys()])
  const usedBefore = [...features].map((feature) => [feature, String(usedBeforeCut(before, feature) + (used.get(feature) ?? 0n))])
  return { kind: 'price', share: before.share, usedBefore: Object.fromEntries(usedBefore) }
}

/** What is to come after an instant, at the prices of another catalog version. */
export function withLaterPrices({ subscription, at, current }: Omit<PriceMove, 'used'>): Subscription {
  return withSegments(
    subscription,
    subscription.segments.map((segment) => (segment.startsAt > at ? atPrices(segment, current) : segment)),
  )
}

function atPrices(segment: Segment, current: CurrentPlan): Segment {
  const to = current(segment.plan)
  if (to === undefined) return segment
  const { every, periodsPerInterval } = to.plan
  return { ...segment, catalogVersion: to.catalogVersion, every, periodsPerInterval }
}

/** It ends at an instant; what was to come after it does not. */
export function withEnd({ subscription, at, credit }: SegmentChange & { readonly credit: SegmentCredit | null }): Subscription {
  return withSegments(subscription, segmentsBefore(subscription, at, credit))
}

/** An end that has not come is taken back, and with it everything that was to follow, but for other prices of the same plan. */
export function withoutEnd(subscription: Subscription, at: number): Subscription {
  const segment = heldBy(subscription, at)
  const kept: Segment[] = []
  for (const next of subscription.segments) {
    const isSamePlan = next.kind === 'plan' && next.plan === segment.plan && next.startsAt === kept.at(-1)?.endsAt
    if (next.startsAt > at && !isSamePlan) break
    kept.push(next)
  }
  const { credit: _credit, ...last } = kept.at(-1) ?? segment
  if (last.kind !== 'trial') return withSegments(subscription, [...kept.slice(0, -1), { ...last, endsAt: null }])
  invariant(last.endsAt !== null, 'a trial ends')
  const plan: Segment = { ...withoutChange(last), kind: 'plan', ...beginsAt(last.endsAt) }
  return withSegments(subscription, [...kept.slice(0, -1), last, plan])
}

export interface Pausing extends SegmentChange {
  /** When service comes back by itself; null: when somebody resumes it. */
  readonly resumesAt: number | null
  readonly credit: SegmentCredit | null
}

/** No service and no base price from an instant on. */
export function withPause({ subscription, at, resumesAt, credit }: Pausing): Subscription {
  const segment = heldBy(subscription, at)
  const before = segmentsBefore(subscription, at, credit)
  const paused: Segment = { ...withoutChange(segment), kind: 'pause', anchor: at, startsAt: at, endsAt: resumesAt }
  const back: Segment[] = resumesAt === null ? [] : [{ ...withoutChange(segment), kind: 'plan', ...beginsAt(resumesAt) }]
  return withSegments(subscription, [...before, paused, ...back])
}

/** Service from an instant on, in a rhythm of its own. */
export function withResumption({ subscription, at }: SegmentChange): Subscription {
  const segment = heldBy(subscription, at)
  return withSegments(subscription, [
    ...segmentsBefore(subscription, at, null),
    { ...withoutChange(segment), kind: 'plan', ...beginsAt(at) },
  ])
}

/** A plan after the last one ended. */
export function withNewPlan(subscription: Subscription, { plan, catalogVersion }: PlanVersion, startsAt: number): Subscription {
  const ended = subscription.segments.at(-1)?.endsAt ?? startsAt
  const begins = Math.max(effectiveAt(subscription, startsAt), ended)
  return withSegments(subscription, [
    ...subscription.segments,
    ...segmentsFrom({ plan, catalogVersion, startsAt: begins }, subscription.timeZone),
  ])
}

function heldBy(subscription: Subscription, at: number): Segment {
  const segment = segmentAt(subscription, at)
  invariant(segment !== null, 'a change is of a segment in force')
  return segment
}

/** What was before an instant, with what its end gives back. What an earlier change would have given back at it is no more. */
function segmentsBefore({ segments }: Subscription, at: number, credit: SegmentCredit | null): Segment[] {
  return segments
    .filter(({ startsAt }) => startsAt < at)
    .map((segment) => {
      if (segment.endsAt !== null && segment.endsAt < at) return segment
      const { credit: _before, ...cut } = segment
      return credit === null ? { ...cut, endsAt: at } : { ...cut, endsAt: at, credit }
    })
}

function withoutChange({ cut: _cut, credit: _credit, kept: _kept, ...segment }: Segment): Segment {
  return segment
}

function beginsAt(at: number): Pick<Segment, 'anchor' | 'startsAt' | 'endsAt'> {
  return { anchor: at, startsAt: at, endsAt: null }
}
