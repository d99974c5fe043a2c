/** The event of a reservation that ends, with who pays for it. */

import { type AccountState, findUsage } from './account/account-state.ts'
import { allowanceOf, blocksCost, blocksUnits } from './account/allowance.ts'
import { type Cost, costOf } from './account/cost.ts'
import { chargeOf, payingGrants } from './account/grants.ts'
import { type Segment, segmentAt, type Subscription } from './account/subscription.ts'
import type { Plan } from './catalog/plan.ts'
import type { BalanceTerms, CreditTerms, PlanFeature } from './catalog/plan-feature.ts'
import type { ModelPrices } from './contracts/model-prices.ts'
import type { Charge } from './records/charge.ts'
import type { ModelUsage } from './records/model-usage.ts'
import type { Reservation } from './records/reservation.ts'
import type { UnpricedUsage } from './records/unpriced-usage.ts'
import type { NewUsageEvent, Properties } from './records/usage-event.ts'
import { settle } from './settle/settle.ts'
import { invariant } from './values/invariant.ts'
import type { Quantity } from './values/quantity.ts'

/** How a request that was admitted ended. */
export interface Ending {
  /** Units to bill, in millionths; null voids. */
  readonly billed: Quantity | null
  readonly properties?: Properties | null
  /** Tokens of an AI model that it used. */
  readonly usage?: ModelUsage | null
  /** Whether the answer broke off, and the tokens are those that were delivered. */
  readonly isIncomplete?: boolean
}

export type Posting =
  | { readonly kind: 'voided' }
  | { readonly kind: 'posted'; readonly event: NewUsageEvent }
  | { readonly kind: 'unpriced'; readonly usage: UnpricedUsage }

/** What a plan says of a feature at an instant. */
export interface FoundTerms {
  readonly subscription: Subscription
  readonly segment: Segment
  readonly plan: Plan
  readonly terms: PlanFeature
}

export interface PostingParts {
  readonly planOf: (subscription: Subscription, segment: Segment) => Plan
  /** Prices of AI models; null where the catalog sells none. */
  readonly models: ModelPrices | null
}

export interface Poster {
  /** Pure. */
  post(state: AccountState, reservation: Reservation, ending: Ending): Posting
  /** Null where no plan in force has the feature. */
  termsAt(state: AccountState, of: { readonly feature: string; readonly at: number }): FoundTerms | null
}

export function createPosting({ planOf, models }: PostingParts): Poster {
  return { post, termsAt }

  function post(state: AccountState, reservation: Reservation, ending: Ending): Posting {
    const { billed, properties = null } = ending
    if (billed === null) return { kind: 'voided' }
    const found = termsOf(state, reservation)
    if (found === null || found.terms.kind === 'metered' || found.terms.kind === 'boolean')
      return settle(reservation, { billed, properties, room: roomBeside(state, reservation, found), chargeOf: null })
    const costing = costingOf(state, reservation, ending, { ...found, terms: found.terms })
    if (costing.kind === 'unpriced') return { kind: 'unpriced', usage: unpricedOf(reservation, ending, costing.reason) }
    return settle(reservation, { billed, properties, room: null, chargeOf: costing.chargeOf })
  }

  type CostingOf =
    | { readonly kind: 'priced'; readonly chargeOf: (quantity: Quantity) => Charge }
    | { readonly kind: 'unpriced'; readonly reason: string }

  /** How the units of a reservation are paid on a plan of credits or of a balance. */
  function costingOf(
    state: AccountState,
    reservation: Reservation,
    { usage = null, isIncomplete = false }: Ending,
    { subscription, segment, plan, terms }: FoundTerms & { readonly terms: CreditTerms | BalanceTerms },
  ): CostingOf {
    // What nobody reported is billed as it was estimated; without an estimate it has no price.
    const tokens = usage ?? reservation.usage ?? null
    const isModel = terms.kind === 'balance' && terms.price.model === 'ai_model'
    if (isModel && tokens === null) return { kind: 'unpriced', reason: 'No token counts were reported for it' }
    const cost = (quantity: Quantity): Cost =>
      costOf(terms, { quantity, usage: tokens, at: reservation.at, isIncomplete }, models)
    const tried = cost(reservation.quantity)
    if (tried.kind !== 'priced') return { kind: 'unpriced', reason: reasonOf(tried) }
    // Another plan may have begun at the very instant of the reservation: those of its own pay.
    const paidAt = segment.endsAt === null ? reservation.at : Math.min(reservation.at, segment.endsAt - 1)
    const grants = payingGrants(state.grants.values(), terms.kind, paidAt)
    const unit = terms.kind === 'credits' ? 'credits' : subscription.currency
    const isBlocked = blocksCost(plan, segment)
    const chargeOfUnits = (quantity: Quantity): Charge => {
      const priced = cost(quantity)
      invariant(priced.kind === 'priced', 'what has a price for some units has one for all')
      return chargeOf({ grants, unit, cost: priced.cost, model: priced.model, isBlocked, held: reservation.charge?.parts })
    }
    return { kind: 'priced', chargeOf: chargeOfUnits }
  }

  /** Of the period that holds the reservation: its instant alone does not say which of two plans it was. */
  function termsOf(state: AccountState, { feature, periodStart }: Reservation): FoundTerms | null {
    return termsAt(state, { feature, at: periodStart })
  }

  function termsAt(
    { subscription }: AccountState,
    { feature, at }: { readonly feature: string; readonly at: number },
  ): FoundTerms | null {
    const segment = subscription && segmentAt(subscription, at)
    if (subscription === null || segment === null) return null
    const plan = planOf(subscription, segment)
    const terms = plan.features.get(feature)
    return terms === undefined ? null : { subscription, segment, plan, terms }
  }
}

/** Units that the plan allows besides the reserved ones; null where overage is billed. */
function roomBeside(state: AccountState, { feature, periodStart }: Reservation, found: FoundTerms | null): Quantity | null {
  if (found?.terms.kind !== 'metered') return 0n
  const { terms, segment } = found
  if (!blocksUnits(terms, segment)) return null
  return allowanceOf(terms, findUsage(state.usage, feature, periodStart), { segment, periodStart }).remaining
}

function unpricedOf(
  reservation: Reservation,
  { billed, properties = null, usage = null, isIncomplete = false }: Ending,
  reason: string,
): UnpricedUsage {
  const { key: id, customerId, feature, at, route, quantity } = reservation
  const tokens = usage ?? reservation.usage ?? null
  const waiting = { id, customerId, feature, quantity: billed ?? quantity, at, route, properties, usage: tokens }
  return { ...waiting, ...(isIncomplete ? { isIncomplete } : {}), reason, isOpen: true }
}

/** Why something has no price, in one sentence. */
export function reasonOf(cost: Exclude<Cost, { kind: 'priced' }>): string {
  return cost.kind === 'unknown_model' ? `No price list has the model ${cost.model}` : cost.reason
}
