/** What a part of a period costs or gives back, as other billing systems and their documentation say. */

import { decimal, formatDecimal, multiply, toDecimal } from '../../src/values/decimal.ts'
import { formatMoney, type Money, toMoney } from '../../src/values/money.ts'
import { periodAt } from '../../src/values/period.ts'
import { creditCap, prorate, type Share, shareOf, type Span } from '../../src/values/proration.ts'
import { divideRounded } from '../../src/values/rounding.ts'
import { instant, plain, run, type Vector } from './table.ts'

type Dates = readonly [start: string, end: string]
type Days = readonly [days: number, of: number]

interface PartVector extends Vector {
  readonly start: string
  readonly end: string
  readonly period: Dates
  /** UTC without one. */
  readonly timeZone?: string
}

/** None of the sources' currencies has other places. */
const CURRENCY = 'USD'

run<PartVector & { readonly price: string; readonly amount: string }>('prorate-amount', {
  ours: (vector) => formatMoney(prorate(decimal(vector.price), partOf(vector), CURRENCY)),
  theirs: ({ amount }) => amount,
})

run<Vector & { readonly price: string; readonly days: Days; readonly amount: string }>('prorate-days', {
  ours: ({ price, days }) => formatMoney(prorate(decimal(price), shareOfDays(days), CURRENCY)),
  theirs: ({ amount }) => amount,
})

run<PartVector & { readonly ratio: string }>('prorate-ratio', {
  ours: (vector) => ratioOf(partOf(vector)),
  theirs: ({ ratio }) => plain(ratio),
})

run<
  Vector & {
    readonly anchor: string
    readonly months: number
    readonly start: string
    /** Goes on without one. */
    readonly end?: string
    /** The last period to be billed, in advance, is the one that holds it. */
    readonly target: string
    readonly cycles: string
  }
>('billing-cycles', {
  ours: ({ anchor, months, start, end, target }) => {
    const schedule = { anchor: instant(anchor), every: { unit: 'month', count: months }, timeZone: 'UTC' } as const
    const last = Math.min(periodAt(schedule, instant(target)).end, end === undefined ? Infinity : instant(end))
    let sum: Share = { numerator: 0n, denominator: 1n }
    for (let at = instant(start); at < last;) {
      const period = periodAt(schedule, at)
      const part: Span = [at, Math.min(period.end, last)]
      sum = plus(sum, shareOf(part, [period.start, period.end], { timeZone: 'UTC', unit: 'day' }))
      at = part[1]
    }
    return ratioOf(sum)
  },
  theirs: ({ cycles }) => plain(cycles),
})

type Priced = readonly [price: string, quantity: number]

run<
  Vector & {
    readonly old: Priced
    readonly new: Priced
    readonly days: Days
    readonly credit: string
    readonly charge: string
    readonly net: string
  }
>('plan-change', {
  ours: (vector) => {
    const [credit, charge] = [vector.old, vector.new].map(([price, quantity]) => {
      const whole = multiply(decimal(price), toDecimal(BigInt(quantity)))
      return prorate(whole, shareOfDays(vector.days), CURRENCY).minor
    })
    return [-(credit ?? 0n), charge ?? 0n, (charge ?? 0n) - (credit ?? 0n)].map(textOf)
  },
  theirs: ({ credit, charge, net }) => [credit, charge, net].map((amount) => formatMoney(money(amount))),
})

run<
  Vector & {
    readonly paid: string
    readonly period: Dates
    readonly change: string
    /** Given back before. */
    readonly adjusted: string
    readonly new: readonly [price: string, period: Dates]
    readonly repair: string
    readonly charge: string
    readonly credit: string
  }
>('repair', {
  ours: (vector) => {
    const { paid, period, change, adjusted } = vector
    const [price, newPeriod] = vector.new
    const potential = prorate(decimal(paid), partOf({ start: change, end: period[1], period }), CURRENCY)
    const repair = creditCap({ potential, paid: money(paid), credited: money(adjusted) })
    const charge = prorate(decimal(price), partOf({ start: change, end: newPeriod[1], period: newPeriod }), CURRENCY)
    return [repair.minor, charge.minor, repair.minor - charge.minor].map(textOf)
  },
  theirs: ({ repair, charge, credit }) => [repair, charge, credit],
})

run<Vector & { readonly potential: string; readonly paid: string; readonly credited: string; readonly credit: string }>(
  'credit-cap',
  {
    ours: ({ potential, paid, credited }) =>
      creditCap({ potential: money(potential), paid: money(paid), credited: money(credited) }),
    theirs: ({ credit }) => money(credit),
  },
)

function partOf({ start, end, period, timeZone = 'UTC' }: Pick<PartVector, 'start' | 'end' | 'period' | 'timeZone'>): Share {
  const whole: Span = [instant(period[0]), instant(period[1])]
  return shareOf([instant(start), instant(end)], whole, { timeZone, unit: 'day' })
}

function shareOfDays([days, of]: Days): Share {
  return { numerator: BigInt(days), denominator: BigInt(of) }
}

/** Nine places, half up, as the sources print ratios. */
function ratioOf({ numerator, denominator }: Share): string {
  return formatDecimal(toDecimal(divideRounded(numerator * 10n ** 9n, denominator, 'half_up'), 9))
}

function plus(a: Share, b: Share): Share {
  return {
    numerator: a.numerator * b.denominator + b.numerator * a.denominator,
    denominator: a.denominator * b.denominator,
  }
}

function money(amount: string): Money {
  return toMoney(decimal(amount), CURRENCY, 'half_up')
}

function textOf(minor: bigint): string {
  return formatMoney({ minor, currency: CURRENCY })
}
