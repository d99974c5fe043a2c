/** One priced part of a usage: a tier, a block or a flat amount, still exact. */

import type { Decimal } from '../values/decimal.ts'
import type { Quantity } from '../values/quantity.ts'

/** Amounts are exact; rounding happens once, when the invoice line is built. */
export interface RatedLine {
  /** The part's place in the price, such as `graduated-2`: rating again replaces the line instead of adding one. */
  readonly id: string
  /** Units priced by this line, in millionths. */
  readonly quantity: Quantity
  /** Price of one unit (of one package for `package`), in the currency's main unit. */
  readonly unitPrice: Decimal
  /** Exact amount in the currency's main unit. */
  readonly amount: Decimal
  /** How many units one price covers: 1 unless the price is per package. */
  readonly per: Quantity
}
