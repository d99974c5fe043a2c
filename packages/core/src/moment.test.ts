import { describe, expect, test } from 'vitest'
import {
  accountWith,
  catalogOf,
  changedTo,
  invoiceAsText,
  JANUARY,
  movedTo,
  offersOf,
  subscribedTo,
  usedOf,
  utc,
} from '../test/accounts.ts'
import type { AccountState, Usage } from './account/account-state.ts'
import { withEnd, withPause } from './account/change-segments.ts'
import { type Subscription, withLateMoment, withNextMoment } from './account/subscription.ts'
import type { StoredTotal } from './contracts/store.ts'
import { lateKey, type LatePeriods, lateUsage, momentOf } from './moment.ts'
import { billedUpTo } from './preview.ts'
import { decimal, DECIMAL_ZERO } from './values/decimal.ts'
import { formatMoney } from './values/money.ts'
import { parseQuantity } from './values/quantity.ts'

const perUnit = { included: 10, overage: { model: 'per_unit', price: '0.50' } } as const
const tiers = { overage: { model: 'graduated', tiers: [{ upTo: 10, price: '0.1', flat: '3' }, { price: '0.05' }] } } as const
const prepaid = { consumption: 'balance', features: { calls: { price: { model: 'fixed', price: '1' } } } } as const
const catalog = catalogOf({
  free: { price: '0', interval: 'month', features: { calls: { included: 10 } } },
  starter: { price: '31', interval: 'month', features: { calls: perUnit } },
  pro: { price: '62', interval: 'month', features: { calls: perUnit, files: perUnit } },
  tiered: { price: '10', interval: 'month', features: { calls: tiers } },
  weekly: { price: '7', interval: 'week', features: { calls: perUnit } },
  quarterly: { price: '90', interval: 'quarter', minimum: '100', features: { calls: perUnit } },
  yearly: { price: '120', interval: 'year', features: { calls: perUnit } },
  once: { price: '500', interval: 'one_time', features: { calls: perUnit } },
  tried: { price: '31', interval: 'month', trialDays: 14, features: { calls: perUnit } },
  credits: { price: '20', interval: 'month', consumption: 'credits', credits: 5, features: { calls: { credits: 1 } } },
  balance: { price: '20', interval: 'month', ...prepaid },
  committed: {
    price: '10',
    interval: 'month',
    minimum: '40',
    features: { calls: { overage: { model: 'per_unit', price: '1' } } },
  },
})
const offers = offersOf(catalog)

describe('the moments of a plan bill', () => {
  test.each<[plan: string, until: string, used: readonly Usage[], invoices: readonly string[]]>([
    ['free', '2026-02-01', [], []],
    ['free', '2026-02-01', [calls('3', '2026-01-01')], ['overage, calls-included 0.00']],
    [
      'starter',
      '2026-03-01',
      [calls('12', '2026-01-01'), calls('10', '2026-02-01')],
      [
        'recurring, plan_base 31.00',
        'recurring, plan_base 31.00, calls-per_unit 1.00',
        'recurring, plan_base 31.00, calls-included 0.00',
      ],
    ],
    [
      'weekly',
      '2026-01-15',
      [calls('11', '2026-01-01')],
      ['recurring, plan_base 7.00', 'recurring, plan_base 7.00, calls-per_unit 0.50', 'recurring, plan_base 7.00'],
    ],
    ['tiered', '2026-02-01', [], ['recurring, plan_base 10.00', 'recurring, plan_base 10.00, calls-graduated-1-flat 3.00']],
    [
      'quarterly',
      '2026-04-01',
      [calls('20', '2026-02-01')],
      ['recurring, plan_base 90.00', 'overage, calls-per_unit 5.00', 'recurring, plan_base 90.00, minimum_commitment 5.00'],
    ],
    ['yearly', '2026-12-31', [calls('20', '2026-06-01')], ['recurring, plan_base 120.00', 'overage, calls-per_unit 5.00']],
    ['once', '2026-04-01', [calls('20', '2026-02-01')], ['recurring, plan_base 500.00', 'overage, calls-per_unit 5.00']],
    ['tried', '2026-01-15', [calls('10', '2026-01-01')], ['recurring, plan_base 31.00, calls-included 0.00']],
    [
      'credits',
      '2026-02-01',
      [calls('4', '2026-01-01', { cost: decimal('4') })],
      ['recurring, plan_base 20.00', 'recurring, plan_base 20.00, calls-included 0.00'],
    ],
    [
      'balance',
      '2026-02-01',
      [calls('25.005', '2026-01-01', { cost: decimal('25.005'), uncovered: decimal('5.005') })],
      ['recurring, plan_base 20.00', 'recurring, plan_base 20.00, calls-included 0.00, calls-balance_overage 5.01'],
    ],
    [
      'committed',
      '2026-02-01',
      [calls('12', '2026-01-01')],
      ['recurring, plan_base 10.00', 'recurring, plan_base 10.00, calls-per_unit 12.00, minimum_commitment 18.00'],
    ],
  ])('%s up to %s', (plan, until, used, invoices) => {
    expect(billed(subscribedTo(catalog, plan), until, used)).toEqual(invoices)
  })

  test('with all of what was used in the period, by feature in the order of the catalog', () => {
    const used = [usedOf('files', '11', { periodStart: JANUARY }), calls('11', '2026-01-01'), calls('99', '2026-02-01')]
    expect(billed(subscribedTo(catalog, 'pro'), '2026-02-01', used)[1]).toBe(
      'recurring, plan_base 62.00, calls-per_unit 0.50, files-per_unit 0.50',
    )
  })
})

describe('a change inside an interval bills', () => {
  const credit = { rule: 'time' } as const

  test('usage so far, what is given back, and the rest of the new price', () => {
    const changed = changedTo(subscribedTo(catalog, 'starter'), '2026-01-11', { catalog, plan: 'pro', credit })
    expect(billed(changed, '2026-02-01', [calls('12', '2026-01-01'), calls('10', '2026-01-11')])).toEqual([
      'recurring, plan_base 31.00',
      'plan_change, proration_charge 42.00, calls-per_unit 1.00, proration_credit -21.00',
      // 21/31 of ten calls are included.
      'recurring, plan_base 62.00, calls-per_unit 1.61',
    ])
  })

  test('gives nothing back twice: not when the plan that follows costs nothing, and not when the one after it costs again', () => {
    const toFree = changedTo(subscribedTo(catalog, 'starter'), '2026-01-11', { catalog, plan: 'free', credit })
    const again = changedTo(toFree, '2026-01-16', { catalog, plan: 'pro', credit })
    expect(billed(again, '2026-01-20')).toEqual([
      'recurring, plan_base 31.00',
      'plan_change, proration_credit -21.00',
      'recurring, plan_base 62.00',
    ])
  })

  test('charges the rest of a longer interval at the start of one of its usage periods too', () => {
    const longer = catalogOf({ ...QUARTERS, small: { price: '90', interval: 'quarter' } })
    const changed = changedTo(subscribedTo(longer, 'small'), '2026-02-01', { catalog: longer, plan: 'large' })
    const { invoices } = billedUpTo(accountWith(changed), utc('2026-04-01'), new Map(), offersOf(longer))
    expect(invoices.map(invoiceAsText)).toEqual([
      'recurring, plan_base 90.00',
      'plan_change, proration_charge 118.00',
      'recurring, plan_base 180.00',
    ])
  })

  test('to a longer interval its whole price', () => {
    const changed = changedTo(subscribedTo(catalog, 'starter'), '2026-01-11', { catalog, plan: 'yearly', credit })
    expect(billed(changed, '2026-01-20')[1]).toBe('plan_change, plan_base 120.00, proration_credit -21.00')
  })

  test('of prices nothing but usage at the old ones; a price that is paid once is not paid again', () => {
    const moved = movedTo(subscribedTo(catalog, 'once'), '2026-01-11', catalog, { calls: '12' })
    expect(billed(moved, '2026-02-01', [calls('12', '2026-01-01'), calls('1', '2026-01-11')])).toEqual([
      'recurring, plan_base 500.00',
      'overage, calls-per_unit 1.00',
      'overage, calls-per_unit 0.50',
    ])
  })

  test('the part of a committed minimum that belongs to it', () => {
    const changed = changedTo(subscribedTo(catalog, 'committed'), '2026-01-11', { catalog, plan: 'starter' })
    // 10/31 of 40 are 12.90, of the base price 3.23.
    expect(billed(changed, '2026-01-20', [calls('4', '2026-01-01')])[1]).toBe(
      'plan_change, proration_charge 21.00, calls-per_unit 4.00, minimum_commitment 5.67',
    )
  })
})

describe('an end bills', () => {
  test('usage, and what is given back', () => {
    const credit = { rule: 'time' } as const
    const ended = withEnd({ subscription: subscribedTo(catalog, 'starter'), at: utc('2026-01-12'), credit })
    expect(billed(ended, '2027-01-01', [calls('12', '2026-01-01')])).toEqual([
      'recurring, plan_base 31.00',
      'plan_change, calls-per_unit 1.00, proration_credit -20.00',
    ])
  })

  test('and a pause the same; nothing while it lasts; the base price when it is over', () => {
    const paused = withPause({
      subscription: subscribedTo(catalog, 'starter'),
      at: utc('2026-01-12'),
      resumesAt: utc('2026-05-02'),
      credit: null,
    })
    expect(billed(paused, '2026-06-02', [calls('12', '2026-01-01')])).toEqual([
      'recurring, plan_base 31.00',
      'overage, calls-per_unit 1.00',
      'recurring, plan_base 31.00',
      'recurring, plan_base 31.00',
    ])
  })
})

describe('what came late', () => {
  const invoiced = withNextMoment(withNextMoment(subscribedTo(catalog, 'tiered')))
  const total = (units: string, members: Partial<StoredTotal> = {}): StoredTotal => ({
    customerId: 'ada',
    feature: 'calls',
    periodStart: JANUARY,
    quantity: parseQuantity(units),
    events: 1,
    cost: DECIMAL_ZERO,
    uncovered: DECIMAL_ZERO,
    invoiceId: 'sub_1-1',
    dropped: { quantity: 0n, events: 0, cost: DECIMAL_ZERO, uncovered: DECIMAL_ZERO },
    ...members,
  })
  const knowing = (...totals: readonly StoredTotal[]): LatePeriods =>
    new Map([[lateKey({ feature: 'calls', periodStart: JANUARY }), { totals, corrects: 'sub_1-1' }]])

  test.each<[string, string, LatePeriods, string, string]>([
    ['costs what its period would have cost more', '5', knowing(total('8')), '5', '0.35'],
    ['takes back what its period would have cost less', '-3', knowing(total('8')), '-3', '-0.30'],
    ['counts everything that came late before', '5', knowing(total('8'), total('4')), '5', '0.25'],
    ['of a feature that was not used pays no fee that was paid', '5', knowing(), '5', '0.50'],
  ])('%s', (_, units, late, quantity, amount) => {
    const moment = momentOf(withLate(invoiced, [calls(units, '2026-01-01')]), late, offers)
    const line = moment?.lines.find(({ type }) => type === 'adjustment')
    expect(line).toMatchObject({ id: `calls-adjustment-${JANUARY}`, period: [JANUARY, utc('2026-02-01')], corrects: 'sub_1-1' })
    expect([line?.quantity, line && formatMoney(line.amount)]).toEqual([
      quantity.startsWith('-') ? -parseQuantity(quantity.slice(1)) : parseQuantity(quantity),
      amount,
    ])
    expect(moment?.sealed).toHaveLength(1)
  })

  test('names no invoice where its period made none', () => {
    const late: LatePeriods = new Map([[lateKey({ feature: 'calls', periodStart: JANUARY }), { totals: [], corrects: null }]])
    const moment = momentOf(withLate(invoiced, [calls('5', '2026-01-01')]), late, offers)
    expect(moment?.lines.find(({ type }) => type === 'adjustment')).not.toHaveProperty('corrects')
  })

  test('is on the invoice of the next moment, beside what is due then', () => {
    const state = withLate(invoiced, [calls('5', '2026-01-01'), calls('2', '2026-02-01')])
    expect(invoiceAsText(momentOf(state, knowing(total('8')), offers) as never)).toBe(
      `recurring, plan_base 10.00, calls-graduated-1-flat 3.00, calls-graduated-1 0.20, calls-adjustment-${JANUARY} 0.35`,
    )
  })

  test('after the end has a moment of its own', () => {
    let ended = withEnd({ subscription: subscribedTo(catalog, 'tiered'), at: utc('2026-02-01'), credit: null })
    while (ended.dueAt !== null) ended = withNextMoment(ended)
    expect(momentOf(withLate(ended, [calls('5', '2026-01-01')]), knowing(total('8')), offers)).toBeNull()
    const moment = momentOf(withLate(withLateMoment(ended), [calls('5', '2026-01-01')]), knowing(total('8')), offers)
    expect(moment && invoiceAsText(moment)).toBe(`adjustment, calls-adjustment-${JANUARY} 0.35`)
    expect(moment?.period).toEqual([utc('2026-02-01'), utc('2026-02-01')])
  })

  test('that nobody looked up waits for a later moment', () => {
    const moment = momentOf(withLate(invoiced, [calls('5', '2026-01-01')]), new Map(), offers)
    expect(moment?.lines.map(({ type }) => type)).toEqual(['plan_base', 'feature_usage'])
    expect(moment?.sealed).toEqual([])
  })

  test('is usage of invoiced periods, with events in it', () => {
    const state = withLate(invoiced, [
      calls('5', '2026-01-01'),
      calls('0', '2026-01-01', { events: 0 }),
      calls('1', '2026-02-01'),
    ])
    expect(lateUsage(state)).toHaveLength(1)
    expect(lateUsage({ ...state, subscription: null })).toEqual([])
  })

  function withLate(subscription: Subscription, usage: readonly Usage[]): AccountState {
    return accountWith(subscription, { usage })
  }
})

const QUARTERS = { large: { price: '180', interval: 'quarter' } } as const

function calls(units: string, day: string, members: Partial<Usage> = {}): Usage {
  return usedOf('calls', units, { periodStart: utc(day), ...members })
}

/** The invoices that are due by a day, in short. */
function billed(subscription: Subscription, until: string, usage: readonly Usage[] = []): string[] {
  return billedUpTo(accountWith(subscription, { usage }), utc(until), new Map(), offers).invoices.map(invoiceAsText)
}
