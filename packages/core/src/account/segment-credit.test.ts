import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { accountWith, catalogOf, changedTo, grantOf, movedTo, planIn, subscribedTo, usedOf, utc } from '../../test/accounts.ts'
import { decimal } from '../values/decimal.ts'
import type { Share } from '../values/proration.ts'
import type { AccountState } from './account-state.ts'
import { creditRule, unusedOf } from './segment-credit.ts'
import { segmentAt, type Subscription, usagePeriod } from './subscription.ts'

const calls = { features: { calls: { included: 100 }, files: { included: 'unlimited' } } } as const
const catalog = catalogOf({
  free: { price: '0', interval: 'month', ...calls },
  monthly: { price: '31', interval: 'month', ...calls },
  dearer: { price: '62', interval: 'month', ...calls },
  exact: { price: '31', interval: 'month', prorationUnit: 'second', ...calls },
  timed: { price: '31', interval: 'month', proration: 'time', ...calls },
  never: { price: '31', interval: 'month', proration: 'none', ...calls },
  quarterly: { price: '90', interval: 'quarter', ...calls },
  yearly: { price: '365', interval: 'year', ...calls },
  once: { price: '31', interval: 'one_time', ...calls },
  tried: { price: '31', interval: 'month', trialDays: 20, ...calls },
  credits: { price: '31', interval: 'month', consumption: 'credits', credits: 10, features: { calls: { credits: 1 } } },
})

describe('a plan that ends early gives something back', () => {
  test.each([
    ['monthly', { rule: 'max_consumption' }],
    ['timed', { rule: 'time' }],
    ['never', null],
    ['free', null],
  ])('%s by the rule %j', (plan, rule) => {
    expect(creditRule(planIn(catalog, plan))).toEqual(rule)
  })
})

describe('what was not used of a paid interval', () => {
  test.each<[plan: string, at: string, used: string, share: string]>([
    ['monthly', '2026-01-11', '0', '21/31'],
    ['monthly', '2026-01-11T23:59', '0', '21/31'],
    ['monthly', '2026-01-01T12:00', '0', '31/31'],
    ['monthly', '2026-01-11', '10', '21/31'],
    ['monthly', '2026-01-11', '80', '20/100'],
    ['monthly', '2026-01-11', '100', '0/100'],
    ['exact', '2026-01-16T12:00', '0', '1/2'],
    ['quarterly', '2026-01-16', '0', '75/90'],
    // Burning the first of three allowances costs its month, and no more.
    ['quarterly', '2026-01-16', '100', '59/90'],
    ['quarterly', '2026-02-01', '0', '59/90'],
    ['quarterly', '2026-02-15', '50', '45/90'],
    ['quarterly', '2026-02-15', '100', '31/90'],
    ['yearly', '2026-01-11', '100', '334/365'],
    ['once', '2026-01-16', '0', '16/31'],
  ])('of %s on %s with %s of 100 calls used is %s', (plan, at, used, share) => {
    expect(text(unusedOn(subscribedTo(catalog, plan), at, used))).toBe(reduced(share))
  })

  test('counts what requests in flight may use', () => {
    const usage = usedOf('calls', '40', { periodStart: utc('2026-01-01'), reserved: 50_000_000n })
    const state = accountWith(subscribedTo(catalog, 'monthly'), { usage: [usage] })
    expect(text(unusedIn(state, '2026-01-11'))).toBe('1/10')
  })

  test('is that of the time alone where the plan says so, and what is unlimited is never used up', () => {
    expect(text(unusedOn(subscribedTo(catalog, 'timed'), '2026-01-11', '100'))).toBe(reduced('21/31'))
    const usage = usedOf('files', '1000000', { periodStart: utc('2026-01-01') })
    const state = accountWith(subscribedTo(catalog, 'monthly'), { usage: [usage] })
    expect(text(unusedIn(state, '2026-01-11'))).toBe(reduced('21/31'))
  })

  test('of credits is what is left of the plan’s grant; what was bought does not count', () => {
    const start = utc('2026-01-01')
    const granted = { source: 'plan', startsAt: start, expiresAt: utc('2026-02-01') } as const
    const grants = [
      grantOf(`plan-${start}`, { ...granted, used: decimal('7.5'), held: decimal('1') }),
      grantOf('pack', { used: decimal('10') }),
    ]
    expect(text(unusedIn(accountWith(subscribedTo(catalog, 'credits'), { grants }), '2026-01-11'))).toBe(reduced('15/100'))
  })

  test.each([
    ['a trial, for which nothing was paid', 'tried', '2026-01-11'],
    ['a paid interval that is over', 'monthly', '2026-02-01'],
    ['a plan that is paid once, after its first period', 'once', '2026-02-10'],
  ])('is nothing of %s', (_, plan, day) => {
    expect(unusedOn(subscribedTo(catalog, plan), day, '0')).toBeNull()
  })
})

describe('what was paid', () => {
  test('after a change is the rest of the interval', () => {
    const changed = changedTo(subscribedTo(catalog, 'monthly'), '2026-01-11', { catalog, plan: 'dearer' })
    expect(text(unusedOn(changed, '2026-01-21', '0'))).toBe(reduced('11/21'))
    expect(text(unusedOn(changed, '2026-02-11', '0'))).toBe(reduced('18/28'))
  })

  test('goes on through a change of price, with all that was used before it', () => {
    const moved = movedTo(movedTo(subscribedTo(catalog, 'monthly'), '2026-01-05', catalog), '2026-01-08', catalog, {
      calls: '60',
    })
    expect(text(unusedOn(moved, '2026-01-11', '0'))).toBe(reduced('40/100'))
    expect(text(unusedOn(moved, '2026-01-11', '30'))).toBe(reduced('10/100'))
    expect(text(unusedOn(movedTo(subscribedTo(catalog, 'once'), '2026-01-05', catalog), '2026-01-16', '0'))).toBe('16/31')
  })

  test('for less than a day is nothing', () => {
    const begun = subscribedTo(catalog, 'monthly', { startsAt: utc('2026-01-01T12:00') })
    const changed = changedTo(begun, '2026-02-01T08:00', { catalog, plan: 'dearer' })
    expect(unusedOn(changed, '2026-02-01T10:00', '0')).toBeNull()
  })
})

describe('the share', () => {
  const plans = fc.constantFrom('monthly', 'exact', 'quarterly', 'yearly')
  const days = fc.integer({ min: 1, max: 364 })
  const shareOn = (plan: string, day: number, units: number): number => {
    const share = unusedOn(
      subscribedTo(catalog, plan),
      new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10),
      String(units),
    )
    return share === null ? 0 : Number(share.numerator) / Number(share.denominator)
  }

  test('is from nothing to all, and more use never gives back more', () => {
    fc.assert(
      fc.property(plans, days, fc.nat(120), fc.nat(120), (plan, day, a, b) => {
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

/** With so many calls used in the usage period that is the last when it ends. */
function unusedOn(subscription: Subscription, day: string, units: string): Share | null {
  const segment = segmentAt(subscription, utc(day) - 1)
  if (segment === null) throw new Error('a test asks for an instant with a plan')
  const { start } = usagePeriod(segment, 'UTC', utc(day) - 1)
  return unusedIn(accountWith(subscription, { usage: [usedOf('calls', units, { periodStart: start })] }), day)
}

function unusedIn(state: AccountState, day: string): Share | null {
  const { subscription } = state
  const at = utc(day)
  const segment = subscription && segmentAt(subscription, at - 1)
  if (subscription === null || segment === null) throw new Error('a test asks for an instant with a plan')
  const plan = planIn(catalog, segment.plan)
  return unusedOf({ state, subscription, segment, plan, at, rule: creditRule(plan)?.rule ?? 'time' })
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
