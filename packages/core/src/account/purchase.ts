/** What a pack or a top-up becomes once it is paid: a grant. Pure. */

import type { Grant } from '../records/grant.ts'
import type { Invoice, InvoiceLine } from '../records/invoice.ts'
import type { Bought } from '../records/payment.ts'
import { DECIMAL_ZERO } from '../values/decimal.ts'
import { invariant } from '../values/invariant.ts'
import { moneyToDecimal } from '../values/money.ts'
import { quantityToDecimal } from '../values/quantity.ts'
import { purchasedGrantId } from './collection.ts'

export interface PurchasedGrant {
  readonly invoice: Pick<Invoice, 'id' | 'lines'>
  readonly buys: Bought
  /** When it was bought: it pays for what happened since, also where the payment took a while. */
  readonly boughtAt: number
  /** When it was paid. */
  readonly now: number
}

/** It never expires, and the end of a subscription leaves it as it is. Its id names the invoice, so that it is made once. */
export function purchasedGrant({ invoice, buys: { unit, priority }, boughtAt, now }: PurchasedGrant): Grant {
  const line = soldLine(invoice)
  return {
    id: purchasedGrantId(invoice.id),
    unit,
    source: unit === 'credits' ? 'pack' : 'top_up',
    priority,
    granted: unit === 'credits' ? quantityToDecimal(line.quantity) : moneyToDecimal(line.amount),
    revoked: DECIMAL_ZERO,
    used: DECIMAL_ZERO,
    held: DECIMAL_ZERO,
    startsAt: boughtAt,
    expiresAt: null,
    createdAt: now,
    reference: invoice.id,
    isClosed: false,
  }
}

/** Whether an invoice sells a grant: then nothing is owed before it is paid. */
export function isPurchase({ type }: Pick<Invoice, 'type'>): boolean {
  return type === 'credit_purchase' || type === 'balance_top_up'
}

/** The line of the pack or of the top-up. */
export function soldLine({ lines }: Pick<Invoice, 'lines'>): InvoiceLine {
  const line = lines.find(({ type }) => type === 'credit_pack' || type === 'top_up')
  invariant(line !== undefined, 'a purchase has a line of what it sells')
  return line
}
