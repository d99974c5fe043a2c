/** One posted fact in the append-only log. */

import type { Quantity } from '../values/quantity.ts'

/** What a developer may attach to an event: a flat record of short values. */
export type Properties = Readonly<Record<string, string | number | boolean>>

/** A fact before the log has given it its place. */
export interface NewUsageEvent {
  readonly customerId: string
  readonly feature: string
  readonly quantity: Quantity
  /** When it happened: epoch milliseconds. */
  readonly at: number
  /** Counted once per customer, for ever. */
  readonly key: string
  readonly route: string | null
  readonly properties: Properties | null
}

/** A fact in the log. `seq` grows with the order of writing and never changes; it has gaps only where nothing was ever acknowledged. */
export interface UsageEvent extends NewUsageEvent {
  readonly seq: number
}
