/** Numbers that other billing systems and their documentation assert, run against ours. Each row names its source. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { GraduatedPrice, PackagePrice, Price } from '../../src/catalog/price.ts'
import { rate } from '../../src/rate/rate.ts'
import { allocate } from '../../src/values/allocate.ts'
import { minorUnits } from '../../src/values/currency.ts'
import { add, compare, decimal, DECIMAL_ZERO, formatDecimal, formatScaled, roundTo, scaledTo } from '../../src/values/decimal.ts'
import { toMoney } from '../../src/values/money.ts'
import { boundary, periodAt } from '../../src/values/period.ts'
import { parseQuantity, type Quantity, QUANTITY_SCALE } from '../../src/values/quantity.ts'
import type { RoundingMode } from '../../src/values/rounding.ts'

interface Vector {
  readonly id: string
  readonly name: string
  /** Repository, path and commit, or an address. */
  readonly source: string
  /** Why the row follows a rule that ours is decided against. */
  readonly notApplicable?: string
}

interface GraduatedVector extends Vector {
  readonly tiers: readonly (readonly [upTo: number | null, unit: string, flat: string])[]
  readonly quantity: string
  readonly amount: string
}

interface PackageVector extends Vector {
  readonly size: string
  readonly price: string
  readonly free: string
  readonly quantity: string
  readonly amount: string
}

interface PeriodVector extends Vector {
  readonly anchor: string
  readonly months: number
  readonly now: string
}

interface RoundVector extends Vector {
  readonly amount: string
  readonly currency?: string
  readonly places?: number
  readonly mode: RoundingMode
  readonly rounded: string
}

run<GraduatedVector>('graduated', {
  ours: ({ tiers, quantity }) => amountOf(graduated(tiers), parseQuantity(quantity)),
  theirs: ({ amount }) => plain(amount),
})

run<PackageVector>('package-price', {
  ours: ({ size, price, free, quantity }) => amountOf(packageOf(size, price), beyond(quantity, free)),
  theirs: ({ amount }) => plain(amount),
})

run<PeriodVector & { readonly end: string }>('cycle-end', {
  ours: ({ anchor, months, now }) =>
    periodAt({ anchor: utc(anchor), every: { unit: 'month', count: months }, timeZone: 'UTC' }, utc(now)).end,
  theirs: ({ end }) => utc(end),
})

run<PeriodVector & { readonly start: string }>('period-start', {
  ours: ({ anchor, months, now }) =>
    periodAt({ anchor: utc(anchor), every: { unit: 'month', count: months }, timeZone: 'UTC' }, utc(now)).start,
  theirs: ({ start }) => utc(start),
})

run<PeriodVector & { readonly boundaries: readonly string[] }>('anchor-sequence', {
  ours: ({ anchor, months, boundaries }) =>
    boundaries.map((_, n) => boundary({ anchor: utc(anchor), every: { unit: 'month', count: months }, timeZone: 'UTC' }, n)),
  theirs: ({ boundaries }) => boundaries.map(utc),
})

run<RoundVector>('round', {
  ours: ({ amount, currency, places, mode }) =>
    formatDecimal(roundTo(decimal(amount), places ?? minorUnits(currency ?? ''), mode)),
  theirs: ({ rounded }) => plain(rounded),
})

run<Vector & { readonly amount: string; readonly currency: string; readonly minor: string }>('minor-units', {
  ours: ({ amount, currency }) => toMoney(decimal(amount), currency, 'half_up').minor,
  theirs: ({ minor }) => BigInt(minor),
})

run<
  Vector & {
    readonly amount: string
    readonly places: number
    readonly weights: readonly string[]
    readonly parts: readonly string[]
  }
>('allocate', {
  ours: ({ amount, places, weights }) => {
    const parts = allocate(scaledTo(decimal(amount), places, 'down'), weights.map(decimal))
    return parts.map((part) => formatScaled(part, places))
  },
  theirs: ({ parts }) => parts,
})

interface Comparison<V extends Vector> {
  readonly ours: (vector: V) => unknown
  readonly theirs: (vector: V) => unknown
}

/** Runs every row of a file. A row that is not applicable must differ from ours: otherwise its reason has gone. */
function run<V extends Vector>(file: string, { ours, theirs }: Comparison<V>): void {
  const vectors: V[] = JSON.parse(readFileSync(new URL(`./${file}.json`, import.meta.url), 'utf8'))
  describe(file, () => {
    for (const vector of vectors) {
      const { id, name, source, notApplicable } = vector
      if (notApplicable === undefined) test(`${id} ${name} (${source})`, () => expect(ours(vector)).toEqual(theirs(vector)))
      else
        test(`${id} ${name} is not applicable: ${notApplicable} (${source})`, () =>
          expect(answerOf(ours, vector)).not.toEqual(theirs(vector)))
    }
  })
}

/** The answer, or the code of the error that refused to give one. */
function answerOf<V>(ours: (vector: V) => unknown, vector: V): unknown {
  try {
    return ours(vector)
  } catch (error) {
    return (error as { readonly code: string }).code
  }
}

function graduated(tiers: GraduatedVector['tiers']): GraduatedPrice {
  return {
    model: 'graduated',
    tiers: tiers.map(([upTo, unit, flat]) => ({
      upTo: upTo === null ? 'unbounded' : BigInt(upTo) * QUANTITY_SCALE,
      unitPrice: decimal(unit),
      flat: decimal(flat),
    })),
  }
}

function packageOf(size: string, price: string): PackagePrice {
  return { model: 'package', size: parseQuantity(size), packagePrice: decimal(price) }
}

function beyond(quantity: string, free: string): Quantity {
  return compare(decimal(quantity), decimal(free)) <= 0 ? 0n : parseQuantity(quantity) - parseQuantity(free)
}

function amountOf(price: Price, billable: Quantity): string {
  return formatDecimal(rate(price, billable).reduce((sum, line) => add(sum, line.amount), DECIMAL_ZERO))
}

/** The shortest text of a decimal, since sources write `1900.00` for `1900`. */
function plain(text: string): string {
  return formatDecimal(decimal(text))
}

function utc(text: string): number {
  return Date.parse(text.includes('T') ? `${text}Z` : `${text}T00:00Z`)
}
