import { describe, expect, test } from 'vitest'
import { catalogOf, changedTo, currentIn, movedTo, planIn, segmentAsText, subscribedTo, utc } from '../../test/accounts.ts'
import { formatQuantity } from '../values/quantity.ts'
import { includedIn } from './allowance.ts'
import { withLaterPrices } from './change-segments.ts'
import { segmentAt, type Subscription } from './subscription.ts'

const calls = (included: number) => ({ features: { calls: { included } } })
const catalog = catalogOf({
  starter: { price: '10', interval: 'month', ...calls(100) },
  pro: { price: '30', interval: 'month', ...calls(310) },
  quarterly: { price: '30', interval: 'quarter', ...calls(100) },
  yearly: { price: '100', interval: 'year', ...calls(100) },
  tried: { price: '10', interval: 'month', trialDays: 14, ...calls(5) },
})
/** The same plans in a later version, the quarterly one by the month. */
const later = catalogOf({
  starter: { price: '12', interval: 'month', ...calls(200) },
  pro: { price: '33', interval: 'month', ...calls(400) },
  quarterly: { price: '12', interval: 'month', ...calls(100) },
  tried: { price: '12', interval: 'month', trialDays: 14, ...calls(50) },
})

describe('other prices', () => {
  test('go on with the rhythm, and count what was used before', () => {
    const moved = movedTo(on('starter'), '2026-01-11', later, { calls: '40' })
    expect(texts(moved)).toEqual(['plan starter 2026-01-01 – 2026-01-11', 'plan starter 2026-01-11 – … price 1/1'])
    expect(moved.segments.map(({ catalogVersion, anchor }) => [catalogVersion, anchor])).toEqual([
      [catalog.version, utc('2026-01-01')],
      [later.version, utc('2026-01-01')],
    ])
    expect(includedOn(moved, '2026-01-11')).toBe('160')
    expect(includedOn(moved, '2026-02-01')).toBe('200')
  })

  test('leave nothing of an allowance that is smaller than what was used', () => {
    expect(includedOn(movedTo(on('starter'), '2026-01-11', later, { calls: '200.5' }), '2026-01-11')).toBe('0')
  })

  test('that change again in the same period count all that was used in it', () => {
    const twice = movedTo(movedTo(on('starter'), '2026-01-11', later, { calls: '40' }), '2026-01-21', later, {
      calls: '25',
      files: '1',
    })
    expect(includedOn(twice, '2026-01-21')).toBe('135')
    expect(twice.segments.at(-1)?.cut?.usedBefore).toEqual({ calls: '65000000', files: '1000000' })
    const nextMonth = movedTo(movedTo(on('starter'), '2026-01-11', later, { calls: '40' }), '2026-02-21', later, { calls: '25' })
    expect(includedOn(nextMonth, '2026-02-21')).toBe('175')
  })

  test('after a change of plan go on with its share of the allowance', () => {
    const moved = movedTo(changedTo(on('starter'), '2026-01-11', { catalog, plan: 'pro' }), '2026-01-21', later, { calls: '10' })
    // 21/31 of 400, less 10.
    expect(includedOn(moved, '2026-01-21')).toBe('260.967742')
    expect(includedOn(moved, '2026-02-01')).toBe('400')
  })

  test('at the start of a period go on with what was paid, and have its whole allowance', () => {
    const moved = movedTo(on('starter'), '2026-02-01', later, {})
    expect(texts(moved)[1]).toBe('plan starter 2026-02-01 – … price 1/1')
    expect(includedOn(moved, '2026-02-01')).toBe('200')
  })

  test('hold for what is to come too, where the later version has the plan', () => {
    const trial = movedTo(on('tried'), '2026-01-05', later, { calls: '2' })
    expect(trial.segments.map(({ kind, catalogVersion }) => [kind, catalogVersion])).toEqual([
      ['trial', catalog.version],
      ['trial', later.version],
      ['plan', later.version],
    ])
    const scheduled = changedTo(on('starter'), '2026-02-01', { catalog, plan: 'yearly' })
    expect(
      movedTo(scheduled, '2026-01-11', later, {}).segments.map(({ plan, catalogVersion }) => [plan, catalogVersion]),
    ).toEqual([
      ['starter', catalog.version],
      ['starter', later.version],
      ['yearly', catalog.version],
    ])
  })

  test('of what is to come alone leave the running plan as it is, and may change its interval', () => {
    const scheduled = changedTo(on('starter'), '2026-02-01', { catalog, plan: 'quarterly' })
    const moved = withLaterPrices({ subscription: scheduled, at: utc('2026-01-11'), current: currentIn(later) })
    expect(
      moved.segments.map(({ plan, catalogVersion, periodsPerInterval }) => [plan, catalogVersion, periodsPerInterval]),
    ).toEqual([
      ['starter', catalog.version, 1],
      ['quarterly', later.version, 1],
    ])
  })
})

function on(plan: string): Subscription {
  return subscribedTo(catalog, plan)
}

function texts({ segments }: Subscription): string[] {
  return segments.map(segmentAsText)
}

/** Units of calls that the period includes which begins on a day, by the later version. */
function includedOn(subscription: Subscription, day: string): string {
  const segment = segmentAt(subscription, utc(day))
  const terms = planIn(later, segment?.plan ?? '').features.get('calls')
  const included =
    segment === null || terms?.kind !== 'metered' ? 'unlimited' : includedIn(terms, { segment, periodStart: utc(day) })
  return included === 'unlimited' ? included : formatQuantity(included)
}
