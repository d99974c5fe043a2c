/** What is particular to the SQLite store. What every store promises is checked by `storeSuite` in `packages/conformance`. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { AccountState, Entry } from '../../src/account/account-state.ts'
import type { Store } from '../../src/contracts/store.ts'
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

/** The second eye: raw SQL on a connection of its own. */
function query<T>(sql: string): T[] {
  const db = new Database(file, { readonly: true })
  try {
    return db.prepare<[], T>(sql).all()
  } finally {
    db.close()
  }
}

const opened = (state: AccountState): Entry[] => {
  const customer = { id: state.customerId, name: null, email: null, timeZone: 'UTC', createdAt: PERIOD }
  return state.customer === null ? [{ kind: 'customer', customer }] : []
}
const posted = (key: string): Entry => ({
  kind: 'posted',
  event: {
    customerId: 'ada',
    feature: 'api_calls',
    quantity: 1_000_000n,
    at: PERIOD + 1,
    key,
    route: '/v1/:id',
    properties: { region: 'eu' },
  },
  periodStart: PERIOD,
  keyGivenBy: 'farebox',
})
const post = (store: Store, entry: Entry): Promise<void> =>
  store.change({ customerId: 'ada' }, (state) => ({ result: undefined, entries: [...opened(state), entry] }))

it('goes on from the event that a cursor names, without walking past the newer ones', async () => {
  const store = openStore()
  for (let i = 0; i < 9; i += 1) await post(store, posted(`e${i}`))
  const total = { customerId: 'ada', feature: 'api_calls', periodStart: PERIOD }
  const { next } = await store.events({ ...total, limit: 4 })
  // Whoever walks from the newest finds the way cut.
  const db = new Database(file)
  db.exec('DROP TRIGGER _events_never_change; UPDATE _events SET back = seq WHERE seq = (SELECT max(seq) FROM _events)')
  db.close()
  const { items } = await store.events({ ...total, limit: 4, after: next ?? '' })
  expect(items.map(({ key }) => key)).toEqual(['e4', 'e3', 'e2', 'e1'])
})

it('refuses to change the log or a final invoice, even by hand', async () => {
  const store = openStore()
  await post(store, posted('k1'))
  const db = new Database(file)
  expect(() => db.exec('UPDATE _events SET quantity = 0')).toThrow('append-only')
  expect(() => db.exec('DELETE FROM _events')).toThrow('append-only')
  db.exec(`INSERT INTO _invoices (customer_id, id, status, series, number, document) VALUES (1, 'i1', 'open', 'FB', 1, '{}')`)
  expect(() => db.exec(`UPDATE _invoices SET document = '[]'`)).toThrow('a final invoice never changes')
  expect(() => db.exec('UPDATE _invoices SET number = 2')).toThrow('a final invoice never changes')
  db.exec(`UPDATE _invoices SET status = 'paid'`)
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

it('refuses files and versions that it cannot trust, each with what to do', async () => {
  await openStore().close()
  const newer = new Database(file)
  newer.exec('INSERT INTO _migrations (number, breaking) VALUES (99, 1)')
  newer.close()
  expect(() => sqlite({ path: file })).toThrow(/breaking migration 99.*update Farebox/)
  const foreign = path.join(folder, 'notes.db')
  const other = new Database(foreign)
  other.exec('CREATE TABLE notes (text TEXT)')
  other.close()
  expect(() => sqlite({ path: foreign })).toThrow(/database of another program.*file of its own/)
  expect(() => sqlite({ path: path.join(folder, 'missing', 'billing.db') })).toThrow(/does not exist: make it/)
  expect(() => sqlite({ path: '' })).toThrow(/path of sqlite\(\) to be the path of a file/)
  expect(() => sqlite({ path: file, cacheSize: -1 })).toThrow(/whole number, zero or more, got -1/)
  expect(() => sqlite({ path: file, durabilty: 'full' } as never)).toThrow(/got durabilty: fix its spelling/)
  expect(() => sqlite({ path: '/proc/billing.db' })).toThrow(/cannot be opened for writing.*choose another path/)
  expect(() => refuseOldSqlite('3.51.2')).toThrow(/3\.51\.3 or later/)
  for (const sound of ['3.44.6', '3.50.7', '3.51.3', '3.54.1', '4.0.0']) expect(() => refuseOldSqlite(sound)).not.toThrow()
})

it('keeps the file whole at a checkpoint, whatever the durability', () => {
  const db = openDatabase(file)
  expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
  expect(Number(db.pragma('synchronous', { simple: true }))).toBe(1)
  db.close()
})
