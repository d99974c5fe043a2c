/** When changes are answered: with `full` not before the disk says that it has them. */

import type * as fileSystem from 'node:fs'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Change, ChangeTarget, Store } from '../../src/contracts/store.ts'
import { sqlite } from '../../src/sqlite/store.ts'

type Done = (error: Error | null) => void

/** Syncs that the store asked for and the disk has not answered, and what happens when it asks. */
const disk = vi.hoisted(() => ({ asked: 0, held: [] as Done[], isHolding: false, whenAsked: (): void => {} }))

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof fileSystem>()
  const fdatasync = (file: number, done: Done): void => {
    disk.asked += 1
    disk.whenAsked()
    if (disk.isHolding) disk.held.push(done)
    else fs.fdatasync(file, done)
  }
  return { ...fs, fdatasync, default: { ...fs, fdatasync } }
})

let folder: string
let store: Store

function start(durability: 'full' | 'process'): void {
  store = sqlite({ path: path.join(folder, 'sync.db'), durability })
}

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'farebox-sync-'))
  Object.assign(disk, { asked: 0, held: [], isHolding: false, whenAsked() {} })
})

afterEach(async () => {
  release(null)
  disk.isHolding = false
  await store.close()
  rmSync(folder, { recursive: true })
})

function release(error: Error | null): void {
  for (const done of disk.held.splice(0)) done(error)
}

/** Makes a customer, and notes when that is answered. */
function change(id: string, log: string[] = [], urgency: ChangeTarget['urgency'] = 'now'): Promise<void> {
  const customer = { id, name: null, email: null, timeZone: 'UTC', createdAt: 0 }
  const decide = (): Change<void> => ({ result: undefined, entries: [{ kind: 'customer', customer }] })
  return store.change({ customerId: id, urgency }, decide).then(
    () => void log.push(id),
    (error: { code: string; fields: { outcome?: string } }) => void log.push(`${id} ${error.code} ${error.fields.outcome}`),
  )
}

const turns = async (count = 20): Promise<void> => {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve))
}

const isKnown = (customerId: string): Promise<boolean> =>
  store.change({ customerId }, (state) => ({ result: state.customer !== null, entries: [] }))

it('answers when the disk has what was written, and not before', async () => {
  start('full')
  disk.isHolding = true
  const log: string[] = []
  const changed = [change('ada', log), change('bob', log)]
  await turns()
  expect([disk.asked, log]).toEqual([1, []])
  release(null)
  await Promise.all(changed)
  expect(log).toEqual(['ada', 'bob'])
})

it('never answers with a sync that began before the change was written', async () => {
  start('full')
  disk.isHolding = true
  const log: string[] = []
  const first = change('ada', log)
  await turns()
  const second = change('bob', log)
  await turns()
  // What came meanwhile waits for the next commit.
  expect([disk.asked, log]).toEqual([1, []])
  release(null)
  await first
  await turns()
  expect([disk.asked, log]).toEqual([2, ['ada']])
  release(null)
  await second
  expect(log).toEqual(['ada', 'bob'])
})

it('does not ask the disk again when nothing was written', async () => {
  start('full')
  await change('ada')
  const { asked } = disk
  expect(await isKnown('ada')).toBe(true)
  expect(await isKnown('bob')).toBe(false)
  expect(disk.asked).toBe(asked)
})

it('asks the disk when another process wrote what an answer rests on', async () => {
  start('full')
  await change('ada')
  const other = sqlite({ path: path.join(folder, 'sync.db'), durability: 'process' })
  await other.change({ customerId: 'bob' }, () => ({
    result: undefined,
    entries: [{ kind: 'customer', customer: { id: 'bob', name: null, email: null, timeZone: 'UTC', createdAt: 0 } }],
  }))
  await other.close()
  const { asked } = disk
  expect(await isKnown('bob')).toBe(true)
  expect(disk.asked).toBe(asked + 1)
})

it('waits for the disk before it says that everything is durable', async () => {
  start('full')
  disk.isHolding = true
  const changed = change('ada')
  await turns()
  let isFlushed = false
  const flushed = store.flush().then(() => (isFlushed = true))
  await turns()
  expect(isFlushed).toBe(false)
  release(null)
  await Promise.all([changed, flushed])
})

it('takes nothing more after a sync that failed, and says that the outcome is unknown', async () => {
  start('full')
  disk.isHolding = true
  const log: string[] = []
  const changed = [change('ada', log), change('bob', log, 'soon')]
  await turns()
  const later = change('cleo', log)
  release(new Error('EIO: i/o error, fdatasync'))
  await Promise.all([...changed, later, change('dan', log)])
  expect(log.toSorted()).toEqual(['ada', 'bob', 'cleo', 'dan'].map((id) => `${id} store_unavailable unknown`))
  expect(disk.asked).toBe(1)
})

it("asks nothing of the disk with durability 'process'", async () => {
  start('process')
  await change('ada')
  expect(disk.asked).toBe(0)
})

it('keeps the order in which changes were asked for when another process takes the lock between them', async () => {
  start('full')
  await change('ada')
  const other = new Database(path.join(folder, 'sync.db'))
  // After the first of the changes that are tried one by one.
  disk.whenAsked = () => {
    disk.whenAsked = () => {}
    other.exec('BEGIN IMMEDIATE')
  }
  const changed = [change('bob'), change('ada'), change('cleo'), change('dan'), change('eve')]
  const spoilt = store.change({ customerId: 'ada' }, () => ({ result: undefined, entries: [{ kind: 'released', key: 'none' }] }))
  await expect(Promise.race([spoilt, pause(50)])).resolves.toBe('paused')
  other.exec('ROLLBACK')
  other.close()
  await Promise.all(changed)
  await expect(spoilt).rejects.toThrow('a reservation ends once')
  expect((await store.customerIds({})).items).toEqual(['ada', 'bob', 'cleo', 'dan', 'eve'])
})

function pause(ms: number): Promise<string> {
  return new Promise((resolve) => setTimeout(resolve, ms, 'paused'))
}
