import { describe, expect, test } from 'vitest'
import type { SubscriptionStatus } from './subscription.ts'
import { isPossible, SUBSCRIPTION_TRANSITIONS, type SubscriptionAction } from './transitions.ts'

const STATUSES: readonly SubscriptionStatus[] = ['pending_payment', 'trialing', 'active', 'past_due', 'canceled']

const ACTIONS: readonly SubscriptionAction[] = [
  'subscribe',
  'activate',
  'change',
  'cancel_now',
  'cancel_at_end',
  'reactivate',
  'pause',
  'resume',
  'payment_failed',
  'payment_recovered',
  'give_up',
]

describe('the life of a subscription', () => {
  test.each<[SubscriptionAction, readonly SubscriptionStatus[]]>([
    ['subscribe', ['canceled']],
    ['activate', ['pending_payment']],
    ['change', ['trialing', 'active']],
    ['cancel_now', ['pending_payment', 'trialing', 'active', 'past_due']],
    ['cancel_at_end', ['trialing', 'active', 'past_due']],
    ['reactivate', ['trialing', 'active']],
    ['pause', ['active']],
    ['resume', ['active']],
    ['payment_failed', ['trialing', 'active']],
    ['payment_recovered', ['past_due']],
    ['give_up', ['pending_payment', 'past_due']],
  ])('%s is possible when it is %j, and never otherwise', (action, from) => {
    expect(STATUSES.filter((status) => isPossible(status, action))).toEqual(from)
  })

  test('leads from everywhere to a plan in force and to the end; a trial and a first payment are beginnings alone', () => {
    for (const from of STATUSES) {
      const reached = reachableFrom(from)
      expect([...reached], from).toEqual(expect.arrayContaining(['active', 'past_due', 'canceled']))
      expect(reached.has('pending_payment'), from).toBe(false)
      expect(reached.has('trialing'), from).toBe(from === 'trialing')
    }
  })

  test('begins anew only by subscribing again', () => {
    expect(Object.keys(SUBSCRIPTION_TRANSITIONS.canceled)).toEqual(['subscribe'])
  })
})

/** By any number of steps. */
function reachableFrom(from: SubscriptionStatus): Set<SubscriptionStatus> {
  const seen = new Set<SubscriptionStatus>()
  const next = [from]
  while (next.length > 0) {
    const status = next.pop() as SubscriptionStatus
    for (const action of ACTIONS) {
      const to = SUBSCRIPTION_TRANSITIONS[status][action]
      if (to !== undefined && !seen.has(to)) next.push(to)
      if (to !== undefined) seen.add(to)
    }
  }
  return seen
}
