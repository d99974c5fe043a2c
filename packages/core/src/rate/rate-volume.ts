/** Volume pricing: all units at the price of the tier that their number falls into. */

import type { Tier, VolumePrice } from '../catalog/price.ts'
import type { RatedLine } from '../records/rated-line.ts'
import { isZero, multiply } from '../values/decimal.ts'
import { invariant } from '../values/invariant.ts'
import { ONE, type Quantity, quantityToDecimal } from '../values/quantity.ts'

/** One line, and one before it where the tier has a flat fee. No units are in the first tier. */
export function rateVolume({ tiers }: VolumePrice, billable: Quantity): RatedLine[] {
  const { unitPrice, flat } = tierOf(tiers, billable)
  const lines: RatedLine[] = []
  // The tier is no part of the lines' identity: more usage moves all units to another tier, on the same line.
  if (!isZero(flat)) lines.push({ id: 'volume-flat', quantity: 0n, unitPrice: flat, amount: flat, per: ONE })
  if (billable > 0n) {
    const amount = multiply(unitPrice, quantityToDecimal(billable))
    lines.push({ id: 'volume', quantity: billable, unitPrice, amount, per: ONE })
  }
  return lines
}

/** The first tier whose bound, inclusive, holds the units. */
function tierOf(tiers: readonly Tier[], billable: Quantity): Tier {
  const tier = tiers.find(({ upTo }) => upTo === 'unbounded' || billable <= upTo)
  invariant(tier !== undefined, 'the last tier has no bound')
  return tier
}
