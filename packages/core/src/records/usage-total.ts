/** What the log holds for one feature of one customer in one usage period. */

import type { Decimal } from '../values/decimal.ts'
import type { Quantity } from '../values/quantity.ts'

export interface UsageTotal {
  readonly customerId: string
  readonly feature: string
  /** The period's first instant, epoch milliseconds (inclusive). */
  readonly periodStart: number
  /** Posted units, in millionths. */
  readonly quantity: Quantity
  /** How many events the log holds for it. */
  readonly events: number
  /** Σ cost of its events' charges, exact; zero where the plan counts units only. */
  readonly cost: Decimal
  /** Of the cost: what no grant paid. */
  readonly uncovered: Decimal
}
