/** Makes a customer, and puts somebody who is seen for the first time on the default plan. */

import type { Plan } from '../catalog/plan.ts'
import { startOfDay } from '../values/day.ts'
import type { AccountState, Entry } from './account-state.ts'
import type { Customer } from './customer.ts'
import { momentAt, type Subscription } from './subscription.ts'

/** Where days are counted when nobody says otherwise. */
export const DEFAULT_TIME_ZONE = 'UTC'

/** Gives the entries that open an account for a claim at an instant, and the state with them applied; nothing when it is open. */
export type Opening = (state: AccountState, at: number) => { readonly state: AccountState; readonly entries: readonly Entry[] }

export interface NewSubscription {
  readonly id: string
  readonly customer: Customer
  readonly plan: string
  readonly catalogVersion: string
  /** Epoch milliseconds; also the anchor. */
  readonly startsAt: number
  readonly createdAt: number
}

export function newSubscription({ id, customer, plan, catalogVersion, startsAt, createdAt }: NewSubscription): Subscription {
  const subscription: Subscription = {
    id,
    customerId: customer.id,
    plan,
    catalogVersion,
    status: 'active',
    anchor: startsAt,
    timeZone: customer.timeZone,
    startsAt,
    createdAt,
    endsAt: null,
    nextMoment: 0,
    dueAt: null,
  }
  return { ...subscription, dueAt: momentAt(subscription, 0) }
}

export interface OpeningParts {
  /** The catalog's default plan, or null when a customer must be subscribed by the application. */
  readonly defaultPlan: Plan | null
  readonly catalogVersion: string
  readonly newSubscriptionId: () => string
}

const NOTHING: readonly Entry[] = []

export function createOpening({ defaultPlan, catalogVersion, newSubscriptionId }: OpeningParts): Opening {
  return (state, at) => {
    if (state.subscription !== null || defaultPlan === null) return { state, entries: NOTHING }
    const { customer, entries } = withCustomer(state, at)
    // From the start of the day on: a period of whole days reads better, and a clock that is set back a little locks nobody out.
    const startsAt = startOfDay(at, customer.timeZone)
    const subscription = newSubscription({
      id: newSubscriptionId(),
      customer,
      plan: defaultPlan.code,
      catalogVersion,
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
