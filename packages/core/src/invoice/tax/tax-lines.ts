/** One tax line for each charge that is taxed, as the tax rules say. */

import type { TaxOfLine, TaxParty, TaxRules } from '../../contracts/tax-rules.ts'
import type { InvoiceLine } from '../../records/invoice.ts'
import { invariant } from '../../values/invariant.ts'
import { addMoney, type Money } from '../../values/money.ts'
import { amountLine } from '../amount-line.ts'

/** A charge, and what discounts leave of it. */
export interface DiscountedLine {
  readonly line: InvoiceLine
  readonly amount: Money
}

/** The tax of each charge that has any, by the charge's id. Pure. */
export type TaxOf = (lines: readonly DiscountedLine[]) => ReadonlyMap<string, TaxOfLine>

export const untaxed: TaxOf = () => new Map()

export interface TaxByRulesInput {
  readonly rules: TaxRules
  readonly buyer: TaxParty
  /** When the invoice became due to be made: epoch milliseconds. */
  readonly at: number
  /** What kind of thing the line sells, in the words of the rules; null for the usual kind. */
  readonly categoryOf: (line: InvoiceLine) => string | null
}

/** Asks the rules on behalf of one invoice. */
export function taxByRules({ rules, buyer, at, categoryOf }: TaxByRulesInput): TaxOf {
  return (discounted) => {
    const lines = discounted.map(({ line, amount }) => ({ id: line.id, type: line.type, amount, category: categoryOf(line) }))
    return rules.taxOf({ lines, buyer, at })
  }
}

export function taxLines(discounted: readonly DiscountedLine[], taxOf: TaxOf): InvoiceLine[] {
  const taxes = taxOf(discounted)
  const lines = discounted.flatMap(({ line, amount }) => {
    const tax = taxes.get(line.id)
    return tax === undefined ? [] : [taxLine({ line, amount }, tax)]
  })
  invariant(lines.length === taxes.size, 'a tax is of a charge of its invoice')
  return lines
}

function taxLine({ line, amount: charged }: DiscountedLine, { amount, ...tax }: TaxOfLine): InvoiceLine {
  const isDue = tax.treatment === 'exclusive' || tax.treatment === 'inclusive'
  invariant(isDue || amount.minor === 0n, 'what is exempt or reverse-charged has no tax on this invoice')
  const covered = tax.treatment === 'inclusive' ? addMoney(tax.taxable, amount) : tax.taxable
  invariant(
    covered.minor === charged.minor && covered.currency === charged.currency,
    'a tax is on the whole discounted amount of its line',
  )
  return amountLine({
    id: `tax-${line.id}`,
    type: 'tax',
    description: `${tax.name} ${tax.rate} %`,
    period: line.period,
    amount,
    of: line.id,
    tax,
  })
}
