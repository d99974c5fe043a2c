/** The public views say the same on both stores, column by column and text by text. */

import { createFarebox, testClock } from '@farebox/core'
import { expect, it, onTestFinished } from 'vitest'
import { catalog } from './catalog.ts'
import { STORES } from './stores.ts'

const JANUARY = Date.UTC(2026, 0, 1)
const FEBRUARY = Date.UTC(2026, 1, 1)
const MADE = expect.stringMatching(/./)

it.each(STORES)('shows customers, events, totals, reservations and invoices on $name', async ({ database }) => {
  const clock = testClock(JANUARY)
  const { store, rows } = database()
  const farebox = createFarebox({ catalog, store: store(), clock })
  onTestFinished(() => farebox.stop({ withinMs: 0 }))
  await farebox.customers.create({ id: 'ada', name: 'Ada', timeZone: 'Europe/Vienna' })
  const { id } = await farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })
  const track = { customerId: 'ada', feature: 'downloads', value: '2.5', idempotencyKey: 'k1' }
  await farebox.usage.track({ ...track, properties: { region: 'ä "1"', size: 3 } })
  clock.set(JANUARY + 1_001)
  const gate = farebox.createGate<null>('api_calls', { identify: () => 'ada', units: 7 })
  const request = { method: 'GET', path: '/v1/7', route: '/v1/:id', header: () => undefined, raw: null }
  const served = await gate.admit(request)
  if (served.kind === 'admitted') await gate.settle(served.ticket, { kind: 'finished', status: 200 }, null)
  await farebox.closePeriods()
  clock.set(FEBRUARY)
  expect((await gate.admit(request)).kind).toBe('admitted')
  await farebox.flush()

  const [start, second] = [String(JANUARY), String(JANUARY + 1_001)]
  expect(await rows('SELECT * FROM customers')).toEqual([
    {
      customer: 'ada',
      name: 'Ada',
      email: null,
      details: null,
      time_zone: 'Europe/Vienna',
      created_at: start,
      subscription: id,
      plan: 'pro',
      status: 'active',
      catalog_version: catalog.version,
      anchor: start,
      starts_at: start,
      ends_at: null,
    },
  ])
  expect(await rows('SELECT * FROM events ORDER BY seq')).toEqual([
    {
      seq: '1',
      customer: 'ada',
      feature: 'downloads',
      quantity_millionths: '2500000',
      quantity: '2.500000',
      at_ms: start,
      at: '2026-01-01T00:00:00.000Z',
      route: null,
      key: 'k1',
      properties: '{"region":"ä \\"1\\"","size":3}',
      period_start_ms: start,
      charge: null,
      corrects: null,
    },
    {
      seq: '2',
      customer: 'ada',
      feature: 'api_calls',
      quantity_millionths: '7000000',
      quantity: '7.000000',
      at_ms: second,
      at: '2026-01-01T00:00:01.001Z',
      route: '/v1/:id',
      key: MADE,
      properties: null,
      period_start_ms: start,
      charge: null,
      corrects: null,
    },
  ])
  const totals = await rows('SELECT * FROM totals ORDER BY feature')
  expect(totals).toMatchObject([{ feature: 'api_calls', quantity: '7.000000' }, { feature: 'downloads' }])
  expect(totals[1]).toEqual({
    customer: 'ada',
    feature: 'downloads',
    period_start_ms: start,
    quantity_millionths: '2500000',
    quantity: '2.500000',
    events: '1',
    round: '0',
    cost: '0',
    uncovered: '0',
    invoice: null,
  })
  expect(await rows('SELECT * FROM reservations')).toEqual([
    {
      process: MADE,
      key: MADE,
      customer: 'ada',
      feature: 'api_calls',
      quantity_millionths: '7000000',
      at_ms: String(FEBRUARY),
      charge: null,
    },
  ])
  const [invoice] = await rows('SELECT * FROM invoices')
  expect(invoice).toEqual({ id: MADE, customer: 'ada', status: 'open', series: 'FB', number: '1', document: MADE })
  expect(JSON.parse(invoice?.document ?? '')).toMatchObject({ customerId: 'ada' })
})
