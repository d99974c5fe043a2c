import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { catalogOf, changedTo, movedTo, planIn, subscribedTo, utc } from '../../test/accounts.ts'
import { parseQuantity } from '../values/quantity.ts'
import { type Share, shareUsed } from '../values/proration.ts'
import { creditRule, unusedOf } from './segment-credit.ts'
import { segmentAt, type Subscription } from './subscription.ts'

const catalog = catalogOf({
  free: { price: '0', interval: 'month' },
  monthly: { price: '31', interval: 'month' },
  dearer: { price: '62', interval: 'month' },
  exact: { price: '31', interval: 'month', prorationUnit: 'second' },
  timed: { price: '31', interval: 'month', proration: 'time' },
  never: { price: '31', interval: 'month', proration: 'none' },
  quarterly: { price: '90', interval: 'quarter' },
  yearly: { price: '365', interval: 'year' },
  once: { price: '31', interval: 'one_time' },
  tried: { price: '31', interval: 'month', trialDays: 20 },
})

const used = (units: string) => [shareUsed(parseQuantity(units), parseQuantity('100'))]

describe('a plan that ends before what was paid gives back', () => {
  test.each<[plan: string, at: string, usedUnits: string, share: string]>([
    ['monthly', '2026-01-11', '0', '21/31'],
    ['monthly', '2026-01-11T23:59', '0', '21/31'],
    ['monthly', '2026-01-01T12:00', '0', '31/31'],
    ['monthly', '2026-01-11', '10', '21/31'],
    ['monthly', '2026-01-11', '80', '20/100'],
    ['monthly', '2026-01-11', '100', '0/100'],
    ['exact', '2026-01-16T12:00', '0', '1/2'],
    ['quarterly', '2026-01-16', '0', '75/90'],
    // Burning the first of three allowances is a third of what was paid, by days.
    ['quarterly', '2026-01-16', '100', '59/90'],
    ['quarterly', '2026-02-01', '0', '59/90'],
    ['quarterly', '2026-02-15', '50', '45/90'],
    ['quarterly', '2026-02-15', '100', '31/90'],
    ['yearly', '2026-01-11', '100', '334/365'],
    ['once', '2026-01-16', '0', '16/31'],
  ])('%s on %s with %s of 100 used: %s', (plan, endsAt, units, share) => {
    expect(text(creditOf(subscribedTo(catalog, plan), endsAt, units))).toBe(reduced(share))
  })

  test('by the time alone where the plan says so', () => {
    expect(creditOf(subscribedTo(catalog, 'timed'), '2026-01-11', '100')).toEqual({ numerator: 21n, denominator: 31n })
  })

  test('of several allowances by the one that is used most', () => {
    const subscription = subscribedTo(catalog, 'monthly')
    const several = [...used('20'), ...used('90'), ...used('50')]
    expect(text(unusedOf({ ...at(subscription, '2026-01-11'), rule: 'max_consumption', used: several }))).toBe('1/10')
  })

  test.each([
    ['a free plan', 'free', '2026-01-11'],
    ['a plan that gives nothing back', 'never', '2026-01-11'],
    ['a trial, for which nothing was paid', 'tried', '2026-01-11'],
    ['a paid interval that is over', 'monthly', '2026-02-01'],
    ['a plan that is paid once, after its first period', 'once', '2026-02-10'],
  ])('nothing of %s', (_, plan, day) => {
    expect(creditOf(subscribedTo(catalog, plan), day, '0')).toBeNull()
  })
})

describe('what was paid', () => {
  test('after a change is the rest of the interval', () => {
    const changed = changedTo(subscribedTo(catalog, 'monthly'), '2026-01-11', { catalog, plan: 'dearer' })
    expect(text(creditOf(changed, '2026-01-21', '0'))).toBe(reduced('11/21'))
    expect(text(creditOf(changed, '2026-02-11', '0'))).toBe(reduced('18/28'))
  })

  test('goes on through a change of price', () => {
    const moved = movedTo(movedTo(subscribedTo(catalog, 'monthly'), '2026-01-05', catalog), '2026-01-08', catalog)
    expect(text(creditOf(moved, '2026-01-11', '0'))).toBe('21/31')
    expect(text(creditOf(movedTo(subscribedTo(catalog, 'once'), '2026-01-05', catalog), '2026-01-16', '0'))).toBe('16/31')
  })

  test('for less than a day is nothing', () => {
    const subscription = changedTo(subscribedTo(catalog, 'monthly', { startsAt: utc('2026-01-01T12:00') }), '2026-02-01T08:00', {
      catalog,
      plan: 'dearer',
    })
    expect(creditOf(subscription, '2026-02-01T10:00', '0')).toBeNull()
  })
})

describe('the share', () => {
  const plans = fc.constantFrom('monthly', 'exact', 'quarterly', 'yearly')
  const days = fc.integer({ min: 1, max: 364 })
  const shareOn = (plan: string, day: number, units: number): number => {
    const credit = creditOf(subscribedTo(catalog, plan), utc('2026-01-01') + day * 86_400_000, String(units))
    return credit === null ? 0 : Number(credit.numerator) / Number(credit.denominator)
  }

  test('is from nothing to all, and more use never gives back more', () => {
    fc.assert(
      fc.property(plans, days, fc.nat(100), fc.nat(100), (plan, day, a, b) => {
        const [less, more] = [shareOn(plan, day, Math.min(a, b)), shareOn(plan, day, Math.max(a, b))]
        expect(more).toBeGreaterThanOrEqual(0)
        expect(less).toBeGreaterThanOrEqual(more)
        expect(less).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('gets no larger with the time of an interval', () => {
    fc.assert(
      fc.property(days, days, (a, b) => {
        expect(shareOn('yearly', Math.max(a, b), 0)).toBeLessThanOrEqual(shareOn('yearly', Math.min(a, b), 0))
      }),
    )
  })
})

function at(subscription: Subscription, when: string | number) {
  const instant = typeof when === 'string' ? utc(when) : when
  const segment = segmentAt(subscription, instant - 1)
  if (segment === null) throw new Error('a test asks for an instant with a plan')
  return { subscription, segment, plan: planIn(catalog, segment.plan), at: instant }
}

function creditOf(subscription: Subscription, when: string | number, units: string): Share | null {
  const ended = at(subscription, when)
  const credit = creditRule(ended.plan)
  return credit === null ? null : unusedOf({ ...ended, ...credit, used: used(units) })
}

/** In lowest terms. */
function text(share: Share | null): string {
  return share === null ? 'none' : reduced(`${share.numerator}/${share.denominator}`)
}

function reduced(share: string): string {
  const [numerator = 0n, denominator = 1n] = share.split('/').map(BigInt)
  const divisor = commonDivisor(numerator, denominator)
  return `${numerator / divisor}/${denominator / divisor}`
}

function commonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : commonDivisor(b, a % b)
}
