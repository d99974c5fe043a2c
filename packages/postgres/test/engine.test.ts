/** The engine on PostgreSQL: months, limits, several processes. */

import { createFarebox, type Farebox, testClock } from '@farebox/core'
import { describe, expect, test } from 'vitest'
import { catalog } from './catalog.ts'
import { testDatabase } from './database.ts'

const START = Date.UTC(2026, 0, 1)
const DAY = 86_400_000

test('a month is counted, invoiced and audited', async () => {
  const { store, rows } = await testDatabase()
  const clock = testClock(START)
  const farebox = createFarebox({ catalog, store: store(), clock })
  await farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })
  const track = (key: string) => farebox.usage.track({ customerId: 'ada', feature: 'api_calls', idempotencyKey: key })
  await Promise.all(Array.from({ length: 104 }, (_, i) => track(`k${i}`)))
  // Again, side by side in one transaction and after it: counted once.
  const kinds = await Promise.all(['k3', 'new', 'new'].map(track))
  expect(kinds.map(({ kind }) => kind)).toEqual(['repeat', 'recorded', 'repeat'])
  clock.advance(31 * DAY)
  await farebox.closePeriods()
  const { items } = await farebox.invoices.list()
  expect(items.map(({ number, total }) => [number, total.minor])).toEqual([
    ['FB-000001', 2_900n],
    ['FB-000002', 2_950n],
  ])
  expect(await farebox.verify()).toEqual({ ok: true, events: 105, differences: [] })
  expect(
    await rows('SELECT count(*)::int AS events, count(DISTINCT seq)::int AS places, max(seq)::int AS last FROM events'),
  ).toEqual([{ events: 105, places: 105, last: 105 }])
  expect((await farebox.closePeriods()).invoices).toEqual([])
  expect(farebox.store.version).toMatch(/^\d+\.\d+/)
})

test('three processes, 600 requests at once, 50 units left: exactly 50 are admitted', async () => {
  const { store, rows } = await testDatabase()
  const clock = testClock(START)
  const processes = Array.from({ length: 3 }, () => createFarebox({ catalog, store: store(), clock }))
  await Promise.all(processes.map(({ ready }) => ready))
  const asked = processes.flatMap((farebox) =>
    Array.from({ length: 200 }, () => farebox.usage.track({ customerId: 'bob', feature: 'api_calls' })),
  )
  const kinds = (await Promise.all(asked)).map(({ kind }) => kind)
  expect(kinds.filter((kind) => kind === 'recorded')).toHaveLength(50)
  expect(kinds.filter((kind) => kind === 'refused')).toHaveLength(550)
  expect(await rows('SELECT count(*)::int AS events FROM events')).toEqual([{ events: 50 }])
})

describe('what a process remembers of an account that another one changes', () => {
  async function two() {
    const { store, rows } = await testDatabase()
    const clock = testClock(START)
    const process = () => createFarebox({ catalog, store: store({ connections: 1 }), clock })
    const one = ({ usage }: Farebox) => usage.track({ customerId: 'bob', feature: 'api_calls' })
    return { first: process(), second: process(), rows, one }
  }

  test('every event is counted once, at a place of its own', async () => {
    const { first, second, rows, one } = await two()
    // In turns, and many in a row: each has seen the other's changes, and has had the account to itself.
    for (const farebox of [first, second, first, first, second, first, second, second]) await one(farebox)
    for (let i = 0; i < 40; i += 1) await one(first)
    const kinds = await Promise.all([second, second, first, second].map(one))
    expect(kinds.map(({ kind }) => kind).toSorted()).toEqual(['recorded', 'recorded', 'refused', 'refused'])
    expect(
      await rows('SELECT count(*)::int AS n, count(DISTINCT seq)::int AS places, max(seq)::int AS last FROM events'),
    ).toEqual([{ n: 50, places: 50, last: 50 }])
    expect(await first.verify()).toEqual({ ok: true, events: 50, differences: [] })
  })

  test('nobody is refused for what is not so any more', async () => {
    const { first, second, one } = await two()
    await Promise.all(Array.from({ length: 50 }, () => one(first)))
    expect((await one(first)).kind).toBe('refused')
    await second.subscriptions.change({ customerId: 'bob', plan: 'pro' })
    expect((await one(first)).kind).toBe('recorded')
  })
})

test('many customers in one turn share a transaction', async () => {
  const { store, rows } = await testDatabase()
  const farebox = createFarebox({ catalog, store: store({ connections: 1 }), clock: testClock(START) })
  await farebox.ready
  const before = await rows<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid')
  await Promise.all(Array.from({ length: 300 }, (_, i) => farebox.usage.track({ customerId: `c${i}`, feature: 'api_calls' })))
  const [after] = await rows<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid')
  // New customers get their rows in a transaction before, and a new month its partition.
  expect(Number(after?.xid) - Number(before[0]?.xid)).toBeLessThan(12)
  expect(await rows('SELECT count(*)::int AS n FROM totals')).toEqual([{ n: 300 }])
})
