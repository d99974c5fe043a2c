import { describe, expect, test } from 'vitest'
import {
  accountWith,
  catalogOf,
  changedTo,
  FEBRUARY,
  grantOf,
  invoiceAsText,
  JANUARY,
  movedTo,
  offersOf,
  subscribedTo,
  usedOf,
  utc,
} from '../test/accounts.ts'
import type { AccountState, Entry } from './account/account-state.ts'
import { withEnd } from './account/change-segments.ts'
import { type Subscription, withNextMoment } from './account/subscription.ts'
import { afterMoment, draftOfMoment, invoiceCredit } from './draft-of-moment.ts'
import { fixedTaxRates } from './invoice/tax/fixed-rates.ts'
import { momentOf } from './moment.ts'
import { billedUpTo } from './preview.ts'
import type { Grant } from './records/grant.ts'
import type { Invoice } from './records/invoice.ts'
import { decimal, formatDecimal } from './values/decimal.ts'
import { formatMoney } from './values/money.ts'

const catalog = catalogOf(
  {
    free: { price: '0', interval: 'month', features: { calls: { included: 10 } } },
    starter: { price: '31', interval: 'month', features: { calls: { overage: { model: 'per_unit', price: '1' } } } },
    books: { price: '31', interval: 'month', taxCategory: 'books', features: { calls: {} } },
    pro: { price: '62', interval: 'month', features: { calls: {} } },
    quarterly: {
      price: '90',
      interval: 'quarter',
      minimum: '100',
      features: { calls: { overage: { model: 'per_unit', price: '1' } } },
    },
    credits: { price: '10', interval: 'month', consumption: 'credits', credits: 5, features: { calls: { credits: 1 } } },
  },
  {
    coupons: {
      half: { percent: '50', cycles: 2 },
      five: { amount: '5.00' },
      of_pro: { percent: '10', plans: ['pro'] },
    },
  },
)
const offers = offersOf(catalog)

describe('a draft', () => {
  test('has the id of its moment, is due when the moment comes, and is none without a line', () => {
    const state = accountWith(withNextMoment(subscribedTo(catalog, 'starter')))
    expect(draftAt(state)).toMatchObject({
      id: 'sub_1-1',
      issuedAt: FEBRUARY,
      period: [JANUARY, FEBRUARY],
      status: 'draft',
      seal: null,
    })
    expect(draftAt(accountWith(subscribedTo(catalog, 'free')))).toBeNull()
  })

  test('is taxed by the kind of its plan, as the rules say for the customer', () => {
    const tax = fixedTaxRates({
      seller: { country: 'DE' },
      rates: [
        { country: 'DE', rate: '19', name: 'VAT' },
        { country: 'DE', category: 'books', rate: '7', name: 'VAT' },
      ],
    })
    const taxOf = (plan: string): string => {
      const state = accountWith(subscribedTo(catalog, plan))
      const customer = state.customer && { ...state.customer, country: 'DE' }
      const moment = momentOf(state, new Map(), offers)
      const draft = moment && draftOfMoment({ ...offers, tax }, { ...state, customer }, moment)
      return draft === null ? 'none' : formatMoney(draft.tax)
    }
    expect([taxOf('starter'), taxOf('books')]).toEqual(['5.89', '2.17'])
  })
})

describe('coupons', () => {
  const redeemed = (coupon: string, cyclesLeft: number | null = null, plan = 'starter'): Subscription => ({
    ...subscribedTo(catalog, plan),
    discounts: [{ coupon, catalogVersion: catalog.version, redeemedAt: JANUARY, cyclesLeft }],
  })

  test('reduce base price and usage of as many intervals as they have left', () => {
    const { invoices, state } = billed(redeemed('half', 2), '2026-03-01', ['2026-01-01'])
    expect(invoices.map(({ discount }) => formatMoney(discount))).toEqual(['15.50', '17.50', '0.00'])
    expect(state.subscription?.discounts[0]?.cyclesLeft).toBe(0)
  })

  test('without an end reduce all of them', () => {
    expect(billed(redeemed('five'), '2026-03-01').invoices.map(({ total }) => formatMoney(total))).toEqual([
      '26.00',
      '26.00',
      '26.00',
    ])
  })

  test('for some plans reduce those alone, whatever the customer is on by then', () => {
    expect(billed(redeemed('of_pro', null, 'pro'), '2026-01-01').invoices.map(({ total }) => formatMoney(total))).toEqual([
      '55.80',
    ])
    expect(billed(redeemed('of_pro'), '2026-01-01').invoices.map(({ total }) => formatMoney(total))).toEqual(['31.00'])
  })
})

describe('invoice credit', () => {
  const owed = (id: string, granted: string, createdAt: number): Grant =>
    grantOf(id, { unit: 'invoice_credit', source: 'credit_note', granted: decimal(granted), createdAt })

  test('pays the invoice, the oldest first, and what is used up is closed', () => {
    const state = accountWith(subscribedTo(catalog, 'starter'), { grants: [owed('new', '50', 2), owed('old', '10', 1)] })
    expect(formatMoney(invoiceCredit(state, 'USD', JANUARY))).toBe('60.00')
    expect(formatMoney((draftAt(state) as Invoice).creditApplied)).toBe('31.00')
    expect(grantsAfter(state)).toEqual(['old used 10 closed', 'new used 21'])
  })

  test('below a minor unit stays for later', () => {
    const state = accountWith(subscribedTo(catalog, 'starter'), { grants: [owed('a', '0.019', 1)] })
    expect(formatMoney(invoiceCredit(state, 'USD', JANUARY))).toBe('0.01')
    expect(grantsAfter(state)).toEqual(['a used 0.01'])
  })

  test('is what an invoice owes that gives back more than it charges', () => {
    const credit = { rule: 'time' } as const
    const ended = withEnd({ subscription: subscribedTo(catalog, 'starter'), at: utc('2026-01-11'), credit })
    const { invoices, state } = billed(ended, '2026-01-11')
    expect(invoices.map(invoiceAsText)).toEqual(['recurring, plan_base 31.00', 'plan_change, proration_credit -21.00'])
    expect([...state.grants.values()]).toMatchObject([
      { id: 'credit-sub_1-1', unit: 'invoice_credit', granted: decimal('21'), reference: 'sub_1-1', isClosed: false },
    ])
  })
})

describe('when a moment is over', () => {
  const begun = withNextMoment(subscribedTo(catalog, 'credits'))
  const plan = (day: string, until: string, used: string): Grant =>
    grantOf(`plan-${utc(day)}`, {
      source: 'plan',
      granted: decimal('5'),
      used: decimal(used),
      startsAt: utc(day),
      expiresAt: utc(until),
    })

  test.each<[string, Grant, readonly string[]]>([
    ['a grant whose time has passed is closed', plan('2026-01-01', '2026-02-01', '3'), [`plan-${JANUARY} used 3 closed`]],
    ['a pack that is used up is closed', grantOf('pack', { used: decimal('10') }), ['pack used 10 closed']],
    ['a pack with something left stays', grantOf('pack', { used: decimal('9.999999') }), []],
    // Otherwise it would be granted again.
    ['that of the running period stays, used up or not', plan('2026-02-01', '2026-03-01', '5'), []],
    ['what requests in flight hold stays', grantOf('pack', { used: decimal('10'), held: decimal('1') }), []],
  ])('%s', (_, grant, changed) => {
    expect(grantsAfter(accountWith(begun, { grants: [grant] }))).toEqual(changed)
  })

  test('what was paid for the interval is known, discounts taken off, until the interval is over', () => {
    const redeemed = { coupon: 'half', catalogVersion: catalog.version, redeemedAt: 0, cyclesLeft: 1 }
    const subscription = { ...subscribedTo(catalog, 'quarterly'), discounts: [redeemed] }
    const paid = { period: [JANUARY, utc('2026-04-01')], amount: { minor: 4_500n, currency: 'USD' }, invoiceId: 'sub_1-0' }
    expect(billed(subscription, '2026-01-01').state.subscription?.paidBase).toEqual(paid)
    expect(billed(subscription, '2026-02-01').state.subscription?.paidBase).toEqual(paid)
    expect(billed(subscription, '2026-04-01').state.subscription?.paidBase).toMatchObject({ invoiceId: 'sub_1-3' })
  })

  test('what was paid is gone with the plan, and goes on through a change of price', () => {
    const paidAfter = (subscription: Subscription): unknown => billed(subscription, '2026-01-11').state.subscription?.paidBase
    const starter = subscribedTo(catalog, 'starter')
    expect(paidAfter(changedTo(starter, '2026-01-11', { catalog, plan: 'free' }))).toBeNull()
    expect(paidAfter(withEnd({ subscription: starter, at: utc('2026-01-11'), credit: null }))).toBeNull()
    expect(paidAfter(movedTo(starter, '2026-01-11', catalog))).toMatchObject({ invoiceId: 'sub_1-0' })
    expect(paidAfter(changedTo(starter, '2026-01-11', { catalog, plan: 'pro' }))).toMatchObject({
      invoiceId: 'sub_1-1',
      amount: { minor: 4_200n },
    })
  })

  test('usage counts toward the minimum of its interval, and the next one begins with nothing', () => {
    const usage = ['2026-01-01', '2026-02-01', '2026-03-01']
    const billedBy = (day: string): string => {
      const { subscription } = billed(subscribedTo(catalog, 'quarterly'), day, usage).state
      return subscription === null ? 'none' : formatMoney(subscription.billedInInterval)
    }
    expect(['2026-01-01', '2026-02-01', '2026-03-01', '2026-04-01'].map(billedBy)).toEqual(['0.00', '4.00', '8.00', '0.00'])
  })
})

/** The draft of the next moment. */
function draftAt(state: AccountState): Invoice | null {
  const moment = momentOf(state, new Map(), offers)
  return moment && draftOfMoment(offers, state, moment)
}

/** What the next moment changes of the grants, in short. */
function grantsAfter(state: AccountState): string[] {
  const moment = momentOf(state, new Map(), offers)
  const entries: Entry[] = moment === null ? [] : afterMoment(state, moment, draftOfMoment(offers, state, moment))
  return entries.flatMap((entry) =>
    entry.kind === 'granted'
      ? [`${entry.grant.id} used ${formatDecimal(entry.grant.used)}${entry.grant.isClosed ? ' closed' : ''}`]
      : [],
  )
}

/** Four calls in the periods that begin on these days. */
function billed(subscription: Subscription, until: string, periods: readonly string[] = []): ReturnType<typeof billedUpTo> {
  const usage = periods.map((day) => usedOf('calls', '4', { periodStart: utc(day) }))
  return billedUpTo(accountWith(subscription, { usage }), utc(until), new Map(), offers)
}
