/** Discounts: what coupons take off the charges of an invoice, and how much of it falls on each line. */

import type { Invoice, InvoiceLine, LineDiscount, LineType } from '../records/invoice.ts'
import { allocate } from '../values/allocate.ts'
import { type Decimal, formatDecimal, toDecimal } from '../values/decimal.ts'
import { invariant } from '../values/invariant.ts'
import { type Money, negateMoney, partOfMoney, subtractMoney } from '../values/money.ts'
import { amountLine } from './amount-line.ts'
import { isCharge } from './sums.ts'

/** A coupon as it applies to one invoice. */
export type AppliedDiscount = {
  /** Its code. */
  readonly coupon: string
  /** As printed. */
  readonly name: string
  /** Codes of the plans whose lines it reduces; absent: every line. */
  readonly plans?: readonly string[]
} & (
  | {
      /** More than 0, at most 100. */
      readonly percent: Decimal
    }
  | {
      /** More than nothing, in the currency of the invoice. */
      readonly amount: Money
    }
)

export interface DiscountInput extends Pick<Invoice, 'currency' | 'period'> {
  readonly charges: readonly InvoiceLine[]
  readonly discounts: readonly AppliedDiscount[]
}

/** Where it is positive, such a line is discounted. Bought money and credits, adjustments and what is given back are not. */
const DISCOUNTABLE: ReadonlySet<LineType> = new Set([
  'plan_base',
  'feature_usage',
  'proration_charge',
  'minimum_commitment',
  'balance_overage',
  'one_off',
])

const HUNDRED = toDecimal(100n)

/**
 * One line per discount, in order, each applied to what those before it left: two of 10 % are 19 %. Its amount is rounded once,
 * half up, and is never more than what is left; its shares are the largest remainder's. A discount that finds nothing to
 * take has no line. The ids count the discounts, so a line keeps its id whatever the others do.
 */
export function discountLines({ charges, discounts, currency, period }: DiscountInput): InvoiceLine[] {
  const discountable = charges.filter(({ type, amount }) => DISCOUNTABLE.has(type) && amount.minor > 0n)
  let left = discountable.map(({ amount }) => amount.minor)
  const lines: InvoiceLine[] = []
  for (const [index, discount] of discounts.entries()) {
    const weights = left.map((minor, place) => (isOf(discount, discountable[place]) ? minor : 0n))
    const amount = amountOf(discount, { minor: weights.reduce((sum, minor) => sum + minor, 0n), currency })
    if (amount.minor === 0n) continue
    const shares = allocate(amount.minor, weights)
    left = left.map((minor, place) => minor - (shares[place] ?? 0n))
    invariant(
      left.every((minor) => minor >= 0n),
      'a discount takes no more of a line than the line',
    )
    const member: LineDiscount = {
      coupon: discount.coupon,
      percent: 'percent' in discount ? formatDecimal(discount.percent) : null,
      shares: discountable.flatMap(({ id }, place) => {
        const minor = shares[place] ?? 0n
        return minor === 0n ? [] : [{ of: id, amount: { minor, currency } }]
      }),
    }
    const id = `discount-${index + 1}`
    lines.push(
      amountLine({ id, type: 'discount', description: discount.name, period, amount: negateMoney(amount), discount: member }),
    )
  }
  return lines
}

/** What the discounts among the lines leave of each charge, by the charge's id. */
export function discountedAmounts(lines: readonly InvoiceLine[]): Map<string, Money> {
  const amounts = new Map(lines.filter(isCharge).map(({ id, amount }) => [id, amount]))
  for (const share of lines.flatMap(({ discount }) => discount?.shares ?? [])) {
    const amount = amounts.get(share.of)
    invariant(amount !== undefined, 'a discount is of lines of its invoice')
    amounts.set(share.of, subtractMoney(amount, share.amount))
  }
  return amounts
}

function isOf({ plans }: AppliedDiscount, line: InvoiceLine | undefined): boolean {
  return plans === undefined || plans.includes(line?.plan ?? '')
}

function amountOf(discount: AppliedDiscount, left: Money): Money {
  if ('percent' in discount) {
    const percent = partOfMoney(left, { part: discount.percent, whole: HUNDRED }, 'half_up')
    invariant(percent.minor >= 0n && percent.minor <= left.minor, 'a discount is at most a hundred per cent')
    return percent
  }
  const { amount } = discount
  invariant(amount.currency === left.currency, 'a discount is in the currency of the invoice')
  invariant(amount.minor >= 0n, 'a discount is never negative')
  return amount.minor < left.minor ? amount : left
}
