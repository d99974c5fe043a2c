import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decimal, toDecimal } from './decimal.ts'
import { formatMoney, type Money, sumMoney } from './money.ts'
import { boundary, type Every } from './period.ts'
import {
  creditCap,
  prorate,
  type Share,
  shareOf,
  shareUsed,
  type Span,
  splitByTime,
  type TimeCount,
  unusedShare,
} from './proration.ts'
import { ONE } from './quantity.ts'

const UTC_DAYS: TimeCount = { timeZone: 'UTC', unit: 'day' }
const MARCH = span('2025-03-01T00:00Z', '2025-04-01T00:00Z')

describe('shareOf', () => {
  test.each<[what: string, part: Span, whole: Span, count: TimeCount, wanted: string]>([
    ['nothing', span('2025-03-15T12:00Z', '2025-03-15T12:00Z'), MARCH, UTC_DAYS, '0/31'],
    ['the whole', MARCH, MARCH, UTC_DAYS, '31/31'],
    ['the last day', span('2025-03-31T00:00Z', '2025-04-01T00:00Z'), MARCH, UTC_DAYS, '1/31'],
    ['what remains, with the day of the change', span('2025-03-15T18:30Z', '2025-04-01T00:00Z'), MARCH, UTC_DAYS, '17/31'],
    ['what went before it, without', span('2025-03-01T00:00Z', '2025-03-15T18:30Z'), MARCH, UTC_DAYS, '14/31'],
    [
      'days of the customer and not of UTC',
      span('2025-03-15T18:30Z', '2025-03-31T18:30Z'),
      span('2025-02-28T18:30Z', '2025-03-31T18:30Z'),
      { timeZone: 'Asia/Kolkata', unit: 'day' },
      '16/31',
    ],
    [
      'a month with a clock change, by days',
      span('2025-03-30T00:00+01:00', '2025-04-01T00:00+02:00'),
      span('2025-03-01T00:00+01:00', '2025-04-01T00:00+02:00'),
      { timeZone: 'Europe/Berlin', unit: 'day' },
      '2/31',
    ],
    [
      'the same by the clock, an hour less',
      span('2025-03-30T00:00+01:00', '2025-04-01T00:00+02:00'),
      span('2025-03-01T00:00+01:00', '2025-04-01T00:00+02:00'),
      { timeZone: 'Europe/Berlin', unit: 'second' },
      `${47 * 3_600_000}/${743 * 3_600_000}`,
    ],
    [
      'a part of a day by the clock',
      span('2025-03-31T12:00Z', '2025-04-01T00:00Z'),
      MARCH,
      { timeZone: 'UTC', unit: 'second' },
      '43200000/2678400000',
    ],
  ])('counts %s', (_, part, whole, count, wanted) => {
    expect(text(shareOf(part, whole, count))).toBe(wanted)
  })

  test('refuses a part that is not within the whole, and a whole without a day', () => {
    expect(() => shareOf(span('2025-02-28T23:00Z', '2025-03-02T00:00Z'), MARCH, UTC_DAYS)).toThrow('a part is within its whole')
    expect(() => shareOf([MARCH[1], MARCH[0]], MARCH, UTC_DAYS)).toThrow('a part is within its whole')
    const hours = span('2025-03-01T10:00Z', '2025-03-01T20:00Z')
    expect(() => shareOf(hours, hours, UTC_DAYS)).toThrow('a whole has at least one day')
    expect(() => shareOf([5, 5], [5, 5], { timeZone: 'UTC', unit: 'second' })).toThrow('a whole has at least one day')
  })
})

describe('prorate', () => {
  test.each<[price: string, share: [number, number], currency: string, amount: string]>([
    ['29.00', [0, 31], 'USD', '0.00'],
    ['29.00', [31, 31], 'USD', '29.00'],
    ['0', [17, 31], 'USD', '0.00'],
    ['10', [17, 31], 'USD', '5.48'],
    ['0.01', [1, 2], 'USD', '0.01'],
    ['0.01', [49, 100], 'USD', '0.00'],
    ['0.000001', [1, 2], 'USD', '0.00'],
    ['5', [1, 2], 'JPY', '3'],
    ['1', [1, 3], 'KWD', '0.333'],
    ['1000000000000', [1, 3], 'USD', '333333333333.33'],
  ])('takes of %s the share %j in %s: %s', (price, [numerator, denominator], currency, amount) => {
    expect(formatMoney(prorate(decimal(price), share(numerator, denominator), currency))).toBe(amount)
  })

  test('refuses more than the whole and less than nothing', () => {
    for (const wrong of [share(2, 1), share(-1, 1), share(0, 0)])
      expect(() => prorate(decimal('1'), wrong, 'USD')).toThrow('a share is from 0 to 1')
  })
})

describe('what is unused', () => {
  test.each<[what: string, used: Share[], unused: string]>([
    ['the time, where nothing was used', [share(10, 31), share(0, 1)], '21/31'],
    ['the allowance, where it went faster than the time', [share(10, 31), share(9, 10)], '1/10'],
    ['the allowance that is used most', [share(10, 31), share(1, 10), share(1, 2), share(1, 3)], '1/2'],
    ['the time alone', [share(10, 31)], '21/31'],
    ['nothing, where the allowance is gone', [share(0, 31), share(5, 5)], '0/5'],
    ['all of it at the start', [share(0, 31), share(0, 100)], '31/31'],
  ])('is %s', (_, [time, ...allowances], unused) => {
    expect(text(unusedShare(time ?? share(0, 1), ...allowances))).toBe(unused)
  })

  test('an allowance is used up at most, and never when it is nothing or has no end', () => {
    expect(text(shareUsed(3n * ONE, 10n * ONE))).toBe('3000000/10000000')
    expect(text(shareUsed(12n * ONE, 10n * ONE))).toBe('10000000/10000000')
    expect(text(shareUsed(12n * ONE, 0n))).toBe('0/1')
    expect(text(shareUsed(12n * ONE, 'unlimited'))).toBe('0/1')
  })
})

describe('creditCap', () => {
  test.each<[potential: bigint, paid: bigint, credited: bigint, credit: bigint]>([
    [10n, 20n, 0n, 10n],
    [20n, 20n, 0n, 20n],
    [21n, 20n, 0n, 20n],
    [20n, 20n, 1n, 19n],
    [20n, 20n, 25n, 0n],
    [-1n, 20n, 0n, 0n],
  ])('gives of %s back, where %s was paid and %s credited, %s', (potential, paid, credited, credit) => {
    expect(creditCap({ potential: usd(potential), paid: usd(paid), credited: usd(credited) })).toEqual(usd(credit))
  })

  test('refuses currencies that differ', () => {
    const euro = { minor: 1n, currency: 'EUR' }
    expect(() => creditCap({ potential: usd(1n), paid: euro, credited: usd(0n) })).toThrow('in the currency of the payment')
    expect(() => creditCap({ potential: usd(1n), paid: usd(1n), credited: euro })).toThrow('in the currency of the payment')
  })
})

describe('splitByTime', () => {
  test('gives the units that are left over to the largest remainders', () => {
    const parts = [span('2025-03-01T00:00Z', '2025-03-11T00:00Z'), span('2025-03-11T00:00Z', '2025-03-21T00:00Z')]
    parts.push(span('2025-03-21T00:00Z', '2025-04-01T00:00Z'))
    expect(splitByTime(usd(1000n), parts, UTC_DAYS).map(formatMoney)).toEqual(['3.23', '3.22', '3.55'])
    expect(splitByTime(usd(-1000n), parts, UTC_DAYS).map(formatMoney)).toEqual(['-3.23', '-3.22', '-3.55'])
  })

  test('refuses parts that leave a gap', () => {
    const parts = [span('2025-03-01T00:00Z', '2025-03-11T00:00Z'), span('2025-03-12T00:00Z', '2025-04-01T00:00Z')]
    expect(() => splitByTime(usd(1000n), parts, UTC_DAYS)).toThrow('the parts of a period join')
  })
})

describe('laws of proration', () => {
  const ZONES = [
    'UTC',
    'Europe/Berlin',
    'Asia/Kolkata',
    'America/St_Johns',
    'America/Sao_Paulo',
    'Pacific/Apia',
    'Australia/Lord_Howe',
  ]
  const everies: fc.Arbitrary<Every> = fc.constantFrom<Every[]>(
    { unit: 'week', count: 1 },
    { unit: 'month', count: 1 },
    { unit: 'month', count: 3 },
    { unit: 'month', count: 12 },
  )
  const counts: fc.Arbitrary<TimeCount> = fc.record({
    timeZone: fc.constantFrom(...ZONES),
    unit: fc.constantFrom('day', 'second'),
  })
  /** A period with places in it where it is cut, in order and some twice. */
  const cutPeriods: fc.Arbitrary<{ readonly count: TimeCount; readonly whole: Span; readonly parts: readonly Span[] }> = fc
    .record({
      count: counts,
      every: everies,
      anchor: fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2040, 0, 1) }),
      n: fc.integer({ min: -30, max: 30 }),
      cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
    })
    .map(({ count, every, anchor, n, cuts }) => {
      const schedule = { anchor, every, timeZone: count.timeZone }
      const whole: Span = [boundary(schedule, n), boundary(schedule, n + 1)]
      const places = cuts.map((cut) => whole[0] + Math.floor(cut * (whole[1] - whole[0]))).toSorted((a, b) => a - b)
      const edges = [whole[0], ...places, whole[1]]
      return { count, whole, parts: edges.slice(1).map((end, index): Span => [edges[index] ?? end, end]) }
    })
  const prices = fc.bigInt({ min: 0n, max: 10n ** 15n }).map((coefficient) => toDecimal(coefficient, 12))
  const shares: fc.Arbitrary<Share> = fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.bigInt({ min: 1n, max: 10n ** 15n }))
    .map(([a, b]) => ({ numerator: a < b ? a : b, denominator: a < b ? b : a + 1n }))

  test('however a period is cut, the shares of its parts sum to the whole', () => {
    fc.assert(
      fc.property(cutPeriods, ({ count, whole, parts }) => {
        const cut = parts.map((part) => shareOf(part, whole, count))
        const { denominator } = shareOf(whole, whole, count)
        expect(cut.every((part) => part.denominator === denominator && part.numerator >= 0n)).toBe(true)
        expect(cut.reduce((sum, part) => sum + part.numerator, 0n)).toBe(denominator)
      }),
      { numRuns: 300 },
    )
  })

  test('however a period is cut, the amounts of its parts sum to the amount, and none is off by a minor unit', () => {
    fc.assert(
      fc.property(cutPeriods, fc.bigInt({ min: 0n, max: 10n ** 12n }), ({ count, whole, parts }, minor) => {
        const amounts = splitByTime(usd(minor), parts, count)
        expect(sumMoney(amounts, 'USD')).toEqual(usd(minor))
        for (const [index, part] of parts.entries()) {
          const { numerator, denominator } = shareOf(part, whole, count)
          const error = (amounts[index]?.minor ?? -1n) * denominator - minor * numerator
          expect(error < denominator && error > -denominator).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('what is used and what remains of a price make the price, to the one minor unit that two roundings can differ by', () => {
    fc.assert(
      fc.property(prices, shares, (price, { numerator, denominator }) => {
        const whole = prorate(price, share(1, 1), 'USD').minor
        const both =
          prorate(price, { numerator, denominator }, 'USD').minor +
          prorate(price, { numerator: denominator - numerator, denominator }, 'USD').minor
        expect(both - whole >= -1n && both - whole <= 1n).toBe(true)
      }),
    )
  })

  test('nothing of a price is nothing, all of it is the price, and more time never costs less', () => {
    fc.assert(
      fc.property(prices, shares, shares, (price, a, b) => {
        expect(prorate(price, { numerator: 0n, denominator: a.denominator }, 'USD')).toEqual(usd(0n))
        expect(prorate(price, { numerator: a.denominator, denominator: a.denominator }, 'USD')).toEqual(
          prorate(price, share(1, 1), 'USD'),
        )
        const [amountA, amountB] = [a, b].map((of) => prorate(price, of, 'USD').minor)
        const isMore = a.numerator * b.denominator >= b.numerator * a.denominator
        expect(isMore ? (amountA ?? -1n) >= (amountB ?? 0n) : (amountB ?? -1n) >= (amountA ?? 0n)).toBe(true)
      }),
    )
  })

  test('what is unused is never more than the time that is left, nor than the allowance that is left', () => {
    fc.assert(
      fc.property(shares, shares, (time, allowance) => {
        const unused = unusedShare(time, allowance)
        const isAtMostLeftOf = ({ numerator, denominator }: Share): boolean =>
          unused.numerator * denominator <= (denominator - numerator) * unused.denominator
        expect(isAtMostLeftOf(time) && isAtMostLeftOf(allowance) && unused.numerator >= 0n).toBe(true)
        // And it is one of the two.
        expect([time, allowance].map((of) => text({ ...of, numerator: of.denominator - of.numerator }))).toContain(text(unused))
      }),
    )
  })

  test('credits of one payment never sum to more than was paid, and none is negative', () => {
    const amounts = fc.bigInt({ min: -100n, max: 10n ** 9n })
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 9n }), fc.array(amounts), (paid, potentials) => {
        let credited = usd(0n)
        for (const potential of potentials) {
          const credit = creditCap({ potential: usd(potential), paid: usd(paid), credited })
          expect(credit.minor >= 0n).toBe(true)
          credited = usd(credited.minor + credit.minor)
        }
        expect(credited.minor <= paid).toBe(true)
      }),
    )
  })
})

function share(numerator: number, denominator: number): Share {
  return { numerator: BigInt(numerator), denominator: BigInt(denominator) }
}

function text({ numerator, denominator }: Share): string {
  return `${numerator}/${denominator}`
}

function usd(minor: bigint): Money {
  return { minor, currency: 'USD' }
}

function span(start: string, end: string): Span {
  return [Date.parse(start), Date.parse(end)]
}
