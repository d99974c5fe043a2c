/** What usage costs, as other billing systems and their documentation say. */

import type { FlatPrice, PackagePrice, PerUnitPrice, Price, Tier } from '../../src/catalog/price.ts'
import { costBetween, costOf } from '../../src/rate/rate.ts'
import { add, type Decimal, decimal, DECIMAL_ZERO, formatDecimal, subtract, toDecimal } from '../../src/values/decimal.ts'
import { minorUnits } from '../../src/values/currency.ts'
import { toMoney } from '../../src/values/money.ts'
import { periodAt } from '../../src/values/period.ts'
import { ONE, parseQuantity, type Quantity } from '../../src/values/quantity.ts'
import { instant, plain, run, type Vector } from './table.ts'

type TierRow = readonly [upTo: number | null, unit: string, flat: string]

interface TieredVector extends Vector {
  readonly tiers: readonly TierRow[]
  readonly quantity: string
  readonly amount: string
}

type PriceRow =
  | { readonly model: 'per_unit'; readonly price: string }
  | { readonly model: 'flat'; readonly price: string }
  | { readonly model: 'package'; readonly size: string; readonly price: string }
  | { readonly model: 'graduated' | 'volume'; readonly tiers: readonly TierRow[] }

run<TieredVector>('graduated', {
  ours: ({ tiers, quantity }) => formatDecimal(costOf(priceOf({ model: 'graduated', tiers }), parseQuantity(quantity))),
  theirs: ({ amount }) => plain(amount),
})

run<TieredVector & { readonly included: string }>('volume', {
  ours: ({ tiers, included, quantity }) => formatDecimal(costOf(priceOf({ model: 'volume', tiers }), beyond(quantity, included))),
  theirs: ({ amount }) => plain(amount),
})

run<
  Vector & {
    readonly size: string
    readonly price: string
    readonly free: string
    readonly quantity: string
    readonly amount: string
  }
>('package-price', {
  ours: ({ size, price, free, quantity }) => formatDecimal(costOf(packageOf(size, price), beyond(quantity, free))),
  theirs: ({ amount }) => plain(amount),
})

run<
  Vector & {
    readonly changes: readonly {
      readonly price: PriceRow
      readonly before: string
      /** Units that come to those before, or are taken from them. */
      readonly more: string
      readonly cost: string
    }[]
  }
>('later-units', {
  ours: ({ changes }) =>
    changes.map(({ price, before, more }) => {
      const first = parseQuantity(before)
      return formatDecimal(costBetween(priceOf(price), first, first + signed(more)))
    }),
  theirs: ({ changes }) => changes.map(({ cost }) => plain(cost)),
})

run<
  Vector & {
    readonly features: readonly { readonly price: PriceRow; readonly included: string; readonly quantity: string }[]
    /** What each feature's amount is rounded to; exact without one. */
    readonly currency?: string
    /** Billed before. */
    readonly billed?: string
    readonly amount: string
  }
>('features', {
  ours: ({ features, currency, billed }) => {
    const costs = features.map(({ price, included, quantity }) => {
      const cost = costOf(priceOf(price), beyond(quantity, included))
      return currency === undefined ? cost : rounded(cost, currency)
    })
    return formatDecimal(subtract(costs.reduce(add, DECIMAL_ZERO), decimal(billed ?? '0')))
  },
  theirs: ({ amount }) => plain(amount),
})

run<
  Vector & {
    readonly size: string
    readonly price: string
    readonly anchor: string
    readonly usage: readonly (readonly [date: string, quantity: string])[]
    /** By the date on which a period begins. */
    readonly amounts: Readonly<Record<string, string>>
  }
>('usage-by-period', {
  ours: ({ size, price, anchor, usage }) => {
    const schedule = { anchor: instant(anchor), every: { unit: 'month', count: 1 }, timeZone: 'UTC' } as const
    const used = new Map<number, Quantity>()
    for (const [date, quantity] of usage) {
      const { start } = periodAt(schedule, instant(date))
      used.set(start, (used.get(start) ?? 0n) + parseQuantity(quantity))
    }
    return [...used].map(([start, quantity]) => [start, formatDecimal(costOf(packageOf(size, price), quantity))])
  },
  theirs: ({ amounts }) => Object.entries(amounts).map(([date, amount]) => [instant(date), plain(amount)]),
})

function priceOf(row: PriceRow): Price {
  if (row.model === 'package') return packageOf(row.size, row.price)
  if (row.model === 'per_unit') return { model: row.model, unitPrice: decimal(row.price) } satisfies PerUnitPrice
  if (row.model === 'flat') return { model: row.model, fee: decimal(row.price) } satisfies FlatPrice
  return { model: row.model, tiers: row.tiers.map(tierOf) }
}

function tierOf([upTo, unit, flat]: TierRow): Tier {
  return { upTo: upTo === null ? 'unbounded' : BigInt(upTo) * ONE, unitPrice: decimal(unit), flat: decimal(flat) }
}

function packageOf(size: string, price: string): PackagePrice {
  return { model: 'package', size: parseQuantity(size), packagePrice: decimal(price) }
}

/** Units that an allowance does not cover. */
function beyond(quantity: string, included: string): Quantity {
  const more = parseQuantity(quantity) - parseQuantity(included)
  return more > 0n ? more : 0n
}

function signed(quantity: string): Quantity {
  return quantity.startsWith('-') ? -parseQuantity(quantity.slice(1)) : parseQuantity(quantity)
}

function rounded(amount: Decimal, currency: string): Decimal {
  return toDecimal(toMoney(amount, currency, 'half_up').minor, minorUnits(currency))
}
