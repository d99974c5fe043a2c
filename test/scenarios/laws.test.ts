/** What holds for any events and any cuts: the order, the parts and the lateness of usage change no amount, and closing twice makes nothing. */

import { defineCatalog, type Invoice } from '@farebox/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { STORES } from './stores.ts'
import { begin, grant, instantOf, type Story } from './story.ts'

const PRICES = {
  per_unit: { model: 'per_unit', price: '0.015' },
  graduated: {
    model: 'graduated',
    tiers: [{ upTo: 7, price: '1.00', flat: '0.50' }, { upTo: 20, price: '0.333' }, { price: '0.1' }],
  },
  volume: { model: 'volume', tiers: [{ upTo: 7, price: '1.00' }, { upTo: 20, price: '0.333', flat: '2.00' }, { price: '0.1' }] },
  package: { model: 'package', size: 6, price: '1.00' },
  flat: { model: 'flat', price: '9.99' },
} as const
type Model = keyof typeof PRICES

/** `note` makes another version of what is otherwise the same. */
function sold(note = 'calls') {
  const metered = (model: Model) =>
    ({ name: model, price: '10.00', interval: 'month', features: { calls: { included: 5, overage: PRICES[model] } } }) as const
  const timed = (price: string) => ({ price, interval: 'month', proration: 'time', features: { calls: {} } }) as const
  return defineCatalog({
    currency: 'USD',
    features: { calls: { type: 'metered', name: note } },
    plans: {
      per_unit: metered('per_unit'),
      graduated: metered('graduated'),
      volume: metered('volume'),
      package: metered('package'),
      flat: metered('flat'),
      balance: {
        price: '1.00',
        interval: 'month',
        consumption: 'balance',
        features: { calls: { price: { model: 'fixed', price: '0.0333' } } },
      },
      small: timed('10.00'),
      middle: timed('33.33'),
      large: timed('99.99'),
    },
  })
}

const MODELS = Object.keys(PRICES) as Model[]
const DAY_MS = 86_400_000
const JANUARY = instantOf('2026-01-01')

/** Units in millionths, on a day of January. */
const events = fc.array(fc.record({ units: fc.integer({ min: 0, max: 9_000_000 }), day: fc.integer({ min: 0, max: 30 }) }), {
  minLength: 1,
  maxLength: 10,
})
type Events = readonly { readonly units: number; readonly day: number }[]

async function use({ farebox }: Story, list: Events): Promise<void> {
  for (const { units, day } of list)
    await farebox.usage.track({
      customerId: 'ada',
      feature: 'calls',
      value: units / 1_000_000,
      timestamp: JANUARY + day * DAY_MS,
    })
}

/** Every line about usage, in cents. */
function usageCents(invoices: readonly Invoice[]): bigint {
  const lines = invoices.flatMap((invoice) => invoice.lines.filter(({ feature }) => feature !== null))
  return lines.reduce((sum, { amount }) => sum + amount.minor, 0n)
}

async function invoicesOf({ farebox }: Story): Promise<readonly Invoice[]> {
  return (await farebox.invoices.list()).items
}

describe.each(STORES)('on $name', ({ name, database }) => {
  // Each run has a database of its own.
  const runs = { numRuns: name === 'SQLite' ? 12 : 3 }

  it(
    'whenever usage is reported, before or after its invoice, it costs the same in the end; closing again makes nothing',
    { timeout: 60_000 },
    async () => {
      const property = fc.asyncProperty(fc.constantFrom(...MODELS), events, events, async (model, before, after) => {
        const cents: bigint[] = []
        for (const [inTime, late] of [
          [[...before, ...after], []],
          [before, after],
          [after, before.toReversed()],
        ] as const) {
          const story = begin(database, { catalog: sold() })
          await story.subscribe('ada', model)
          story.goTo('2026-02-01')
          await use(story, inTime)
          await story.close()
          await use(story, late)
          story.goTo('2026-03-01')
          await story.close()
          expect(await story.close()).toEqual([])
          cents.push(usageCents(await invoicesOf(story)))
          await story.end()
        }
        expect(new Set(cents).size).toBe(1)
      })
      await fc.assert(property, runs)
    },
  )

  it(
    'in whatever order events come, a balance pays the same of them and the rest is billed the same',
    { timeout: 60_000 },
    async () => {
      const property = fc.asyncProperty(events, fc.integer({ min: 0, max: 150 }), async (list, topUp) => {
        const seen: unknown[] = []
        for (const order of [list, list.toReversed(), list.toSorted((a, b) => a.units - b.units)]) {
          const story = begin(database, { catalog: sold() })
          await story.subscribe('ada', 'balance')
          if (topUp > 0)
            await grant(story, {
              customerId: 'ada',
              id: 'top-up',
              unit: 'balance',
              source: 'top_up',
              granted: (topUp / 100).toFixed(2),
            })
          story.goTo('2026-01-31T23:59Z')
          await use(story, order)
          const left = await story.left('ada')
          story.goTo('2026-02-01')
          seen.push([left, await story.left('ada'), await story.close()])
          await story.end()
        }
        expect(seen[1]).toEqual(seen[0])
        expect(seen[2]).toEqual(seen[0])
      })
      await fc.assert(property, runs)
    },
  )

  it(
    'changes of price that change nothing cost nothing, wherever they cut the month and however much was used before',
    { timeout: 60_000 },
    async () => {
      const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 4 })), {
        minLength: 1,
        maxLength: 4,
      })
      const property = fc.asyncProperty(steps, async (list) => {
        let story = begin(database, { catalog: sold() })
        await story.subscribe('ada', 'per_unit')
        let used = 0
        for (const [i, [days, units]] of list.entries()) {
          await story.use('ada', units)
          used += units
          story.clock.advance(days * DAY_MS - i)
          if (story.clock.now() >= instantOf('2026-01-31')) break
          story = await story.release(sold(`calls ${i}`))
          await story.farebox.subscriptions.movePrices({ customerId: 'ada', when: 'now' })
          story.clock.advance(1)
        }
        story.goTo('2026-02-01')
        await story.close()
        const lines = (await invoicesOf(story)).flatMap((invoice) => invoice.lines.filter(({ feature }) => feature !== null))
        const billable = lines.reduce((sum, line) => sum + line.billable, 0n)
        expect(billable).toBe(BigInt(Math.max(0, used - 5)) * 1_000_000n)
        await story.end()
      })
      await fc.assert(property, runs)
    },
  )

  it(
    'changes of plan by time cost each plan for its days, to a cent for each change, and never give back more than was paid',
    { timeout: 60_000 },
    async () => {
      const plans = { small: 1_000n, middle: 3_333n, large: 9_999n } as const
      type Code = keyof typeof plans
      const codes = fc.constantFrom(...(Object.keys(plans) as Code[]))
      const property = fc.asyncProperty(
        codes,
        fc.array(fc.tuple(fc.integer({ min: 1, max: 10 }), codes), { maxLength: 5 }),
        async (first, list) => {
          const story = begin(database, { catalog: sold(), begins: '2026-06-01' })
          await story.subscribe('ada', first)
          await story.close()
          let [day, plan] = [0, first]
          // Prices times days, of thirty.
          let exact = 0n
          for (const [days, next] of list) {
            if (day + days >= 30 || next === plan) continue
            exact += plans[plan] * BigInt(days)
            day += days
            story.clock.set(instantOf('2026-06-01') + day * DAY_MS)
            const { invoice } = await story.farebox.subscriptions.change({ customerId: 'ada', plan: next, when: 'now' })
            const paid = (await invoicesOf(story)).slice(0, -1).reduce((sum, { total }) => sum + total.minor, 0n)
            expect(invoice === null ? 0n : paid + invoice.total.minor).toBeGreaterThanOrEqual(0n)
            plan = next
          }
          exact += plans[plan] * BigInt(30 - day)
          const net = (await invoicesOf(story)).reduce((sum, { total }) => sum + total.minor, 0n)
          const off = net * 30n - exact
          expect(off < 0n ? -off : off).toBeLessThanOrEqual(30n * BigInt(list.length + 1))
          await story.end()
        },
      )
      await fc.assert(property, runs)
    },
  )
})
