/** Shares of a period and of a price: what a customer pays or gets back when something changes within a period. */

import { allocate } from './allocate.ts'
import { minorUnits } from './currency.ts'
import { daysBetween } from './day.ts'
import type { Decimal } from './decimal.ts'
import { invariant } from './invariant.ts'
import type { Money } from './money.ts'
import type { Quantity } from './quantity.ts'
import { divideRounded } from './rounding.ts'

/** [start, end) in epoch milliseconds. */
export type Span = readonly [start: number, end: number]

/** An exact fraction from 0 to 1. It is not in lowest terms, so that `17` of `31` days can be read from it. */
export interface Share {
  readonly numerator: bigint
  readonly denominator: bigint
}

/** How time is counted. */
export interface TimeCount {
  /** IANA name: where the days begin. */
  readonly timeZone: string
  /** Whole days of the calendar, or the exact time. */
  readonly unit: 'day' | 'second'
}

/**
 * The share that a part has of a whole that holds it. Days are those from the date of a start to the date of an end, so a day
 * belongs to what begins on it: a change within a day makes all of that day a part of what remains. With `'second'` the share
 * is exact to the millisecond. The whole has at least one day.
 */
export function shareOf(part: Span, whole: Span, count: TimeCount): Share {
  invariant(whole[0] <= part[0] && part[0] <= part[1] && part[1] <= whole[1], 'a part is within its whole')
  const denominator = length(whole, count)
  invariant(denominator > 0n, 'a whole has at least one day')
  return { numerator: length(part, count), denominator }
}

/** Whether a span has at least one day, or any time at all: only then can it be a whole. */
export function hasLength(span: Span, count: TimeCount): boolean {
  return length(span, count) > 0n
}

/** The share of an allowance that is used up: all of it at most. An allowance of nothing, or without an end, is never used up. */
export function shareUsed(used: Quantity, included: Quantity | 'unlimited'): Share {
  if (included === 'unlimited' || included === 0n) return { numerator: 0n, denominator: 1n }
  return checked({ numerator: used < included ? used : included, denominator: included })
}

/**
 * What is left of a price when the larger of two shares is gone, that of the time and that of the allowance; with several
 * allowances the one that is used most counts. So to burn an allowance and change the plan is no discount.
 */
export function unusedShare(timeUsed: Share, ...allowancesUsed: readonly Share[]): Share {
  const { numerator, denominator } = [timeUsed, ...allowancesUsed].map(checked).reduce(larger)
  return checked({ numerator: denominator - numerator, denominator })
}

/** A share of a price in the currency's main unit, rounded once to the minor unit, half up. */
export function prorate(price: Decimal, share: Share, currency: string): Money {
  const { numerator, denominator } = checked(share)
  const minor = divideRounded(
    price.coefficient * numerator * powerOfTen(minorUnits(currency)),
    denominator * powerOfTen(price.scale),
    'half_up',
  )
  return { minor, currency }
}

/** Amounts of one currency. */
export interface Credit {
  /** What would be given back. */
  readonly potential: Money
  /** What was paid of the line that is given back. */
  readonly paid: Money
  /** What of that was given back before. */
  readonly credited: Money
}

/** What can be given back: never more than was paid and not given back before, and never less than nothing. */
export function creditCap({ potential, paid, credited }: Credit): Money {
  const { currency } = potential
  invariant(paid.currency === currency && credited.currency === currency, 'a credit is in the currency of the payment')
  const left = paid.minor - credited.minor
  const minor = potential.minor < left ? potential.minor : left
  return { minor: minor > 0n ? minor : 0n, currency }
}

/**
 * An amount over the parts that a period is cut into, by the time that each has; they sum to the amount, whatever the cuts. The
 * units left over go to the largest remainders, ties by order. The parts join, and have at least one day together.
 */
export function splitByTime(amount: Money, parts: readonly Span[], count: TimeCount): Money[] {
  for (const [index, [start, end]] of parts.entries()) {
    invariant(start <= end && (index === 0 || start === parts[index - 1]?.[1]), 'the parts of a period join')
  }
  const weights = parts.map((part) => length(part, count))
  return allocate(amount.minor, weights).map((minor) => ({ minor, currency: amount.currency }))
}

/** The exact time is counted in milliseconds, as instants are. */
function length([start, end]: Span, { timeZone, unit }: TimeCount): bigint {
  return BigInt(unit === 'day' ? daysBetween(start, end, timeZone) : end - start)
}

function larger(a: Share, b: Share): Share {
  return b.numerator * a.denominator > a.numerator * b.denominator ? b : a
}

function checked(share: Share): Share {
  const { numerator, denominator } = share
  invariant(denominator > 0n && numerator >= 0n && numerator <= denominator, 'a share is from 0 to 1')
  return share
}

function powerOfTen(exponent: number): bigint {
  return 10n ** BigInt(exponent)
}
