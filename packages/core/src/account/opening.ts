/** Makes a customer, and puts somebody who is seen for the first time on the default plan. */

import type { Plan } from '../catalog/plan.ts'
import { addDays, startOfDay } from '../values/day.ts'
import { zero } from '../values/money.ts'
import type { AccountState, Entry } from './account-state.ts'
import type { Customer } from './customer.ts'
import { type Segment, type Subscription, withSegments } from './subscription.ts'

/** Where days are counted when nobody says otherwise. */
export const DEFAULT_TIME_ZONE = 'UTC'

/** Gives the entries that open an account for a claim at an instant, and the state with them applied; nothing when it is open. */
export type Opening = (state: AccountState, at: number) => { readonly state: AccountState; readonly entries: readonly Entry[] }

export interface NewSubscription {
  readonly id: string
  readonly customer: Customer
  readonly plan: Plan
  readonly catalogVersion: string
  /** ISO 4217. */
  readonly currency: string
  /** Epoch milliseconds; also the anchor, unless a trial comes first. */
  readonly startsAt: number
  readonly createdAt: number
  readonly standing?: Subscription['standing']
}

/** A trial comes first where the plan has one: then billing is counted from its end. */
export function newSubscription(input: NewSubscription): Subscription {
  const { id, customer, currency, createdAt, standing = 'good' } = input
  const subscription: Subscription = {
    id,
    customerId: customer.id,
    currency,
    timeZone: customer.timeZone,
    createdAt,
    segments: [],
    standing,
    billedUntil: null,
    nextMoment: 0,
    dueAt: null,
    discounts: [],
    paidBase: null,
    billedInInterval: zero(currency),
  }
  return withSegments(subscription, segmentsFrom(input, customer.timeZone))
}

/** A plan from an instant on, with its trial. */
export function segmentsFrom(
  { plan, catalogVersion, startsAt }: Pick<NewSubscription, 'plan' | 'catalogVersion' | 'startsAt'>,
  timeZone: string,
): Segment[] {
  const { code, every, periodsPerInterval, trialDays } = plan
  const shared = { plan: code, catalogVersion, every, periodsPerInterval }
  const begins = trialDays === 0 ? startsAt : addDays(startsAt, trialDays, timeZone)
  const segment: Segment = { kind: 'plan', ...shared, anchor: begins, startsAt: begins, endsAt: null }
  if (trialDays === 0) return [segment]
  return [{ kind: 'trial', ...shared, anchor: startsAt, startsAt, endsAt: begins }, segment]
}

export interface OpeningParts {
  /** The catalog's default plan in a currency, or null when a customer must be subscribed by the application. */
  readonly defaultPlan: (currency: string) => Plan | null
  readonly catalogVersion: string
  /** The catalog's own. */
  readonly currency: string
  readonly newSubscriptionId: () => string
}

const NOTHING: readonly Entry[] = []

export function createOpening({ defaultPlan, catalogVersion, currency, newSubscriptionId }: OpeningParts): Opening {
  return (state, at) => {
    if (state.subscription !== null) return { state, entries: NOTHING }
    const billedIn = state.customer?.currency ?? currency
    const plan = defaultPlan(billedIn)
    if (plan === null) return { state, entries: NOTHING }
    const { customer, entries } = withCustomer(state, at)
    // From the start of the day on: a period of whole days reads better, and a clock that is set back a little locks nobody out.
    const startsAt = startOfDay(at, customer.timeZone)
    const subscription = newSubscription({
      id: newSubscriptionId(),
      customer,
      plan,
      catalogVersion,
      currency: billedIn,
      startsAt,
      createdAt: at,
    })
    return { state: { ...state, customer, subscription }, entries: [...entries, { kind: 'subscription', subscription }] }
  }
}

/** The account's customer, and the entry that makes one where there is none. */
export function withCustomer(
  state: AccountState,
  at: number,
): { readonly customer: Customer; readonly entries: readonly Entry[] } {
  if (state.customer !== null) return { customer: state.customer, entries: [] }
  const customer: Customer = { id: state.customerId, name: null, email: null, timeZone: DEFAULT_TIME_ZONE, createdAt: at }
  return { customer, entries: [{ kind: 'customer', customer }] }
}

/** The account's customer in a currency that stays from here on, and the entries that make it so. */
export function withCurrency(
  state: AccountState,
  at: number,
  currency: string,
): { readonly customer: Customer; readonly entries: readonly Entry[] } {
  const { customer: known } = withCustomer(state, at)
  if (known.currency === currency && state.customer !== null) return { customer: known, entries: NOTHING }
  const customer = { ...known, currency }
  return { customer, entries: [{ kind: 'customer', customer }] }
}

/** What a customer is billed in; `otherwise` where nothing was fixed yet. */
export function currencyOf({ subscription, customer }: AccountState, otherwise: string): string {
  return subscription?.currency ?? customer?.currency ?? otherwise
}

/** Whether an account has money in a currency, so that it cannot have another any more. */
export function holdsMoney({ grants, payments }: AccountState): boolean {
  for (const { unit } of grants.values()) if (unit !== 'credits') return true
  return payments.size > 0
}
