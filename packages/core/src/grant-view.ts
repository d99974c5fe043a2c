/** A grant as applications see it: exact amounts as decimal strings. */

import { leftOf } from './account/grants.ts'
import { type Grant, type GrantSource, type GrantUnit, remainingOf } from './records/grant.ts'
import { add, DECIMAL_ZERO, formatDecimal } from './values/decimal.ts'

/** Amounts are exact decimal strings: credits, or the main unit of the customer's currency. */
export interface GrantView {
  readonly id: string
  readonly unit: GrantUnit
  /** Where it comes from. */
  readonly source: GrantSource
  /** The lower is used first. */
  readonly priority: number
  readonly granted: string
  /** Paid for posted events; of invoice credit, for final invoices. */
  readonly used: string
  /** Held by requests in flight. */
  readonly held: string
  /** Taken back by refunds and by the operator. */
  readonly revoked: string
  /** What it can still pay: granted, less all of these. */
  readonly left: string
  /** [startsAt, expiresAt) in epoch milliseconds: it pays for what happens in between; null: it never expires. */
  readonly startsAt: number
  readonly expiresAt: number | null
  readonly createdAt: number
  /** The id of the invoice that it was bought with, or that it comes from; null where there is none. */
  readonly reference: string | null
  /** What the operator says of it; null where nothing was said. */
  readonly reason: string | null
}

export function viewOf(grant: Grant): GrantView {
  const { id, unit, source, priority, granted, used, held, revoked, startsAt, expiresAt, createdAt, reference } = grant
  return {
    id,
    unit,
    source,
    priority,
    granted: formatDecimal(granted),
    used: formatDecimal(used),
    held: formatDecimal(held),
    revoked: formatDecimal(revoked),
    left: formatDecimal(remainingOf(grant)),
    startsAt,
    expiresAt,
    createdAt,
    reference,
    reason: grant.reason ?? null,
  }
}

/** Grants with what they come to. */
export interface Holdings {
  /** What may be used now, an exact decimal string. */
  readonly available: string
  /** What requests in flight hold besides. */
  readonly held: string
  /** Those that pay now, in the order in which they pay. */
  readonly grants: readonly GrantView[]
}

export function holdingsOf(paying: readonly Grant[]): Holdings {
  const held = paying.map((grant) => grant.held).reduce(add, DECIMAL_ZERO)
  return { available: formatDecimal(leftOf(paying)), held: formatDecimal(held), grants: paying.map(viewOf) }
}
