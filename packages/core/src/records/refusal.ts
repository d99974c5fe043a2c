/** An expected answer to a claim that is not admitted, named for the rule. */

import type { Quantity } from '../values/quantity.ts'

/** Each code never changes its meaning. The HTTP status of each stands in `http/problem.ts`. */
export type RefusalCode =
  | 'allowance_exhausted'
  | 'credits_exhausted'
  | 'balance_exhausted'
  | 'spend_limit_reached'
  | 'no_subscription'
  | 'payment_overdue'
  | 'feature_not_in_plan'

/** Why a claim was refused, with the figures that a program needs in order to act. */
export interface Refusal {
  readonly code: RefusalCode
  readonly customerId: string
  readonly feature: string
  readonly requested: Quantity
  /** The plan's code, or null when the customer has none. */
  readonly plan: string | null
  /** What the figures count: `'credits'`, or the currency of a balance or a spend limit; absent for units of the feature. */
  readonly unit?: string
  /** The allowance of the period in millionths; null where no allowance is the reason. */
  readonly limit: Quantity | null
  /** Posted and reserved units of the period, in millionths. */
  readonly used: Quantity
  readonly remaining: Quantity
  /** When the allowance renews: epoch milliseconds, the first instant after the period; null where time does not help. */
  readonly periodEnd: number | null
}
