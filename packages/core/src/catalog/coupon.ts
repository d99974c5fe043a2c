/** Coupons: what is taken off invoices, for how long, and how often it may be redeemed. */

import { type Decimal, isZero, parseDecimal } from '../values/decimal.ts'
import { type Field, listed, readEntries, readList, readName, readOptions, readPrice, readWhole, refuse } from './definition.ts'
import type { Plan } from './plan.ts'
import type { PriceInput } from './price.ts'

export interface CouponDefinition {
  /** Printed on invoices; the code when absent. */
  readonly name?: string
  /** Per cent of usage and base price, as a decimal string from above 0 to 100. Either this or `amount`. */
  readonly percent?: string
  /** Taken off each invoice, at most what it has. */
  readonly amount?: PriceInput
  /** How many intervals it reduces. Default: all to come. */
  readonly cycles?: number
  /** How many customers may redeem it. Default: any number. */
  readonly maxRedemptions?: number
  /** Codes of the plans that it is for. Default: all. */
  readonly plans?: readonly string[]
}

export interface Coupon {
  readonly code: string
  readonly name: string
  readonly reduction:
    | { readonly kind: 'percent'; readonly percent: Decimal }
    | { readonly kind: 'amount'; readonly amount: Decimal }
  readonly cycles: number | null
  readonly maxRedemptions: number | null
  readonly plans: readonly string[] | null
}

const MAX_CYCLES = 1_200
const MAX_REDEMPTIONS = 1_000_000_000
const MAX_PLANS = 1_000

/** Reads the coupons in the order in which they were written; none where the field is absent. */
export function readCoupons(field: Field, plans: ReadonlyMap<string, Plan>): Map<string, Coupon> {
  if (field.value === undefined) return new Map()
  return new Map(readEntries(field).map(([code, entry]) => [code, readCoupon(code, entry, plans)]))
}

function readCoupon(code: string, field: Field, plans: ReadonlyMap<string, Plan>): Coupon {
  const option = readOptions(field, ['name', 'percent', 'amount', 'cycles', 'maxRedemptions', 'plans'])
  const whole = (name: string, most: number): number | null =>
    option(name).value === undefined ? null : readWhole(option(name), { least: 1, most })
  return {
    code,
    name: readName(option('name')) ?? code,
    reduction: readReduction(field, option('percent'), option('amount')),
    cycles: whole('cycles', MAX_CYCLES),
    maxRedemptions: whole('maxRedemptions', MAX_REDEMPTIONS),
    plans:
      option('plans').value === undefined ? null : readList(option('plans'), MAX_PLANS).map((one) => readPlanCode(one, plans)),
  }
}

function readReduction(field: Field, percent: Field, amount: Field): Coupon['reduction'] {
  if ((percent.value === undefined) === (amount.value === undefined))
    refuse(field, { expected: 'either percent or amount', fix: "write percent: '10' or amount: '5.00'" })
  if (amount.value !== undefined) {
    const value = readPrice(amount)
    if (isZero(value)) refuse(amount, { expected: 'an amount above zero', fix: 'raise it, or remove the coupon' })
    return { kind: 'amount', amount: value }
  }
  const value = typeof percent.value === 'string' ? parseDecimal(percent.value) : null
  if (value === null || value.coefficient <= 0n || value.coefficient > 100n * 10n ** BigInt(value.scale))
    return refuse(percent, {
      expected: "per cent as a decimal string above '0', at most '100'",
      fix: "write it in quotes, such as '10'",
    })
  return { kind: 'percent', percent: value }
}

function readPlanCode(field: Field, plans: ReadonlyMap<string, Plan>): string {
  const { value } = field
  if (typeof value === 'string' && plans.has(value)) return value
  return refuse(field, {
    expected: `one of the plans ${listed([...plans.keys()])}`,
    fix: 'fix its spelling',
    code: 'unknown_plan',
  })
}
