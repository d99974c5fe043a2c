/** Grants that pay for usage: which of them may, in which order, and how much each. */

import type { Plan } from '../catalog/plan.ts'
import type { Charge, ChargePart, ModelCharge } from '../records/charge.ts'
import { type Grant, type GrantUnit, remainingOf } from '../records/grant.ts'
import { allocate } from '../values/allocate.ts'
import { add, compare, type Decimal, DECIMAL_ZERO, multiply, scaledTo, subtract, toDecimal } from '../values/decimal.ts'
import { minorUnits } from '../values/currency.ts'
import { type Period, periodAt } from '../values/period.ts'
import { QUANTITY_PLACES, type Quantity, quantityToDecimal } from '../values/quantity.ts'
import { divideRounded } from '../values/rounding.ts'
import { invariant } from '../values/invariant.ts'
import { type Cut, type Segment, type Subscription, usedBeforeCut } from './subscription.ts'

/** Grants of a unit that pay for what happens at an instant, in the order in which they pay. */
export function payingGrants(grants: Iterable<Grant>, unit: GrantUnit, at: number): Grant[] {
  const paying: Grant[] = []
  for (const grant of grants) {
    const { startsAt, expiresAt } = grant
    if (grant.unit === unit && at >= startsAt && (expiresAt === null || at < expiresAt)) paying.push(grant)
  }
  return paying.length > 1 ? paying.sort(byOrder) : paying
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

export interface PlanGrantOf {
  readonly subscription: Subscription
  readonly segment: Segment
  readonly plan: Plan
  /** An instant of the usage period. */
  readonly at: number
}

/** What a plan grants for the usage period that holds an instant; null where it grants nothing. Made once: its id names the period. */
export function planGrant({ plan, ...where }: PlanGrantOf): Grant | null {
  if (plan.consumption === 'metered') return null
  const { start, end, index, cut } = grantPeriod(where)
  const granted = partOfCut(plan.consumption === 'credits' ? creditsOf(plan) : balanceOf(plan, where.subscription, index), cut)
  if (granted.coefficient === 0n) return null
  return {
    id: `plan-${start}`,
    unit: plan.consumption,
    source: 'plan',
    priority: 0,
    granted,
    revoked: DECIMAL_ZERO,
    used: DECIMAL_ZERO,
    held: DECIMAL_ZERO,
    startsAt: start,
    expiresAt: end,
    createdAt: start,
    reference: null,
    isClosed: false,
  }
}

interface GrantPeriod extends Period {
  /** How the grant's own segment was cut out of the usage period, if it was. */
  readonly cut: Cut | undefined
}

/** From where a usage period, or what a change left of it, begins to where it ends: a change of price neither begins nor ends it. */
function grantPeriod({ subscription, segment, at }: Omit<PlanGrantOf, 'plan'>): GrantPeriod {
  const { segments, timeZone } = subscription
  const { anchor, every, kind } = segment
  const whole = kind === 'trial' ? TRIAL : periodAt({ anchor, every, timeZone }, at)
  let [first, last] = [segment, segment]
  while (first.cut?.kind === 'price' && first.startsAt > whole.start) {
    const before = segments.find(({ endsAt }) => endsAt === first.startsAt)
    invariant(before !== undefined, 'a change of price is of a segment')
    first = before
  }
  while (last.endsAt !== null && last.endsAt < whole.end) {
    const next = segments.find(({ startsAt, cut }) => startsAt === last.endsAt && cut?.kind === 'price')
    if (next === undefined) break
    last = next
  }
  return {
    index: whole.index,
    start: Math.max(whole.start, first.startsAt),
    end: Math.min(whole.end, last.endsAt ?? Infinity),
    cut: first.startsAt > whole.start ? first.cut : undefined,
  }
}

/** A trial is one usage period, from its own start to its own end. */
const TRIAL: Period = { index: 0, start: -Infinity, end: Infinity }

function creditsOf({ credits }: Plan): Prepaid {
  return { unit: 'credits', whole: credits ?? DECIMAL_ZERO, places: QUANTITY_PLACES }
}

/** The base price becomes the balance, in equal parts over the usage periods of its interval. */
function balanceOf(plan: Plan, { currency }: Subscription, index: number): Prepaid {
  const places = minorUnits(currency)
  return { unit: 'balance', whole: plan.includedBalance ?? partOfBase(plan, index, places), places }
}

/** What a whole usage period is granted. */
interface Prepaid {
  readonly unit: GrantUnit
  readonly whole: Decimal
  /** Decimal places that a part of it may have. */
  readonly places: number
}

function partOfBase({ price, periodsPerInterval: periods }: Plan, index: number, places: number): Decimal {
  if (periods === 1) return price
  if (periods === null) return index === 0 ? price : DECIMAL_ZERO
  const parts = allocate(scaledTo(price, places, 'half_up'), Array<bigint>(periods).fill(1n))
  return toDecimal(parts[((index % periods) + periods) % periods] ?? 0n, places)
}

/** The share of a period that was cut, less what was used of that before. */
function partOfCut({ unit, whole, places }: Prepaid, cut: Cut | undefined): Decimal {
  if (cut === undefined) return whole
  const [numerator, denominator] = cut.share
  const share = divideRounded(scaledTo(whole, places, 'half_up') * BigInt(numerator), BigInt(denominator), 'half_up')
  const left = subtract(toDecimal(share, places), quantityToDecimal(usedBeforeCut(cut, prepaidName(unit))))
  return left.coefficient > 0n ? left : DECIMAL_ZERO
}

/** Under what name a cut knows the credits or the balance that were used: no code of a feature has a dollar sign. */
export function prepaidName(unit: GrantUnit): string {
  return `$${unit}`
}
