import { describe, expect, test } from 'vitest'
import { accountWith, catalogOf, FEBRUARY, grantOf, JANUARY, partsAsText, subscribedTo, utc } from '../test/accounts.ts'
import type { AccountState, Entry } from './account/account-state.ts'
import { withEnd } from './account/change-segments.ts'
import { withNextMoment } from './account/subscription.ts'
import { correctIn, correctionKey, correctionTarget } from './correct.ts'
import { isBalanced } from './records/charge.ts'
import type { Grant } from './records/grant.ts'
import type { LoggedEvent } from './records/usage-event.ts'
import { decimal, DECIMAL_ZERO, formatDecimal } from './values/decimal.ts'
import { parseQuantity } from './values/quantity.ts'

const catalog = catalogOf({
  pro: { price: '1', interval: 'month', features: { calls: {} } },
  credits: { price: '1', interval: 'month', consumption: 'credits', credits: 5, features: { calls: { credits: 1 } } },
})
const ORIGINAL: LoggedEvent = {
  customerId: 'ada',
  feature: 'calls',
  quantity: parseQuantity(8),
  at: utc('2026-01-20'),
  key: 'k1',
  route: '/v1/calls',
  properties: { region: 'eu' },
  seq: 7,
  periodStart: JANUARY,
}

describe('a correction', () => {
  test('is an event of its own that points to its original and belongs to its instant and its period', () => {
    const { result, entries } = correct(stateWith(ORIGINAL), '3')
    expect(result).toEqual({
      kind: 'corrected',
      event: {
        customerId: 'ada',
        feature: 'calls',
        quantity: -parseQuantity(5),
        at: ORIGINAL.at,
        key: 'correction-of k1',
        route: '/v1/calls',
        properties: null,
        corrects: 7,
      },
    })
    expect(entries).toMatchObject([{ kind: 'posted', periodStart: JANUARY, keyGivenBy: 'caller' }])
  })

  test('is in the period in which its original is counted, also where another plan began at its instant', () => {
    const { entries } = correct(stateWith({ ...ORIGINAL, periodStart: utc('2025-12-20') }), '0')
    expect(entries).toMatchObject([{ periodStart: utc('2025-12-20') }])
  })

  test('to what it was says so once, and takes nothing back', () => {
    expect(correct(stateWith(ORIGINAL), '8').result).toMatchObject({ kind: 'corrected', event: { quantity: 0n } })
  })

  test.each([
    ['again to the same is a repeat', '3', 'repeat'],
    ['to something else is a conflict', '4', 'conflict'],
  ])('%s: nothing is written', (_, value, kind) => {
    const state = stateWith(ORIGINAL)
    state.known.set('correction-of k1', {
      ...ORIGINAL,
      key: 'correction-of k1',
      quantity: -parseQuantity(5),
      seq: 9,
      corrects: 7,
    })
    expect(correct(state, value)).toMatchObject({ result: { kind, event: { seq: 9 } }, entries: [] })
  })

  test.each([
    ['more than it was', stateWith(ORIGINAL), '8.000001', 'invalid_quantity'],
    ['an event that is not there', accountWith(subscribedTo(catalog, 'pro')), '0', 'not_found'],
    ['a correction', stateWith({ ...ORIGINAL, quantity: -1n, corrects: 5 }), '0', 'invalid_quantity'],
  ])('of %s is refused', (_, state, value, code) => {
    expect(() => correct(state, value)).toThrow(expect.objectContaining({ code }))
  })

  test('of a plan that ended makes one more moment due, because its invoice is final', () => {
    const subscription = withEnd({ subscription: subscribedTo(catalog, 'pro'), at: FEBRUARY, credit: null })
    const state = { ...stateWith(ORIGINAL), subscription: withNextMoment(withNextMoment(subscription)) }
    expect(state.subscription.dueAt).toBeNull()
    expect(correct(state, '0').entries).toMatchObject([
      { kind: 'posted' },
      { kind: 'subscription', subscription: { dueAt: FEBRUARY } },
    ])
    const running = { ...stateWith(ORIGINAL), subscription: withNextMoment(withNextMoment(subscribedTo(catalog, 'pro'))) }
    expect(correct(running, '0').entries).toHaveLength(1)
  })
})

describe('what was charged', () => {
  const charged: LoggedEvent = {
    ...ORIGINAL,
    charge: {
      unit: 'credits',
      cost: decimal('8'),
      parts: [
        { grant: `plan-${JANUARY}`, amount: decimal('5') },
        { grant: 'pack', amount: decimal('2') },
      ],
      uncovered: DECIMAL_ZERO,
      waived: decimal('1'),
    },
  }
  const plan = grantOf(`plan-${JANUARY}`, { source: 'plan', granted: decimal('5'), used: decimal('5'), expiresAt: FEBRUARY })
  const pack = grantOf('pack', { used: decimal('2') })

  test('goes back to the grants that paid', () => {
    const { charge, entries } = corrected([plan, pack], '4')
    expect(partsAsText(charge.parts)).toEqual({ [plan.id]: '-2.5', pack: '-1' })
    expect([formatDecimal(charge.cost), formatDecimal(charge.waived)]).toEqual(['-4', '-0.5'])
    expect(entries).toHaveLength(1)
  })

  test('of a pack that is closed comes back as a grant of its own', () => {
    const { charge, entries } = corrected([plan], '0')
    expect(partsAsText(charge.parts)).toEqual({ [plan.id]: '-5' })
    expect(formatDecimal(charge.waived)).toBe('-3')
    expect(entries[0]).toMatchObject({
      kind: 'granted',
      grant: {
        id: 'return-7-pack',
        unit: 'credits',
        source: 'adjustment',
        granted: decimal('2'),
        reference: 'pack',
        expiresAt: null,
      },
    })
  })

  test('of a plan’s credits that are gone is gone', () => {
    const { charge, entries } = corrected([pack], '0')
    expect(partsAsText(charge.parts)).toEqual({ pack: '-2' })
    expect(formatDecimal(charge.waived)).toBe('-6')
    expect(entries.map(({ kind }) => kind)).toEqual(['posted'])
  })

  function corrected(grants: readonly Grant[], value: string) {
    const state = { ...stateWith(charged), grants: accountWith(subscribedTo(catalog, 'credits'), { grants }).grants }
    const { result, entries } = correct(state, value)
    const { charge } = result.event
    if (charge === undefined) throw new Error('a correction of a charge has one')
    expect(isBalanced(charge)).toBe(true)
    return { charge, entries }
  }
})

describe('what a correction has to see of the log', () => {
  test.each([
    ['under a caller’s key', { key: 'k1' }, { customerId: 'ada', keys: ['correction-of k1', 'k1'] }],
    ['at a place', { seq: 7, key: 'k1' }, { customerId: 'ada', keys: ['correction-of k1'], seqs: [7] }],
  ])('is the event %s, and its correction, which has one name either way', (_, original, target) => {
    expect(correctionTarget('ada', original)).toEqual(target)
  })

  test('is named as no caller can name an event', () => {
    expect(correctionKey('k1')).toMatch(/ /)
  })
})

function stateWith(original: LoggedEvent): AccountState {
  const state = accountWith(subscribedTo(catalog, 'pro', { startsAt: utc('2025-12-20') }))
  state.known.set('k1', original)
  return state
}

function correct(
  state: AccountState,
  value: string,
): { readonly result: ReturnType<typeof correctIn>['result']; readonly entries: readonly Entry[] } {
  return correctIn(state, {
    target: correctionTarget('ada', { key: 'k1' }),
    customerId: 'ada',
    original: 'k1',
    quantity: parseQuantity(value),
    properties: null,
  })
}
