/** How much money may go back to a customer for an invoice. */

import type { Invoice } from '../records/invoice.ts'
import { invariant } from '../values/invariant.ts'
import { type Money, subtractMoney, sumMoney, zero } from '../values/money.ts'

export interface RefundableInput {
  readonly invoice: Pick<Invoice, 'total' | 'creditApplied' | 'currency'>
  /** Money that came in for it. */
  readonly paid: Money
  /** Σ of its credit notes, taxes included; positive. */
  readonly credited: Money
  /** Of `credited`: what the customer keeps as invoice credit. */
  readonly kept: Money
  /** Money that went back for it, refunds that are under way included. */
  readonly refunded: Money
}

/** What was paid, as money or as invoice credit, beyond what the invoice still asks for, less what went back or is kept as credit. */
export function owedBack({ invoice, paid, credited, kept, refunded }: RefundableInput): Money {
  const { total, creditApplied, currency } = invoice
  for (const amount of [paid, credited, kept, refunded])
    invariant(amount.minor >= 0n, 'what was paid, credited and refunded is never negative')
  const beyond = subtractMoney(sumMoney([paid, creditApplied, credited], currency), sumMoney([total, kept, refunded], currency))
  return beyond.minor > 0n ? beyond : zero(currency)
}

/** What is owed back, and never more than came in. So a credit note on an unpaid invoice refunds nothing: it lowers what is owed. */
export function refundable(input: RefundableInput): Money {
  const beyond = owedBack(input)
  const inHand = subtractMoney(input.paid, input.refunded)
  const most = beyond.minor < inHand.minor ? beyond : inHand
  return most.minor > 0n ? most : zero(input.invoice.currency)
}
