/** Flat pricing: one fee for a period, however much is used in it. */

import type { FlatPrice } from '../catalog/price.ts'
import type { RatedLine } from '../records/rated-line.ts'
import type { Quantity } from '../values/quantity.ts'

/** One line, or none when there is nothing to price. The fee covers all units, as the price of one package that holds them. */
export function rateFlat({ fee }: FlatPrice, billable: Quantity): RatedLine[] {
  if (billable === 0n) return []
  return [{ id: 'flat', quantity: billable, unitPrice: fee, amount: fee, per: billable }]
}
