/** What a refund takes back of what it paid for: the unused part of a grant, and no more than is left. Pure. */

import { type Grant, remainingOf } from '../records/grant.ts'
import { minorUnits } from '../values/currency.ts'
import { compare, type Decimal, DECIMAL_ZERO, scaledTo, subtract, add, toDecimal } from '../values/decimal.ts'
import { invariant } from '../values/invariant.ts'
import type { Money } from '../values/money.ts'
import { QUANTITY_PLACES } from '../values/quantity.ts'
import { divideRounded } from '../values/rounding.ts'

export interface GivenBack {
  /** Of a pack or a top-up. */
  readonly grant: Grant
  /** The invoice that it was bought with: names the revocations that are counted. */
  readonly invoiceId: string
  /** Σ of what was paid for it. */
  readonly paid: Money
  /** Of it: what goes back in all, with what goes back now. */
  readonly back: Money
}

/**
 * The share of the grant that the money is of what was paid, less what was taken back before; counted from the whole, so that parts
 * never add up to more or less than it.
 */
export function revokedBy({ grant, invoiceId, paid, back }: GivenBack): Decimal {
  invariant(paid.minor > 0n && back.minor >= 0n && back.minor <= paid.minor, 'what goes back is at most what was paid')
  const places = grant.unit === 'credits' ? QUANTITY_PLACES : minorUnits(paid.currency)
  const whole = scaledTo(grant.granted, places, 'down')
  const share = toDecimal(divideRounded(whole * back.minor, paid.minor, 'half_up'), places)
  const before = (grant.revocations ?? [])
    .filter(({ key }) => key.startsWith(`${invoiceId}-`))
    .reduce((sum, { amount }) => add(sum, amount), DECIMAL_ZERO)
  const wanted = back.minor === paid.minor ? grant.granted : share
  const taken = subtract(wanted, before)
  const left = remainingOf(grant)
  const most = compare(taken, left) < 0 ? taken : left
  return compare(most, DECIMAL_ZERO) > 0 ? most : DECIMAL_ZERO
}
