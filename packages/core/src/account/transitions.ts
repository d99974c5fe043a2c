/** The life of a subscription, as one table: what may be done in which status, and what it becomes. */

import type { SubscriptionStatus } from './subscription.ts'

/** What somebody does to a subscription. What time does (a trial ends, a period ends) needs no action. */
export type SubscriptionAction =
  /** A plan begins: at first, or after the last one ended. */
  | 'subscribe'
  /** The first payment came. */
  | 'activate'
  | 'change'
  | 'cancel_now'
  | 'cancel_at_end'
  /** An end that has not come is taken back. */
  | 'reactivate'
  | 'pause'
  | 'resume'
  | 'payment_failed'
  | 'payment_recovered'
  /** Every attempt to collect failed. */
  | 'give_up'

/** From each status, the actions that are possible and the status right after them; an end that comes later leaves it as it is. */
export const SUBSCRIPTION_TRANSITIONS: Readonly<
  Record<SubscriptionStatus, Readonly<Partial<Record<SubscriptionAction, SubscriptionStatus>>>>
> = {
  pending_payment: { activate: 'active', cancel_now: 'canceled', give_up: 'canceled' },
  trialing: {
    change: 'trialing',
    cancel_now: 'canceled',
    cancel_at_end: 'trialing',
    reactivate: 'trialing',
    payment_failed: 'past_due',
  },
  active: {
    change: 'active',
    cancel_now: 'canceled',
    cancel_at_end: 'active',
    reactivate: 'active',
    pause: 'active',
    resume: 'active',
    payment_failed: 'past_due',
  },
  past_due: { payment_recovered: 'active', cancel_now: 'canceled', cancel_at_end: 'past_due', give_up: 'canceled' },
  canceled: { subscribe: 'active' },
}

/** Whether the table has the step. */
export function isPossible(status: SubscriptionStatus, action: SubscriptionAction): boolean {
  return SUBSCRIPTION_TRANSITIONS[status][action] !== undefined
}
