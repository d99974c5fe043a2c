/** Closing periods: resumable, gapless, held back on a difference, and equal to the log. */

import { createFarebox, type Farebox, formatMoney, invoiceJson, type Store, testClock } from '@farebox/core'
import { submitBy } from '@farebox/core/contracts'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { catalog } from './catalog.ts'
import { STORES, type TestDatabase } from './stores.ts'

const JANUARY = Date.UTC(2026, 0, 1)
const FEBRUARY = Date.UTC(2026, 1, 1)
const MARCH = Date.UTC(2026, 2, 1)
const clock = testClock(JANUARY)
const running: Farebox[] = []
let database: TestDatabase

afterEach(async () => {
  for (const farebox of running.splice(0)) await farebox.stop()
})

function start(wrap: (store: Store) => Store = (store) => store): Farebox {
  const farebox = createFarebox({ catalog, store: wrap(database.store()), clock })
  running.push(farebox)
  return farebox
}

async function subscribe(farebox: Farebox, plans: Record<string, string>): Promise<void> {
  for (const [customerId, plan] of Object.entries(plans))
    await farebox.subscriptions.create({ customerId, plan, startsAt: JANUARY })
}

const use = (farebox: Farebox, customerId: string, value: number | string, feature = 'api_calls', timestamp?: number) =>
  farebox.usage.track({ customerId, feature, value, ...(timestamp === undefined ? {} : { timestamp }) })

/** A store that dies at the n-th change: everything after it fails, as after `kill -9`. */
function dyingAfter(changes: number): (store: Store) => Store {
  return (store) => {
    let left = changes
    const change: Store['change'] = (target, decide) =>
      left-- > 0 ? store.change(target, decide) : Promise.reject(new Error('killed'))
    const others: Partial<Store> = { change, submit: submitBy(change) }
    return new Proxy(store, {
      get(target, name) {
        const member: unknown = Reflect.get(Object.hasOwn(others, name) ? others : target, name)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
  }
}

describe.each(STORES)('closing on $name', (kind) => {
  beforeEach(() => {
    clock.set(JANUARY)
    database = kind.database()
  })

  it('makes each invoice once, with numbers that have no gap, wherever closing is killed', async () => {
    const setUp = start()
    await subscribe(setUp, { ada: 'starter', bob: 'pro', eve: 'free' })
    for (const customerId of ['ada', 'bob']) await use(setUp, customerId, 130)
    await use(setUp, 'eve', 7)
    await setUp.stop()
    clock.set(FEBRUARY)
    for (let changes = 0; changes < 14; changes += 1) {
      const dying = start(dyingAfter(changes % 5))
      await expect(dying.closePeriods()).rejects.toThrow('killed')
      await dying.stop()
    }
    const farebox = start()
    await farebox.closePeriods()
    const { items } = await farebox.invoices.list()
    expect(items.map(({ number }) => number).toSorted()).toEqual([
      'FB-000001',
      'FB-000002',
      'FB-000003',
      'FB-000004',
      'FB-000005',
    ])
    expect(
      items
        .map(
          (invoice) =>
            `${invoice.customerId} ${invoiceJson(invoice).period[0].slice(0, 10)} ${formatMoney(invoice.total)} ${invoice.status}`,
        )
        .toSorted(),
    ).toEqual([
      'ada 2026-01-01 32.50 open',
      'ada 2026-01-01 5.00 open',
      'bob 2026-01-01 29.00 open',
      'bob 2026-01-01 32.00 open',
      'eve 2026-01-01 0.00 paid',
    ])
    expect(await farebox.verify()).toMatchObject({ ok: true, events: 3 })
    expect((await farebox.closePeriods()).invoices).toEqual([])
  })

  it('closes from two processes at once and makes nothing twice', async () => {
    const [one, two] = [start(), start()]
    await subscribe(one, { ada: 'starter', bob: 'pro', eve: 'starter' })
    await use(one, 'ada', 30)
    clock.set(MARCH)
    const made = await Promise.all([one.closePeriods(), two.closePeriods()])
    const numbers = made.flatMap(({ invoices }) => invoices.map(({ number }) => number)).toSorted()
    // Three customers, moments 0, 1 and 2.
    expect(numbers).toEqual(Array.from({ length: 9 }, (_, i) => `FB-00000${i + 1}`))
    expect((await one.verify()).differences).toEqual([])
  })

  it('holds an invoice back when a total does not equal its events, and names the difference', async () => {
    const farebox = start()
    await subscribe(farebox, { ada: 'starter', bob: 'starter' })
    await use(farebox, 'ada', 30)
    await use(farebox, 'bob', 30)
    await farebox.stop()
    await database.damage({
      SQLite:
        "UPDATE _totals SET quantity = quantity + 1000000 WHERE customer_id = (SELECT id FROM _customers WHERE customer = 'ada')",
      PostgreSQL: "UPDATE _totals SET quantity = quantity + 1000000 WHERE customer = 'ada'",
    })
    clock.set(FEBRUARY)
    const again = start()
    const closed = await again.closePeriods()
    expect(closed.held).toMatchObject([
      {
        customerId: 'ada',
        differences: [{ feature: 'api_calls', total: { quantity: 31_000_000n }, log: { quantity: 30_000_000n } }],
      },
    ])
    expect(
      closed.invoices.filter(({ period }) => period[1] === FEBRUARY && period[0] === JANUARY).map(({ customerId }) => customerId),
    ).toContain('bob')
    expect((await again.invoices.list({ customerId: 'ada' })).items.map(({ status }) => status)).toEqual(['open', 'draft'])
    expect((await again.verify()).differences.map(({ message }) => message)).toEqual([
      'api_calls of ada in the period from 2026-01-01T00:00:00.000Z: the log holds 30 in 1 events, the total says 31 in 1 events',
    ])
  })

  it('names an invoice whose document was changed by hand', async () => {
    const farebox = start()
    await subscribe(farebox, { ada: 'starter' })
    await use(farebox, 'ada', 30)
    clock.set(FEBRUARY)
    await farebox.closePeriods()
    await farebox.stop()
    const lower = `UPDATE _invoices SET document = replace(document, '"minor":"250"', '"minor":"150"')`
    await database.damage({
      SQLite: `DROP TRIGGER _invoices_final_never_change; ${lower}`,
      PostgreSQL: `DROP TRIGGER _invoices_final_never_change ON _invoices; ${lower}`,
    })
    const messages = (await start().verify()).differences.map(({ message }) => message)
    expect(messages).toEqual([
      'Invoice FB-000002 of ada: its lines add up to a subtotal of 6.50, it says 7.50',
      'Invoice FB-000002 of ada: its lines add up to a total of 6.50, it says 7.50',
      'Invoice FB-000002 of ada: the log gives 30 for 2.50 of api_calls, the invoice says 30 for 1.50',
    ])
  })

  it('names an event that no total counts', async () => {
    const farebox = start()
    await subscribe(farebox, { ada: 'starter' })
    await use(farebox, 'ada', 3)
    await farebox.stop()
    await database.damage({
      SQLite:
        "INSERT INTO _events (seq, total_id, quantity, at, back, key) SELECT seq + 1, total_id, quantity, at, seq + 1, 'smuggled' FROM _events",
      PostgreSQL:
        "INSERT INTO _events SELECT customer, seq + 1, feature, period_start, quantity, at, route, 'smuggled', NULL FROM _events",
    })
    expect((await start().verify()).differences).toMatchObject([{ kind: 'total', customerId: 'ada' }])
  })

  it('leaves a period open while a request of it is in flight, and bills the request when it ends', async () => {
    const farebox = start()
    await subscribe(farebox, { ada: 'starter' })
    clock.set(FEBRUARY - 1)
    const gate = farebox.createGate<string>('api_calls', { identify: (id) => id })
    const verdict = await gate.admit({ method: 'GET', route: '/', header: () => undefined, raw: 'ada' })
    clock.set(FEBRUARY + 1)
    const early = await farebox.closePeriods()
    expect([early.waiting, early.invoices.length]).toEqual([['ada'], 1])
    if (verdict.kind === 'admitted') gate.settle(verdict.ticket, { kind: 'finished', status: 200 }, 'ada')
    const late = await farebox.closePeriods()
    expect(late.invoices.map((invoice) => invoiceJson(invoice).lines.at(-1))).toMatchObject([
      { feature: 'api_calls', quantity: '1' },
    ])
  })

  it('gives usage at the instant a period ends to the next one, and late events to the period of their timestamp', async () => {
    const farebox = start()
    await subscribe(farebox, { ada: 'starter' })
    clock.set(FEBRUARY)
    await use(farebox, 'ada', 1)
    await use(farebox, 'ada', 2, 'api_calls', FEBRUARY - 1)
    const [, january] = (await farebox.closePeriods()).invoices
    expect(january?.lines.find(({ feature }) => feature === 'api_calls')?.quantity).toBe(2_000_000n)
    // What comes when the period is invoiced is on the next invoice, which names the one that it adjusts.
    await use(farebox, 'ada', 20, 'api_calls', FEBRUARY - 1)
    expect((await farebox.usage.totals({ customerId: 'ada' }))[0]?.posted).toBe(1_000_000n)
    clock.set(Date.UTC(2026, 2, 1))
    const [february] = (await farebox.closePeriods()).invoices
    const adjustment = february?.lines.find(({ type }) => type === 'adjustment')
    expect(adjustment).toMatchObject({ corrects: january?.id, period: [Date.UTC(2026, 0, 1), FEBRUARY], amount: { minor: 50n } })
  })

  it('bills a yearly plan once a year in advance and its overage every month', async () => {
    const farebox = start()
    await subscribe(farebox, { ada: 'yearly' })
    await use(farebox, 'ada', 24)
    clock.set(Date.UTC(2027, 0, 1))
    const { invoices } = await farebox.closePeriods()
    expect(
      invoices.map((invoice) => [invoice.type, invoiceJson(invoice).total, invoiceJson(invoice).period[0].slice(0, 10)]),
    ).toEqual([
      ['recurring', '120.00', '2026-01-01'],
      ['overage', '1.00', '2026-01-01'],
      ['recurring', '120.00', '2026-12-01'],
    ])
  })

  it('keeps an anchor on the 31st through short months', async () => {
    const farebox = start()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'starter', startsAt: '2026-01-31T00:00:00Z' })
    clock.set(Date.UTC(2026, 4, 1))
    const { invoices } = await farebox.closePeriods()
    expect(invoices.map((invoice) => invoiceJson(invoice).lines[0]?.period.map((instant) => instant.slice(5, 10)))).toEqual([
      ['01-31', '02-28'],
      ['02-28', '03-31'],
      ['03-31', '04-30'],
      ['04-30', '05-31'],
    ])
  })

  it('previews the running period by the code that bills it', async () => {
    const farebox = start()
    await subscribe(farebox, { ada: 'starter' })
    await farebox.closePeriods()
    await use(farebox, 'ada', 22)
    const preview = await farebox.invoices.preview('ada')
    clock.set(FEBRUARY)
    const [final] = (await farebox.closePeriods()).invoices
    expect(preview?.lines).toEqual(final?.lines)
    expect(preview?.number).toBeNull()
  })

  describe('laws', () => {
    const events = fc.array(
      fc.record({
        value: fc.integer({ min: 0, max: 40_000_000 }),
        feature: fc.constantFrom('api_calls', 'downloads'),
        day: fc.integer({ min: 0, max: 30 }),
      }),
      { maxLength: 25 },
    )

    async function totalOf(list: readonly { value: number; feature: string; day: number }[]): Promise<string> {
      clock.set(FEBRUARY)
      const farebox = createFarebox({ catalog, store: kind.database().store(), clock })
      await subscribe(farebox, { ada: 'pro' })
      await Promise.all(
        list.map(({ value, feature, day }) => use(farebox, 'ada', value / 1_000_000, feature, JANUARY + day * 86_400_000)),
      )
      const { invoices } = await farebox.closePeriods()
      const audit = await farebox.verify()
      await farebox.stop()
      expect(audit.ok).toBe(true)
      return JSON.stringify(
        invoices.map((invoice) => invoiceJson(invoice).lines.map(({ quantity, amount }) => [quantity, amount])),
      )
    }

    it('the order of events does not matter, and neither does how they are cut', { timeout: 60_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(events, async (list) => {
          const whole = await totalOf(list)
          expect(await totalOf(list.toReversed())).toBe(whole)
          const halves = list.flatMap((event) => {
            const half = Math.floor(event.value / 2)
            return [
              { ...event, value: half },
              { ...event, value: event.value - half },
            ]
          })
          expect(await totalOf(halves)).toBe(whole)
        }),
        { numRuns: 25 },
      )
    })
  })
})
