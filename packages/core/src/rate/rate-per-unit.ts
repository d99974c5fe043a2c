/** Per-unit pricing: each unit at one price. */

import type { PerUnitPrice } from '../catalog/price.ts'
import type { RatedLine } from '../records/rated-line.ts'
import { multiply } from '../values/decimal.ts'
import { ONE, type Quantity, quantityToDecimal } from '../values/quantity.ts'

/** One line, or none when there is nothing to price. */
export function ratePerUnit({ unitPrice }: PerUnitPrice, billable: Quantity): RatedLine[] {
  if (billable === 0n) return []
  return [{ id: 'per_unit', quantity: billable, unitPrice, amount: multiply(unitPrice, quantityToDecimal(billable)), per: ONE }]
}
