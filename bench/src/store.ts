/** The store without HTTP: durable events per second, size, and what reading a period costs as the log grows. */

import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createFarebox, defineCatalog, type Farebox, testClock } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import Database from 'better-sqlite3'

export interface StoreOptions {
  readonly rounds: number
  /** Events of the large log. */
  readonly events: number
}

export type StoreFigures = readonly {
  readonly what: string
  readonly values: readonly number[]
  readonly places: number
  readonly unit: string
}[]

const START = Date.UTC(2026, 0, 1)
const BATCH = 100
const TRACKED = 50_000
const SMALL = 10_000
const READS = 300

const catalog = defineCatalog({
  currency: 'USD',
  features: { api_calls: { type: 'metered' } },
  plans: {
    paid: {
      price: '5.00',
      interval: 'month',
      features: { api_calls: { included: 20, overage: { model: 'per_unit', price: '0.0001' } } },
    },
  },
})

export async function measureStore({ rounds, events }: StoreOptions, say: (line: string) => void): Promise<StoreFigures> {
  const folder = mkdtempSync(path.join(tmpdir(), 'farebox-bench-'))
  const raw: number[] = []
  const tracked: number[] = []
  const bytes: number[] = []
  try {
    for (let round = 0; round < rounds; round += 1) {
      raw.push(rawLoop(path.join(folder, `raw-${round}.db`)))
      const file = path.join(folder, `tracked-${round}.db`)
      tracked.push(await trackLoop(file))
      bytes.push(statSync(file).size / TRACKED)
      say(
        `round ${round + 1}: raw ${raw.at(-1)?.toFixed(0)}/s, tracked ${tracked.at(-1)?.toFixed(0)}/s, ${bytes.at(-1)?.toFixed(0)} bytes per event`,
      )
    }
    const small = await readLoop(path.join(folder, 'small.db'), SMALL, rounds)
    say(
      `${SMALL} events: usage ${small.usageUs.map(Math.round).join(', ')} µs, invoice ${small.invoiceUs.map(Math.round).join(', ')} µs`,
    )
    const large = await readLoop(path.join(folder, 'large.db'), events, rounds)
    say(
      `${events} events: usage ${large.usageUs.map(Math.round).join(', ')} µs, invoice ${large.invoiceUs.map(Math.round).join(', ')} µs`,
    )
    return [
      { what: 'raw better-sqlite3 loop, events in batches of 100, synced', values: raw, places: 0, unit: '/s' },
      { what: '`usage.track` in batches of 100, caller keys, durable', values: tracked, places: 0, unit: '/s' },
      { what: '`usage.track` of the raw loop', values: ratio(tracked, raw), places: 2, unit: '×' },
      { what: 'database size per event, caller keys included', values: bytes, places: 0, unit: 'bytes' },
      {
        what: `reading a period's usage at ${SMALL.toLocaleString('en-US')} events`,
        values: small.usageUs,
        places: 1,
        unit: 'µs',
      },
      {
        what: `reading a period's usage at ${events.toLocaleString('en-US')} events`,
        values: large.usageUs,
        places: 1,
        unit: 'µs',
      },
      { what: 'large of small', values: ratio(large.usageUs, small.usageUs), places: 2, unit: '×' },
      { what: `building its invoice at ${SMALL.toLocaleString('en-US')} events`, values: small.invoiceUs, places: 1, unit: 'µs' },
      {
        what: `building its invoice at ${events.toLocaleString('en-US')} events`,
        values: large.invoiceUs,
        places: 1,
        unit: 'µs',
      },
      { what: 'large of small', values: ratio(large.invoiceUs, small.invoiceUs), places: 2, unit: '×' },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The same rows as the engine writes (event, key, total), by hand: 100 to a transaction, synced. */
function rawLoop(file: string): number {
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec(`
    CREATE TABLE events (seq INTEGER PRIMARY KEY, customer INTEGER NOT NULL, feature INTEGER NOT NULL, quantity INTEGER NOT NULL,
      at INTEGER NOT NULL, key TEXT NOT NULL) STRICT;
    CREATE TABLE keys (customer INTEGER NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (customer, key)) STRICT, WITHOUT ROWID;
    CREATE TABLE totals (customer INTEGER NOT NULL, feature INTEGER NOT NULL, quantity INTEGER NOT NULL, PRIMARY KEY (customer, feature)) STRICT, WITHOUT ROWID`)
  const event = db.prepare('INSERT INTO events VALUES (?, 1, 1, 1000000, ?, ?)')
  const key = db.prepare('INSERT INTO keys VALUES (1, ?, ?)')
  const total = db.prepare(
    'INSERT INTO totals VALUES (1, 1, ?) ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity',
  )
  const batch = db.transaction((first: number) => {
    for (let seq = first; seq < first + BATCH; seq += 1) {
      event.run(seq, START + seq, keyOf(seq))
      key.run(keyOf(seq), seq)
    }
    total.run(BATCH * 1_000_000)
  })
  const startedAt = performance.now()
  for (let seq = 1; seq <= TRACKED; seq += BATCH) batch.immediate(seq)
  const perSecond = TRACKED / ((performance.now() - startedAt) / 1000)
  db.close()
  return perSecond
}

async function trackLoop(file: string): Promise<number> {
  const clock = testClock(START)
  const farebox = createFarebox({ catalog, store: sqlite({ path: file }), clock })
  await farebox.subscriptions.create({ customerId: 'customer_1', plan: 'paid', startsAt: START })
  clock.set(START + TRACKED + 1)
  const startedAt = performance.now()
  for (let seq = 1; seq <= TRACKED; seq += BATCH) {
    await Promise.all(
      Array.from({ length: BATCH }, (_, i) =>
        farebox.usage.track({
          customerId: 'customer_1',
          feature: 'api_calls',
          idempotencyKey: keyOf(seq + i),
          timestamp: START + seq + i,
        }),
      ),
    )
  }
  const perSecond = TRACKED / ((performance.now() - startedAt) / 1000)
  await farebox.stop()
  return perSecond
}

/** A key as clients make them: a UUID's length. */
function keyOf(seq: number): string {
  return `00000000-0000-4000-8000-${String(seq).padStart(12, '0')}`
}

/** Reads without the cache of accounts, so that the database answers each. */
async function readLoop(file: string, events: number, rounds: number): Promise<{ usageUs: number[]; invoiceUs: number[] }> {
  const clock = testClock(START)
  const setUp = createFarebox({ catalog, store: sqlite({ path: file }), clock })
  await setUp.subscriptions.create({ customerId: 'customer_1', plan: 'paid', startsAt: START })
  await setUp.usage.track({ customerId: 'customer_1', feature: 'api_calls' })
  await setUp.stop()
  fill(file, events)
  const farebox = createFarebox({ catalog, store: sqlite({ path: file, cacheSize: 0 }), clock })
  await farebox.ready
  const usageUs: number[] = []
  const invoiceUs: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    usageUs.push(await cpuPerCall(() => farebox.usage.totals({ customerId: 'customer_1' })))
    invoiceUs.push(await cpuPerCall(() => farebox.invoices.preview('customer_1')))
  }
  await expectEvents(farebox, events)
  await farebox.stop()
  return { usageUs, invoiceUs }
}

/** Appends events to the one that is there, in the form in which the engine writes them, and brings the total up to them. */
function fill(file: string, events: number): void {
  const db = new Database(file)
  db.exec(`
    PRAGMA synchronous = OFF;
    BEGIN IMMEDIATE;
    WITH RECURSIVE n (seq) AS (SELECT 2 UNION ALL SELECT seq + 1 FROM n WHERE seq < ${events})
    INSERT INTO _events (seq, total_id, quantity, at, back, route_id, key)
      SELECT n.seq, total_id, quantity, at + n.seq / 10, 1, route_id, 'fill-' || n.seq FROM n, _events e WHERE e.seq = 1;
    UPDATE _totals SET quantity = quantity * ${events}, events = ${events}, last_seq = ${events};
    COMMIT`)
  db.close()
}

async function cpuPerCall(call: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < READS; i += 1) await call()
  const before = process.cpuUsage()
  for (let i = 0; i < READS; i += 1) await call()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / READS
}

async function expectEvents(farebox: Farebox, events: number): Promise<void> {
  const [usage] = await farebox.usage.totals({ customerId: 'customer_1' })
  if (usage?.posted !== BigInt(events) * 1_000_000n) throw new Error(`Expected ${events} units, got ${String(usage?.posted)}`)
}

function ratio(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value / (b[i] ?? NaN))
}
