/** What tax rules must do: say what tax is due on each charge of an invoice. */

import type { LineTax, LineType } from '../records/invoice.ts'
import type { Money } from '../values/money.ts'

/** A charge of an invoice, as tax rules see it. */
export interface TaxableLine {
  readonly id: string
  readonly type: LineType
  /** Discounts taken off. Negative where something is given back, and then so is its tax. */
  readonly amount: Money
  /** What kind of thing is sold, in the words of the rules; null for the usual kind. */
  readonly category: string | null
}

/** Who buys. */
export interface TaxParty {
  /** ISO 3166-1 alpha-2, in capitals. */
  readonly country?: string
  /** VAT or other tax id, as printed. */
  readonly taxId?: string
  readonly isTaxExempt?: boolean
}

export interface TaxInput {
  readonly lines: readonly TaxableLine[]
  readonly buyer: TaxParty
  /** When the invoice became due to be made: epoch milliseconds. */
  readonly at: number
}

/** The tax of one line, in the currency of the line. */
export interface TaxOfLine extends LineTax {
  /** Rounded to the minor unit. Zero under `reverse_charge` and `exempt`. */
  readonly amount: Money
}

/**
 * Given to `createFarebox({ tax })`; `fixedTaxRates()` makes one. It is asked while an invoice is made, inside of a store's
 * change: the answer comes at once, and the same input always gives the same one.
 */
export interface TaxRules {
  /**
   * The tax of each line that has any, by the line's id; a line that is left out is not taxed. Of an exclusive tax `taxable` is
   * the line's amount; of an inclusive one, `taxable` and the tax make up the line's amount.
   */
  taxOf(input: TaxInput): ReadonlyMap<string, TaxOfLine>
}
