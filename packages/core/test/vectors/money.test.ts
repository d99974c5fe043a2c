/** How amounts are rounded and split, as other billing systems and their documentation say. */

import { allocate } from '../../src/values/allocate.ts'
import { minorUnits } from '../../src/values/currency.ts'
import { decimal, formatDecimal, formatScaled, roundTo, scaledTo } from '../../src/values/decimal.ts'
import { toMoney } from '../../src/values/money.ts'
import type { RoundingMode } from '../../src/values/rounding.ts'
import { plain, run, type Vector } from './table.ts'

interface RoundVector extends Vector {
  readonly amount: string
  readonly currency?: string
  readonly places?: number
  readonly mode: RoundingMode
  readonly rounded: string
}

run<RoundVector>('round', {
  ours: ({ amount, currency, places, mode }) =>
    formatDecimal(roundTo(decimal(amount), places ?? minorUnits(currency ?? ''), mode)),
  theirs: ({ rounded }) => plain(rounded),
})

run<
  Vector & {
    readonly places: number
    readonly amounts: readonly (readonly [amount: string, mode: RoundingMode, rounded: string])[]
  }
>('round-several', {
  ours: ({ places, amounts }) => amounts.map(([amount, mode]) => formatDecimal(roundTo(decimal(amount), places, mode))),
  theirs: ({ amounts }) => amounts.map(([, , rounded]) => plain(rounded)),
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
