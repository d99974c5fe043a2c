/** Grants that pay for usage: which of them may, in which order, and how much each. */

import type { Charge, ChargePart, ModelCharge } from '../records/charge.ts'
import { type Grant, type GrantUnit, remainingOf } from '../records/grant.ts'
import { add, compare, type Decimal, DECIMAL_ZERO, multiply, negate, subtract, toDecimal } from '../values/decimal.ts'
import { invariant } from '../values/invariant.ts'
import type { Quantity } from '../values/quantity.ts'
import { divideRounded } from '../values/rounding.ts'

/** Grants of a unit that pay for what happens at an instant, in the order in which they pay. */
export function payingGrants(grants: Iterable<Grant>, unit: GrantUnit, at: number): Grant[] {
  const paying: Grant[] = []
  for (const grant of grants) {
    const { startsAt, expiresAt } = grant
    if (grant.unit === unit && at >= startsAt && (expiresAt === null || at < expiresAt)) paying.push(grant)
  }
  return paying.length > 1 ? paying.toSorted(byOrder) : paying
}

/** A priority overrides; then the soonest expiry first, then a plan's before what was bought, then the oldest. */
export function byOrder(a: Grant, b: Grant): number {
  return (
    a.priority - b.priority ||
    (a.expiresAt ?? Infinity) - (b.expiresAt ?? Infinity) ||
    Number(b.source === 'plan') - Number(a.source === 'plan') ||
    a.createdAt - b.createdAt ||
    (a.id < b.id ? -1 : 1)
  )
}

export interface Draw {
  readonly parts: readonly ChargePart[]
  /** What the grants did not cover. */
  readonly uncovered: Decimal
}

/** Takes an amount from grants in their order. `held` are parts that the taker holds already and may use. Pure. */
export function draw(grants: readonly Grant[], amount: Decimal, held: readonly ChargePart[] = []): Draw {
  invariant(amount.coefficient >= 0n, 'what is drawn is never negative')
  const parts: ChargePart[] = []
  let left = amount
  for (const grant of grants) {
    if (left.coefficient === 0n) break
    const own = held.find((part) => part.grant === grant.id)?.amount ?? DECIMAL_ZERO
    const available = add(remainingOf(grant), own)
    if (available.coefficient <= 0n) continue
    const taken = compare(available, left) < 0 ? available : left
    parts.push({ grant: grant.id, amount: taken })
    left = subtract(left, taken)
  }
  return { parts, uncovered: left }
}

/** What grants have left together. */
export function leftOf(grants: readonly Grant[]): Decimal {
  return grants.map(remainingOf).reduce(add, DECIMAL_ZERO)
}

export interface Charging {
  /** In the order in which they pay. */
  readonly grants: readonly Grant[]
  readonly unit: string
  readonly cost: Decimal
  readonly model: ModelCharge | undefined
  /** Whether what no grant covers is refused or waived, rather than billed when the period ends. */
  readonly isBlocked: boolean
  /** What its own reservation holds. */
  readonly held?: readonly ChargePart[] | undefined
}

/** Who pays a cost. Pure. */
export function chargeOf({ grants, unit, cost, model, isBlocked, held = [] }: Charging): Charge {
  const { parts, uncovered } = draw(grants, cost, held)
  const [owed, waived] = isBlocked ? [DECIMAL_ZERO, uncovered] : [uncovered, DECIMAL_ZERO]
  return { unit, cost, parts, uncovered: owed, waived, ...(model === undefined ? {} : { model }) }
}

/** The part of a charge that a correction to `quantity` of `original` units takes back, from the same grants: negative amounts. */
export function chargeDifference(charge: Charge, original: Quantity, quantity: Quantity): Charge {
  invariant(original > 0n && quantity >= 0n && quantity <= original, 'a correction of a charge takes back')
  const back = original - quantity
  const share = (amount: Decimal): Decimal => {
    if (quantity === 0n) return negate(amount)
    const exact = multiply(amount, toDecimal(back))
    // A share that no decimal tells is rounded far below any unit of money; the rest stays with the original.
    const scaled = exact.coefficient * 10n ** BigInt(CORRECTION_PLACES)
    return toDecimal(-divideRounded(scaled, original * 10n ** BigInt(exact.scale), 'down'), CORRECTION_PLACES)
  }
  const parts = charge.parts.map(({ grant, amount }) => ({ grant, amount: share(amount) }))
  const [uncovered, waived] = [share(charge.uncovered), share(charge.waived)]
  const cost = parts.reduce((sum, { amount }) => add(sum, amount), add(uncovered, waived))
  return { unit: charge.unit, cost, parts, uncovered, waived }
}

const CORRECTION_PLACES = 30
