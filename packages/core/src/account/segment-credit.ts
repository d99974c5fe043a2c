/** What a plan gives back when it ends before what was paid for it. Pure. */

import type { Plan } from '../catalog/plan.ts'
import { hasLength, shareOf, type Share, type Span, type TimeCount, unusedShare } from '../values/proration.ts'
import { intervalAt, priceChain, type Segment, type SegmentCredit, type Subscription, usagePeriod } from './subscription.ts'

export interface CreditOf {
  readonly subscription: Subscription
  /** The one that ends, and its plan. */
  readonly segment: Segment
  readonly plan: Plan
  /** When it ends. */
  readonly at: number
  /** Shares of the running usage period's allowances, credits or balance that are used. */
  readonly used: readonly Share[]
}

/**
 * Null when nothing was paid that goes beyond the end, or the plan gives nothing back. Where one price pays for several usage periods,
 * those that are over are gone with their time, and the running one by its time or by its use.
 */
export function creditAt({ subscription, segment, plan, at, used }: CreditOf): SegmentCredit | null {
  if (plan.proration === 'none' || plan.isFree || segment.kind !== 'plan') return null
  const { timeZone } = subscription
  const count: TimeCount = { timeZone, unit: plan.prorationUnit }
  const paid = paidPeriod(subscription, segment, at)
  // A rest of less than a day has a price of nothing.
  if (at <= paid[0] || at >= paid[1] || !hasLength(paid, count)) return null
  const gone = shareOf([paid[0], at], paid, count)
  if (plan.proration === 'time') return { ...creditOf(unusedShare(gone)), rule: 'time' }
  const running = usagePeriod({ ...segment, endsAt: null }, timeZone, at - 1)
  const whole: Span = [Math.max(running.start, paid[0]), Math.min(running.end, paid[1])]
  const over = shareOf([paid[0], whole[0]], paid, count)
  const weight = shareOf(whole, paid, count)
  const spread = used.map(({ numerator, denominator }): Share => {
    const part = numerator * weight.numerator
    return { numerator: over.numerator * denominator + part, denominator: over.denominator * denominator }
  })
  return { ...creditOf(unusedShare(gone, ...spread)), rule: 'max_consumption' }
}

function creditOf({ numerator, denominator }: Share): Pick<SegmentCredit, 'share'> {
  return { share: [String(numerator), String(denominator)] }
}

/** What the base price was paid for that is in force just before an instant. */
function paidPeriod(subscription: Subscription, segment: Segment, at: number): Span {
  const { first } = priceChain(subscription, segment)
  const { timeZone } = subscription
  const { start, end } = intervalAt(segment, timeZone, at - 1)
  if (end === Infinity) return [first.startsAt, usagePeriod({ ...first, endsAt: null }, timeZone, first.startsAt).end]
  return [Math.max(start, first.startsAt), end]
}
