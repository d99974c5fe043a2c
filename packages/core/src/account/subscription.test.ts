import { describe, expect, test } from 'vitest'
import { catalogOf, JANUARY, movedTo, segmentAsText, subscribedTo, utc } from '../../test/accounts.ts'
import { moneyToDecimal } from '../values/money.ts'
import { withEnd, withPause } from './change-segments.ts'
import {
  countedAt,
  endingPeriod,
  intervalAt,
  isInvoiced,
  isLateMoment,
  nextMomentAfter,
  priceChain,
  type Segment,
  segmentAt,
  segmentFor,
  statusAt,
  type Subscription,
  subscriptionColumns,
  subscriptionFromDocument,
  subscriptionToDocument,
  usagePeriod,
  withLateMoment,
  withNextMoment,
  withSegments,
} from './subscription.ts'

const catalog = catalogOf({
  week: { price: '1', interval: 'week' },
  month: { price: '1', interval: 'month' },
  quarter: { price: '1', interval: 'quarter' },
  year: { price: '1', interval: 'year' },
  once: { price: '1', interval: 'one_time' },
  tried: { price: '1', interval: 'month', trialDays: 10 },
})

describe('billing moments', () => {
  test.each([
    ['week', '2026-01-01', ['2026-01-01', '2026-01-08', '2026-01-15', '2026-01-22']],
    ['month', '2026-01-31', ['2026-01-31', '2026-02-28', '2026-03-31', '2026-04-30']],
    ['quarter', '2026-01-31', ['2026-01-31', '2026-02-28', '2026-03-31', '2026-04-30']],
    ['year', '2024-02-29', ['2024-02-29', '2024-03-29', '2024-04-29', '2024-05-29']],
    ['once', '2026-01-15', ['2026-01-15', '2026-02-15', '2026-03-15', '2026-04-15']],
    ['tried', '2026-01-01', ['2026-01-01', '2026-01-11', '2026-02-11', '2026-03-11']],
  ])('of a plan by the %s from %s are its start and the end of each usage period', (plan, startsAt, moments) => {
    expect(momentsOf(subscribedTo(catalog, plan, { startsAt: utc(startsAt) }), 4)).toEqual(moments)
  })

  test('stand on the customer’s days: a clock change moves the instant, not the day', () => {
    const berlin = subscribedTo(catalog, 'month', { startsAt: utc('2026-02-28T23:00'), timeZone: 'Europe/Berlin' })
    expect(momentsOf(berlin, 3)).toEqual(['2026-02-28T23:00', '2026-03-31T22:00', '2026-04-30T22:00'])
  })

  test('come no more after the end, which is one', () => {
    const ended = withEnd({ subscription: subscribedTo(catalog, 'month'), at: utc('2026-02-10'), credit: null })
    expect(momentsOf(ended, 9)).toEqual(['2026-01-01', '2026-02-01', '2026-02-10'])
  })

  test('do not come during a pause, but at its beginning and its end', () => {
    const paused = withPause({
      subscription: subscribedTo(catalog, 'month'),
      at: utc('2026-01-20'),
      resumesAt: utc('2026-05-02'),
      credit: null,
    })
    expect(momentsOf(paused, 4)).toEqual(['2026-01-01', '2026-01-20', '2026-05-02', '2026-06-02'])
  })

  test('after the end are one more where something came late, and it has no period', () => {
    let ended = withEnd({ subscription: subscribedTo(catalog, 'month'), at: utc('2026-01-10'), credit: null })
    while (ended.dueAt !== null) ended = withNextMoment(ended)
    expect([ended.nextMoment, isLateMoment(ended)]).toEqual([2, false])
    const late = withLateMoment(ended)
    expect([late.dueAt, isLateMoment(late)]).toEqual([utc('2026-01-10'), true])
    expect(withLateMoment(late)).toBe(late)
    expect(withNextMoment(late)).toEqual({ ...ended, nextMoment: 3 })
  })

  test('that are still to come bill what comes late themselves', () => {
    const begun = withNextMoment(subscribedTo(catalog, 'month'))
    expect(withLateMoment(begun)).toBe(begun)
  })

  test('are not passed before they are due', () => {
    const over: Subscription = { ...subscribedTo(catalog, 'month'), dueAt: null }
    expect(() => withNextMoment(over)).toThrow('a billing moment that is passed was due')
  })
})

describe('the interval of a base price', () => {
  test.each([
    ['week', '2026-01-09', '2026-01-08', '2026-01-15'],
    ['month', '2026-02-10', '2026-02-01', '2026-03-01'],
    ['quarter', '2026-02-10', '2026-01-01', '2026-04-01'],
    ['quarter', '2026-04-01', '2026-04-01', '2026-07-01'],
    ['year', '2026-12-31T23:59', '2026-01-01', '2027-01-01'],
  ])('of a plan by the %s at %s is from %s to %s', (plan, at, start, end) => {
    const subscription = subscribedTo(catalog, plan)
    expect(intervalAt(onlySegment(subscription), 'UTC', utc(at))).toMatchObject({ start: utc(start), end: utc(end) })
  })

  test('that is paid once has no end', () => {
    expect(intervalAt(onlySegment(subscribedTo(catalog, 'once')), 'UTC', utc('2027-01-01'))).toEqual({
      index: 0,
      start: JANUARY,
      end: Infinity,
    })
  })
})

describe('a usage period', () => {
  const ended = withEnd({ subscription: subscribedTo(catalog, 'month'), at: utc('2026-02-10'), credit: null })

  test.each([
    ['2026-01-31T23:59', '2026-01-01', '2026-02-01'],
    ['2026-02-01', '2026-02-01', '2026-02-10'],
  ])('that holds %s is from %s to %s: it ends with its segment', (at, start, end) => {
    expect(usagePeriod(onlySegment(ended), 'UTC', utc(at))).toMatchObject({ start: utc(start), end: utc(end) })
  })

  test('of a trial is the whole trial', () => {
    const [trial] = subscribedTo(catalog, 'tried').segments
    expect(usagePeriod(trial as Segment, 'UTC', utc('2026-01-05'))).toMatchObject({ start: JANUARY, end: utc('2026-01-11') })
  })

  test('ends at the next moment; before the first and in a pause none does', () => {
    const begun = subscribedTo(catalog, 'month')
    expect(endingPeriod(begun)).toBeNull()
    expect(endingPeriod(withNextMoment(begun))?.period).toMatchObject({ start: JANUARY, end: utc('2026-02-01') })
    const paused = withPause({
      subscription: withNextMoment(begun),
      at: utc('2026-01-20'),
      resumesAt: utc('2026-03-01'),
      credit: null,
    })
    expect(endingPeriod(paused)?.period.end).toBe(utc('2026-01-20'))
    expect(endingPeriod(withNextMoment(paused))).toBeNull()
  })
})

describe('the segment', () => {
  const paused = withPause({
    subscription: subscribedTo(catalog, 'tried'),
    at: utc('2026-02-11'),
    resumesAt: utc('2026-03-01'),
    credit: null,
  })

  test('that holds an instant has its first and not its last', () => {
    const kinds = [
      '2025-12-31',
      '2026-01-01',
      '2026-01-10T23:59',
      '2026-01-11',
      '2026-02-10T23:59',
      '2026-02-11',
      '2026-03-01',
    ].map((at) => segmentAt(paused, utc(at))?.kind ?? null)
    expect(kinds).toEqual([null, 'trial', 'trial', 'plan', 'plan', 'pause', 'plan'])
  })

  test('for an instant is the one in force, the last that was, or the first to come', () => {
    const ended = withEnd({ subscription: subscribedTo(catalog, 'month'), at: utc('2026-02-10'), credit: null })
    expect(['2025-01-01', '2026-01-05', '2027-01-01'].map((at) => segmentFor(ended, utc(at)).startsAt)).toEqual([
      JANUARY,
      JANUARY,
      JANUARY,
    ])
  })

  test('follows the one before it, and has a duration', () => {
    const [trial, plan] = paused.segments as [Segment, Segment]
    expect(() => withSegments(paused, [{ ...trial, endsAt: trial.startsAt }])).toThrow('a segment has a duration')
    expect(() => withSegments(paused, [{ ...trial, endsAt: null }, plan])).toThrow('segments follow one another')
    expect(() => withSegments(paused, [trial, { ...plan, startsAt: plan.startsAt - 1 }])).toThrow('segments follow one another')
  })

  test('goes on through changes of price', () => {
    const twice = movedTo(movedTo(subscribedTo(catalog, 'month'), '2026-01-05', catalog), '2026-02-07', catalog)
    expect(twice.segments.map(segmentAsText)).toEqual([
      'plan month 2026-01-01 – 2026-01-05',
      'plan month 2026-01-05 – 2026-02-07 price 1/1',
      'plan month 2026-02-07 – … price 1/1',
    ])
    for (const segment of twice.segments)
      expect(priceChain(twice, segment)).toEqual({ first: twice.segments[0], last: twice.segments[2] })
  })
})

describe('the status', () => {
  const begun = subscribedTo(catalog, 'tried')
  const ended = withEnd({ subscription: begun, at: utc('2026-02-11'), credit: null })

  test.each<[Subscription, string, string]>([
    [begun, '2025-12-01', 'active'],
    [begun, '2026-01-05', 'trialing'],
    [begun, '2026-01-11', 'active'],
    [{ ...begun, standing: 'pending_payment' }, '2026-01-05', 'pending_payment'],
    [{ ...begun, standing: 'past_due' }, '2026-01-20', 'past_due'],
    [ended, '2026-02-10T23:59', 'active'],
    [ended, '2026-02-11', 'canceled'],
    [{ ...ended, standing: 'past_due' }, '2026-02-11', 'canceled'],
  ])('of %o at %s is %s', (subscription, at, status) => {
    expect(statusAt(subscription, utc(at))).toBe(status)
  })
})

describe('an instant of a clock', () => {
  const begun = subscribedTo(catalog, 'month')
  const billed = withNextMoment(withNextMoment(begun))

  test.each<[string, Subscription, string, string]>([
    ['counts where it is', billed, '2026-02-05', '2026-02-05'],
    ['that is behind counts in the first period that is not invoiced', billed, '2026-01-20', '2026-02-01'],
    ['before a start that has begun counts at the start', begun, '2025-12-31', '2026-01-01'],
    ['before a start that is to come counts where it is', { ...begun, createdAt: utc('2025-06-01') }, '2025-12-31', '2025-12-31'],
  ])('%s', (_, subscription, at, counted) => {
    expect(countedAt(subscription, utc(at))).toBe(utc(counted))
  })

  test('is invoiced before the instant up to which everything is', () => {
    expect([isInvoiced(begun, JANUARY), isInvoiced(billed, utc('2026-01-31')), isInvoiced(billed, utc('2026-02-01'))]).toEqual([
      false,
      true,
      false,
    ])
  })
})

describe('what a store keeps', () => {
  test('is read as it was written', () => {
    const full: Subscription = {
      ...withEnd({
        subscription: subscribedTo(catalog, 'tried', { timeZone: 'Asia/Tokyo' }),
        at: utc('2026-03-01'),
        credit: { rule: 'time' },
      }),
      discounts: [{ coupon: 'half', catalogVersion: catalog.version, redeemedAt: 5, cyclesLeft: 2 }],
      paidBase: { period: [JANUARY, utc('2026-02-01')], amount: { minor: 2n ** 60n, currency: 'USD' }, invoiceId: 'sub_1-0' },
      billedInInterval: { minor: 123n, currency: 'USD' },
    }
    expect(subscriptionFromDocument(subscriptionToDocument(full))).toEqual(full)
    expect(moneyToDecimal(subscriptionFromDocument(subscriptionToDocument(full)).billedInInterval).coefficient).toBe(123n)
  })

  test('shows the plan of the segment up to which it is invoiced', () => {
    const ended = withEnd({ subscription: subscribedTo(catalog, 'tried'), at: utc('2026-03-01'), credit: null })
    expect(subscriptionColumns(withNextMoment(ended))).toEqual({
      id: 'sub_1',
      plan: 'tried',
      catalogVersion: catalog.version,
      status: 'trialing',
      anchor: JANUARY,
      startsAt: JANUARY,
      endsAt: utc('2026-03-01'),
      nextMoment: 1,
      dueAt: utc('2026-01-11'),
    })
    expect(subscriptionColumns(withNextMoment(withNextMoment(ended)))).toMatchObject({
      status: 'active',
      anchor: utc('2026-01-11'),
    })
  })
})

/** Days of the first moments, as texts. */
function momentsOf(subscription: Subscription, most: number): string[] {
  const moments: string[] = []
  let at = nextMomentAfter(subscription, null)
  while (at !== null && moments.length < most) {
    moments.push(
      new Date(at)
        .toISOString()
        .replace(/T00:00:00.000Z$/, '')
        .replace(/:00.000Z$/, ''),
    )
    at = nextMomentAfter(subscription, at)
  }
  return moments
}

function onlySegment({ segments }: Subscription): Segment {
  expect(segments).toHaveLength(1)
  return segments[0] as Segment
}
