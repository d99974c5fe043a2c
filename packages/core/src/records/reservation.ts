/** An admitted claim that holds its units until it is settled. A reservation is pending, posted, voided or expired. */

import type { Charge } from './charge.ts'
import type { Claim } from './claim.ts'

/** A pending reservation. `key` identifies it; posted, voided and expired ones are no longer held by anybody. */
export interface Reservation extends Claim {
  /** The usage period that holds the units: its first instant, epoch milliseconds. */
  readonly periodStart: number
  /** What it holds of credits or a balance; absent where the plan counts units only. */
  readonly charge?: Charge
}
