/** One posted fact in the append-only log. */

import type { Quantity } from '../values/quantity.ts'
import type { Charge } from './charge.ts'

/** What a developer may attach to an event: a flat record of short values. */
export type Properties = Readonly<Record<string, string | number | boolean>>

/** A fact before the log has given it its place. */
export interface NewUsageEvent {
  readonly customerId: string
  readonly feature: string
  /** In millionths. Negative only for a correction that takes units back. */
  readonly quantity: Quantity
  /** When it happened: epoch milliseconds. */
  readonly at: number
  /** Counted once per customer, for ever. */
  readonly key: string
  readonly route: string | null
  readonly properties: Properties | null
  /** What it cost in credits or of a balance, and which grants paid; absent where the plan counts units only. */
  readonly charge?: Charge
  /** `seq` of the event that this one corrects: its quantity and charge are the difference. Absent for an event of its own. */
  readonly corrects?: number
}

/**
 * A fact in the log. `seq` is its place among the events of its customer: it grows with the order of writing and never changes, and
 * of two customers' events it says nothing. Numbers that are left out are other customers', or were never acknowledged.
 */
export interface UsageEvent extends NewUsageEvent {
  readonly seq: number
}

/** An event as the log has it, with the usage period that it is counted in: its instant alone does not say which of two it was. */
export interface LoggedEvent extends UsageEvent {
  /** The period's first instant, epoch milliseconds. */
  readonly periodStart: number
}
