/** Graduated pricing: each tier prices only the units that fall into it. */

import type { GraduatedPrice, Tier } from '../catalog/price.ts'
import type { RatedLine } from '../records/rated-line.ts'
import { type Decimal, isZero, multiply } from '../values/decimal.ts'
import { invariant } from '../values/invariant.ts'
import { ONE, type Quantity, quantityToDecimal } from '../values/quantity.ts'

/**
 * One line per tier reached, in tier order, and one before it where entering the tier has a flat fee. The first tier is
 * entered even when there are no units.
 */
export function rateGraduated({ tiers }: GraduatedPrice, billable: Quantity): RatedLine[] {
  const lines: RatedLine[] = []
  let rated: Quantity = 0n
  for (const [index, tier] of tiers.entries()) {
    if (index > 0 && rated === billable) break
    const inTier = endOf(tier, billable) - rated
    // The tier's place is part of the line's identity, so rating again replaces the line instead of adding one.
    const id = `graduated-${index + 1}`
    if (!isZero(tier.flat)) lines.push(flatLine(`${id}-flat`, tier.flat))
    if (inTier > 0n) lines.push(unitLine(id, tier.unitPrice, inTier))
    rated += inTier
  }

  invariant(rated === billable, 'every unit is priced exactly once')
  return lines
}

/** A tier ends at its bound, inclusive, or where the usage ends, whichever comes first. */
function endOf(tier: Tier, billable: Quantity): Quantity {
  return tier.upTo === 'unbounded' || tier.upTo > billable ? billable : tier.upTo
}

function unitLine(id: string, unitPrice: Decimal, quantity: Quantity): RatedLine {
  return { id, quantity, unitPrice, amount: multiply(unitPrice, quantityToDecimal(quantity)), per: ONE }
}

/** A fee prices no units, so that the quantities of all lines still sum to the usage. */
function flatLine(id: string, fee: Decimal): RatedLine {
  return { id, quantity: 0n, unitPrice: fee, amount: fee, per: ONE }
}
