/** A line about an amount and no units: a discount, a tax, a credit. */

import type { InvoiceLine } from '../records/invoice.ts'
import { ONE } from '../values/quantity.ts'

type AmountLineInput = Pick<InvoiceLine, 'id' | 'type' | 'description' | 'period' | 'amount'> & Partial<InvoiceLine>

export function amountLine(members: AmountLineInput): InvoiceLine {
  return { plan: null, feature: null, quantity: 0n, included: 0n, billable: 0n, unitPrice: null, per: ONE, ...members }
}
