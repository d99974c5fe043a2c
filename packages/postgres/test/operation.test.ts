/** What the operator does: start, many at once, keep old months out, spread over servers, look. */

import { createFarebox, testClock } from '@farebox/core'
import { type Charge, decimal, DECIMAL_ZERO, type Entry, type Invoice, type NewUsageEvent } from '@farebox/core/contracts'
import { startPostgres } from '@farebox/postgres-server'
import { expect, onTestFinished, test } from 'vitest'
import { BY_ACCOUNT, BY_PROCESS, COPIED } from '../src/distribute.ts'
import { distributeStatements, inspectPostgres, postgres, retainEvents } from '../src/index.ts'
import { catalog } from './catalog.ts'
import { testDatabase } from './database.ts'

const START = Date.UTC(2026, 0, 15)
const DAY = 86_400_000

test('eight stores open a new schema at once', async () => {
  const { store, rows } = await testDatabase()
  await Promise.all(Array.from({ length: 8 }, () => store().open()))
  expect(await rows('SELECT number, breaking FROM _migrations')).toEqual([{ number: 1, breaking: true }])
})

test('a schema that a newer Farebox changed is refused with one sentence', async () => {
  const { store, rows } = await testDatabase()
  await store().open()
  await rows('INSERT INTO _migrations (number, breaking) VALUES (2, false)')
  await store().open()
  await rows('INSERT INTO _migrations (number, breaking) VALUES (3, true)')
  await expect(store().open()).rejects.toMatchObject({
    code: 'store_unsupported',
    message: expect.stringMatching(/^Expected .*3/),
  })
})

test('a server whose settings lose what it acknowledged is refused, unless told otherwise', async () => {
  const server = await startPostgres({ settings: { synchronous_commit: 'off', fsync: 'off' } })
  onTestFinished(() => server.stop())
  const options = { connectionString: server.url }
  await expect(postgres(options).open()).rejects.toMatchObject({
    code: 'store_unsafe',
    fields: { settings: ['synchronous_commit = off', 'fsync = off'] },
  })
  const told = postgres({ ...options, allowUnsafe: true })
  await told.open()
  expect((await inspectPostgres(options)).unsafe).toEqual(['synchronous_commit = off', 'fsync = off'])
  await told.close()
})

test('nobody there: the store says so in time', async () => {
  const store = postgres({ connectionString: 'postgres://nobody@127.0.0.1:1/none', timeoutMs: 500 })
  await expect(store.open()).rejects.toMatchObject({ code: 'store_unavailable' })
  await store.close()
})

test.each([
  [{}, 'connectionString'],
  [{ connectionString: 'mysql://x' }, 'connectionString'],
  [{ connectionString: 'postgres://x', schema: 'A b' }, 'schema'],
  [{ connectionString: 'postgres://x', prefix: '"' }, 'prefix'],
  [{ connectionString: 'postgres://x', connections: 0 }, 'connections'],
  [{ connectionString: 'postgres://x', durability: 'half' }, 'durability'],
  [{ connectionString: 'postgres://x', prepare: 1 }, 'prepare'],
  [{ connectionString: 'postgres://x:secret@y', pool: 3 }, 'pool'],
])('options are checked: %o', (options, name) => {
  expect(() => postgres(options as never)).toThrow(name)
  expect(() => postgres(options as never)).not.toThrow('secret')
})

test('reservations of a process that is not heard of any more are resolved; those of one that lives are not', async () => {
  const { store, rows } = await testDatabase()
  const clock = testClock(START)
  const dead = createFarebox({ catalog, store: store({ deadAfterMs: 600_000 }), clock })
  const gate = dead.createGate('api_calls')
  const headers = new Map([['x-api-key', (await dead.apiKeys.create({ customerId: 'ada' })).key]])
  const request = { method: 'GET', header: (name: string) => headers.get(name), raw: {} }
  expect((await gate.admit(request as never)).kind).toBe('admitted')
  const alive = createFarebox({ catalog, store: store({ deadAfterMs: 1_000 }), clock })
  await alive.ready
  expect(await rows('SELECT count(*)::int AS n FROM reservations')).toEqual([{ n: 1 }])
  // As if it had been killed that long ago.
  await rows(`UPDATE _lanes SET seen_at = seen_at - interval '2 seconds'
    WHERE process = (SELECT process FROM reservations)`)
  await rows(`SELECT pg_sleep(greatest(0, 1.1 - extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())))`)
  await alive.closePeriods()
  expect(await rows('SELECT count(*)::int AS n FROM reservations')).toEqual([{ n: 0 }])
  expect(await rows('SELECT customer, quantity FROM events')).toEqual([{ customer: 'ada', quantity: '1.000000' }])
})

test('months before one leave the log; totals, invoices, repeats and the audit stay as they were', async () => {
  const { store, rows, url, schema } = await testDatabase()
  const clock = testClock(START)
  const farebox = createFarebox({ catalog, store: store(), clock })
  await farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })
  const track = (key: string) =>
    farebox.usage.track({ customerId: 'ada', feature: 'api_calls', idempotencyKey: key, properties: { of: 'ada', n: 1 } })
  for (let i = 0; i < 40; i += 1) {
    await track(`k${i}`)
    clock.advance(DAY)
  }
  // 15 January to 24 February: one period is over, the second is open and has events in February.
  await farebox.closePeriods()
  const before = { totals: await rows('SELECT * FROM totals'), invoices: await rows('SELECT * FROM invoices') }
  const location = { connectionString: url, schema }
  expect(await retainEvents({ ...location, before: '2026-03' })).toEqual([
    { kind: 'dropped', month: '2026-01', events: 17 },
    { kind: 'open', month: '2026-02', openTotals: 1 },
  ])
  expect(await retainEvents({ ...location, before: '2026-02' })).toEqual([])
  expect(await rows('SELECT count(*)::int AS n FROM events')).toEqual([{ n: 23 }])
  expect({ totals: await rows('SELECT * FROM totals'), invoices: await rows('SELECT * FROM invoices') }).toEqual(before)
  expect(await farebox.verify()).toMatchObject({ ok: true, differences: [] })
  expect(await track('k3')).toMatchObject({ kind: 'repeat', event: { properties: { of: 'ada', n: 1 } } })
  expect(await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', idempotencyKey: 'k3', value: 2 })).toMatchObject({
    kind: 'conflict',
  })
  await expect(retainEvents({ ...location, before: 'January' })).rejects.toMatchObject({ code: 'invalid_option' })
})

test('of a month that left the log stays what it cost, total by total, and the charge under the key of a repeat', async () => {
  const { store: open, url, schema } = await testDatabase()
  const store = open()
  await store.open()
  const [january, march] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 2, 1)]
  const write = (...entries: Entry[]): Promise<void> =>
    store.change({ customerId: 'ada' }, () => ({ result: undefined, entries }))
  const charge = (cost: string): Charge => {
    const uncovered = decimal(cost)
    return { unit: 'USD', cost: uncovered, parts: [], uncovered, waived: DECIMAL_ZERO }
  }
  const posted = (key: string, at: number, change: Partial<NewUsageEvent>): Entry => ({
    kind: 'posted',
    event: { customerId: 'ada', feature: 'calls', quantity: 1n, at, key, route: null, properties: null, ...change },
    periodStart: january,
    keyGivenBy: 'caller',
  })
  const invoiced = (id: string): Entry[] => {
    const invoice = invoiceOf(id, january)
    const sealed = [{ feature: 'calls', periodStart: january }]
    return [
      { kind: 'drafted', invoice },
      { kind: 'finalized', invoice: { ...invoice, status: 'open', finalizedAt: march }, series: 'FB', sealed },
    ]
  }
  const customer = { id: 'ada', name: null, email: null, timeZone: 'UTC', createdAt: january }
  await write({ kind: 'customer', customer }, posted('k1', january, { charge: charge('0.000000000001') }))
  // Of a clock that was ahead: its instant is in the next month.
  await write(posted('k2', Date.UTC(2026, 1, 1), { charge: charge('12345678901234567.5') }), ...invoiced('i1'))
  await write(posted('k3', january + 5, { charge: charge('7') }), posted('k4', january + 6, { quantity: -1n, corrects: 1 }))
  await write(...invoiced('i2'), posted('k5', january + 7, { charge: charge('9') }))
  const total = { customerId: 'ada', feature: 'calls', periodStart: january }
  const counted = () => Promise.all(['i1', 'i2', null].map((invoiceId) => store.recount({ ...total, invoiceId })))
  const before = { totals: await store.totalsOf(total), counted: await counted() }
  const location = { connectionString: url, schema }
  // Something of January is on no invoice yet.
  expect(await retainEvents({ ...location, before: '2026-03' })).toEqual([
    { kind: 'open', month: '2026-01', openTotals: 1 },
    { kind: 'dropped', month: '2026-02', events: 1 },
  ])
  await write(...invoiced('i3'))
  expect(await retainEvents({ ...location, before: '2026-03' })).toEqual([{ kind: 'dropped', month: '2026-01', events: 4 }])
  expect((await store.log({})).items).toEqual([])
  const totals = await store.totalsOf(total)
  expect(totals.map(({ invoiceId }) => invoiceId)).toEqual(['i1', 'i2', 'i3'])
  for (const { dropped, quantity, events, cost, uncovered } of totals)
    expect(dropped).toEqual({ quantity, events, cost, uncovered })
  expect(totals.map(({ cost }) => cost)).toEqual(before.totals.map(({ cost }) => cost))
  expect((await counted()).slice(0, 2)).toEqual(before.counted.slice(0, 2))
  const known = await store.change({ customerId: 'ada', keys: ['k2', 'k4'] }, (state) => ({
    result: new Map(state.known),
    entries: [],
  }))
  expect(known.get('k2')).toMatchObject({ seq: 2, charge: charge('12345678901234567.5'), periodStart: january })
  expect(known.get('k4')).toMatchObject({ seq: 4, quantity: -1n, corrects: 1 })
})

function invoiceOf(id: string, at: number): Invoice {
  const none = { minor: 0n, currency: 'USD' }
  const amounts = { subtotal: none, discount: none, tax: none, total: none, creditApplied: none }
  return {
    id,
    number: null,
    status: 'draft',
    type: 'overage',
    customerId: 'ada',
    subscriptionId: null,
    currency: 'USD',
    period: [at, at + DAY],
    issuedAt: at,
    finalizedAt: null,
    lines: [],
    ...amounts,
    corrects: null,
    seal: null,
  }
}

test('an event of a month without a partition makes one', async () => {
  const { store, rows, schema, url } = await testDatabase()
  const farebox = createFarebox({ catalog, store: store(), clock: testClock(Date.UTC(2031, 6, 31, 23, 59, 59, 999)) })
  await farebox.usage.track({ customerId: 'ada', feature: 'api_calls' })
  expect(await rows('SELECT at FROM events')).toEqual([{ at: '2031-07-31T23:59:59.999Z' }])
  expect((await inspectPostgres({ connectionString: url, schema })).months).toContain('2031-07')
})

test('every primary and unique key begins with what the table is distributed by', async () => {
  const { store, rows, schema } = await testDatabase()
  await store().open()
  const keys = await rows<{ name: string; first: string }>(`
    SELECT c.relname AS name, a.attname AS first FROM pg_class c
    JOIN pg_index i ON i.indrelid = c.oid AND i.indisunique JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
    WHERE c.relnamespace = '${schema}'::regnamespace AND NOT c.relispartition ORDER BY 1`)
  const tables = await rows<{ name: string }>(`
    SELECT relname AS name FROM pg_class WHERE relnamespace = '${schema}'::regnamespace AND relkind IN ('r', 'p')
      AND NOT relispartition ORDER BY 1`)
  const named = (names: readonly string[]) => names.map((name) => `_${name}`)
  expect(tables.map(({ name }) => name)).toEqual(named([...BY_ACCOUNT, ...COPIED, ...BY_PROCESS]).toSorted())
  const first = new Map(keys.map(({ name, first: column }) => [name, column]))
  expect(first.size).toBe(tables.length)
  for (const { name, first: column } of keys) expect([name, column]).toEqual([name, first.get(name)])
  for (const name of named(BY_ACCOUNT)) expect([name, first.get(name)]).toEqual([name, 'customer'])
  for (const name of named(BY_PROCESS)) expect([name, first.get(name)]).toEqual([name, 'process'])
  const statements = distributeStatements({ schema })
  for (const { name } of tables) expect(statements.some((statement) => statement.includes(`"${name}"`))).toBe(true)
})

test('two Fareboxes share a schema under their own prefixes', async () => {
  const { store, rows } = await testDatabase()
  for (const prefix of ['a_', 'b_']) {
    const farebox = createFarebox({ catalog, store: store({ prefix }), clock: testClock(START) })
    await farebox.usage.track({ customerId: prefix, feature: 'api_calls' })
  }
  expect(await rows('SELECT customer FROM a_events UNION ALL SELECT customer FROM b_events')).toEqual([
    { customer: 'a_' },
    { customer: 'b_' },
  ])
})
