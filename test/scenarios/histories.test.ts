/** Random histories of tracking, corrections, changes and time: whatever happens, the books agree with the log. */

import { defineCatalog, FareboxError, type Invoice } from '@farebox/core'
import { add, decimal, parseInvoiceNumber } from '@farebox/core/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { STORES } from './stores.ts'
import { begin, grant, type Story } from './story.ts'

/** `note` makes another version of it, with other prices. */
function sold(note: number) {
  const cents = (base: number) => (base + note / 100).toFixed(2)
  const free = { price: '0', interval: 'month' } as const
  return defineCatalog({
    currency: 'USD',
    features: { calls: { type: 'metered', name: 'calls', default: true }, files: { type: 'metered', name: 'files' } },
    plans: {
      free: { ...free, features: { calls: { included: 10 } } },
      pro: {
        price: cents(29),
        interval: 'month',
        features: {
          calls: {
            included: 10,
            overage: { model: 'graduated', tiers: [{ upTo: 5, price: cents(1), flat: '0.25' }, { price: '0.333' }] },
          },
          files: { overage: { model: 'package', size: 3, price: cents(2) } },
        },
      },
      committed: {
        price: '5.00',
        interval: 'month',
        minimum: '30.00',
        proration: 'time',
        features: { calls: { overage: { model: 'volume', tiers: [{ upTo: 9, price: '1.00' }, { price: '0.50' }] } } },
      },
      weekly: {
        price: cents(3),
        interval: 'week',
        prorationUnit: 'second',
        features: { calls: { included: 2, overage: { model: 'per_unit', price: '0.007' } } },
      },
      yearly: {
        price: cents(300),
        interval: 'year',
        spendLimit: '4.00',
        features: { calls: { included: 5, overage: { model: 'per_unit', price: '0.5' } } },
      },
      credits: {
        price: cents(9),
        interval: 'month',
        consumption: 'credits',
        credits: 20,
        trialDays: 5,
        features: { calls: { credits: 1 }, files: { credits: '2.5' } },
      },
      balance: {
        price: cents(3),
        interval: 'month',
        consumption: 'balance',
        features: { calls: { price: { model: 'fixed', price: '0.15' } }, files: { price: { model: 'fixed', price: '0.0333' } } },
      },
    },
    coupons: { half: { percent: '50', cycles: 2 }, off: { amount: '3.00', plans: ['pro'] } },
  })
}

const PLANS = ['free', 'pro', 'committed', 'weekly', 'yearly', 'credits', 'balance'] as const
const DAY_MS = 86_400_000

const plan = fc.constantFrom(...PLANS)
const when = fc.constantFrom('now', 'renewal', undefined)
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('track'),
      feature: fc.constantFrom('calls', 'calls', 'calls', 'files'),
      units: fc.integer({ min: 0, max: 6_000_000 }),
      daysAgo: fc.constantFrom(0, 0, 0, 1, 9, 40),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('correct'), event: fc.nat(30), part: fc.constantFrom(0, 0.25, 0.5) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait'), days: fc.constantFrom(0, 1, 3, 11, 29, 45) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('change'), plan, when }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel'), when, prorate: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('resume', 'resume', 'reactivate', 'close') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pause'), when }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('subscribe'), plan }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prices'), when: fc.constantFrom('now', 'renewal') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('redeem'), coupon: fc.constantFrom('half', 'off') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('grant'),
      unit: fc.constantFrom('credits', 'balance'),
      units: fc.integer({ min: 1, max: 9 }),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

interface History {
  story: Story
  releases: number
  events: number
}

/** Carries a step out; what the state of things does not allow is an error with a code, and changes nothing. */
async function carryOut(history: History, action: Step): Promise<void> {
  try {
    await act(history, action)
  } catch (error) {
    if (!(error instanceof FareboxError)) throw error
  }
}

async function act(history: History, action: Step): Promise<unknown> {
  const { story } = history
  const { farebox, clock } = story
  const { subscriptions } = farebox
  const customerId = 'ada'
  switch (action.kind) {
    case 'track': {
      const { feature, units, daysAgo } = action
      const idempotencyKey = `event-${(history.events += 1)}`
      const timestamp = daysAgo === 0 ? {} : { timestamp: clock.now() - daysAgo * DAY_MS }
      return farebox.usage.track({ customerId, feature, value: units / 1_000_000, idempotencyKey, ...timestamp })
    }
    case 'correct': {
      const originals = (await farebox.events.list()).items.filter(({ corrects }) => corrects === undefined)
      const original = originals[action.event % originals.length]
      if (original === undefined) return undefined
      const value = String(Number(original.quantity / 1_000_000n) * action.part)
      return farebox.usage.correct({ customerId, seq: original.seq, value })
    }
    case 'wait':
      return clock.advance(action.days * DAY_MS + 3_600_000)
    case 'close':
      return farebox.closePeriods()
    case 'resume':
    case 'reactivate':
      return subscriptions[action.kind](customerId)
    case 'subscribe':
      return subscriptions.create({ customerId, plan: action.plan })
    case 'redeem':
      return subscriptions.redeem({ customerId, coupon: action.coupon })
    case 'grant': {
      const { unit, units } = action
      return grant(story, { customerId, id: `bought-${clock.now()}-${unit}`, unit, granted: String(units) })
    }
    case 'prices':
      history.story = await story.release(sold((history.releases += 1)))
      return history.story.farebox.subscriptions.movePrices({ customerId, when: action.when })
    case 'change':
      return subscriptions.change({ customerId, plan: action.plan, ...timeOf(action) })
    case 'cancel':
      return subscriptions.cancel({ customerId, prorate: action.prorate, ...timeOf(action) })
    case 'pause':
      return subscriptions.pause({ customerId, ...timeOf(action) })
  }
}

function timeOf({ when: time }: { readonly when: 'now' | 'renewal' | undefined }): { when?: 'now' | 'renewal' } {
  return time === undefined ? {} : { when: time }
}

/** What has to hold whatever happened. The audit is the story's own end. */
async function agree({ farebox, store }: Story): Promise<void> {
  const invoices = (await farebox.invoices.list()).items
  for (const invoice of invoices) expect(equationOf(invoice)).toBe(0n)
  const numbers = invoices.flatMap(({ number }) => (number === null ? [] : [parseInvoiceNumber(number)?.number ?? 0]))
  expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers.map((_, i) => i + 1))
  const grants = (await store.records({ kind: 'grant' })).items.map(
    ({ document }) => JSON.parse(document) as { granted: string; used: string; revoked: string },
  )
  for (const { granted, used } of grants) {
    expect(decimal(used).coefficient).toBeGreaterThanOrEqual(0n)
    expect(add(decimal(granted), negated(used)).coefficient).toBeGreaterThanOrEqual(0n)
  }
  // Each event is under one seal, or in a total that no invoice holds yet.
  const totals = (await store.totals({})).items
  const open = totals.filter(({ invoiceId }) => invoiceId === null).reduce((sum, total) => sum + total.events, 0)
  const sealed = invoices.reduce((sum, { seal }) => sum + (seal?.events ?? 0), 0)
  expect(open + sealed).toBe((await farebox.events.list()).items.length)
}

function negated(text: string) {
  const { coefficient, scale } = decimal(text)
  return { coefficient: -coefficient, scale }
}

/** total − (subtotal − discount + tax), and the subtotal against its lines. */
function equationOf({ subtotal, discount, tax, total, lines }: Invoice): bigint {
  const charged = lines
    .filter(({ type }) => type !== 'discount' && type !== 'tax')
    .reduce((sum, { amount }) => sum + amount.minor, 0n)
  expect(subtotal.minor).toBe(charged)
  return total.minor - (subtotal.minor - discount.minor + tax.minor)
}

describe.each(STORES)('on $name', ({ name, database }) => {
  it('any history ends with books that agree, and everything that was used is billed or open', { timeout: 120_000 }, async () => {
    const property = fc.asyncProperty(plan, fc.array(step, { minLength: 5, maxLength: 18 }), async (first, steps) => {
      const history: History = { story: begin(database, { catalog: sold(0), begins: '2026-01-31' }), releases: 0, events: 0 }
      await history.story.subscribe('ada', first)
      for (const action of steps) await carryOut(history, action)
      await agree(history.story)
      history.story.clock.advance(70 * DAY_MS)
      await history.story.close()
      expect(await history.story.close()).toEqual([])
      await agree(history.story)
      await history.story.end()
    })
    await fc.assert(property, { numRuns: name === 'SQLite' ? 25 : 4 })
  })
})
