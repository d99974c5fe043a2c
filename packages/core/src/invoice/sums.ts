/** What the lines of an invoice add up to. */

import type { Invoice, InvoiceLine, LineTax } from '../records/invoice.ts'
import { addMoney, negateMoney, subtractMoney, sumMoney, type Money } from '../values/money.ts'

export type InvoiceSums = Pick<Invoice, 'subtotal' | 'discount' | 'tax' | 'total'>

/** The same for every reader of an invoice: who makes it, who audits it and who prints it. */
export function sumsOf(lines: readonly InvoiceLine[], currency: string): InvoiceSums {
  const subtotal = sumOf(isCharge)
  const discount = negateMoney(sumOf(({ type }) => type === 'discount'))
  const tax = sumOf(isAddedTax)
  return { subtotal, discount, tax, total: addMoney(subtractMoney(subtotal, discount), tax) }

  function sumOf(isMeant: (line: InvoiceLine) => boolean): Money {
    const amounts = lines.filter(isMeant).map(({ amount }) => amount)
    return sumMoney(amounts, currency)
  }
}

/** Whether the line is what is sold or credited, rather than a discount or a tax on it. */
export function isCharge({ type }: InvoiceLine): boolean {
  return type !== 'discount' && type !== 'tax'
}

/** Whether the line is a tax on top of its line: one that a price contains is shown and not added. */
export function isAddedTax({ type, tax }: InvoiceLine): boolean {
  return type === 'tax' && tax?.treatment !== 'inclusive'
}

/** Σ tax lines of one name, rate and treatment. */
export interface TaxSum extends LineTax {
  readonly amount: Money
}

/** In the order in which they first stand in the lines. */
export function taxSums(lines: readonly InvoiceLine[]): TaxSum[] {
  const sums = new Map<string, TaxSum>()
  for (const { tax, amount } of lines) {
    if (tax === undefined) continue
    const key = JSON.stringify([tax.name, tax.rate, tax.treatment])
    const before = sums.get(key)
    sums.set(
      key,
      before === undefined
        ? { ...tax, amount }
        : { ...before, taxable: addMoney(before.taxable, tax.taxable), amount: addMoney(before.amount, amount) },
    )
  }
  return [...sums.values()]
}
