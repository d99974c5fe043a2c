/** What may be done to a subscription, each as a function of the account and the instant: nothing is written here. */

import type { AccountState } from './account/account-state.ts'
import {
  effectiveAt,
  isUpgrade,
  leftAt,
  type PlanVersion,
  renewalAfter,
  withEnd,
  withLaterPrices,
  withoutEnd,
  withPause,
  withPlan,
  withPrices,
  withResumption,
} from './account/change-segments.ts'
import { creditRule } from './account/segment-credit.ts'
import { type Segment, segmentAt, type SegmentCredit, type Subscription } from './account/subscription.ts'
import type { SubscriptionAction } from './account/transitions.ts'
import { usedSoFar } from './account/used-so-far.ts'
import type { Catalog, PlanCode } from './catalog/catalog.ts'
import type { Plan } from './catalog/plan.ts'
import { FareboxError } from './errors.ts'
import { type Offers, planOf } from './moment.ts'
import { parseInstant } from './values/instant.ts'
import type { Quantity } from './values/quantity.ts'

/** When a change counts: at once, when the paid interval ends, or at an instant to come. */
export type ChangeTime = 'now' | 'renewal' | { readonly at: string | Date | number }

export interface PlanChangeInput {
  customerId: string
  plan: PlanCode
  /** Default: an upgrade now, a downgrade at the renewal. A longer interval is an upgrade, whatever the prices. */
  when?: ChangeTime
}

export interface CancelInput {
  customerId: string
  /** Default `'renewal'`: when the paid interval ends. */
  when?: ChangeTime
  /** Whether what was paid for the time after it is given back, by the plan's rule. Default false. */
  prorate?: boolean
}

export interface PauseInput {
  customerId: string
  /** Default `'renewal'`. */
  when?: ChangeTime
  /** Default: when somebody resumes it. */
  resumesAt?: string | Date | number
}

export interface PriceMoveInput {
  customerId: string
  /**
   * From when the current catalog's prices count for a subscription that was sold under an earlier one: `'now'` (events are priced by
   * the version in force at their instant), `'renewal'`, or `'never'`.
   */
  when: 'now' | 'renewal' | 'never'
}

/** What somebody wants of a subscription, decided when its account is read. */
export interface Wanted {
  readonly action: SubscriptionAction
  readonly customerId: string
  /** The changed subscription, and when the change counts. Throws `invalid_transition`, `invalid_timestamp`, `unknown_plan`. */
  readonly change: (state: AccountState, subscription: Subscription, now: number) => Changed
}

export interface Changed {
  readonly subscription: Subscription
  readonly effectiveAt: number
}

export interface Changes {
  planChange(input: PlanChangeInput): Wanted
  cancellation(input: CancelInput): Wanted
  reactivation(customerId: string): Wanted
  pausing(input: PauseInput): Wanted
  resumption(customerId: string): Wanted
  priceMove(input: PriceMoveInput): Wanted
}

/** `catalog` is the one that is sold now; `offers` has those of all subscriptions. */
export function createChanges({ catalog, offers }: { readonly catalog: Catalog; readonly offers: Offers }): Changes {
  return { planChange, cancellation, reactivation, pausing, resumption, priceMove }

  function planChange({ customerId, plan: code, when }: PlanChangeInput): Wanted {
    const change: Wanted['change'] = (state, subscription, now) => {
      const segment = segmentInForce(subscription, now)
      const to: PlanVersion = { plan: planNamed(catalog, subscription.currency, code), catalogVersion: catalog.version }
      const byPlans = isUpgrade(planOf(offers, subscription, segment), to.plan) ? 'now' : 'renewal'
      const at = instantOf(when ?? byPlans, subscription, now)
      segmentHeld(subscription, at, 'change')
      const from = planOf(offers, subscription, leftAt(subscription, at) ?? segment)
      const credit = creditAt(subscription, at)
      const used = usedSoFar({ state, subscription, segment, plan: planOf(offers, subscription, segment), at: now })
      return { subscription: withPlan({ subscription, at, from, to, credit, used }), effectiveAt: at }
    }
    return { action: 'change', customerId, change }
  }

  function cancellation({ customerId, when = 'renewal', prorate = false }: CancelInput): Wanted {
    const action = when === 'now' ? 'cancel_now' : 'cancel_at_end'
    const change: Wanted['change'] = (state, subscription, now) => {
      segmentInForce(subscription, now)
      const at = instantOf(when, subscription, now)
      segmentHeld(subscription, at - 1, action)
      const credit = prorate ? creditAt(subscription, at) : null
      return { subscription: withEnd({ subscription, at, credit }), effectiveAt: at }
    }
    return { action, customerId, change }
  }

  function pausing({ customerId, when = 'renewal', resumesAt }: PauseInput): Wanted {
    const until = resumesAt === undefined ? null : parseInstant(resumesAt, 'resumesAt')
    const change: Wanted['change'] = (state, subscription, now) => {
      segmentInForce(subscription, now)
      const at = instantOf(when, subscription, now)
      if (segmentHeld(subscription, at, 'pause').kind === 'pause') throw impossible(customerId, 'pause', 'a pause')
      if (until !== null && until <= at) throw invalidTime(customerId, 'resumesAt', 'an instant after the pause begins')
      const credit = creditAt(subscription, at)
      return { subscription: withPause({ subscription, at, resumesAt: until, credit }), effectiveAt: at }
    }
    return { action: 'pause', customerId, change }
  }

  function priceMove({ customerId, when }: PriceMoveInput): Wanted {
    const change: Wanted['change'] = (state, subscription, now) => {
      const segment = segmentInForce(subscription, now)
      if (when === 'never' || segment.catalogVersion === catalog.version) return { subscription, effectiveAt: now }
      const plan = planNamed(catalog, subscription.currency, segment.plan)
      const to: PlanVersion = { plan, catalogVersion: catalog.version }
      const current = (code: string): PlanVersion | undefined => {
        const named = catalog.offers.get(subscription.currency)?.plans.get(code)
        return named === undefined ? undefined : { plan: named, catalogVersion: catalog.version }
      }
      const from = planOf(offers, subscription, segment)
      if (when === 'renewal') return pricesAtRenewal(subscription, { now, from, to, current })
      if (from.interval !== to.plan.interval || from.consumption !== to.plan.consumption)
        throw impossible(customerId, 'change', `a plan ${plan.code} that is billed in another way since; change the plan instead`)
      const at = effectiveAt(subscription, now)
      const used = usedSoFar({ state, subscription, segment, plan: from, at: now })
      return { subscription: withPrices({ subscription, at, used, current }), effectiveAt: at }
    }
    return { action: 'change', customerId, change }
  }

  /** How the plan that is in force before an instant gives something back. */
  function creditAt(subscription: Subscription, at: number): SegmentCredit | null {
    const segment = segmentAt(subscription, at - 1)
    return segment === null ? null : creditRule(planOf(offers, subscription, segment))
  }
}

function reactivation(customerId: string): Wanted {
  const change: Wanted['change'] = (_state, subscription, now) => {
    if (segmentInForce(subscription, now).kind === 'pause')
      throw impossible(customerId, 'reactivate', 'a pause, which subscriptions.resume() ends')
    return { subscription: withoutEnd(subscription, now), effectiveAt: now }
  }
  return { action: 'reactivate', customerId, change }
}

function resumption(customerId: string): Wanted {
  const change: Wanted['change'] = (_state, subscription, now) => {
    if (segmentInForce(subscription, now).kind !== 'pause') throw impossible(customerId, 'resume', 'no pause')
    const at = effectiveAt(subscription, now)
    return { subscription: withResumption({ subscription, at }), effectiveAt: at }
  }
  return { action: 'resume', customerId, change }
}

interface PricesAtRenewal {
  readonly now: number
  readonly from: Plan
  readonly to: PlanVersion
  readonly current: (code: string) => PlanVersion | undefined
}

const NOTHING: ReadonlyMap<string, Quantity> = new Map()

/** Where something else begins by then, that is what has the new prices; a subscription that ends by then keeps the old ones. */
function pricesAtRenewal(subscription: Subscription, { now, from, to, current }: PricesAtRenewal): Changed {
  const at = renewalAfter(subscription, now)
  const next = subscription.segments.find(({ startsAt }) => startsAt > now)
  if (next !== undefined && next.startsAt <= at)
    return { subscription: withLaterPrices({ subscription, at: now, current }), effectiveAt: next.startsAt }
  if (segmentAt(subscription, at) === null) return { subscription, effectiveAt: at }
  return { subscription: withPlan({ subscription, at, from, to, credit: null, used: NOTHING }), effectiveAt: at }
}

function segmentInForce(subscription: Subscription, now: number): Segment {
  const segment = segmentAt(subscription, now)
  if (segment !== null) return segment
  throw impossible(subscription.customerId, 'change', 'a subscription that has not begun')
}

/** The segment that would be in force at an instant to come. */
function segmentHeld(subscription: Subscription, at: number, action: SubscriptionAction): Segment {
  const segment = segmentAt(subscription, at)
  if (segment !== null) return segment
  throw impossible(subscription.customerId, action, 'one that ends before; subscriptions.reactivate() takes its end back')
}

function instantOf(when: ChangeTime, subscription: Subscription, now: number): number {
  if (when === 'now') return effectiveAt(subscription, now)
  if (when === 'renewal') return renewalAfter(subscription, now)
  const at = parseInstant(when.at, 'when.at')
  if (at > now) return at
  throw invalidTime(subscription.customerId, 'when.at', 'an instant to come')
}

/** Throws `unknown_plan`, and `invalid_option` for a currency that is not sold in. */
export function planNamed(catalog: Catalog, currency: string, code: string): Plan {
  const offer = catalog.offers.get(currency)
  if (offer === undefined)
    throw new FareboxError('invalid_option', `Expected a currency of the catalog, got ${currency}: add it to currencies`, {
      fields: { currency },
    })
  const plan = offer.plans.get(code)
  if (plan !== undefined) return plan
  const codes = [...offer.plans.keys()].join(', ')
  throw new FareboxError(
    'unknown_plan',
    `Expected one of the catalog's plans ${codes}, got '${code}': fix its spelling or add it to plans`,
    { fields: { plan: code } },
  )
}

/** The error for a step that the table of transitions, or what there is to change, does not have. */
export function impossible(customerId: string, action: SubscriptionAction, found: string): FareboxError {
  return new FareboxError(
    'invalid_transition',
    `Expected a subscription of ${customerId} that allows ${action}, got ${found}: docs/subscriptions.md has the table`,
    { fields: { customerId, action } },
  )
}

/** The error for an instant at which something cannot be. */
export function invalidTime(customerId: string, name: string, expected: string): FareboxError {
  return new FareboxError('invalid_timestamp', `Expected ${name} to be ${expected} for ${customerId}, got an earlier one`, {
    fields: { customerId, name },
  })
}
