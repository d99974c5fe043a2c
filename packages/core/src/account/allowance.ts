/** What a plan still allows of a feature in a usage period: one rule for the 402, the headers, the usage and the settlement. */

import type { PlanFeature } from '../catalog/plan.ts'
import type { Quantity } from '../values/quantity.ts'
import type { Usage } from './account-state.ts'

export interface Allowance {
  /** Units included in the period, in millionths; null where they are unlimited. */
  readonly included: Quantity | null
  /** Posted and reserved units. */
  readonly used: Quantity
  /** Included units that are neither posted nor reserved, never negative; null where they are unlimited. */
  readonly remaining: Quantity | null
  /** Whether usage beyond the allowance is refused rather than billed. */
  readonly isBlocked: boolean
}

/** `usage` is undefined when nothing was used in the period. */
export function allowanceOf(feature: Extract<PlanFeature, { kind: 'metered' }>, usage: Usage | undefined): Allowance {
  const used = usage === undefined ? 0n : usage.posted + usage.reserved
  const { included } = feature
  if (included === 'unlimited') return { included: null, used, remaining: null, isBlocked: false }
  const remaining = used < included ? included - used : 0n
  return { included, used, remaining, isBlocked: feature.overage === 'block' }
}
