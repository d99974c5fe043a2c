/** How much of what a usage period allows is used: what goes on after a cut, and what is not given back of a base price. */

import type { Plan } from '../catalog/plan.ts'
import type { Grant } from '../records/grant.ts'
import { daysBetween } from '../values/day.ts'
import { add, isZero } from '../values/decimal.ts'
import { periodAt } from '../values/period.ts'
import { shareOf, type Share, shareUsed, type Span, type TimeCount, unusedShare } from '../values/proration.ts'
import { decimalToQuantity, type Quantity } from '../values/quantity.ts'
import { type AccountState, findUsage } from './account-state.ts'
import { allowedIn } from './allowance.ts'
import { planGrant, prepaidName } from './grants.ts'
import { isCut, type PaidBase, type Segment, type Subscription, usagePeriod, usedBeforeCut } from './subscription.ts'

/** A usage period of a segment in which something ends. */
export interface RunningPeriod {
  readonly state: Pick<AccountState, 'usage' | 'grants'>
  readonly subscription: Subscription
  readonly segment: Segment
  readonly plan: Plan
  /** An instant of the period. */
  readonly at: number
}

/** What was used of the period so far, and before its own cut: units by feature, credits or money, in millionths. */
export function usedSoFar(running: RunningPeriod): Record<string, string> {
  const { state, subscription, segment, plan, at } = running
  const { start } = usagePeriod(segment, subscription.timeZone, at)
  const used = new Map<string, Quantity>()
  if (isCut(segment, start))
    for (const [name, before] of Object.entries(segment.cut?.usedBefore ?? {})) used.set(name, BigInt(before))
  const count = (name: string, quantity: Quantity): void => void used.set(name, (used.get(name) ?? 0n) + quantity)
  for (const { feature, periodStart, posted, reserved } of state.usage)
    if (periodStart === start) count(feature, posted + reserved)
  const own = ownGrant(running)
  if (own !== null && plan.consumption !== 'metered')
    count(prepaidName(plan.consumption), decimalToQuantity(add(own.used, own.held), 'ceil'))
  return Object.fromEntries([...used].map(([name, quantity]) => [name, String(quantity)]))
}

export interface UnusedOf extends RunningPeriod {
  readonly paidBase: PaidBase
  readonly rule: 'time' | 'max_consumption'
}

/**
 * What is left at `at` of a base price that was paid: by the time, or by the time and the allowance of the running usage period,
 * whichever was used more. The usage periods of the interval before it count as used up, those after it as not begun.
 */
export function unusedOfBase(unused: UnusedOf): Share {
  const { subscription, segment, plan, at, paidBase, rule } = unused
  const { timeZone } = subscription
  const paid = paidBase.period
  const count: TimeCount = { timeZone, unit: hasDays(paid, plan, timeZone) ? plan.prorationUnit : 'second' }
  const timeUsed = shareOf([paid[0], at], paid, count)
  if (rule === 'time') return unusedShare(timeUsed)
  const last = at - 1
  const running = periodAt({ anchor: segment.anchor, every: segment.every, timeZone }, last)
  const [start, end] = [Math.max(running.start, paid[0]), Math.min(running.end, paid[1])]
  const before = shareOf([paid[0], start], paid, count)
  const during = shareOf([start, end], paid, count)
  const used = sharesUsed({ ...unused, at: last }).map(({ numerator, denominator }) => ({
    numerator: before.numerator * denominator + during.numerator * numerator,
    denominator: during.denominator * denominator,
  }))
  return unusedShare(timeUsed, ...used)
}

/** What was paid within one day, before the hour at which the interval ends, is counted exactly. */
function hasDays(paid: Span, { prorationUnit }: Plan, timeZone: string): boolean {
  return prorationUnit === 'second' || daysBetween(paid[0], paid[1], timeZone) > 0
}

/** How much of what the running period allows is used, by feature, or of its credits or balance. */
function sharesUsed(running: RunningPeriod): Share[] {
  const { state, subscription, segment, plan, at } = running
  const { start: periodStart } = usagePeriod(segment, subscription.timeZone, at)
  if (plan.consumption !== 'metered') {
    const own = ownGrant(running)
    if (own === null) return []
    const spent = decimalToQuantity(add(own.used, own.held))
    return [shareUsed(spent, isZero(own.granted) ? spent : decimalToQuantity(own.granted))]
  }
  return [...plan.features.values()].flatMap((terms) => {
    if (terms.kind !== 'metered') return []
    const usage = findUsage(state.usage, terms.feature, periodStart)
    const before = isCut(segment, periodStart) ? usedBeforeCut(segment.cut, terms.feature) : 0n
    const used = before + (usage?.posted ?? 0n) + (usage?.reserved ?? 0n)
    return [shareUsed(used, allowedIn(terms, { segment, periodStart }))]
  })
}

/** What the plan granted for the period; null where it grants nothing, or nobody used any of it. */
function ownGrant({ state, ...running }: RunningPeriod): Grant | null {
  const grant = planGrant(running)
  return grant === null ? null : (state.grants.get(grant.id) ?? null)
}
