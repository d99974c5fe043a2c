/** Adds events up to totals: the log is the truth, and a total is what this gives. */

import type { UsageEvent } from '../records/usage-event.ts'
import type { UsageTotal } from '../records/usage-total.ts'
import { add, type Decimal, DECIMAL_ZERO } from '../values/decimal.ts'
import type { Quantity } from '../values/quantity.ts'

/** Totals that grow event by event. The order of events does not matter. */
export interface Aggregation {
  add(event: UsageEvent, periodStart: number): void
  totals(): IterableIterator<UsageTotal>
}

export function createAggregation(): Aggregation {
  const totals = new Map<
    string,
    {
      customerId: string
      feature: string
      periodStart: number
      quantity: Quantity
      events: number
      cost: Decimal
      uncovered: Decimal
    }
  >()
  return {
    add({ customerId, feature, quantity, charge }, periodStart) {
      const key = totalKey({ customerId, feature, periodStart })
      let total = totals.get(key)
      if (total === undefined) totals.set(key, (total = { customerId, feature, periodStart, ...NOTHING }))
      total.quantity += quantity
      total.events += 1
      if (charge === undefined) return
      total.cost = add(total.cost, charge.cost)
      total.uncovered = add(total.uncovered, charge.uncovered)
    },
    totals: () => totals.values(),
  }
}

const NOTHING = { quantity: 0n, events: 0, cost: DECIMAL_ZERO, uncovered: DECIMAL_ZERO }

/** Names a total. A feature code and an instant hold no space, so the customer's id may hold anything. */
export function totalKey({
  customerId,
  feature,
  periodStart,
}: Pick<UsageTotal, 'customerId' | 'feature' | 'periodStart'>): string {
  return `${feature} ${periodStart} ${customerId}`
}
