/** What a plan grants for a usage period: credits, or the part of the base price that becomes its balance. */

import type { Plan } from '../catalog/plan.ts'
import type { Grant, GrantUnit } from '../records/grant.ts'
import { allocate } from '../values/allocate.ts'
import { minorUnits } from '../values/currency.ts'
import { type Decimal, DECIMAL_ZERO, scaledTo, subtract, toDecimal } from '../values/decimal.ts'
import { periodAt } from '../values/period.ts'
import { QUANTITY_PLACES, quantityToDecimal } from '../values/quantity.ts'
import { divideRounded } from '../values/rounding.ts'
import { priceChain, type Segment, segmentAt, type Subscription, usedBeforeCut } from './subscription.ts'

export interface PlanGrantOf {
  readonly subscription: Subscription
  readonly segment: Segment
  readonly plan: Plan
  /** An instant of the usage period. */
  readonly at: number
}

/** What a plan grants for the usage period that holds an instant; null where it grants nothing. Made once: its id names the period. */
export function planGrant(of: PlanGrantOf): Grant | null {
  const { plan } = of
  if (plan.consumption === 'metered' || of.segment.kind === 'pause') return null
  const { start, end, index } = grantPeriod(of)
  const granted = plan.consumption === 'credits' ? creditsOf(of) : balanceOf(of, index)
  if (granted.coefficient === 0n) return null
  return {
    id: `plan-${start}`,
    unit: plan.consumption,
    source: 'plan',
    priority: 0,
    granted,
    revoked: DECIMAL_ZERO,
    used: DECIMAL_ZERO,
    held: DECIMAL_ZERO,
    startsAt: start,
    expiresAt: end,
    createdAt: start,
    reference: null,
    isClosed: false,
  }
}

/** A change of price does not begin a period anew. */
function grantPeriod({ subscription, segment, at }: PlanGrantOf): { start: number; end: number; index: number } {
  const { first, last } = priceChain(subscription, segment)
  const { anchor, every } = segment
  if (segment.kind === 'trial') return { start: first.startsAt, end: last.endsAt ?? Infinity, index: 0 }
  const whole = periodAt({ anchor, every, timeZone: subscription.timeZone }, at)
  return { index: whole.index, start: Math.max(whole.start, first.startsAt), end: Math.min(whole.end, last.endsAt ?? Infinity) }
}

function creditsOf({ plan, ...where }: PlanGrantOf): Decimal {
  return partOfCut({ unit: 'credits', whole: plan.credits ?? DECIMAL_ZERO, places: QUANTITY_PLACES }, where)
}

/** The base price becomes the balance, in equal parts over the usage periods of its interval. */
function balanceOf({ plan, ...where }: PlanGrantOf, index: number): Decimal {
  const places = minorUnits(where.subscription.currency)
  return partOfCut({ unit: 'balance', whole: plan.includedBalance ?? partOfBase(plan, index, places), places }, where)
}

function partOfBase({ price, periodsPerInterval: periods }: Plan, index: number, places: number): Decimal {
  if (periods === 1) return price
  if (periods === null) return index === 0 ? price : DECIMAL_ZERO
  const parts = allocate(scaledTo(price, places, 'half_up'), Array<bigint>(periods).fill(1n))
  return toDecimal(parts[((index % periods) + periods) % periods] ?? 0n, places)
}

/** What a whole usage period is granted. */
interface Prepaid {
  readonly unit: GrantUnit
  readonly whole: Decimal
  /** Decimal places that a part of it may have. */
  readonly places: number
}

/** What begins inside a usage period has the share of the time that is left, less what was used of that before. */
function partOfCut({ unit, whole, places }: Prepaid, { segment, at, subscription }: Omit<PlanGrantOf, 'plan'>): Decimal {
  const { cut, anchor, every } = segment
  if (cut === undefined) return whole
  const { startsAt } = priceChain(subscription, segment).first
  const { start, end } = periodAt({ anchor, every, timeZone: subscription.timeZone }, at)
  if (segment.kind !== 'trial' && (startsAt <= start || startsAt >= end)) return whole
  const [numerator, denominator] = cut.share
  const share = divideRounded(scaledTo(whole, places, 'half_up') * BigInt(numerator), BigInt(denominator), 'half_up')
  const left = subtract(toDecimal(share, places), quantityToDecimal(usedBeforeCut(cut, prepaidName(unit))))
  return left.coefficient > 0n ? left : DECIMAL_ZERO
}

/** Under what name a cut knows the credits or the balance that were used: no code of a feature has a dollar sign. */
export function prepaidName(unit: GrantUnit): string {
  return `$${unit}`
}

/**
 * The grants of an account whose subscription has other segments than before: each of a plan ends when its period does now. `planOf`
 * gives the plan of a segment.
 */
export function withPlanGrantsOf(
  subscription: Subscription,
  grants: ReadonlyMap<string, Grant>,
  planOf: (segment: Segment) => Plan,
): Map<string, Grant> {
  return new Map(
    [...grants].map(([id, grant]) => {
      const segment = grant.source === 'plan' ? segmentAt(subscription, grant.startsAt) : null
      const own = segment === null ? null : planGrant({ subscription, segment, plan: planOf(segment), at: grant.startsAt })
      return [id, own?.id === id && own.expiresAt !== grant.expiresAt ? { ...grant, expiresAt: own.expiresAt } : grant]
    }),
  )
}
