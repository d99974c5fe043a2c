/** What the clients asked for and what they were told: the witness, which no server can write. */

import type { Ticket } from '@farebox/core/http'
import type { UsageEvent } from '@farebox/core'

/** What a client was told of its operation. `cut`: the connection ended without an answer. */
export type Told = 'nothing' | 'cut' | 'unavailable' | 'refused' | 'admitted' | 'recorded'

export interface Operation {
  readonly number: number
  /** A request through the gate, a report with a key (tried again until it is answered), a report without one (never again). */
  readonly kind: 'request' | 'keyed' | 'keyless'
  readonly customer: string
  readonly feature: string
  readonly quantity: bigint
  /** When a report says that it happened; null where the server's clock says it. */
  readonly at: number | null
  /** The process that was asked last. */
  process: string
  told: Told
  /** A process that was asked died before it had answered and settled. */
  sawCrash: boolean
  /** Somebody was told that the store cannot answer, so an attempt may still be under way. */
  sawFailure: boolean
  ticket: Ticket | null
  /** Units that the answered request is billed; null when it is not billed; undefined while its handler runs. */
  billed: bigint | null | undefined
  isSettled: boolean
}

/** The operation that an event of the log was made for. */
export function operationOf({ route, properties }: UsageEvent): number {
  return Number(route?.slice(1) ?? properties?.['operation'])
}

/** What the log must hold of an operation when everything is quiet; null when it does. */
export function disagreement(operation: Operation, events: readonly UsageEvent[]): string | null {
  const { number, kind, told } = operation
  const name = `${kind} ${number} of ${operation.customer}, told ${told}`
  if (events.length > 1) return `${name}: counted ${events.length} times`
  const [event] = events
  const allowed = allowedOf(operation)
  const found = event === undefined ? null : event.quantity
  if (event !== undefined && (event.customerId !== operation.customer || event.feature !== operation.feature))
    return `${name}: counted for somebody else`
  return allowed.includes(found) ? null : `${name}: expected ${shown(allowed)} in the log, found ${String(found)}`
}

/** The quantities that the log may hold; null stands for no event. */
function allowedOf({ kind, told, quantity, billed, isSettled, sawCrash, sawFailure }: Operation): (bigint | null)[] {
  // Resolved by the recorded rule: what was reserved is charged.
  const charged = sawCrash ? [quantity] : []
  switch (told) {
    case 'nothing':
      return []
    case 'refused':
      return [null]
    case 'cut':
      return [null, quantity]
    case 'unavailable':
      // A report without a key may or may not have been written. A request that was not served is not billed.
      return kind === 'keyless' ? [null, quantity] : sawCrash ? [null, quantity] : [null]
    case 'recorded':
      return [quantity]
    case 'admitted': {
      const settled = billed === undefined ? [] : [billed]
      return isSettled && !sawCrash && !sawFailure ? settled : [...settled, ...charged]
    }
  }
}

function shown(allowed: readonly (bigint | null)[]): string {
  return allowed.map((quantity) => (quantity === null ? 'nothing' : String(quantity))).join(' or ')
}
