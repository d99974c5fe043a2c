/** A request asking to be counted. */

import type { Quantity } from '../values/quantity.ts'
import type { ModelUsage } from './model-usage.ts'

/** Customer, feature, the most it may use, and the key under which it is counted once. */
export interface Claim {
  readonly customerId: string
  readonly feature: string
  /** The most this claim may use, in millionths of a unit. */
  readonly quantity: Quantity
  /** Counted once per customer, for ever. */
  readonly key: string
  /** When the claim was made: epoch milliseconds. The event carries this instant. */
  readonly at: number
  /** The framework's own matched pattern, such as `/v1/users/:id`; null where there was no request. */
  readonly route: string | null
  /** The most tokens of an AI model that it may use; absent where that is not known, or none is used. */
  readonly usage?: ModelUsage
}
