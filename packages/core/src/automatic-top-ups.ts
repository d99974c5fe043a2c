/** Buys balance by itself, out of the way of the request that used the rest of it. */

import { topUpDue } from './account/auto-top-up.ts'
import { leftOf } from './account/grants.ts'
import { type Segment, segmentAt, type Subscription } from './account/subscription.ts'
import type { Plan } from './catalog/plan.ts'
import type { Charging } from './charging.ts'
import type { Change, Store } from './contracts/store.ts'
import type { Granting } from './granting.ts'
import type { Purchases } from './purchases.ts'
import type { Payment } from './records/payment.ts'
import { automaticSale } from './sales.ts'
import type { Clock } from './values/clock.ts'
import { randomId } from './values/id.ts'

export interface AutomaticTopUps {
  /** Looks whether something is to be bought for a customer, and buys it. Returns at once, and throws nothing. */
  consider(customerId: string): void
  /** Resolves when nothing is considered any more. */
  idle(): Promise<void>
  /** Considers nothing any more: what is under way goes on. */
  stop(): void
}

export interface AutomaticTopUpsParts {
  readonly store: Store
  readonly clock: Clock
  readonly planOf: (subscription: Subscription, segment: Segment) => Plan
  readonly purchases: Purchases
  readonly charging: Charging
  readonly granting: Granting
  readonly onError: (error: unknown) => void
}

export function createAutomaticTopUps(parts: AutomaticTopUpsParts): AutomaticTopUps {
  const { store, clock, planOf, purchases, charging, granting, onError } = parts
  /** Who is considered now; true where more happened meanwhile. */
  const considered = new Map<string, boolean>()
  const running = new Set<Promise<void>>()
  const stopped = { is: false }

  return { consider, idle, stop: () => void (stopped.is = true) }

  function consider(customerId: string): void {
    if (stopped.is) return
    // A thousand events of one customer are one look, and one more for those that came during it.
    if (considered.has(customerId)) return void considered.set(customerId, true)
    considered.set(customerId, false)
    const run = look(customerId)
      .catch(onError)
      .finally(() => running.delete(run))
    running.add(run)
  }

  async function look(customerId: string): Promise<void> {
    try {
      do {
        considered.set(customerId, false)
        const payment = await begin(customerId)
        if (payment !== null) await charging.charge(payment)
      } while (considered.get(customerId) === true && !stopped.is)
    } finally {
      considered.delete(customerId)
    }
  }

  /** Invoice, attempt and the mark that one began are one change: whoever looks at the same time sees them. */
  function begin(customerId: string): Promise<Payment | null> {
    const id = randomId('topup')
    return store.change({ customerId, inOrder: true }, (state): Change<Payment | null> => {
      const now = clock.now()
      const { subscription } = state
      const segment = subscription && segmentAt(subscription, now)
      const isOnBalance = segment !== null && subscription !== null && planOf(subscription, segment).consumption === 'balance'
      const due = isOnBalance ? topUpDue(state, leftOf(granting.inForce(state, now)), now) : null
      if (due === null) return { result: null, entries: [] }
      const sale = automaticSale(customerId, id, due.amount)
      const { result, entries } = purchases.begin({ ...state, customer: due.customer }, sale, { isAutomatic: true })
      return { result, entries: [{ kind: 'customer', customer: due.customer }, ...entries] }
    })
  }

  async function idle(): Promise<void> {
    while (running.size > 0) await Promise.allSettled(running)
  }
}
