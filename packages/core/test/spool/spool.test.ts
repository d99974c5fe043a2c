/** What is served while the store does not answer is kept in a file, and billed once when it answers again. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFarebox, defineCatalog, FareboxError, type UsageEvent } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite/store.ts'
import { ask, catalog, NOON, PROCESS, type Running, serve, start as startRunning, type StartInput, ticketOf } from './outage.ts'

let folder: string
let database: string
let spool: string
const running: Running[] = []

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'farebox-spool-'))
  database = path.join(folder, 'billing.db')
  spool = path.join(folder, 'spool.db')
})

afterEach(async () => {
  for (const { farebox, outage } of running.splice(0)) {
    outage.fault = null
    await farebox.stop({ withinMs: 0 })
  }
  rmSync(folder, { recursive: true, force: true })
})

async function start(options: Partial<StartInput> = {}): Promise<Running> {
  const started = startRunning({ database, spool, ...options })
  running.push(started)
  await started.farebox.ready
  return started
}

const log = async ({ farebox }: Running): Promise<readonly UsageEvent[]> => (await farebox.events.list({ limit: 10_000 })).items
const codes = async ({ farebox }: Running): Promise<string[]> => (await farebox.health()).alarms.map(({ code }) => code)

function delivered(one: Running, count: number): Promise<void> {
  return vi.waitFor(
    async () => {
      expect(await log(one)).toHaveLength(count)
      expect((await one.farebox.health()).spool.events).toBe(0)
    },
    { timeout: 15_000, interval: 20 },
  )
}

function inSpool<T>(look: (db: Database.Database) => T): T {
  const db = new Database(spool)
  try {
    return look(db)
  } finally {
    db.close()
  }
}

const spooled = (sql: string): unknown[] => inSpool((db) => db.prepare(sql).all())

describe('while the store does not answer', () => {
  it('answers 503 with onStoreError refuse, and makes no file', async () => {
    const one = await start()
    const gate = one.gate({ onStoreError: 'refuse' })
    one.outage.fault = 'unreachable'
    expect(await ask(gate)).toMatchObject({
      kind: 'refused',
      reply: { status: 503, body: expect.stringContaining('store_unavailable') },
    })
    expect(existsSync(spool)).toBe(false)
  })

  it('costs nothing and makes no file as long as the store answers', async () => {
    const one = await start()
    await serve(one.gate())
    await one.farebox.health()
    await one.farebox.flush()
    expect(existsSync(spool)).toBe(false)
    expect(await log(one)).toHaveLength(1)
  })

  it('serves with allow, and bills once, in order and under their own timestamps, when the store is back', async () => {
    const one = await start()
    const gate = one.gate()
    await serve(gate)
    one.outage.fault = 'unreachable'
    const first = await ticketOf(gate)
    one.clock.advance(1_000)
    await serve(gate)
    one.clock.advance(1_000)
    gate.settle(await ticketOf(gate), { kind: 'finished', status: 500 }, { customer: 'ada' })
    first.meter.add('2.5')
    gate.settle(first, { kind: 'finished', status: 200 }, { customer: 'ada' })
    expect(await log(one)).toHaveLength(1)
    one.outage.fault = null
    await delivered(one, 3)
    expect((await log(one)).map(({ at, quantity, route }) => [at - NOON, quantity, route])).toEqual([
      [0, 1_000_000n, '/v1/:id'],
      [1_000, 1_000_000n, '/v1/:id'],
      [0, 2_500_000n, '/v1/:id'],
    ])
    expect((await one.farebox.verify()).differences).toEqual([])
    expect(one.errors).toEqual([])
  })

  it('delivers hundreds in order', async () => {
    const one = await start()
    const gate = one.gate()
    one.outage.fault = 'unreachable'
    const instants: number[] = []
    for (let i = 0; i < 350; i += 1) {
      one.clock.advance(1_000)
      instants.push(one.clock.now())
      await serve(gate, i % 2 === 0 ? 'ada' : 'bob')
    }
    one.outage.fault = null
    await delivered(one, 350)
    expect((await log(one)).map(({ at }) => at)).toEqual(instants)
  })

  it('never posts more than the plan allows', async () => {
    const one = await start()
    await one.farebox.subscriptions.create({ customerId: 'ada', plan: 'small' })
    const gate = one.gate({ units: 8 })
    one.outage.fault = 'unreachable'
    await serve(gate)
    await serve(gate)
    one.outage.fault = null
    await delivered(one, 2)
    expect((await log(one)).map(({ quantity }) => quantity)).toEqual([8_000_000n, 2_000_000n])
    expect((await one.farebox.verify()).differences).toEqual([])
  })

  it('asks the store a few times a second at most, and less with time', async () => {
    const one = await start()
    const gate = one.gate()
    one.outage.fault = 'unreachable'
    await serve(gate)
    one.outage.asked = 0
    await new Promise((resolve) => setTimeout(resolve, 1_600))
    expect(one.outage.asked).toBeGreaterThanOrEqual(2)
    expect(one.outage.asked).toBeLessThanOrEqual(4)
  })

  it('bills what was used in a period before it closes the period', async () => {
    const one = await start()
    const gate = one.gate()
    await serve(gate)
    one.outage.fault = 'unreachable'
    await serve(gate)
    one.outage.fault = null
    one.clock.set(Date.UTC(2026, 1, 16))
    await one.farebox.closePeriods()
    const totals = (await one.farebox.invoices.list()).items.flatMap(({ lines }) => lines.map(({ quantity }) => quantity))
    expect(totals).toContain(2_000_000n)
  })

  it('delivers again and again, also after it found nothing to deliver', async () => {
    const one = await start()
    const gate = one.gate()
    for (const count of [1, 2]) {
      await one.farebox.closePeriods()
      one.outage.fault = 'unreachable'
      await serve(gate)
      one.outage.fault = null
      await delivered(one, count)
    }
    expect(await log(one)).toHaveLength(2)
  })
})

describe('exactly once', () => {
  it('bills once what the store wrote without anybody hearing of it', async () => {
    const one = await start()
    const gate = one.gate()
    one.outage.fault = 'unreachable'
    await serve(gate)
    one.outage.fault = 'answer_lost'
    await vi.waitFor(async () => expect(await log(one)).toHaveLength(1), { timeout: 5_000 })
    expect((await one.farebox.health()).spool.events).toBe(1)
    one.outage.fault = null
    await delivered(one, 1)
  })

  it('bills once what was reserved all the same, when the answer to its admission was lost', async () => {
    const one = await start()
    await one.farebox.subscriptions.create({ customerId: 'ada', plan: 'small' })
    const gate = one.gate({ units: 8 })
    one.outage.fault = 'admission_lost'
    await serve(gate)
    one.outage.fault = null
    expect(await one.farebox.usage.totals({ customerId: 'ada' })).toMatchObject([{ posted: 0n, reserved: 8_000_000n }])
    await delivered(one, 1)
    expect(await one.farebox.usage.totals({ customerId: 'ada' })).toMatchObject([{ posted: 8_000_000n, reserved: 0n }])
  })
})

describe('a process that dies', () => {
  it('leaves what it served in the file, and the next one bills it once', { timeout: 30_000 }, async ({ onTestFinished }) => {
    const child = await serving({ fault: 'unreachable', requests: 5 })
    onTestFinished(() => void child.kill('SIGKILL'))
    await kill(child)
    expect(spooled('SELECT customer_id, at FROM events ORDER BY id')).toHaveLength(5)
    const one = await start()
    await delivered(one, 5)
    expect((await log(one)).map(({ at }) => at - NOON)).toEqual([1_000, 2_000, 3_000, 4_000, 5_000])
    expect(await codes(one)).toEqual([])
  })

  it('between delivery and the end of its row bills nothing twice', { timeout: 30_000 }, async ({ onTestFinished }) => {
    const child = await serving({ fault: 'unreachable', requests: 3 })
    onTestFinished(() => void child.kill('SIGKILL'))
    const dead = new Promise((resolve) => child.once('exit', resolve))
    child.stdin.write('killed\n')
    await dead
    expect(spooled('SELECT id FROM events')).toHaveLength(3)
    expect(written()).toHaveLength(1)
    const one = await start()
    await delivered(one, 3)
    expect(new Set((await log(one)).map(({ key }) => key)).size).toBe(3)
  })

  it('with a reservation whose answer was lost is charged once for it', { timeout: 30_000 }, async ({ onTestFinished }) => {
    // Its reservation is an orphan, and its event is in the spool.
    const child = await serving({ fault: 'admission_lost', requests: 1 })
    onTestFinished(() => void child.kill('SIGKILL'))
    await kill(child)
    expect(spooled('SELECT id FROM events')).toHaveLength(1)
    const one = await start()
    await vi.waitFor(async () => expect((await one.farebox.health()).spool.events).toBe(0), { timeout: 5_000 })
    expect(await log(one)).toHaveLength(1)
    expect(await one.farebox.usage.totals({ customerId: 'ada' })).toMatchObject([{ posted: 1_000_000n, reserved: 0n }])
  })
})

it('is shared by processes, each of which serves and delivers', { timeout: 60_000 }, async ({ onTestFinished }) => {
  const children = await Promise.all([1, 2].map(() => serving({ fault: 'unreachable', requests: 60 })))
  onTestFinished(() => children.forEach((child) => child.kill('SIGKILL')))
  const one = await start()
  one.outage.fault = 'unreachable'
  const gate = one.gate()
  for (let i = 0; i < 30; i += 1) await serve(gate, 'bob')
  expect(spooled('SELECT id FROM events')).toHaveLength(150)
  one.outage.fault = null
  for (const child of children) child.stdin.write('none\n')
  await delivered(one, 150)
  expect(new Set((await log(one)).map(({ key }) => key)).size).toBe(150)
  expect((await one.farebox.verify()).differences).toEqual([])
})

describe('a full spool', () => {
  it('refuses, counts the requests that are still open, and serves again when there is a slot', async () => {
    const small = await start({ spool: { path: spool, maxEvents: 2 } })
    const gate = small.gate()
    small.outage.fault = 'unreachable'
    const open = await ticketOf(gate)
    await serve(gate)
    expect(await ask(gate)).toMatchObject({
      kind: 'refused',
      reply: { status: 503, body: expect.stringContaining('store_unavailable') },
    })
    gate.settle(open, { kind: 'finished', status: 500 }, { customer: 'ada' })
    await serve(gate)
    expect(await ask(gate)).toMatchObject({ kind: 'refused', reply: { status: 503 } })
    expect(await small.farebox.health()).toMatchObject({ status: 'down', spool: { events: 2, capacity: 2, isFull: true } })
    expect(await codes(small)).toEqual(['store_unavailable', 'spool_not_empty', 'spool_full'])
    small.outage.fault = null
    await delivered(small, 2)
    await serve(gate)
    expect(await log(small)).toHaveLength(3)
  })
})

describe('health', () => {
  it('raises alarms while there is a reason, and takes them back', async () => {
    const one = await start()
    const gate = one.gate()
    expect(await one.farebox.health()).toEqual({
      status: 'ok',
      store: { name: 'sqlite', isAnswering: true },
      spool: { events: 0, rejected: 0, capacity: 1_000_000, oldestAt: null, isFull: false },
      alarms: [],
    })
    one.outage.fault = 'unreachable'
    expect(await one.farebox.health()).toMatchObject({
      status: 'degraded',
      store: { isAnswering: false },
      alarms: [{ code: 'store_unavailable', message: 'The store is down' }],
    })
    await serve(gate)
    expect(await one.farebox.health()).toMatchObject({ status: 'degraded', spool: { events: 1, oldestAt: NOON } })
    expect(await codes(one)).toEqual(['store_unavailable', 'spool_not_empty'])
    one.outage.fault = null
    await delivered(one, 1)
    expect(await one.farebox.health()).toMatchObject({ status: 'ok', alarms: [] })
  })

  it('is down when the store is and no meter serves without it', async () => {
    const one = await start()
    one.gate({ onStoreError: 'refuse' })
    one.outage.fault = 'unreachable'
    expect(await one.farebox.health()).toMatchObject({ status: 'down' })
  })

  it('does not wait for a store that hangs, nor asks it again and again', { timeout: 15_000 }, async () => {
    const one = await start()
    one.outage.fault = 'hanging'
    one.outage.asked = 0
    const began = performance.now()
    await Promise.all([one.farebox.health(), one.farebox.health()])
    expect(await one.farebox.health()).toMatchObject({ status: 'down', store: { isAnswering: false } })
    expect(performance.now() - began).toBeLessThan(6_000)
    expect(one.outage.asked).toBe(1)
  })

  it('tells of a file that is no spool, and refuses rather than serves without one', async () => {
    const other = new Database(spool)
    other.exec('CREATE TABLE notes (text TEXT)')
    other.close()
    const one = await start()
    const gate = one.gate()
    one.outage.fault = 'unreachable'
    expect(await ask(gate)).toMatchObject({ kind: 'refused', reply: { status: 503 } })
    expect(await codes(one)).toContain('spool_unavailable')
    expect((await one.farebox.health()).status).toBe('down')
    rmSync(spool)
    await vi.waitFor(async () => expect(await codes(one)).toEqual(['store_unavailable']), { timeout: 5_000, interval: 100 })
    await serve(gate)
  })

  it('tells of events that are for another store, and leaves them', async () => {
    const elsewhere = await start({ database: path.join(folder, 'other.db') })
    elsewhere.outage.fault = 'unreachable'
    await serve(elsewhere.gate())
    const one = await start()
    expect(await codes(one)).toEqual(['spool_elsewhere'])
    elsewhere.outage.fault = null
    await delivered(elsewhere, 1)
    expect(await log(one)).toEqual([])
    expect(await codes(one)).toEqual([])
  })

  it('delivers what was for another store when the operator says that the store has moved', async () => {
    const before = await start({ database: path.join(folder, 'old.db') })
    before.outage.fault = 'unreachable'
    await serve(before.gate())
    const one = await start()
    expect((await one.farebox.health()).spool.events).toBe(0)
    inSpool((db) => db.prepare('UPDATE events SET store = ?').run(`sqlite:${database}`))
    expect((await before.farebox.health()).spool.events).toBe(0)
    await one.farebox.closePeriods()
    expect(await log(one)).toHaveLength(1)
    expect(await codes(one)).toEqual([])
  })
})

describe('what no plan counts', () => {
  const bare = defineCatalog({
    currency: 'USD',
    features: { api_calls: { type: 'metered', default: true } },
    plans: { paid: { price: '0', interval: 'month', features: { api_calls: { included: 100 } } } },
  })

  it('is told, kept apart, and billed when somebody has seen to it', async () => {
    const one = await start({ catalog: bare })
    const gate = one.gate()
    one.outage.fault = 'unreachable'
    await serve(gate)
    one.outage.fault = null
    await vi.waitFor(() => expect(one.errors).toEqual([expect.objectContaining({ code: 'not_billable' })]), { timeout: 5_000 })
    expect(await one.farebox.health()).toMatchObject({ status: 'degraded', spool: { events: 0, rejected: 1 } })
    expect(await codes(one)).toEqual(['spool_rejected'])
    expect(spooled('SELECT customer_id, code FROM rejected')).toEqual([{ customer_id: 'ada', code: 'not_billable' }])
    await one.farebox.subscriptions.create({ customerId: 'ada', plan: 'paid', startsAt: NOON - 1_000 })
    expect(await one.farebox.retryRejected()).toBe(1)
    await delivered(one, 1)
    expect((await log(one)).map(({ at }) => at)).toEqual([NOON])
    expect(await codes(one)).toEqual([])
  })

  it('does not keep what comes after it from being billed', async () => {
    const one = await start({ catalog: bare })
    await one.farebox.subscriptions.create({ customerId: 'bob', plan: 'paid' })
    const gate = one.gate()
    one.outage.fault = 'unreachable'
    for (const customer of ['ada', 'bob', 'cy', 'bob']) await serve(gate, customer)
    one.outage.fault = null
    await delivered(one, 2)
    expect((await one.farebox.health()).spool.rejected).toBe(2)
    inSpool((db) => db.exec(`DELETE FROM rejected WHERE customer_id = 'cy'`))
    expect((await one.farebox.health()).spool.rejected).toBe(1)
  })
})

describe('stopping', () => {
  it('before the store was ready leaves all events in the file', async () => {
    const one = await start()
    one.outage.fault = 'unreachable'
    await serve(one.gate())
    await one.farebox.stop()
    const store = sqlite({ path: database })
    store.open = async () => {
      throw new FareboxError('store_unavailable', 'The store is down')
    }
    const next = createFarebox({ catalog, store, spool })
    await expect(next.ready).rejects.toMatchObject({ code: 'store_unavailable' })
    await next.stop()
    expect(spooled('SELECT id FROM events')).toHaveLength(1)
  })

  it('delivers what it can, and leaves nothing behind that runs', async () => {
    const one = await start()
    one.outage.fault = 'unreachable'
    await serve(one.gate())
    one.outage.fault = null
    await one.farebox.stop()
    expect(spooled('SELECT id FROM events')).toEqual([])
    expect(written()).toHaveLength(1)
    expect(process.getActiveResourcesInfo().filter((resource) => resource === 'Immediate')).toEqual([])
  })

  it('leaves in the file what the store does not take in time, for the next start', async () => {
    const one = await start()
    one.outage.fault = 'unreachable'
    await serve(one.gate())
    one.outage.fault = 'hanging'
    await one.farebox.stop({ withinMs: 100 })
    expect(spooled('SELECT id FROM events')).toHaveLength(1)
    const next = await start()
    await delivered(next, 1)
  })

  it('takes what a request used that ends after it', async () => {
    const one = await start()
    const gate = one.gate()
    one.outage.fault = 'unreachable'
    const late = await ticketOf(gate)
    await one.farebox.stop({ withinMs: 0 })
    gate.settle(late, { kind: 'finished', status: 200 }, { customer: 'ada' })
    await one.farebox.flush()
    expect(one.errors).toEqual([])
    const next = await start()
    await delivered(next, 1)
  })
})

describe('a mistake that a developer can make', () => {
  it.each<[string, () => unknown, string, RegExp]>([
    ['no path', () => start({ spool: '' }), 'invalid_option', /spool\.path/],
    ['a spool in memory', () => start({ spool: ':memory:' }), 'invalid_option', /spool\.path/],
    ['no slot at all', () => start({ spool: { maxEvents: 0 } }), 'invalid_option', /spool\.maxEvents.*one or more, got 0/],
    ['an unknown option', () => start({ spool: { size: 3 } as object }), 'invalid_option', /got size: fix its spelling/],
    ['a number', () => start({ spool: 3 as never }), 'invalid_option', /a path, or an object/],
    [
      'a folder that is not there',
      async () => (await start({ spool: path.join(folder, 'missing', 'spool.db') })).gate(),
      'store_not_writable',
      /missing.*which cannot be made: give createFarebox\(\{ spool \}\) a path/,
    ],
  ])('is told at the start: %s', async (_what, act, code, message) => {
    await expect(async () => act()).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })
})

interface ServingInput {
  readonly fault: string
  readonly requests: number
}

/** A process that has served so many requests during an outage. */
async function serving({ fault, requests }: ServingInput): Promise<ChildProcessWithoutNullStreams> {
  const child = spawn(process.execPath, ['--conditions=farebox-source', PROCESS, database, spool, fault, String(requests)])
  child.stderr.pipe(process.stderr)
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve)
    child.once('exit', () => reject(new Error('the process ended')))
  })
  return child
}

function kill(child: ChildProcessWithoutNullStreams): Promise<unknown> {
  const dead = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  return dead
}

/** The log, read beside the engine. */
function written(): unknown[] {
  const db = new Database(database, { readonly: true })
  try {
    return db.prepare('SELECT * FROM events').all()
  } finally {
    db.close()
  }
}
