/** Package pricing: per block of units, partial blocks round up. */

import type { PackagePrice } from '../catalog/price.ts'
import type { RatedLine } from '../records/rated-line.ts'
import { multiply, toDecimal } from '../values/decimal.ts'
import type { Quantity } from '../values/quantity.ts'
import { divideRounded } from '../values/rounding.ts'

/** One line, or none when there is nothing to price. */
export function ratePackage({ size, packagePrice }: PackagePrice, billable: Quantity): RatedLine[] {
  if (billable === 0n) return []
  const blocks = divideRounded(billable, size, 'up')
  return [
    { id: 'package', quantity: billable, unitPrice: packagePrice, amount: multiply(packagePrice, toDecimal(blocks)), per: size },
  ]
}
