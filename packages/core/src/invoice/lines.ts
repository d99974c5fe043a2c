/** Turns a base price and rated usage into invoice lines: the one place where an exact amount is rounded. */

import type { InvoiceLine } from '../records/invoice.ts'
import type { RatedLine } from '../records/rated-line.ts'
import { minorUnits } from '../values/currency.ts'
import { type Decimal, formatDecimal } from '../values/decimal.ts'
import { invariant } from '../values/invariant.ts'
import { toMoney, zero } from '../values/money.ts'
import { ONE, type Quantity } from '../values/quantity.ts'

/** [start, end) in epoch milliseconds. */
export type Span = readonly [start: number, end: number]

export interface BaseLineInput {
  readonly plan: { readonly code: string; readonly name: string; readonly price: Decimal }
  readonly currency: string
  readonly period: Span
}

/** The base price of one plan interval, paid in advance. */
export function baseLine({ plan, currency, period }: BaseLineInput): InvoiceLine {
  return {
    id: 'plan_base',
    type: 'plan_base',
    description: plan.name,
    plan: plan.code,
    feature: null,
    period,
    quantity: ONE,
    included: 0n,
    billable: ONE,
    unitPrice: formatDecimal(plan.price, minorUnits(currency)),
    per: ONE,
    amount: toMoney(plan.price, currency, 'half_up'),
  }
}

export interface UsageLinesInput {
  readonly plan: string
  readonly feature: { readonly code: string; readonly name: string }
  readonly currency: string
  readonly period: Span
  /** Units in the log, in millionths. */
  readonly used: Quantity
  /** Units of `used` that the allowance covers. */
  readonly included: Quantity
  /** The priced rest, in the order of its tiers; none when the allowance covers all. */
  readonly rated: readonly RatedLine[]
}

/** One line per price tier reached; the first also shows the units that the allowance covers. */
export function usageLines({ plan, feature, currency, period, used, included, rated }: UsageLinesInput): InvoiceLine[] {
  const shared = { type: 'feature_usage', description: feature.name, plan, feature: feature.code, period } as const
  const [first, ...others] = rated
  const lines: InvoiceLine[] =
    first === undefined
      ? [
          {
            ...shared,
            id: `${feature.code}-included`,
            quantity: used,
            included,
            billable: 0n,
            unitPrice: null,
            per: ONE,
            amount: zero(currency),
          },
        ]
      : [priced(first, included), ...others.map((line) => priced(line, 0n))]
  const shown = lines.reduce((sum, line) => sum + line.quantity, 0n)
  invariant(shown === used, 'the lines of a feature show each unit once')
  return lines

  function priced(line: RatedLine, covered: Quantity): InvoiceLine {
    const unitPrice = formatDecimal(line.unitPrice, minorUnits(currency))
    const amount = toMoney(line.amount, currency, 'half_up')
    return {
      ...shared,
      id: `${feature.code}-${line.id}`,
      quantity: line.quantity + covered,
      included: covered,
      billable: line.quantity,
      unitPrice,
      per: line.per,
      amount,
    }
  }
}
