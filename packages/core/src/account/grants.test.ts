import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { grantOf, partsAsText } from '../../test/accounts.ts'
import { isBalanced } from '../records/charge.ts'
import type { Grant } from '../records/grant.ts'
import { add, compare, type Decimal, decimal, DECIMAL_ZERO, formatDecimal, toDecimal } from '../values/decimal.ts'
import { byOrder, chargeDifference, chargeOf, draw, leftOf, payingGrants } from './grants.ts'

describe('the order in which grants pay', () => {
  test.each<[string, readonly Grant[]]>([
    [
      'what expires sooner comes first',
      [grantOf('soon', { expiresAt: 10 }), grantOf('late', { expiresAt: 20 }), grantOf('never')],
    ],
    [
      'of the same expiry a plan comes before a pack',
      [grantOf('z-plan', { source: 'plan', createdAt: 9, expiresAt: 10 }), grantOf('a-pack', { createdAt: 1, expiresAt: 10 })],
    ],
    [
      'then the oldest comes first, and then the id decides',
      [grantOf('z', { createdAt: 1 }), grantOf('a', { createdAt: 2 }), grantOf('b', { createdAt: 2 })],
    ],
    [
      'a priority overrides all of it',
      [
        grantOf('pack', { createdAt: 9 }),
        grantOf('plan', { source: 'plan', priority: 1, expiresAt: 5 }),
        grantOf('last', { priority: 2, expiresAt: 1 }),
      ],
    ],
    [
      'what is bought is one, whatever it is called',
      [grantOf('a', { source: 'top_up' }), grantOf('b', { source: 'pack' }), grantOf('c', { source: 'adjustment' })],
    ],
  ])('%s', (_, inOrder) => {
    const ids = inOrder.map(({ id }) => id)
    expect(inOrder.toSorted(byOrder).map(({ id }) => id)).toEqual(ids)
    expect(
      inOrder
        .toReversed()
        .toSorted(byOrder)
        .map(({ id }) => id),
    ).toEqual(ids)
  })

  test('does not depend on the order in which they are found', () => {
    fc.assert(
      fc.property(fc.array(grants, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (some, random) => {
        const shuffled = some.map((grant) => ({ grant, by: random.next().value as number })).toSorted((a, b) => a.by - b.by)
        expect(shuffled.map(({ grant }) => grant).sort(byOrder)).toEqual(some.toSorted(byOrder))
      }),
    )
  })
})

describe('a grant pays', () => {
  const grant = grantOf('g', { startsAt: 100, expiresAt: 200 })

  test.each([
    ['from its first instant', 100, true],
    ['up to the last one', 199, true],
    ['and not at the instant of its end', 200, false],
    ['nor before its first', 99, false],
  ])('%s', (_, at, pays) => {
    expect(payingGrants([grant], 'credits', at)).toHaveLength(pays ? 1 : 0)
  })

  test('for its unit alone', () => {
    const others = [grantOf('b', { unit: 'balance' }), grantOf('i', { unit: 'invoice_credit' })]
    expect(payingGrants([...others, grantOf('c')], 'credits', 0).map(({ id }) => id)).toEqual(['c'])
    expect(payingGrants(others, 'balance', 0).map(({ id }) => id)).toEqual(['b'])
  })
})

describe('drawing', () => {
  const some = [
    grantOf('a', { used: decimal('7') }),
    grantOf('b', { held: decimal('1.5'), revoked: decimal('0.5') }),
    grantOf('c'),
  ]

  test.each<[amount: string, parts: Readonly<Record<string, string>>, uncovered: string]>([
    ['0', {}, '0'],
    ['2.999999', { a: '2.999999' }, '0'],
    ['3', { a: '3' }, '0'],
    ['3.000001', { a: '3', b: '0.000001' }, '0'],
    ['11', { a: '3', b: '8' }, '0'],
    ['21', { a: '3', b: '8', c: '10' }, '0'],
    ['21.000000000001', { a: '3', b: '8', c: '10' }, '0.000000000001'],
  ])('takes %s from what is neither used, held nor revoked, grant by grant', (amount, parts, uncovered) => {
    const drawn = draw(some, decimal(amount))
    expect(partsAsText(drawn.parts)).toEqual(parts)
    expect(formatDecimal(drawn.uncovered)).toBe(uncovered)
  })

  test('uses what the taker holds itself, and leaves what others hold', () => {
    const held = [grantOf('a', { held: decimal('9') })]
    expect(partsAsText(draw(held, decimal('5')).parts)).toEqual({ a: '1' })
    expect(partsAsText(draw(held, decimal('5'), [{ grant: 'a', amount: decimal('4') }]).parts)).toEqual({ a: '5' })
    expect(formatDecimal(draw(held, decimal('6'), [{ grant: 'a', amount: decimal('4') }]).uncovered)).toBe('1')
  })

  test('passes over a grant that more was used of than it has', () => {
    const overdrawn = [grantOf('a', { revoked: decimal('8'), used: decimal('5') }), grantOf('b')]
    expect(partsAsText(draw(overdrawn, decimal('1')).parts)).toEqual({ b: '1' })
  })

  test('never draws less than nothing', () => {
    expect(() => draw(some, decimal('-1'))).toThrow('what is drawn is never negative')
  })

  test('conserves: the parts and what is uncovered are the amount, and no part is more than its grant has', () => {
    fc.assert(
      fc.property(fc.array(grants, { maxLength: 6 }), amounts, (some_, amount) => {
        const inOrder = some_.map((grant, i) => ({ ...grant, id: `g${i}` })).toSorted(byOrder)
        const { parts, uncovered } = draw(inOrder, amount)
        expect(sum([...parts.map((part) => part.amount), uncovered])).toEqual(amount)
        const left = new Map(inOrder.map((grant) => [grant.id, leftOf([grant])]))
        for (const part of parts) {
          expect(part.amount.coefficient).toBeGreaterThan(0n)
          expect(compare(part.amount, left.get(part.grant) as Decimal)).toBeLessThanOrEqual(0)
        }
        // Nothing is uncovered while something is left, and what comes first is taken first.
        if (uncovered.coefficient > 0n) expect(sum(parts.map((part) => part.amount))).toEqual(leftOf(inOrder))
        expect(parts.map(({ grant }) => grant)).toEqual(inOrder.slice(0, parts.length).map(({ id }) => id))
      }),
    )
  })

  test('in two parts takes what it takes in one', () => {
    fc.assert(
      fc.property(fc.array(grants, { maxLength: 5 }), amounts, amounts, (some_, first, second) => {
        const inOrder = some_.map((grant, i) => ({ ...grant, id: `g${i}` })).toSorted(byOrder)
        const once = draw(inOrder, first)
        const after = inOrder.map((grant) => {
          const taken = once.parts.find((part) => part.grant === grant.id)?.amount ?? DECIMAL_ZERO
          return { ...grant, used: add(grant.used, taken) }
        })
        const twice = draw(after, second)
        const whole = draw(inOrder, add(first, second))
        expect(add(once.uncovered, twice.uncovered)).toEqual(whole.uncovered)
        expect(sum([...once.parts, ...twice.parts].map(({ amount }) => amount))).toEqual(
          sum(whole.parts.map(({ amount }) => amount)),
        )
      }),
    )
  })
})

describe('what no grant covers', () => {
  test.each([
    ['is owed where the plan goes on', false, '4', '0'],
    ['is waived where the plan blocks', true, '0', '4'],
  ])('%s', (_, isBlocked, uncovered, waived) => {
    const charge = chargeOf({ grants: [grantOf('a')], unit: 'credits', cost: decimal('14'), model: undefined, isBlocked })
    expect(partsAsText(charge.parts)).toEqual({ a: '10' })
    expect([formatDecimal(charge.uncovered), formatDecimal(charge.waived)]).toEqual([uncovered, waived])
    expect(isBalanced(charge)).toBe(true)
  })
})

describe('a correction of a charge', () => {
  const charge = chargeOf({
    grants: [grantOf('a'), grantOf('b', { granted: decimal('5') })],
    unit: 'USD',
    cost: decimal('18'),
    model: undefined,
    isBlocked: false,
  })

  test.each([
    ['to nothing takes all of it back', 0n, { a: '-10', b: '-5' }, '-3', '-18'],
    ['to a half takes a half back of each', 500_000n, { a: '-5', b: '-2.5' }, '-1.5', '-9'],
    ['to all of it takes nothing back', 1_000_000n, { a: '0', b: '0' }, '0', '0'],
  ] as const)('%s', (_, quantity, parts, uncovered, cost) => {
    const back = chargeDifference(charge, 1_000_000n, quantity)
    expect(partsAsText(back.parts)).toEqual(parts)
    expect([formatDecimal(back.uncovered), formatDecimal(back.cost)]).toEqual([uncovered, cost])
  })

  test('to nothing takes back exactly what was charged, however many places it has', () => {
    const cost = toDecimal(10n ** 39n + 1n, 40)
    const exact = chargeOf({ grants: [grantOf('a')], unit: 'USD', cost, model: undefined, isBlocked: false })
    expect(add(chargeDifference(exact, 3n, 0n).cost, cost)).toEqual(DECIMAL_ZERO)
  })

  test('is balanced, takes back no more than was charged, and says which grants', () => {
    const corrections = fc.tuple(fc.bigInt(1n, 10n ** 12n), fc.bigInt(0n, 10n ** 12n))
    fc.assert(
      fc.property(amounts, corrections, fc.boolean(), (cost, [original, least], isBlocked) => {
        const whole = chargeOf({ grants: [grantOf('a'), grantOf('b')], unit: 'USD', cost, model: undefined, isBlocked })
        const back = chargeDifference(whole, original, least < original ? least : original)
        expect(isBalanced(back)).toBe(true)
        expect(back.parts.map(({ grant }) => grant)).toEqual(whole.parts.map(({ grant }) => grant))
        const after = add(whole.cost, back.cost)
        expect(after.coefficient).toBeGreaterThanOrEqual(0n)
        expect(compare(after, whole.cost)).toBeLessThanOrEqual(0)
        for (const [i, { amount }] of back.parts.entries())
          expect(add(amount, whole.parts[i]?.amount ?? DECIMAL_ZERO).coefficient).toBeGreaterThanOrEqual(0n)
      }),
    )
  })

  test('gives no more than it had', () => {
    expect(() => chargeDifference(charge, 1n, 2n)).toThrow('a correction of a charge takes back')
    expect(() => chargeDifference(charge, 0n, 0n)).toThrow('a correction of a charge takes back')
  })
})

const amounts: fc.Arbitrary<Decimal> = fc
  .tuple(fc.bigInt(0n, 10n ** 9n), fc.nat(12))
  .map(([units, places]) => toDecimal(units, places))

/** Open grants of credits with something used of them. */
const grants: fc.Arbitrary<Grant> = fc
  .record({
    id: fc.string({ minLength: 1, maxLength: 3 }),
    granted: fc.bigInt(1n, 10n ** 6n).map((units) => toDecimal(units, 2)),
    source: fc.constantFrom('plan', 'pack'),
    priority: fc.nat(2),
    createdAt: fc.nat(3),
    expiresAt: fc.option(fc.integer({ min: 1, max: 4 })),
  })
  .map(({ id, ...members }) => grantOf(id, members))

function sum(all: readonly Decimal[]): Decimal {
  return all.reduce(add, DECIMAL_ZERO)
}
