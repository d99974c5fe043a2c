/** What a plan gives back when it ends before what was paid for it. Pure. */

import type { Plan } from '../catalog/plan.ts'
import { add, isZero } from '../values/decimal.ts'
import { hasLength, shareOf, type Share, shareUsed, type Span, type TimeCount, unusedShare } from '../values/proration.ts'
import { decimalToQuantity } from '../values/quantity.ts'
import { type AccountState, findUsage } from './account-state.ts'
import { allowedIn } from './allowance.ts'
import { payingGrants } from './grants.ts'
import {
  intervalAt,
  isCut,
  priceChain,
  type Segment,
  type SegmentCredit,
  type Subscription,
  usagePeriod,
  usedBeforeCut,
} from './subscription.ts'

/** Whether a plan gives something back when it ends early, and how; null where it gives nothing back. */
export function creditRule({ proration, isFree }: Plan): SegmentCredit | null {
  return proration === 'none' || isFree ? null : { rule: proration }
}

/** A plan that ends. */
export interface Ended {
  readonly subscription: Subscription
  /** The segment that ends, and its plan. */
  readonly segment: Segment
  readonly plan: Plan
  /** When it ends. */
  readonly at: number
}

export interface UnusedOf extends Ended {
  readonly rule: SegmentCredit['rule']
  /** Shares of the last usage period's allowances, credits or balance that are used. */
  readonly used: readonly Share[]
}

/**
 * The share of the base price that was not used; null when nothing was paid that goes beyond the end. Where one price pays for several
 * usage periods, those that are over are gone with their time, and the last one by its time or by its use, whichever is more.
 */
export function unusedOf({ rule, used, ...ended }: UnusedOf): Share | null {
  const { subscription, segment, plan, at } = ended
  if (segment.kind !== 'plan') return null
  const { timeZone } = subscription
  const count: TimeCount = { timeZone, unit: plan.prorationUnit }
  const paid = paidPeriod(ended)
  // A rest of less than a day has a price of nothing.
  if (at <= paid[0] || at >= paid[1] || !hasLength(paid, count)) return null
  const gone = shareOf([paid[0], at], paid, count)
  if (rule === 'time') return unusedShare(gone)
  // What was used before a change of price is counted too, so the period is that of all its prices.
  const { startsAt } = priceChain(subscription, segment).first
  const last = usagePeriod({ ...segment, startsAt, endsAt: null }, timeZone, at - 1)
  const whole: Span = [Math.max(last.start, paid[0]), Math.min(last.end, paid[1])]
  const over = shareOf([paid[0], whole[0]], paid, count)
  const weight = shareOf(whole, paid, count)
  const spread = used.map(({ numerator, denominator }): Share => {
    const part = numerator * weight.numerator
    return { numerator: over.numerator * denominator + part, denominator: over.denominator * denominator }
  })
  return unusedShare(gone, ...spread)
}

/** What the base price was paid for that is in force just before an instant. */
function paidPeriod({ subscription, segment, at }: Ended): Span {
  const { first } = priceChain(subscription, segment)
  const { timeZone } = subscription
  const { start, end } = intervalAt(segment, timeZone, at - 1)
  if (end === Infinity) return [first.startsAt, usagePeriod({ ...first, endsAt: null }, timeZone, first.startsAt).end]
  return [Math.max(start, first.startsAt), end]
}

/** How much of what the last usage period allows is used, by feature, or of its credits or balance. */
export function usedShares(state: Pick<AccountState, 'usage' | 'grants'>, { subscription, segment, plan, at }: Ended): Share[] {
  const { start: periodStart } = usagePeriod(segment, subscription.timeZone, at - 1)
  if (plan.consumption !== 'metered') {
    const own = payingGrants(state.grants.values(), plan.consumption, at - 1).filter(({ source }) => source === 'plan')
    return own.map(({ granted, used, held }) => {
      const spent = decimalToQuantity(add(used, held))
      return shareUsed(spent, isZero(granted) ? spent : decimalToQuantity(granted))
    })
  }
  return [...plan.features.values()].flatMap((terms) => {
    if (terms.kind !== 'metered') return []
    const usage = findUsage(state.usage, terms.feature, periodStart)
    const before = isCut(segment, periodStart) ? usedBeforeCut(segment.cut, terms.feature) : 0n
    const used = before + (usage?.posted ?? 0n) + (usage?.reserved ?? 0n)
    return [shareUsed(used, allowedIn(terms, { segment, periodStart }))]
  })
}
