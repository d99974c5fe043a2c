/** Ends a reservation: posts it as a usage event with the true quantity, or voids it. */

import type { Charge } from '../records/charge.ts'
import type { Reservation } from '../records/reservation.ts'
import type { NewUsageEvent, Properties } from '../records/usage-event.ts'
import { invariant } from '../values/invariant.ts'
import type { Quantity } from '../values/quantity.ts'

export interface Settling {
  /** Units to bill, in millionths; null voids. */
  readonly billed: Quantity | null
  readonly properties: Properties | null
  /** Units that may be posted beyond the reserved ones, in millionths; null where nothing limits them. */
  readonly room: Quantity | null
  /** What the units cost in credits or of a balance, and who pays; null on a plan that counts units. */
  readonly chargeOf: ((quantity: Quantity) => Charge) | null
}

export type Settlement = { readonly kind: 'posted'; readonly event: NewUsageEvent } | { readonly kind: 'voided' }

/**
 * Pure. Where overage is blocked, no more than the reserved units and the room beside them is posted: the work was done
 * under a limit, and the limit stands.
 */
export function settle(reservation: Reservation, { billed, properties, room, chargeOf }: Settling): Settlement {
  if (billed === null) return { kind: 'voided' }
  invariant(billed >= 0n, 'a settlement is never negative')
  invariant(room === null || room >= 0n, 'room is never negative')
  const most = room === null ? billed : reservation.quantity + room
  const quantity = billed < most ? billed : most
  const { customerId, feature, at, key, route } = reservation
  const event = { customerId, feature, quantity, at, key, route, properties }
  return { kind: 'posted', event: chargeOf === null ? event : { ...event, charge: chargeOf(quantity) } }
}
