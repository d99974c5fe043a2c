/** Proof: a server that is told to end answers what is in flight, writes it down and ends by itself. */

import path from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, expect, test } from 'vitest'
import { ask, askFor } from '../harness/client.ts'
import { ownFolder, report, sleep } from '../harness/report.ts'
import { killAll, type ServerProcess, startServer } from '../harness/server-process.ts'
import type { ServerSettings } from '../harness/settings.ts'
import { readLog } from '../harness/witness.ts'

const IN_FLIGHT = 20
const HANDLER_MS = 500

/** From the end of the last handler to the end of the process. */
const ENDS_WITHIN_MS = 1_000

/** From `farebox.stop()` to the end of the process: what takes longer is a timer that holds it. */
const LEAVES_WITHIN_MS = 250

afterEach(killAll)

test('requests in flight are answered and in the log, and nothing holds the process', { timeout: 30_000 }, async () => {
  const settings = ownSettings()
  const server = await startServer(settings)
  await subscribe(server)
  const answers = Array.from({ length: IN_FLIGHT }, (_, i) => slow(server, i))
  await sleep(200)
  const toldAt = performance.now()
  server.kill('SIGTERM')
  const statuses = (await Promise.all(answers)).map(({ status }) => status)
  expect(await server.ended).toBe(0)
  const endedAfterMs = performance.now() - toldAt
  const leftAfterMs = performance.now() - stoppedAt(server)

  const log = readLog(settings.database)
  const served = statuses.filter((status) => status === 200).length
  const idle = await endIdle()
  report('shutdown', { inFlight: IN_FLIGHT, served, events: log.events, endedAfterMs, leftAfterMs, idleEndedAfterMs: idle })
  expect(log).toMatchObject({ events: served, doubled: [], wrongTotals: 0, reserved: new Map() })
  // Every fourth handler answers 500, which is not billed.
  expect(served).toBe(IN_FLIGHT - IN_FLIGHT / 4)
  expect(statuses.filter((status) => status === 500)).toHaveLength(IN_FLIGHT / 4)
  expect(endedAfterMs).toBeLessThan(HANDLER_MS + ENDS_WITHIN_MS)
  expect(leftAfterMs).toBeLessThan(LEAVES_WITHIN_MS)
  expect(idle).toBeLessThan(ENDS_WITHIN_MS)
})

test('farebox.stop() waits for the requests in flight before it lets the store go', { timeout: 30_000 }, async () => {
  const settings = { ...ownSettings(), stopFirst: 'farebox' } as const
  const server = await startServer(settings)
  await subscribe(server)
  const answers = Array.from({ length: IN_FLIGHT }, (_, i) => slow(server, i))
  await sleep(200)
  server.kill('SIGTERM')
  const statuses = (await Promise.all(answers)).map(({ status }) => status)
  expect(await server.ended).toBe(0)
  expect(readLog(settings.database)).toMatchObject({
    events: statuses.filter((status) => status === 200).length,
    reserved: new Map(),
  })
})

test('farebox.stop() waits for a request that is still being admitted', { timeout: 30_000 }, async () => {
  const settings = { ...ownSettings(), stopFirst: 'farebox' } as const
  const server = await startServer(settings)
  await subscribe(server)
  const holder = new Database(settings.database)
  holder.exec('BEGIN IMMEDIATE')
  const answer = slow(server, 1)
  await sleep(100)
  server.kill('SIGTERM')
  await sleep(100)
  holder.close()
  const { status } = await answer
  expect(await server.ended).toBe(0)
  const log = readLog(settings.database)
  expect({ events: log.events, reserved: log.reserved.size }).toEqual({ events: status === 200 ? 1 : 0, reserved: 0 })
})

function slow({ port }: ServerProcess, i: number): ReturnType<typeof ask> {
  return ask(port, { path: `/slow?ms=${HANDLER_MS}${i % 4 === 0 ? '&fail' : ''}`, customer: 'ada' }, { keepAlive: false })
}

async function endIdle(): Promise<number> {
  const server = await startServer(ownSettings())
  const toldAt = performance.now()
  server.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  return performance.now() - toldAt
}

function stoppedAt({ said }: ServerProcess): number {
  return said.find(({ stopped }) => stopped === true)?.atMs ?? 0
}

function ownSettings(): ServerSettings {
  const folder = ownFolder()
  return { database: path.join(folder, 'farebox.db'), witness: path.join(folder, 'witness') }
}

async function subscribe({ port }: ServerProcess): Promise<void> {
  await askFor(port, { method: 'POST', path: '/subscribe', body: { customerId: 'ada', plan: 'open' } })
}
