/** The engine through its front door, on both stores with a moved clock. */

import { createFarebox, type Farebox, invoiceJson, testClock } from '@farebox/core'
import { afterEach, describe, expect, it } from 'vitest'
import { catalog } from './catalog.ts'
import { STORES } from './stores.ts'

const START = Date.UTC(2026, 0, 1)
const clock = testClock(START)
const running: Farebox[] = []

afterEach(async () => {
  for (const farebox of running.splice(0)) await farebox.stop()
})

const CASES = STORES.flatMap((kind) => [0, 1_000].map((cacheSize) => ({ ...kind, cacheSize })))

describe.each(CASES)('the engine on $name with a cache of $cacheSize accounts', ({ database, cacheSize }) => {
  function start(): Farebox {
    clock.set(START)
    const farebox = createFarebox({ catalog, store: database().store({ cacheSize }), clock })
    running.push(farebox)
    return farebox
  }

  it('admits exactly what is left, of any number of concurrent claims', async () => {
    const farebox = start()
    const results = await Promise.all(
      Array.from({ length: 40 }, () => farebox.usage.track({ customerId: 'ada', feature: 'api_calls' })),
    )
    expect(results.filter(({ kind }) => kind === 'recorded')).toHaveLength(10)
    expect(results.filter(({ kind }) => kind === 'refused')).toHaveLength(30)
    const [usage] = await farebox.usage.totals({ customerId: 'ada' })
    expect(usage).toMatchObject({ posted: 10_000_000n, remaining: 0n })
    expect(await farebox.verify()).toEqual({ ok: true, events: 10, differences: [] })
  })

  it('counts a key once, for ever, and tells a repeat from a conflict', async () => {
    const farebox = start()
    const event = { customerId: 'ada', feature: 'api_calls', value: 2, idempotencyKey: 'k1' }
    expect(await farebox.usage.track(event)).toMatchObject({ kind: 'recorded' })
    expect(await farebox.usage.track(event)).toMatchObject({ kind: 'repeat' })
    expect(await farebox.usage.track({ ...event, value: 3 })).toMatchObject({ kind: 'conflict', fields: ['value'] })
    expect((await farebox.events.list()).items).toHaveLength(1)
  })

  it('bills base prices in advance and usage in arrears, in invoices that equal the log', async () => {
    const farebox = start()
    await farebox.subscriptions.create({ customerId: 'bob', plan: 'pro', startsAt: START })
    await farebox.usage.track({ customerId: 'bob', feature: 'api_calls', value: 150 })
    await farebox.usage.track({ customerId: 'bob', feature: 'downloads', value: '30.5' })
    const first = await farebox.closePeriods()
    expect(first.invoices.map((invoice) => invoiceJson(invoice).total)).toEqual(['29.00'])
    clock.set(Date.UTC(2026, 1, 1))
    const second = await farebox.closePeriods()
    const json = second.invoices.map(invoiceJson)
    expect(json).toMatchObject([{ number: 'FB-000002', type: 'recurring', status: 'open', total: '35.11' }])
    expect(
      json[0]?.lines.map((line) => [line.type, line.quantity, line.included, line.billable, line.unit_price, line.amount]),
    ).toEqual([
      ['plan_base', '1', '0', '1', '29.00', '29.00'],
      ['feature_usage', '150', '100', '50', '0.10', '5.00'],
      ['feature_usage', '25', '5', '20', '0.05', '1.00'],
      ['feature_usage', '5.5', '0', '5.5', '0.02', '0.11'],
    ])
    expect((await farebox.closePeriods()).invoices).toEqual([])
    expect(await farebox.verify()).toEqual({ ok: true, events: 2, differences: [] })
  })
})
