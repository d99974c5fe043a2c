/** Closing a month: invoices per second, with every event of each audited and sealed, and the memory that it takes. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createFarebox, defineCatalog, type Farebox, testClock } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import Database from 'better-sqlite3'

export interface ClosingOptions {
  readonly customers: number
  /** Events in the log, spread evenly: each customer's lie far from one another. */
  readonly events: number
}

export interface ClosingFigures extends ClosingOptions {
  readonly invoices: number
  readonly perSecond: number
  /** CPU of one invoice, microseconds. */
  readonly cpuUs: number
  /** Resident memory when it began, and at its most while it closed. */
  readonly rssStart: number
  readonly rssMost: number
}

const START = Date.UTC(2026, 0, 1)
const END = Date.UTC(2026, 1, 1)
const SIDE_BY_SIDE = 1_000
const LOOK_MS = 50

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

export async function measureClosing(options: ClosingOptions, say: (line: string) => void): Promise<ClosingFigures> {
  const folder = mkdtempSync(path.join(tmpdir(), 'farebox-closing-'))
  const file = path.join(folder, 'closing.db')
  try {
    await setUp(file, options, say)
    return await close(file, options, say)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Customers through the engine, with the invoice of their first base price; their events in the form in which the engine writes them. */
async function setUp(file: string, { customers, events }: ClosingOptions, say: (line: string) => void): Promise<void> {
  const clock = testClock(START)
  const farebox = createFarebox({ catalog, store: sqlite({ path: file, durability: 'process' }), clock })
  for (let first = 0; first < customers; first += SIDE_BY_SIDE) {
    const ids = Array.from({ length: Math.min(SIDE_BY_SIDE, customers - first) }, (_, i) => `customer_${first + i}`)
    await Promise.all(ids.map((customerId) => farebox.subscriptions.create({ customerId, plan: 'paid', startsAt: START })))
  }
  await farebox.usage.track({ customerId: 'customer_0', feature: 'api_calls', idempotencyKey: 'first' })
  await farebox.closePeriods({ onInvoice: () => {} })
  await farebox.stop()
  say(`${customers} customers are there`)
  const each = Math.floor(events / customers)
  const db = new Database(file)
  db.exec(`
    PRAGMA synchronous = OFF;
    DROP TRIGGER _events_never_go;
    BEGIN IMMEDIATE;
    DELETE FROM _events; DELETE FROM _event_keys; DELETE FROM _totals;
    WITH RECURSIVE n (seq) AS (SELECT 0 UNION ALL SELECT seq + 1 FROM n WHERE seq < ${each * customers - 1})
    INSERT INTO _events (seq, total_id, quantity, at, back, key)
      SELECT seq + 1, seq % ${customers} + 1, 1000000, ${START} + seq % 2000000000,
        min(seq + 1, ${customers}), 'fill-' || seq FROM n;
    INSERT INTO _totals (id, customer_id, feature_id, period_start, round, quantity, events, last_seq)
      SELECT id, id, 1, ${START}, 0, ${each} * 1000000, ${each}, ${(each - 1) * customers} + id FROM _customers;
    COMMIT`)
  db.close()
  say(`${each * customers} events are there`)
}

async function close(file: string, options: ClosingOptions, say: (line: string) => void): Promise<ClosingFigures> {
  const farebox: Farebox = createFarebox({ catalog, store: sqlite({ path: file }), clock: testClock(END) })
  await farebox.ready
  const rssStart = process.memoryUsage.rss()
  let rssMost = rssStart
  const look = setInterval(() => (rssMost = Math.max(rssMost, process.memoryUsage.rss())), LOOK_MS)
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const { closed: invoices, held, waiting } = await farebox.closePeriods({ onInvoice: () => {} })
  const seconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(cpu)
  clearInterval(look)
  await farebox.stop()
  if (invoices !== options.customers || held.length + waiting.length > 0)
    throw new Error(`Expected ${options.customers} invoices, got ${invoices}, ${held.length} held, ${waiting.length} waiting`)
  const figures = { ...options, invoices, perSecond: invoices / seconds, cpuUs: (user + system) / invoices, rssStart, rssMost }
  say(
    `closing: ${figures.perSecond.toFixed(0)} invoices/s, ${figures.cpuUs.toFixed(0)} µs CPU each, memory +${Math.round((rssMost - rssStart) / 2 ** 20)} MB`,
  )
  return figures
}
