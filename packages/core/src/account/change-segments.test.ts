import { describe, expect, test } from 'vitest'
import { catalogOf, changedTo, movedTo, planIn, segmentAsText, subscribedTo, utc } from '../../test/accounts.ts'
import {
  effectiveAt,
  isUpgrade,
  type PlanVersion,
  renewalAfter,
  withEnd,
  withNewPlan,
  withoutEnd,
  withPause,
  withPlan,
  withResumption,
} from './change-segments.ts'
import { type SegmentCredit, type Subscription, withNextMoment } from './subscription.ts'

const calls = (included: number) => ({ features: { calls: { included } } })
const catalog = catalogOf({
  free: { price: '0', interval: 'month', ...calls(10) },
  basic: { price: '0', interval: 'month', ...calls(20) },
  starter: { price: '10', interval: 'month', ...calls(100) },
  pro: { price: '30', interval: 'month', ...calls(310) },
  weekly: { price: '10', interval: 'week', ...calls(7) },
  quarterly: { price: '30', interval: 'quarter', ...calls(100) },
  bulk: { price: '60', interval: 'quarter', ...calls(300) },
  yearly: { price: '100', interval: 'year', ...calls(100) },
  once: { price: '500', interval: 'one_time', ...calls(100) },
  tried: { price: '10', interval: 'month', trialDays: 14, ...calls(5) },
})
const CREDIT: SegmentCredit = { rule: 'time' }

describe('an upgrade', () => {
  test.each([
    ['free', 'starter', true],
    ['free', 'basic', false],
    ['starter', 'free', false],
    ['starter', 'pro', true],
    ['pro', 'starter', false],
    ['starter', 'starter', false],
    ['weekly', 'starter', true],
    ['pro', 'weekly', false],
    ['pro', 'quarterly', true],
    ['bulk', 'yearly', true],
    ['yearly', 'bulk', false],
    ['yearly', 'once', true],
    ['once', 'pro', false],
  ])('from %s to %s: %s, for a longer interval outranks the price', (from, to, expected) => {
    expect(isUpgrade(planIn(catalog, from), planIn(catalog, to))).toBe(expected)
  })
})

describe('a change counts', () => {
  test.each([
    ['at once where nothing is invoiced', null, '2026-01-10', '2026-01-10'],
    ['at once after what is invoiced', '2026-01-09', '2026-01-10', '2026-01-10'],
    ['a moment later at the instant up to which it is', '2026-01-10', '2026-01-10', '2026-01-10T00:00:00.001'],
    ['a moment later where a clock is behind', '2026-02-01', '2026-01-10', '2026-02-01T00:00:00.001'],
  ])('%s', (_, billedUntil, at, counts) => {
    const subscription: Subscription = { ...on('starter'), billedUntil: billedUntil === null ? null : utc(billedUntil) }
    expect(effectiveAt(subscription, utc(at))).toBe(utc(counts))
  })

  test.each([
    ['weekly', '2026-01-10', '2026-01-15'],
    ['starter', '2026-01-10', '2026-02-01'],
    ['quarterly', '2026-02-10', '2026-04-01'],
    ['yearly', '2026-02-10', '2027-01-01'],
    ['once', '2026-02-10', '2026-03-01'],
    ['tried', '2026-01-10', '2026-01-15'],
    ['tried', '2026-01-15', '2026-02-15'],
  ])('at the renewal of %s after %s: on %s', (plan, at, renewal) => {
    expect(renewalAfter(on(plan), utc(at))).toBe(utc(renewal))
  })
})

describe('another plan', () => {
  test.each<[from: string, to: string, at: string, segments: readonly string[]]>([
    ['starter', 'pro', '2026-01-11', ['plan starter 2026-01-01 – 2026-01-11', 'plan pro 2026-01-11 – … change 21/31']],
    ['starter', 'pro', '2026-02-01', ['plan starter 2026-01-01 – 2026-02-01', 'plan pro 2026-02-01 – …']],
    ['free', 'starter', '2026-01-11', ['plan free 2026-01-01 – 2026-01-11', 'plan starter 2026-01-11 – …']],
    ['free', 'basic', '2026-01-11', ['plan free 2026-01-01 – 2026-01-11', 'plan basic 2026-01-11 – … change 21/31']],
    ['starter', 'free', '2026-01-11', ['plan starter 2026-01-01 – 2026-01-11', 'plan free 2026-01-11 – … change 21/31']],
    ['starter', 'yearly', '2026-01-11', ['plan starter 2026-01-01 – 2026-01-11', 'plan yearly 2026-01-11 – …']],
    ['quarterly', 'bulk', '2026-02-11', ['plan quarterly 2026-01-01 – 2026-02-11', 'plan bulk 2026-02-11 – … change 18/28']],
    ['quarterly', 'bulk', '2026-02-01', ['plan quarterly 2026-01-01 – 2026-02-01', 'plan bulk 2026-02-01 – … change 28/28']],
    ['quarterly', 'bulk', '2026-04-01', ['plan quarterly 2026-01-01 – 2026-04-01', 'plan bulk 2026-04-01 – …']],
    ['once', 'once', '2026-01-11', ['plan once 2026-01-01 – 2026-01-11', 'plan once 2026-01-11 – …']],
    [
      'tried',
      'pro',
      '2026-01-11',
      ['trial tried 2026-01-01 – 2026-01-11', 'trial pro 2026-01-11 – 2026-01-15 change 1/1', 'plan pro 2026-01-15 – …'],
    ],
    ['tried', 'pro', '2026-01-15', ['trial tried 2026-01-01 – 2026-01-15', 'plan pro 2026-01-15 – …']],
  ])('%s becomes %s on %s', (from, to, at, segments) => {
    expect(texts(changed(on(from), to, at))).toEqual(segments)
  })

  test('keeps the anchor where it goes on in the rhythm, and takes the instant where it does not', () => {
    const from = subscribedTo(catalog, 'starter', { startsAt: utc('2026-01-31') })
    expect(changed(from, 'pro', '2026-02-10').segments.at(-1)?.anchor).toBe(utc('2026-01-31'))
    expect(changed(from, 'yearly', '2026-02-10').segments.at(-1)?.anchor).toBe(utc('2026-02-10'))
    const free = subscribedTo(catalog, 'free', { startsAt: utc('2026-01-31') })
    expect(changed(free, 'basic', '2026-02-28').segments.at(-1)?.anchor).toBe(utc('2026-01-31'))
  })

  test('counts the share of the time in the days of the customer', () => {
    const tokyo = subscribedTo(catalog, 'starter', { startsAt: utc('2026-01-31T15:00'), timeZone: 'Asia/Tokyo' })
    // In Tokyo it is the last day of February already.
    expect(changed(tokyo, 'pro', '2026-02-27T15:30').segments.at(-1)?.cut?.share).toEqual([1, 28])
  })

  test('takes the place of everything that was to come, and of what its own instant would have given back', () => {
    const scheduled = changed(on('pro'), 'starter', '2026-01-20', CREDIT)
    expect(texts(scheduled)[0]).toBe('plan pro 2026-01-01 – 2026-01-20 credit time')
    expect(texts(changed(scheduled, 'yearly', '2026-01-15'))).toEqual([
      'plan pro 2026-01-01 – 2026-01-15',
      'plan yearly 2026-01-15 – …',
    ])
    expect(texts(withEnd({ subscription: scheduled, at: utc('2026-01-20'), credit: null }))).toEqual([
      'plan pro 2026-01-01 – 2026-01-20',
    ])
  })

  test('is due when it counts', () => {
    const billed = withNextMoment(on('starter'))
    expect(changed(billed, 'pro', '2026-01-11').dueAt).toBe(utc('2026-01-11'))
  })

  test('has to take the place of one', () => {
    const ended = withEnd({ subscription: on('starter'), at: utc('2026-01-11'), credit: null })
    const to: PlanVersion = { plan: planIn(catalog, 'pro'), catalogVersion: catalog.version }
    const change = {
      subscription: ended,
      at: utc('2026-01-11'),
      from: planIn(catalog, 'starter'),
      to,
      credit: null,
      used: new Map(),
    }
    expect(() => withPlan(change)).toThrow('a change is of a segment in force')
  })
})

describe('an end', () => {
  test('ends the plan, with what it gives back, and everything after it', () => {
    const scheduled = changed(on('pro'), 'starter', '2026-02-01')
    expect(texts(withEnd({ subscription: scheduled, at: utc('2026-01-20'), credit: CREDIT }))).toEqual([
      'plan pro 2026-01-01 – 2026-01-20 credit time',
    ])
    expect(texts(withEnd({ subscription: on('tried'), at: utc('2026-01-15'), credit: null }))).toEqual([
      'trial tried 2026-01-01 – 2026-01-15',
    ])
  })

  test.each<[string, Subscription, readonly string[]]>([
    ['of a plan', withEnd({ subscription: on('pro'), at: utc('2026-02-01'), credit: CREDIT }), ['plan pro 2026-01-01 – …']],
    [
      'of a trial, whose plan follows again',
      withEnd({ subscription: on('tried'), at: utc('2026-01-15'), credit: null }),
      ['trial tried 2026-01-01 – 2026-01-15', 'plan tried 2026-01-15 – …'],
    ],
    [
      'of a trial at other prices, whose plan has all of its allowance',
      withEnd({ subscription: movedTo(on('tried'), '2026-01-05', catalog, { calls: '2' }), at: utc('2026-01-15'), credit: null }),
      ['trial tried 2026-01-01 – 2026-01-05', 'trial tried 2026-01-05 – 2026-01-15 price 1/1', 'plan tried 2026-01-15 – …'],
    ],
    ['by another plan', changed(on('pro'), 'starter', '2026-02-01'), ['plan pro 2026-01-01 – …']],
    [
      'by a pause',
      withPause({ subscription: on('pro'), at: utc('2026-02-01'), resumesAt: null, credit: CREDIT }),
      ['plan pro 2026-01-01 – …'],
    ],
    ['that nobody set', on('pro'), ['plan pro 2026-01-01 – …']],
  ])('%s can be taken back', (_, subscription, segments) => {
    expect(texts(withoutEnd(subscription, utc('2026-01-10')))).toEqual(segments)
  })
})

describe('a pause', () => {
  test('lasts until it is resumed', () => {
    const paused = withPause({ subscription: on('pro'), at: utc('2026-01-20'), resumesAt: null, credit: CREDIT })
    expect(texts(paused)).toEqual(['plan pro 2026-01-01 – 2026-01-20 credit time', 'pause pro 2026-01-20 – …'])
    expect(texts(withResumption({ subscription: paused, at: utc('2026-03-05') }))).toEqual([
      'plan pro 2026-01-01 – 2026-01-20 credit time',
      'pause pro 2026-01-20 – 2026-03-05',
      'plan pro 2026-03-05 – …',
    ])
  })

  test('may end by itself, in a rhythm of its own, or earlier when somebody resumes it', () => {
    const paused = withPause({ subscription: on('pro'), at: utc('2026-01-20'), resumesAt: utc('2026-03-05'), credit: null })
    expect(texts(paused).slice(1)).toEqual(['pause pro 2026-01-20 – 2026-03-05', 'plan pro 2026-03-05 – …'])
    expect(paused.segments.at(-1)?.anchor).toBe(utc('2026-03-05'))
    expect(texts(withResumption({ subscription: paused, at: utc('2026-02-01') })).slice(1)).toEqual([
      'pause pro 2026-01-20 – 2026-02-01',
      'plan pro 2026-02-01 – …',
    ])
  })

  test('is of the plan that would be in force: nothing of what cut it goes on', () => {
    const scheduled = changed(on('pro'), 'starter', '2026-01-20')
    const paused = withPause({ subscription: scheduled, at: utc('2026-01-20'), resumesAt: utc('2026-03-05'), credit: null })
    expect(texts(paused).slice(1)).toEqual(['pause starter 2026-01-20 – 2026-03-05', 'plan starter 2026-03-05 – …'])
  })
})

describe('a plan after the last one ended', () => {
  const ended = withEnd({ subscription: on('pro'), at: utc('2026-01-20'), credit: null })
  const to: PlanVersion = { plan: planIn(catalog, 'tried'), catalogVersion: catalog.version }

  test.each([
    ['begins when it is asked to, with its trial', ended, '2026-02-10', '2026-02-10', '2026-02-24'],
    ['begins no earlier than the last one ended', ended, '2026-01-05', '2026-01-20', '2026-02-03'],
  ])('%s', (_, subscription, startsAt, trial, plan) => {
    expect(texts(withNewPlan(subscription, to, utc(startsAt)))).toEqual([
      'plan pro 2026-01-01 – 2026-01-20',
      `trial tried ${trial} – ${plan}`,
      `plan tried ${plan} – …`,
    ])
  })

  test('begins after what is invoiced', () => {
    const billed = { ...ended, billedUntil: utc('2026-01-20') }
    expect(withNewPlan(billed, to, utc('2026-01-20')).segments[1]?.startsAt).toBe(utc('2026-01-20') + 1)
  })
})

function on(plan: string): Subscription {
  return subscribedTo(catalog, plan)
}

function texts({ segments }: Subscription): string[] {
  return segments.map(segmentAsText)
}

function changed(subscription: Subscription, plan: string, day: string, credit: SegmentCredit | null = null): Subscription {
  return changedTo(subscription, day, { catalog, plan, credit })
}
