import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { accountWith, catalogOf, changedTo, grantOf, movedTo, offersOf, planIn, subscribedTo, utc } from '../../test/accounts.ts'
import { planOf } from '../moment.ts'
import { add, decimal, DECIMAL_ZERO, formatDecimal } from '../values/decimal.ts'
import { withEnd, withoutEnd, withPause } from './change-segments.ts'
import { planGrant, withPlanGrantsOf } from './plan-grant.ts'
import { type Segment, segmentAt, type Subscription } from './subscription.ts'

const CALLS = { features: { calls: { credits: 1 } } }
const catalog = catalogOf({
  credits: { price: '10', interval: 'month', consumption: 'credits', credits: 100, ...CALLS },
  more: { price: '20', interval: 'month', consumption: 'credits', credits: 310, ...CALLS },
  none: { price: '10', interval: 'month', consumption: 'credits', credits: 0, ...CALLS },
  weekly: { price: '10', interval: 'week', consumption: 'credits', credits: 7, ...CALLS },
  tried: { price: '10', interval: 'month', consumption: 'credits', credits: 5, trialDays: 45, ...CALLS },
  quarterly: { price: '100', interval: 'quarter', consumption: 'balance' },
  yearly: { price: '100', interval: 'year', consumption: 'balance' },
  once: { price: '100', interval: 'one_time', consumption: 'balance' },
  bonus: { price: '10', interval: 'month', consumption: 'balance', includedBalance: '12.34' },
  metered: { price: '10', interval: 'month' },
})

describe('a plan grants', () => {
  test('its credits for each usage period, under a name of that period', () => {
    expect(grantAt(subscribedTo(catalog, 'credits'), '2026-01-31T23:59')).toEqual(
      grantOf(`plan-${utc('2026-01-01')}`, {
        source: 'plan',
        granted: decimal('100'),
        startsAt: utc('2026-01-01'),
        createdAt: utc('2026-01-01'),
        expiresAt: utc('2026-02-01'),
      }),
    )
    expect(grantAt(subscribedTo(catalog, 'credits'), '2026-02-01')?.id).toBe(`plan-${utc('2026-02-01')}`)
  })

  test.each([
    ['weekly', '2026-01-14', '7', '2026-01-08', '2026-01-15'],
    ['bonus', '2026-03-31', '12.34', '2026-03-01', '2026-04-01'],
    ['tried', '2026-02-14', '5', '2026-01-01', '2026-02-15'],
    ['tried', '2026-02-15', '5', '2026-02-15', '2026-03-15'],
    ['once', '2026-01-05', '100', '2026-01-01', '2026-02-01'],
  ])('on the plan %s, on %s, %s from %s to %s', (plan, at, granted, from, until) => {
    const grant = grantAt(subscribedTo(catalog, plan), at)
    expect(formatDecimal(grant?.granted ?? DECIMAL_ZERO)).toBe(granted)
    expect([grant?.startsAt, grant?.expiresAt]).toEqual([utc(from), utc(until)])
  })

  test.each([
    ['no credits', 'none', '2026-01-05'],
    ['units', 'metered', '2026-01-05'],
    ['the balance of a base price that is paid once, after its first period', 'once', '2026-02-05'],
  ])('nothing where it has %s', (_, plan, at) => {
    expect(grantAt(subscribedTo(catalog, plan), at)).toBeNull()
  })

  test('nothing while it is paused', () => {
    const paused = withPause({
      subscription: subscribedTo(catalog, 'credits'),
      at: utc('2026-01-10'),
      resumesAt: null,
      credit: null,
    })
    expect(grantAt(paused, '2026-01-20')).toBeNull()
    expect(grantAt(paused, '2026-01-05')?.expiresAt).toBe(utc('2026-01-10'))
  })
})

describe('a base price that becomes the balance', () => {
  test.each([
    ['quarterly', ['33.34', '33.33', '33.33', '33.34']],
    ['yearly', ['8.34', '8.34', '8.34', '8.34', '8.33', '8.33', '8.33', '8.33', '8.33', '8.33', '8.33', '8.33', '8.34']],
  ])('%s is spread over the months of its interval, to the cent', (plan, months) => {
    const subscription = subscribedTo(catalog, plan)
    const granted = months.map(
      (_, i) => grantAt(subscription, new Date(Date.UTC(2026, i, 15)).toISOString().slice(0, 10))?.granted,
    )
    expect(granted.map((amount) => formatDecimal(amount ?? DECIMAL_ZERO))).toEqual(months)
  })

  test('sums to the price over each interval, whatever the price', () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.constantFrom('quarter', 'year'), fc.nat(3), (cents, interval, round) => {
        const price = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
        const priced = catalogOf({ pro: { price, interval, consumption: 'balance' } })
        const subscription = subscribedTo(priced, 'pro')
        const length = interval === 'year' ? 12 : 3
        const parts = Array.from({ length }, (_, i) => {
          const at = Date.UTC(2026, round * length + i, 10)
          return (
            planGrant({ subscription, segment: heldBy(subscription, at), plan: planIn(priced, 'pro'), at })?.granted ??
            DECIMAL_ZERO
          )
        })
        expect(parts.reduce(add, DECIMAL_ZERO)).toEqual(decimal(price))
      }),
      { numRuns: 60 },
    )
  })
})

describe('inside a usage period', () => {
  const begun = subscribedTo(catalog, 'credits')
  const changed = changedTo(begun, '2026-01-11', { catalog, plan: 'more' })

  test('a change of plan ends the grant of the old one, and grants the share of the time that is left', () => {
    expect(grantAt(changed, '2026-01-05')).toMatchObject({ id: `plan-${utc('2026-01-01')}`, expiresAt: utc('2026-01-11') })
    expect(grantAt(changed, '2026-01-20')).toMatchObject({
      id: `plan-${utc('2026-01-11')}`,
      granted: decimal('210'),
      expiresAt: utc('2026-02-01'),
    })
    expect(grantAt(changed, '2026-02-20')?.granted).toEqual(decimal('310'))
  })

  test('a change of price goes on with the grant of the period, however often prices change in it', () => {
    const once = movedTo(begun, '2026-01-05', catalog)
    const twice = movedTo(once, '2026-01-10', catalog)
    for (const [subscription, at] of [
      [once, '2026-01-20'],
      [twice, '2026-01-03'],
      [twice, '2026-01-07'],
      [twice, '2026-01-20'],
    ] as const)
      expect(grantAt(subscription, at)).toEqual(grantAt(begun, '2026-01-20'))
    expect(grantAt(twice, '2026-02-20')?.id).toBe(`plan-${utc('2026-02-01')}`)
  })

  test('a change of price after a change of plan goes on with the share that was granted', () => {
    expect(grantAt(movedTo(changed, '2026-01-15', catalog), '2026-01-20')).toEqual(grantAt(changed, '2026-01-20'))
    expect(grantAt(movedTo(changed, '2026-02-15', catalog), '2026-02-20')).toEqual(grantAt(changed, '2026-02-20'))
  })

  test('a change of price in a trial does not grant again', () => {
    const trial = subscribedTo(catalog, 'tried')
    expect(grantAt(movedTo(trial, '2026-01-20', catalog), '2026-01-25')).toEqual(grantAt(trial, '2026-01-25'))
  })
})

describe('grants that were made', () => {
  const begun = subscribedTo(catalog, 'credits')
  const grants = accountWith(begun, {
    grants: [
      grantAt(begun, '2026-01-05') ?? grantOf('none'),
      grantOf('pack'),
      grantOf('short', { expiresAt: utc('2026-03-01') }),
    ],
  }).grants
  const ends = (subscription: Subscription): unknown =>
    [...withPlanGrantsOf(subscription, grants, (segment) => planOf(offersOf(catalog), subscription, segment)).values()].map(
      ({ expiresAt }) => expiresAt,
    )
  const others = [null, utc('2026-03-01')]

  test('end with the plan that made them, and others do not', () => {
    const ended = withEnd({ subscription: begun, at: utc('2026-01-20'), credit: null })
    expect(ends(ended)).toEqual([utc('2026-01-20'), ...others])
  })

  test('go on when an end is taken back', () => {
    const ended = withEnd({ subscription: begun, at: utc('2026-01-20'), credit: null })
    expect(ends(withoutEnd(ended, utc('2026-01-15')))).toEqual([utc('2026-02-01'), ...others])
  })

  test('go on when prices change', () => {
    expect(ends(movedTo(begun, '2026-01-20', catalog))).toEqual([utc('2026-02-01'), ...others])
    const then = withEnd({ subscription: movedTo(begun, '2026-01-20', catalog), at: utc('2026-01-25'), credit: null })
    expect(ends(then)).toEqual([utc('2026-01-25'), ...others])
  })
})

function grantAt(subscription: Subscription, day: string): ReturnType<typeof planGrant> {
  const at = utc(day)
  const segment = heldBy(subscription, at)
  return planGrant({ subscription, segment, plan: planIn(catalog, segment.plan), at })
}

function heldBy(subscription: Subscription, at: number): Segment {
  const segment = segmentAt(subscription, at)
  if (segment === null) throw new Error('a test asks for an instant with a plan')
  return segment
}
