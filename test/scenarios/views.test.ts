/** The public views say the same on both stores, column by column and text by text. */

import { createFarebox, testClock } from '@farebox/core'
import { type Charge, type Customer, decimal, DECIMAL_ZERO, type Entry, type NewUsageEvent } from '@farebox/core/contracts'
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
  const request = { method: 'GET', route: '/v1/:id', header: () => undefined, raw: null }
  const served = await gate.admit(request)
  if (served.kind === 'admitted') gate.settle(served.ticket, { kind: 'finished', status: 200 }, null)
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
      time_zone: 'Europe/Vienna',
      created_at: start,
      details: null,
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
      period_start_ms: start,
      quantity_millionths: '2500000',
      quantity: '2.500000',
      at_ms: start,
      at: '2026-01-01T00:00:00.000Z',
      route: null,
      key: 'k1',
      properties: '{"region":"ä \\"1\\"","size":3}',
      charge: null,
      corrects: null,
    },
    {
      seq: '2',
      customer: 'ada',
      feature: 'api_calls',
      period_start_ms: start,
      quantity_millionths: '7000000',
      quantity: '7.000000',
      at_ms: second,
      at: '2026-01-01T00:00:01.001Z',
      route: '/v1/:id',
      key: MADE,
      properties: null,
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
    round: '0',
    quantity_millionths: '2500000',
    quantity: '2.500000',
    events: '1',
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

it.each(STORES)('shows charges, corrections, grants, records and counters on $name', async ({ database }) => {
  const { store: open, rows } = database()
  const store = open()
  await store.open()
  const credits = (id: string, used: string): Entry => ({
    kind: 'granted',
    grant: {
      id,
      unit: 'credits',
      source: 'pack',
      priority: 0,
      reference: null,
      isClosed: id === 'g2',
      expiresAt: FEBRUARY,
      granted: decimal('10.50'),
      revoked: decimal('0.25'),
      used: decimal(used),
      held: DECIMAL_ZERO,
      startsAt: JANUARY,
      createdAt: JANUARY,
    },
  })
  const event = (key: string, members: Partial<NewUsageEvent>): Entry => ({
    kind: 'posted',
    event: {
      customerId: 'ada',
      feature: 'calls',
      quantity: 2_500_000n,
      at: JANUARY,
      key,
      route: null,
      properties: null,
      ...members,
    },
    periodStart: JANUARY,
    keyGivenBy: 'caller',
  })
  const charge: Charge = {
    unit: 'credits',
    cost: decimal('1.5'),
    parts: [{ grant: 'g1', amount: decimal('1') }],
    uncovered: decimal('0.5'),
    waived: DECIMAL_ZERO,
  }
  await store.change({ customerId: 'ada' }, () => ({
    result: undefined,
    entries: [
      { kind: 'customer', customer: { ...ADA, country: 'AT' } },
      credits('g1', '0'),
      credits('g2', '3'),
      event('k1', { charge }),
      event('k2', { quantity: -500_000n, corrects: 1 }),
      { kind: 'counted', counter: 'SPRING', limit: 5 },
    ],
  }))
  const written = '{"unit":"credits","cost":"1.5","parts":[["g1","1"]],"uncovered":"0.5"}'
  expect(await rows('SELECT details FROM customers')).toEqual([{ details: '{"country":"AT"}' }])
  expect(await rows('SELECT key, quantity, charge, corrects FROM events ORDER BY seq')).toEqual([
    { key: 'k1', quantity: '2.500000', charge: written, corrects: null },
    { key: 'k2', quantity: '-0.500000', charge: null, corrects: '1' },
  ])
  expect(await rows('SELECT round, quantity, events, cost, uncovered FROM totals')).toEqual([
    { round: '0', quantity: '2.000000', events: '2', cost: '1.5', uncovered: '0.5' },
  ])
  const shown = {
    customer: 'ada',
    unit: 'credits',
    source: 'pack',
    granted: '10.5',
    revoked: '0.25',
    expires_at: String(FEBRUARY),
  }
  expect(await rows('SELECT * FROM grants ORDER BY id')).toEqual([
    { ...shown, id: 'g1', used: '1', is_open: '1' },
    { ...shown, id: 'g2', used: '3', is_open: '0' },
  ])
  expect(await rows('SELECT * FROM records ORDER BY id')).toEqual([
    { customer: 'ada', kind: 'grant', id: 'g1', is_open: '1', document: MADE },
    { customer: 'ada', kind: 'grant', id: 'g2', is_open: '0', document: MADE },
  ])
  expect(await rows('SELECT * FROM counters')).toEqual([{ counter: 'SPRING', taken: '1' }])
})

const ADA: Customer = { id: 'ada', name: null, email: null, timeZone: 'UTC', createdAt: JANUARY }
