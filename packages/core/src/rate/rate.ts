/** Rating: turns units beyond the allowance into priced lines. */

import type { Price } from '../catalog/price.ts'
import type { RatedLine } from '../records/rated-line.ts'
import { add, type Decimal, DECIMAL_ZERO, subtract } from '../values/decimal.ts'
import { invariant } from '../values/invariant.ts'
import type { Quantity } from '../values/quantity.ts'
import { rateFlat } from './rate-flat.ts'
import { rateGraduated } from './rate-graduated.ts'
import { ratePackage } from './rate-package.ts'
import { ratePerUnit } from './rate-per-unit.ts'
import { rateVolume } from './rate-volume.ts'

/**
 * The priced lines of `billable` units, in the order of the price. Amounts are exact; they are rounded once, when the
 * invoice line is built. No units give no lines, except where a first tier has a flat fee.
 */
export function rate(price: Price, billable: Quantity): RatedLine[] {
  invariant(billable >= 0n, 'usage is never negative: a correction is an event of its own')
  switch (price.model) {
    case 'per_unit':
      return ratePerUnit(price, billable)
    case 'graduated':
      return rateGraduated(price, billable)
    case 'volume':
      return rateVolume(price, billable)
    case 'package':
      return ratePackage(price, billable)
    case 'flat':
      return rateFlat(price, billable)
  }
  invariant(false, 'every pricing model is rated')
}

/** What `billable` units cost, exact: the sum of their lines. */
export function costOf(price: Price, billable: Quantity): Decimal {
  return rate(price, billable).reduce((sum, line) => add(sum, line.amount), DECIMAL_ZERO)
}

/**
 * What units cost that come to those which were priced before: what all cost together, less what those cost. It is exact, and
 * negative where a volume price falls. Usage that comes after its period was billed is priced so, and a package that has room
 * left is not charged twice.
 */
export function costBetween(price: Price, before: Quantity, after: Quantity): Decimal {
  return subtract(costOf(price, after), costOf(price, before))
}
