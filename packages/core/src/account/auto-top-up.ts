/** When balance is bought by itself: below a threshold, not too often, and not too much in a month. Pure. */

import { isUnderWay, type Payment } from '../records/payment.ts'
import { startOfMonth } from '../values/day.ts'
import { add, compare, type Decimal, DECIMAL_ZERO, subtract } from '../values/decimal.ts'
import { moneyToDecimal } from '../values/money.ts'
import type { AccountState } from './account-state.ts'
import type { AutomaticTopUps, Customer } from './customer.ts'

/** Whether what is left is so little that something may have to be bought. Cheap: it is asked after events. */
export function isLow(customer: Customer | null, left: Decimal): boolean {
  return customer?.autoTopUp !== undefined && compare(left, customer.autoTopUp.threshold) < 0
}

export interface AutomaticTopUp {
  /** In the main unit of the customer's currency. */
  readonly amount: Decimal
  /** The customer once the attempt has begun. */
  readonly customer: Customer
}

/**
 * What is to be bought now, or null. One attempt is under way at most, whoever began it: two processes that ask at once are answered
 * one after the other, and the second sees the first one's payment.
 */
export function topUpDue({ customer, payments }: AccountState, left: Decimal, now: number): AutomaticTopUp | null {
  if (customer?.autoTopUp === undefined || !isLow(customer, left)) return null
  for (const payment of payments.values()) if (payment.buys?.unit === 'balance' && isUnderWay(payment)) return null
  const { amount, coolDownMs, monthlyCeiling } = customer.autoTopUp
  const { automaticTopUps: before } = customer
  if (before !== undefined && now < before.lastAt + coolDownMs) return null
  const month = startOfMonth(now, customer.timeZone)
  const bought = add(before?.month === month ? before.bought : DECIMAL_ZERO, amount)
  if (compare(bought, monthlyCeiling) > 0) return null
  return { amount, customer: { ...customer, automaticTopUps: { lastAt: now, month, bought } } }
}

/** The customer once an automatic attempt was declined: it counts for the cool-down, and not for the ceiling. Null where nothing changes. */
export function afterDecline(
  customer: Customer,
  { createdAt }: Payment,
  amount: Parameters<typeof moneyToDecimal>[0],
): Customer | null {
  const { automaticTopUps: before } = customer
  if (before === undefined || before.month !== startOfMonth(createdAt, customer.timeZone)) return null
  const automaticTopUps: AutomaticTopUps = { ...before, bought: subtract(before.bought, moneyToDecimal(amount)) }
  return { ...customer, automaticTopUps }
}
