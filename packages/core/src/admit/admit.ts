/** Decides a claim: a reservation, or a refusal with a named reason. */

import { type AccountState, findUsage } from '../account/account-state.ts'
import { type Allowance, allowanceOf, blocksCost, grantsAllowance, type Spending } from '../account/allowance.ts'
import { type Cost, costOf } from '../account/cost.ts'
import { chargeOf, leftOf, payingGrants } from '../account/grants.ts'
import { type Segment, segmentAt, usagePeriod } from '../account/subscription.ts'
import type { Plan } from '../catalog/plan.ts'
import type { BalanceTerms, CreditTerms, MeteredTerms } from '../catalog/plan-feature.ts'
import type { ModelPrices } from '../contracts/model-prices.ts'
import type { Claim } from '../records/claim.ts'
import type { Refusal, RefusalCode } from '../records/refusal.ts'
import type { Reservation } from '../records/reservation.ts'
import { add, compare, type Decimal } from '../values/decimal.ts'
import { invariant } from '../values/invariant.ts'
import type { Period } from '../values/period.ts'
import { decimalToQuantity } from '../values/quantity.ts'

export type Admission =
  | { readonly kind: 'admitted'; readonly reservation: Reservation; readonly allowance: Allowance; readonly period: Period }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** What an AI model's tokens cost is not known: the caller's mistake, or usage for the queue of what has no price. */
  | { readonly kind: 'unpriced'; readonly cost: Exclude<Cost, { kind: 'priced' }> }

export interface Admitting {
  readonly state: AccountState
  /** Gives the plan of a segment under the catalog version it was sold with. */
  readonly planOf: (segment: Segment) => Plan
  /** Prices of AI models; null where the catalog sells none. */
  readonly models: ModelPrices | null
  /** What usage beyond allowance and balance costs in a period, exact. */
  readonly spentOf: (spending: Spending) => Decimal
}

/** What a claim meets when it gets as far as a plan's terms. */
interface Met extends Pick<Admitting, 'state' | 'models' | 'spentOf'> {
  readonly segment: Segment
  readonly plan: Plan
  readonly period: Period
  readonly currency: string
}

/**
 * Pure. The allowance of an admission is the one after it: its own units count as used. A claim on a plan of credits or of a balance
 * expects the plan's grant of its period among the account's.
 */
export function admit(claim: Claim, { state, planOf, models, spentOf }: Admitting): Admission {
  invariant(claim.quantity >= 0n, 'a claim is never negative')
  const { subscription } = state
  const segment = subscription && segmentAt(subscription, claim.at)
  if (subscription === null || segment === null) return refuse(claim, null, 'no_subscription')
  const plan = planOf(segment)
  if (segment.kind === 'pause') return refuse(claim, plan, 'no_subscription')
  if (subscription.standing === 'pending_payment') return refuse(claim, plan, 'payment_overdue')

  const terms = plan.features.get(claim.feature)
  if (terms === undefined || terms.kind === 'boolean') return refuse(claim, plan, 'feature_not_in_plan')
  const period = usagePeriod(segment, subscription.timeZone, claim.at)
  const met: Met = { state, segment, plan, period, currency: subscription.currency, models, spentOf }
  return terms.kind === 'metered' ? admitUnits(claim, terms, met) : admitCost(claim, terms, met)
}

function admitUnits(claim: Claim, terms: MeteredTerms, { state, segment, plan, period, currency, spentOf }: Met): Admission {
  const usage = findUsage(state.usage, claim.feature, period.start)
  const before = allowanceOf(terms, usage, { segment, periodStart: period.start })
  if (before.isBlocked && before.remaining !== null && claim.quantity > before.remaining) {
    return refuse(claim, plan, 'allowance_exhausted', { allowance: before, period })
  }
  const used = before.used + claim.quantity
  if (plan.spendLimit !== null && !before.isBlocked) {
    const where = { state, plan, segment, periodStart: period.start }
    const spent = spentOf({ ...where, more: { feature: claim.feature, quantity: claim.quantity } })
    // What raises nothing is let through at the limit: units that the allowance still covers.
    if (compare(spent, plan.spendLimit) > 0 && compare(spent, spentOf(where)) > 0)
      return refuse(claim, plan, 'spend_limit_reached', { allowance: limitOf(plan.spendLimit, spentOf(where), currency), period })
  }
  const remaining = before.included === null ? null : used < before.included ? before.included - used : 0n
  const allowance = { included: before.included, used, remaining, isBlocked: before.isBlocked }
  invariant(
    !allowance.isBlocked || before.included === null || used <= before.included,
    'used and reserved units stay within a blocked limit',
  )
  return { kind: 'admitted', reservation: reservationOf(claim, period), allowance, period }
}

/** On a plan of credits or of a balance: holds what the claim may cost. */
function admitCost(claim: Claim, terms: CreditTerms | BalanceTerms, met: Met): Admission {
  const { state, segment, plan, period, currency, models, spentOf } = met
  const { quantity, at, usage = null } = claim
  const cost = costOf(terms, { quantity, usage, at, isIncomplete: false }, models)
  if (cost.kind !== 'priced') return { kind: 'unpriced', cost }
  const isBlocked = blocksCost(plan, segment)
  const grants = payingGrants(state.grants.values(), terms.kind, at)
  const unit = terms.kind === 'credits' ? 'credits' : currency
  const charge = chargeOf({ grants, unit, cost: cost.cost, model: undefined, isBlocked })
  // A cost that is not known yet needs something to be left; one that is known has to be covered.
  const isShort = charge.waived.coefficient > 0n || (isOpenCost(terms, claim) && leftOf(grants).coefficient <= 0n)
  const code = terms.kind === 'credits' ? 'credits_exhausted' : 'balance_exhausted'
  if (isBlocked && isShort) return refuse(claim, plan, code, { allowance: grantsAllowance(grants, unit, true), period })
  if (plan.spendLimit !== null && charge.uncovered.coefficient > 0n) {
    const spent = spentOf({ state, plan, segment, periodStart: period.start })
    if (compare(add(spent, charge.uncovered), plan.spendLimit) > 0)
      return refuse(claim, plan, 'spend_limit_reached', { allowance: limitOf(plan.spendLimit, spent, currency), period })
  }
  const reservation = { ...reservationOf(claim, period), charge }
  const taken = charge.parts.reduce((sum, { amount }) => add(sum, amount), charge.uncovered)
  return { kind: 'admitted', reservation, allowance: grantsAllowance(grants, unit, isBlocked, taken), period }
}

function isOpenCost(terms: CreditTerms | BalanceTerms, { usage }: Claim): boolean {
  return terms.kind === 'balance' && terms.price.model === 'ai_model' && usage === undefined
}

function limitOf(limit: Decimal, spent: Decimal, currency: string): Allowance {
  const [included, used] = [decimalToQuantity(limit), decimalToQuantity(spent, 'ceil')]
  return { included, used, remaining: used < included ? included - used : 0n, isBlocked: true, unit: currency }
}

function refuse(claim: Claim, plan: Plan | null, code: RefusalCode, at?: { allowance: Allowance; period: Period }): Admission {
  const { customerId, feature, quantity: requested } = claim
  const allowance = at?.allowance
  const unit = allowance?.unit
  return {
    kind: 'refused',
    refusal: {
      code,
      customerId,
      feature,
      requested,
      plan: plan?.code ?? null,
      limit: allowance?.included ?? null,
      used: allowance?.used ?? 0n,
      remaining: allowance?.remaining ?? 0n,
      periodEnd: at === undefined || at.period.end === Infinity ? null : at.period.end,
      ...(unit === undefined ? {} : { unit }),
    },
  }
}

/** Written out, because this is made for each request and copying by spread costs several times as much. */
function reservationOf({ customerId, feature, quantity, key, at, route }: Claim, period: Period): Reservation {
  return { customerId, feature, quantity, key, at, route, periodStart: period.start }
}
