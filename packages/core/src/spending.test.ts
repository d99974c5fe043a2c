import { describe, expect, test } from 'vitest'
import { accountWith, catalogOf, JANUARY, movedTo, planIn, subscribedTo, usedOf, utc } from '../test/accounts.ts'
import type { AccountState, Usage } from './account/account-state.ts'
import { type Segment, segmentAt } from './account/subscription.ts'
import type { Reservation } from './records/reservation.ts'
import { spentOf } from './spending.ts'
import { decimal, DECIMAL_ZERO, formatDecimal } from './values/decimal.ts'
import { parseQuantity } from './values/quantity.ts'

const perUnit = (included: number, price: string) => ({ included, overage: { model: 'per_unit', price } }) as const
const catalog = catalogOf({
  metered: { price: '10', interval: 'month', features: { calls: perUnit(100, '0.50'), files: perUnit(0, '2') } },
  blocked: { price: '10', interval: 'month', features: { calls: { included: 100 }, files: { included: 'unlimited' } } },
  tried: { price: '10', interval: 'month', trialDays: 20, features: { calls: perUnit(100, '0.50') } },
  prepaid: {
    price: '10',
    interval: 'month',
    consumption: 'balance',
    features: { calls: { price: { model: 'fixed', price: '1' } }, files: { price: { model: 'fixed', price: '2' } } },
  },
})

describe('what is spent beyond the allowance', () => {
  test.each<[string, readonly Usage[], string]>([
    ['is nothing without usage', [], '0'],
    ['is nothing within the allowance', [usedOf('calls', '100', { periodStart: JANUARY })], '0'],
    ['is what the rest costs, exact', [usedOf('calls', '100.000001', { periodStart: JANUARY })], '0.0000005'],
    [
      'counts what requests in flight may use',
      [usedOf('calls', '90', { periodStart: JANUARY, reserved: parseQuantity(30) })],
      '10',
    ],
    [
      'is the sum over the features',
      [usedOf('calls', '110', { periodStart: JANUARY }), usedOf('files', '3', { periodStart: JANUARY })],
      '11',
    ],
    ['is that of the period alone', [usedOf('calls', '500', { periodStart: utc('2026-02-01') })], '0'],
  ])('%s', (_, usage, spent) => {
    expect(spentOn('metered', usage)).toBe(spent)
  })

  test('with more units than there were costs what all of them cost', () => {
    const usage = [usedOf('calls', '99', { periodStart: JANUARY })]
    expect(spentOn('metered', usage, { feature: 'calls', quantity: parseQuantity(3) })).toBe('1')
    expect(spentOn('metered', usage, { feature: 'files', quantity: parseQuantity(3) })).toBe('6')
  })

  test.each(['blocked', 'tried'])('is nothing where usage beyond it is refused: %s', (plan) => {
    expect(
      spentOn(plan, [usedOf('calls', '100', { periodStart: JANUARY }), usedOf('files', '9', { periodStart: JANUARY })]),
    ).toBe('0')
  })

  test('after a change of price counts from what was left of the allowance', () => {
    const moved = movedTo(subscribedTo(catalog, 'metered'), '2026-01-11', catalog, { calls: '60' })
    const at = utc('2026-01-11')
    const state = accountWith(moved, { usage: [usedOf('calls', '45', { periodStart: at })] })
    expect(formatDecimal(spentOf({ state, plan: planIn(catalog, 'metered'), segment: held(state, at), periodStart: at }))).toBe(
      '2.5',
    )
  })
})

describe('what is spent beyond a balance', () => {
  const usage = [
    usedOf('calls', '20', { periodStart: JANUARY, uncovered: decimal('7.5') }),
    usedOf('files', '1', { periodStart: JANUARY }),
  ]

  test('is what no grant paid', () => {
    expect(spentOn('prepaid', usage)).toBe('7.5')
  })

  test('counts what requests in flight may cost that nothing covers', () => {
    const state = stateOn('prepaid', usage)
    const inFlight = [reserved('a', '1.5', JANUARY), reserved('b', '0', JANUARY), reserved('c', '4', utc('2026-02-01'))]
    state.reservations = new Map(inFlight.map((reservation) => [reservation.key, reservation]))
    const spending = { state, plan: planIn(catalog, 'prepaid'), segment: held(state, JANUARY), periodStart: JANUARY }
    expect(formatDecimal(spentOf(spending))).toBe('9')
  })
})

function stateOn(plan: string, usage: readonly Usage[]): AccountState {
  return accountWith(subscribedTo(catalog, plan), { usage })
}

function spentOn(plan: string, usage: readonly Usage[], more?: { readonly feature: string; readonly quantity: bigint }): string {
  const state = stateOn(plan, usage)
  const where = { state, plan: planIn(catalog, plan), segment: held(state, JANUARY), periodStart: JANUARY }
  return formatDecimal(spentOf(more === undefined ? where : { ...where, more }))
}

function held({ subscription }: AccountState, at: number): Segment {
  const segment = subscription && segmentAt(subscription, at)
  if (segment === null) throw new Error('a test asks for an instant with a plan')
  return segment
}

function reserved(key: string, uncovered: string, periodStart: number): Reservation {
  const charge = { unit: 'USD', cost: decimal(uncovered), parts: [], uncovered: decimal(uncovered), waived: DECIMAL_ZERO }
  return { customerId: 'ada', feature: 'calls', quantity: 0n, key, at: periodStart, route: null, periodStart, charge }
}
