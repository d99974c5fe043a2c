/** What a plan still allows of a feature in a usage period: one rule for the 402, the headers, the usage and the settlement. */

import type { Plan } from '../catalog/plan.ts'
import type { MeteredTerms } from '../catalog/plan-feature.ts'
import type { Grant } from '../records/grant.ts'
import { add, type Decimal } from '../values/decimal.ts'
import { decimalToQuantity, type Quantity } from '../values/quantity.ts'
import { divideRounded } from '../values/rounding.ts'
import type { AccountState, Usage } from './account-state.ts'
import { leftOf } from './grants.ts'
import { isCut, type Segment, usedBeforeCut } from './subscription.ts'

export interface Allowance {
  /** What the period allows: units, credits or money in millionths; null where it is unlimited. */
  readonly included: Quantity | null
  /** Posted and reserved. */
  readonly used: Quantity
  /** What is neither posted nor reserved, never negative; null where it is unlimited. */
  readonly remaining: Quantity | null
  /** Whether usage beyond the allowance is refused rather than billed. */
  readonly isBlocked: boolean
  /** What it counts: `'credits'`, or the currency of a balance; absent for units of the feature. */
  readonly unit?: string
}

/** Where an allowance is asked for. */
export interface AllowancePeriod {
  readonly segment: Segment
  /** First instant of the usage period, epoch milliseconds. */
  readonly periodStart: number
}

/** `usage` is undefined when nothing was used in the period. */
export function allowanceOf(terms: MeteredTerms, usage: Usage | undefined, where: AllowancePeriod): Allowance {
  const used = usage === undefined ? 0n : usage.posted + usage.reserved
  const included = includedIn(terms, where)
  if (included === 'unlimited') return { included: null, used, remaining: null, isBlocked: false }
  const remaining = used < included ? included - used : 0n
  return { included, used, remaining, isBlocked: blocksUnits(terms, where.segment) }
}

/**
 * Units that a period includes: what it allows, less what was used of that before a cut, and without what goes on after a change of price.
 * So both parts together include the whole and no more, whatever comes late.
 */
export function includedIn(terms: MeteredTerms, where: AllowancePeriod): Quantity | 'unlimited' {
  const allowed = allowedIn(terms, where)
  if (allowed === 'unlimited') return allowed
  const { segment, periodStart } = where
  const before = isCut(segment, periodStart) ? usedBeforeCut(segment.cut, terms.feature) : 0n
  const kept = segment.kept?.periodStart === periodStart ? BigInt(segment.kept.used[terms.feature] ?? '0') : allowed
  const most = kept < allowed ? kept : allowed
  return before < most ? most - before : 0n
}

/** Units that a period allows in all. One that a change cut has its share of them, rounded half up to a millionth. */
export function allowedIn({ included }: MeteredTerms, { segment, periodStart }: AllowancePeriod): Quantity | 'unlimited' {
  if (included === 'unlimited' || segment.cut === undefined || !isCut(segment, periodStart)) return included
  const [numerator, denominator] = segment.cut.share
  return divideRounded(included * BigInt(numerator), BigInt(denominator), 'half_up')
}

/** Whether usage beyond the allowance is refused: as the plan says, and always during a trial. */
export function blocksUnits({ overage }: MeteredTerms, { kind }: Segment): boolean {
  return overage === 'block' || kind === 'trial'
}

/** Whether what credits or balance do not cover is refused. */
export function blocksCost({ blocksOnExhaustion }: Plan, { kind }: Segment): boolean {
  return blocksOnExhaustion || kind === 'trial'
}

/** Credits or money that grants allow, in millionths, cut below them; after `taken` is taken. */
export function grantsAllowance(grants: readonly Grant[], unit: string, blocks: boolean, taken?: Decimal): Allowance {
  const granted = grants.map((grant) => grant.granted).reduce(add, { coefficient: 0n, scale: 0 })
  const included = decimalToQuantity(granted)
  const left = decimalToQuantity(leftOf(grants)) - (taken === undefined ? 0n : decimalToQuantity(taken, 'ceil'))
  const remaining = left > 0n ? left : 0n
  return { included, used: included - remaining, remaining, isBlocked: blocks, unit }
}

/** A period whose spending is asked for, and units that would come on top. */
export interface Spending {
  readonly state: AccountState
  readonly plan: Plan
  readonly segment: Segment
  /** First instant of the usage period, epoch milliseconds. */
  readonly periodStart: number
  readonly more?: { readonly feature: string; readonly quantity: Quantity }
}
