/** Decides a claim: a reservation, or a refusal with a named reason. */

import { type AccountState, findUsage } from '../account/account-state.ts'
import { type Allowance, allowanceOf } from '../account/allowance.ts'
import { isInForce, usagePeriod } from '../account/subscription.ts'
import type { Plan } from '../catalog/plan.ts'
import type { Claim } from '../records/claim.ts'
import type { Refusal, RefusalCode } from '../records/refusal.ts'
import type { Reservation } from '../records/reservation.ts'
import { invariant } from '../values/invariant.ts'
import type { Period } from '../values/period.ts'

export type Admission =
  | { readonly kind: 'admitted'; readonly reservation: Reservation; readonly allowance: Allowance; readonly period: Period }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/**
 * Pure. `plan` is the plan of the account's subscription under the catalog version it was sold with, null without one.
 * The allowance of an admission is the one after it: its own units count as used.
 */
export function admit(claim: Claim, state: AccountState, plan: Plan | null): Admission {
  invariant(claim.quantity >= 0n, 'a claim is never negative')
  const { subscription } = state
  if (subscription === null || plan === null || !isInForce(subscription, claim.at)) return refuse(claim, null, 'no_subscription')
  if (subscription.status === 'canceled') return refuse(claim, plan, 'no_subscription')
  if (subscription.status === 'pending_payment') return refuse(claim, plan, 'payment_overdue')
  const feature = plan.features.get(claim.feature)
  if (feature === undefined || feature.kind !== 'metered') return refuse(claim, plan, 'feature_not_in_plan')

  const period = usagePeriod(subscription, claim.at)
  const before = allowanceOf(feature, findUsage(state.usage, claim.feature, period.start))
  if (before.isBlocked && before.remaining !== null && claim.quantity > before.remaining) {
    return refuse(claim, plan, 'allowance_exhausted', { allowance: before, period })
  }

  const used = before.used + claim.quantity
  const remaining = before.included === null ? null : used < before.included ? before.included - used : 0n
  const allowance = { included: before.included, used, remaining, isBlocked: before.isBlocked }
  invariant(
    !allowance.isBlocked || before.included === null || used <= before.included,
    'used and reserved units stay within a blocked limit',
  )
  return { kind: 'admitted', reservation: reservationOf(claim, period), allowance, period }
}

function refuse(claim: Claim, plan: Plan | null, code: RefusalCode, at?: { allowance: Allowance; period: Period }): Admission {
  const { customerId, feature, quantity: requested } = claim
  const limit = at?.allowance.included ?? null
  const used = at?.allowance.used ?? 0n
  const remaining = at?.allowance.remaining ?? 0n
  return {
    kind: 'refused',
    refusal: {
      code,
      customerId,
      feature,
      requested,
      plan: plan?.code ?? null,
      limit,
      used,
      remaining,
      periodEnd: at?.period.end ?? null,
    },
  }
}

/** Written out, because this is made for each request and copying by spread costs several times as much. */
function reservationOf({ customerId, feature, quantity, key, at, route }: Claim, period: Period): Reservation {
  return { customerId, feature, quantity, key, at, route, periodStart: period.start }
}
