/** Turns prices and rated usage into invoice lines: the one place where an exact amount is rounded. */

import type { InvoiceLine } from '../records/invoice.ts'
import type { RatedLine } from '../records/rated-line.ts'
import { minorUnits } from '../values/currency.ts'
import { type Decimal, formatDecimal } from '../values/decimal.ts'
import { invariant } from '../values/invariant.ts'
import { type Money, negateMoney, subtractMoney, sumMoney, toMoney, zero } from '../values/money.ts'
import { creditCap, prorate, type Share, type Span } from '../values/proration.ts'
import { ONE, type Quantity } from '../values/quantity.ts'

export type { Span }

/** What is sold, as a line prints it. */
export interface PrintedPlan {
  readonly code: string
  readonly name: string
  readonly price: Decimal
}

export interface BaseLineInput {
  readonly plan: PrintedPlan
  readonly currency: string
  readonly period: Span
}

/** The base price of one plan interval, paid in advance. */
export function baseLine({ plan, currency, period }: BaseLineInput): InvoiceLine {
  return {
    ...onePiece(plan.name, period),
    id: 'plan_base',
    type: 'plan_base',
    plan: plan.code,
    unitPrice: formatDecimal(plan.price, minorUnits(currency)),
    amount: toMoney(plan.price, currency, 'half_up'),
  }
}

/** The base price from a change to the end of the interval: its share, rounded once. */
export function prorationCharge({ plan, currency, period, share }: BaseLineInput & { readonly share: Share }): InvoiceLine {
  return {
    ...onePiece(`${plan.name}, ${share.numerator} of ${share.denominator}`, period),
    id: 'proration_charge',
    type: 'proration_charge',
    plan: plan.code,
    unitPrice: formatDecimal(plan.price, minorUnits(currency)),
    amount: prorate(plan.price, share, currency),
  }
}

export interface ProrationCreditInput {
  readonly plan: PrintedPlan
  readonly period: Span
  /** What was not used of it. */
  readonly share: Share
  /** What was paid for the interval. */
  readonly paid: Money
  readonly paidExact: Decimal
}

/** What is given back of a base price, never more than was paid. */
export function prorationCredit({ plan, period, share, paid, paidExact }: ProrationCreditInput): InvoiceLine {
  const potential = prorate(paidExact, share, paid.currency)
  const amount = creditCap({ potential, paid, credited: zero(paid.currency) })
  return {
    ...onePiece(`${plan.name}, not used`, period),
    id: 'proration_credit',
    type: 'proration_credit',
    plan: plan.code,
    unitPrice: null,
    amount: negateMoney(amount),
  }
}

export interface MinimumInput {
  readonly plan: PrintedPlan
  readonly period: Span
  /** What the interval costs at least. */
  readonly minimum: Money
  /** What it came to. */
  readonly reached: Money
}

/** What an interval lacks to the committed minimum; null when it lacks nothing. */
export function minimumLine({ plan, period, minimum, reached }: MinimumInput): InvoiceLine | null {
  const lacking = subtractMoney(minimum, reached)
  if (lacking.minor <= 0n) return null
  const printed = onePiece(`${plan.name}, minimum commitment`, period)
  return { ...printed, id: 'minimum_commitment', type: 'minimum_commitment', plan: plan.code, unitPrice: null, amount: lacking }
}

/** A line of one thing: its unit price is its own. */
export function onePiece(
  description: string,
  period: Span,
): Pick<InvoiceLine, 'description' | 'plan' | 'feature' | 'period' | 'quantity' | 'included' | 'billable' | 'per'> {
  return { description, plan: null, feature: null, period, quantity: ONE, included: 0n, billable: ONE, per: ONE }
}

/** A feature on a plan. */
export interface PrintedFeature {
  readonly plan: string
  readonly feature: { readonly code: string; readonly name: string }
  readonly currency: string
  readonly period: Span
}

export interface UsageLinesInput extends PrintedFeature {
  /** Units in the log, in millionths. */
  readonly used: Quantity
  /** Units of `used` that the allowance covers. */
  readonly included: Quantity
  /** The priced rest, in the order of its tiers; none when the allowance covers all. */
  readonly rated: readonly RatedLine[]
}

/** One line per price tier reached; the first also shows the units that the allowance covers. */
export function usageLines(input: UsageLinesInput): InvoiceLine[] {
  const { feature, currency, used, included, rated } = input
  const shared = usageOf(input)
  const [first, ...others] = rated
  const lines: InvoiceLine[] =
    first === undefined ? [coveredLine(input, used)] : [priced(first, included), ...others.map((line) => priced(line, 0n))]
  const shown = lines.reduce((sum, line) => sum + line.quantity, 0n)
  invariant(shown === used, 'the lines of a feature show each unit once')
  return lines

  function priced(line: RatedLine, covered: Quantity): InvoiceLine {
    return {
      ...shared,
      id: `${feature.code}-${line.id}`,
      quantity: line.quantity + covered,
      included: covered,
      billable: line.quantity,
      unitPrice: formatDecimal(line.unitPrice, minorUnits(currency)),
      per: line.per,
      amount: toMoney(line.amount, currency, 'half_up'),
    }
  }
}

export interface CostLinesInput extends PrintedFeature {
  readonly used: Quantity
  /** `'credits'`, or the currency of a balance. */
  readonly unit: string
  /** Σ cost of the events, exact. */
  readonly cost: Decimal
  /** Of it: what no grant paid. */
  readonly uncovered: Decimal
}

/** Usage that credits or a balance paid, and what the balance did not cover. */
export function costLines({ used, unit, cost, uncovered, ...printed }: CostLinesInput): InvoiceLine[] {
  const covered = { ...coveredLine(printed, used), cost: { unit, amount: formatDecimal(cost) } }
  const amount = toMoney(uncovered, printed.currency, 'half_up')
  if (uncovered.coefficient === 0n) return [covered]
  const { feature } = printed
  const overage: InvoiceLine = {
    ...usageOf(printed),
    ...onePiece(`${feature.name}, beyond the balance`, printed.period),
    id: `${feature.code}-balance_overage`,
    type: 'balance_overage',
    plan: printed.plan,
    feature: feature.code,
    unitPrice: null,
    amount,
    cost: { unit, amount: formatDecimal(uncovered) },
  }
  return [covered, overage]
}

export interface AdjustmentInput extends PrintedFeature {
  /** Units that came late; negative where a correction took some back. */
  readonly late: Quantity
  /** The sums of the rounded lines with and without them. */
  readonly before: Money
  readonly after: Money
  /** The final invoice of their period; null where it had none. */
  readonly corrects: string | null
}

/** Late events of a period whose invoice is final: what its lines would have come to, less what they came to. */
export function adjustmentLine({ late, before, after, corrects, ...printed }: AdjustmentInput): InvoiceLine {
  const { feature, period } = printed
  return {
    ...usageOf(printed),
    id: `${feature.code}-adjustment-${period[0]}`,
    type: 'adjustment',
    description: `${feature.name}, adjustment of an earlier invoice`,
    quantity: late,
    included: 0n,
    billable: late,
    unitPrice: null,
    per: ONE,
    amount: subtractMoney(after, before),
    ...(corrects === null ? {} : { corrects }),
  }
}

/** The sum of rated parts as an invoice has them: each rounded once. */
export function sumOfRated(rated: readonly RatedLine[], currency: string): Money {
  return sumMoney(
    rated.map(({ amount }) => toMoney(amount, currency, 'half_up')),
    currency,
  )
}

function usageOf({ plan, feature, period }: PrintedFeature) {
  return { type: 'feature_usage', description: feature.name, plan, feature: feature.code, period } as const
}

/** Usage that costs nothing more. */
function coveredLine(printed: PrintedFeature, used: Quantity): InvoiceLine {
  const { feature, currency } = printed
  return {
    ...usageOf(printed),
    id: `${feature.code}-included`,
    quantity: used,
    included: used,
    billable: 0n,
    unitPrice: null,
    per: ONE,
    amount: zero(currency),
  }
}
