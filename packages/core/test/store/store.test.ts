/** The SQLite store by its contract, looked at through a second eye: raw SQL on a connection of its own. */

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AccountState, type Entry, findUsage } from '../../src/account/account-state.ts'
import type { Store } from '../../src/contracts/store.ts'
import type { Reservation } from '../../src/records/reservation.ts'
import { sqlite } from '../../src/sqlite/store.ts'
import { openDatabase, refuseOldSqlite } from '../../src/sqlite/open.ts'

const PERIOD = Date.UTC(2026, 0, 1)
let folder: string
let file: string
const open: Store[] = []

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'farebox-store-'))
  file = path.join(folder, 'billing.db')
})

afterEach(async () => {
  for (const store of open.splice(0)) await store.close()
  rmSync(folder, { recursive: true })
})

function openStore(options: { cacheSize?: number; busyTimeoutMs?: number } = {}): Store {
  const store = sqlite({ path: file, ...options })
  open.push(store)
  return store
}

/** The second eye. */
function query<T>(sql: string): T[] {
  const db = new Database(file, { readonly: true })
  try {
    return db.prepare<[], T>(sql).all()
  } finally {
    db.close()
  }
}

const customer = (id: string): Entry => ({
  kind: 'customer',
  customer: { id, name: null, email: null, timeZone: 'UTC', createdAt: PERIOD },
})
const opened = (state: AccountState): Entry[] => (state.customer === null ? [customer(state.customerId)] : [])
const reservation = (key: string, quantity = 1_000_000n): Reservation => ({
  customerId: 'ada',
  feature: 'api_calls',
  quantity,
  key,
  at: PERIOD + 1,
  route: '/v1/:id',
  periodStart: PERIOD,
})
const posted = (key: string, quantity = 1_000_000n, keyGivenBy: 'caller' | 'farebox' = 'farebox'): Entry => ({
  kind: 'posted',
  event: {
    customerId: 'ada',
    feature: 'api_calls',
    quantity,
    at: PERIOD + 1,
    key,
    route: '/v1/:id',
    properties: { region: 'eu' },
  },
  periodStart: PERIOD,
  keyGivenBy,
})
const usedOf = (state: AccountState): bigint => {
  const usage = findUsage(state.usage, 'api_calls', PERIOD)
  return usage === undefined ? 0n : usage.posted + usage.reserved
}
const reserveOne = (store: Store, key: string, limit: bigint): Promise<boolean> =>
  store.change({ customerId: 'ada' }, (state) => {
    if (usedOf(state) + 1_000_000n > limit) return { result: false, entries: [] }
    return { result: true, entries: [...opened(state), { kind: 'reserved', reservation: reservation(key) }] }
  })
const post = (store: Store, entry: Entry): Promise<void> =>
  store.change({ customerId: 'ada' }, (state) => ({ result: undefined, entries: [...opened(state), entry] }))

describe.each([0, 1_000])('a SQLite store with a cache of %i accounts', (cacheSize) => {
  it('S03 applies decide to the latest state under 50 concurrent changes', async () => {
    const store = openStore({ cacheSize })
    const admitted = await Promise.all(Array.from({ length: 50 }, (_, i) => reserveOne(store, `r${i}`, 20_000_000n)))
    expect(admitted.filter(Boolean)).toHaveLength(20)
    expect(query<{ n: number; q: number }>('SELECT count(*) AS n, sum(quantity_millionths) AS q FROM reservations')).toEqual([
      { n: 20, q: 20_000_000 },
    ])
  })

  it('S03 shares the limit between two stores on one file', async () => {
    const stores = [openStore({ cacheSize }), openStore({ cacheSize })]
    const admitted = await Promise.all(
      Array.from({ length: 60 }, (_, i) => reserveOne(stores[i % 2] as Store, `r${i}`, 20_000_000n)),
    )
    expect(admitted.filter(Boolean)).toHaveLength(20)
    expect(query<{ n: number }>('SELECT count(*) AS n FROM reservations')).toEqual([{ n: 20 }])
  })

  it('S04 writes nothing when decide throws, and lets the changes beside it pass', async () => {
    const store = openStore({ cacheSize })
    const failing = store.change({ customerId: 'eve' }, () => {
      throw new Error('no')
    })
    const passing = post(store, posted('e1'))
    await expect(failing).rejects.toThrow('no')
    await passing
    expect(query('SELECT customer FROM customers')).toEqual([{ customer: 'ada' }])
  })

  it('S04 takes a whole change back when one of its entries cannot be written', async () => {
    const store = openStore({ cacheSize })
    await post(store, posted('k1', 1n, 'caller'))
    const broken = store.change({ customerId: 'ada' }, () => ({
      result: undefined,
      entries: [posted('k2'), posted('k1', 2n, 'caller')],
    }))
    const sound = post(store, posted('k3'))
    await expect(broken).rejects.toMatchObject({ code: 'store_unavailable' })
    await sound
    expect(query('SELECT key FROM events ORDER BY seq')).toEqual([{ key: 'k1' }, { key: 'k3' }])
    expect(query('SELECT quantity_millionths AS q, events FROM totals')).toEqual([{ q: 1_000_001, events: 2 }])
  })

  it('S05 keeps quantities exact up to 2^63 - 1 and at the smallest fraction', async () => {
    const store = openStore({ cacheSize })
    const most = 2n ** 63n - 2n
    await post(store, posted('big', most))
    await post(store, posted('small', 1n))
    expect((await store.totals({})).items).toMatchObject([{ quantity: most + 1n, events: 2 }])
    await expect(post(store, posted('over', 1n))).rejects.toThrow()
    expect((await store.log({})).items.map(({ quantity }) => quantity)).toEqual([most, 1n])
  })

  it('S06 reads events in an order that never changes, page by page, and a total backwards by its chain', async () => {
    const store = openStore({ cacheSize })
    for (let i = 0; i < 7; i += 1) await post(store, posted(`e${i}`))
    const first = await store.log({ limit: 3 })
    const second = await store.log({ limit: 3, after: first.next ?? '' })
    const third = await store.log({ limit: 3, after: second.next ?? '' })
    expect([...first.items, ...second.items, ...third.items].map(({ key }) => key)).toEqual([
      'e0',
      'e1',
      'e2',
      'e3',
      'e4',
      'e5',
      'e6',
    ])
    expect(third.next).toBeNull()
    const total = { customerId: 'ada', feature: 'api_calls', periodStart: PERIOD }
    const newest = await store.events({ ...total, limit: 4 })
    const oldest = await store.events({ ...total, limit: 4, after: newest.next ?? '' })
    expect([...newest.items, ...oldest.items].map(({ key }) => key)).toEqual(['e6', 'e5', 'e4', 'e3', 'e2', 'e1', 'e0'])
    expect(await store.recount(total)).toEqual({ quantity: 7_000_000n, events: 7 })
  })

  it('goes on from the event that a cursor names, without the newer ones, and takes no cursor of another total', async () => {
    const store = openStore({ cacheSize })
    for (let i = 0; i < 9; i += 1) await post(store, posted(`e${i}`))
    const total = { customerId: 'ada', feature: 'api_calls', periodStart: PERIOD }
    const first = await store.events({ ...total, limit: 4 })
    // Whoever walks from the newest finds the way cut.
    const db = new Database(file)
    db.exec('DROP TRIGGER _events_never_change; UPDATE _events SET previous = 0 WHERE seq = (SELECT max(seq) FROM _events)')
    db.close()
    const second = await store.events({ ...total, limit: 4, after: first.next ?? '' })
    expect(second.items.map(({ key }) => key)).toEqual(['e4', 'e3', 'e2', 'e1'])

    await store.change({ customerId: 'bob' }, (state) => ({ result: undefined, entries: opened(state) }))
    const after = first.next ?? ''
    for (const other of [
      { ...total, customerId: 'bob' },
      { ...total, customerId: 'nobody' },
      { ...total, feature: 'downloads' },
      { ...total, periodStart: PERIOD + 1 },
    ])
      await expect(store.events({ ...other, after })).rejects.toMatchObject({ code: 'invalid_option' })
    await expect(store.events({ ...total, after: '999' })).rejects.toMatchObject({ code: 'invalid_option' })
  })

  it('S12 gives the same answers after closing and opening', async () => {
    const store = openStore({ cacheSize })
    await post(store, posted('k1', 5n, 'caller'))
    await store.close()
    const again = openStore({ cacheSize })
    const known = await again.change({ customerId: 'ada', keys: ['k1'] }, (state) => ({
      result: state.known.get('k1'),
      entries: [],
    }))
    expect(known).toMatchObject({ key: 'k1', quantity: 5n, route: '/v1/:id', properties: { region: 'eu' } })
    expect(await again.change({ customerId: 'ada' }, (state) => ({ result: usedOf(state), entries: [] }))).toBe(5n)
  })

  it('makes a waiting settlement visible at once and durable within its time', async () => {
    const store = openStore({ cacheSize })
    await reserveOne(store, 'r1', 1_000_000n)
    const settled = store.change({ customerId: 'ada', urgency: 'soon' }, () => ({
      result: undefined,
      entries: [{ kind: 'released', key: 'r1' }],
    }))
    expect(await reserveOne(store, 'r2', 1_000_000n)).toBe(true)
    await settled
    expect(query('SELECT key FROM reservations')).toEqual([{ key: 'r2' }])
  })
})

it('refuses to change the log or a final invoice, even by hand', async () => {
  const store = openStore()
  await post(store, posted('k1'))
  const db = new Database(file)
  expect(() => db.exec('UPDATE _events SET quantity = 0')).toThrow('append-only')
  expect(() => db.exec('DELETE FROM _events')).toThrow('append-only')
  db.close()
})

it('waits for another writer without blocking the event loop, and gives up in time', async () => {
  const store = openStore({ busyTimeoutMs: 150 })
  await post(store, posted('k0'))
  const other = new Database(file)
  other.exec('BEGIN IMMEDIATE')
  const late = post(store, posted('k1'))
  const soon = store.change({ customerId: 'ada', urgency: 'soon' }, () => ({ result: undefined, entries: [posted('k2')] }))
  let ticks = 0
  const ticking = setInterval(() => (ticks += 1), 5)
  await expect(late).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(ticks).toBeGreaterThan(3)
  other.exec('ROLLBACK')
  other.close()
  // A settlement is work that was done: it waits for as long as it takes.
  await soon
  clearInterval(ticking)
  expect(query('SELECT key FROM events ORDER BY seq')).toEqual([{ key: 'k0' }, { key: 'k2' }])
})

it(
  'finds the reservations of a process that was killed, and of no living one',
  { timeout: 30_000 },
  async ({ onTestFinished }) => {
    const child = spawn(
      process.execPath,
      ['--conditions=farebox-source', fileURLToPath(new URL('hold-reservation.ts', import.meta.url)), file],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    // Also when the test fails: a child that lives would keep the runner waiting for it.
    onTestFinished(() => void child.kill('SIGKILL'))
    await new Promise((resolve) => child.stdout.once('data', resolve))
    const store = openStore()
    expect(await store.orphans()).toEqual([])
    const killed = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await killed
    expect(await store.orphans()).toMatchObject([{ key: 'held', quantity: 3_000_000n }])
    await store.change({ customerId: 'ada' }, () => ({ result: undefined, entries: [posted('held', 3_000_000n)] }))
    expect(await store.orphans()).toEqual([])
    expect(query('SELECT * FROM reservations')).toEqual([])
  },
)

it('refuses files and versions that it cannot trust, each with what to do', () => {
  const other = new Database(file)
  other.exec('CREATE TABLE notes (text TEXT)')
  other.close()
  expect(() => sqlite({ path: file })).toThrow(/database of another program.*file of its own/)
  expect(() => sqlite({ path: path.join(folder, 'missing', 'billing.db') })).toThrow(/does not exist: make it/)
  expect(() => sqlite({ path: '' })).toThrow(/path of sqlite\(\) to be the path of a file/)
  expect(() => sqlite({ path: file, cacheSize: -1 })).toThrow(/whole number, zero or more, got -1/)
  expect(() => sqlite({ path: file, durabilty: 'full' } as never)).toThrow(/got durabilty: fix its spelling/)
  expect(() => sqlite({ path: '/proc/billing.db' })).toThrow(/cannot be opened for writing.*choose another path/)
  expect(() => refuseOldSqlite('3.51.2')).toThrow(/3\.51\.3 or later/)
  for (const sound of ['3.44.6', '3.50.7', '3.51.3', '3.54.1', '4.0.0']) expect(() => refuseOldSqlite(sound)).not.toThrow()
})

it('S11 refuses a schema that a newer program broke', async () => {
  const store = openStore()
  await store.close()
  const db = new Database(file)
  db.exec('INSERT INTO _migrations (number, breaking) VALUES (99, 1)')
  db.close()
  expect(() => sqlite({ path: file })).toThrow(/breaking migration 99.*update Farebox/)
})

it('keeps the file whole at a checkpoint, whatever the durability', () => {
  const db = openDatabase(file)
  expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
  expect(Number(db.pragma('synchronous', { simple: true }))).toBe(1)
  db.close()
})
