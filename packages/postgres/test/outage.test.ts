/** The outage policy on a real server: what is served without it is billed once when it is back, under its own timestamps. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createFarebox, type Farebox, testClock } from '@farebox/core'
import type { Gate, Verdict } from '@farebox/core/http'
import { startPostgres } from '@farebox/postgres-server'
import { expect, onTestFinished, test } from 'vitest'
import { postgres } from '../src/index.ts'
import { catalog } from './catalog.ts'
import { testDatabase } from './database.ts'
import { wireTo } from './proxy.ts'

const START = Date.UTC(2026, 0, 1)
const TIMEOUT_MS = 800

interface Raw {
  readonly customer: string
}

function start(connectionString: string, schema?: string) {
  const folder = mkdtempSync(path.join(tmpdir(), 'farebox-outage-'))
  const clock = testClock(START)
  const named = schema === undefined ? {} : { schema }
  const store = postgres({ connectionString, timeoutMs: TIMEOUT_MS, ...named })
  const farebox = createFarebox({ catalog, store, clock, spool: path.join(folder, 'spool.db'), onError: () => {} })
  onTestFinished(async () => {
    await farebox.stop({ withinMs: 0 })
    rmSync(folder, { recursive: true, force: true })
  })
  const gate = farebox.createGate<Raw>(undefined, { identify: ({ customer }) => customer, onStoreError: 'allow' })
  return { farebox, clock, gate }
}

async function serve(gate: Gate<Raw>, customer: string): Promise<Verdict['kind']> {
  const raw = { customer }
  const verdict = await gate.admit({ method: 'GET', route: '/', header: () => undefined, raw })
  if (verdict.kind === 'admitted') gate.settle(verdict.ticket, { kind: 'finished', status: 200 }, raw)
  return verdict.kind
}

async function delivered(farebox: Farebox, count: number): Promise<void> {
  await expect
    .poll(
      async () => {
        const { status, spool } = await farebox.health()
        return [status, spool.events]
      },
      { timeout: 20_000 },
    )
    .toEqual(['ok', 0])
  const { items } = await farebox.events.list({ limit: 1_000 })
  expect(items).toHaveLength(count)
  expect(new Set(items.map(({ key }) => key)).size).toBe(count)
  expect((await farebox.verify()).differences).toEqual([])
}

test('the server dies and comes back', async () => {
  const server = await startPostgres()
  onTestFinished(() => server.stop())
  const { farebox, clock, gate } = start(server.url)
  await farebox.ready
  await serve(gate, 'ada')
  await farebox.flush()
  await server.kill()
  const kinds: string[] = []
  for (let i = 1; i <= 5; i += 1) {
    clock.set(START + i * 1_000)
    const begun = performance.now()
    kinds.push(await serve(gate, i % 2 === 0 ? 'ada' : 'bob'))
    expect(performance.now() - begun).toBeLessThan(TIMEOUT_MS + 1_000)
  }
  expect(kinds).toEqual(['admitted', 'admitted', 'admitted', 'admitted', 'admitted'])
  await expect
    .poll(() => farebox.health())
    .toMatchObject({ status: 'degraded', store: { isAnswering: false }, spool: { events: 5 } })
  await server.restart()
  await delivered(farebox, 6)
  const { items } = await farebox.events.list()
  expect(items.map(({ at }) => at - START).toSorted((a, b) => a - b)).toEqual([0, 1_000, 2_000, 3_000, 4_000, 5_000])
})

test('the server says nothing for a while', async () => {
  const database = await testDatabase()
  const wire = await wireTo(database.url)
  const { farebox, gate } = start(wire.url, database.schema)
  await farebox.ready
  await serve(gate, 'ada')
  await farebox.flush()
  wire.isSilent = true
  expect(await Promise.all(['ada', 'bob', 'cy'].map((customer) => serve(gate, customer)))).toEqual(Array(3).fill('admitted'))
  await expect.poll(() => farebox.health()).toMatchObject({ status: 'degraded', spool: { events: 3 } })
  wire.isSilent = false
  await delivered(farebox, 4)
})

test.each([
  ['before the commit arrived', 'before'],
  ['after the commit, before its answer', 'after'],
] as const)('the connection is cut during delivery, %s', async (_when, when) => {
  const database = await testDatabase()
  const wire = await wireTo(database.url)
  const { farebox, gate } = start(wire.url, database.schema)
  await farebox.ready
  await serve(gate, 'ada')
  await farebox.flush()
  wire.isSilent = true
  await Promise.all(['ada', 'bob', 'cy'].map((customer) => serve(gate, customer)))
  wire.cutAt('COMMIT', when)
  wire.isSilent = false
  await delivered(farebox, 4)
  expect(wire.cuts).toBe(1)
})
