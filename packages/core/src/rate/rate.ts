/** Rating: turns units beyond the allowance into priced lines. */

import type { Price } from '../catalog/price.ts'
import type { RatedLine } from '../records/rated-line.ts'
import { invariant } from '../values/invariant.ts'
import type { Quantity } from '../values/quantity.ts'
import { rateGraduated } from './rate-graduated.ts'
import { ratePackage } from './rate-package.ts'
import { ratePerUnit } from './rate-per-unit.ts'

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
    case 'package':
      return ratePackage(price, billable)
  }
  invariant(false, 'every pricing model is rated')
}
