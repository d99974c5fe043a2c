/** Puts charges, discounts, taxes and invoice credit together to a draft, in this order. */

import type { Invoice, InvoiceLine } from '../records/invoice.ts'
import { invariant } from '../values/invariant.ts'
import { type AppliedDiscount, discountedAmounts, discountLines } from './discount.ts'
import { type DraftInput, draftOf } from './draft.ts'
import { isCharge } from './sums.ts'
import { type TaxOf, taxLines } from './tax/tax-lines.ts'

export interface InvoiceInput extends Omit<DraftInput, 'lines' | 'corrects'> {
  /** What is sold, each amount rounded: neither discounts nor taxes. */
  readonly lines: readonly InvoiceLine[]
  /** Applied one after the other. */
  readonly discounts: readonly AppliedDiscount[]
  /** `untaxed` where nobody taxes. */
  readonly taxOf: TaxOf
  /** Id of the final invoice that the whole invoice is about. */
  readonly corrects?: string
}

/** A draft. The same input gives the same invoice. */
export function buildInvoice({ lines: charges, discounts, taxOf, corrects, ...members }: InvoiceInput): Invoice {
  invariant(charges.every(isCharge), 'discounts and taxes are made here')
  const { currency, period } = members
  const discounted = [...charges, ...discountLines({ charges, discounts, currency, period })]
  const amounts = discountedAmounts(discounted)
  const taxes = taxLines(
    charges.map((line) => ({ line, amount: amounts.get(line.id) ?? line.amount })),
    taxOf,
  )
  return draftOf({ ...members, lines: [...discounted, ...taxes], corrects: corrects ?? null })
}

/** One invoice per billing moment: closing twice finds it instead of making it again. */
export function invoiceId(subscriptionId: string, moment: number): string {
  return `${subscriptionId}-${moment}`
}
