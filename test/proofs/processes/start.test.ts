/** Proof: a process starts while others are busy on the same file. */

import path from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, expect, test } from 'vitest'
import { ask, askFor } from '../harness/client.ts'
import { ownFolder, report, sleep } from '../harness/report.ts'
import { killAll, startServer } from '../harness/server-process.ts'

/** Long enough for the other process to come to its first write. */
const HELD_FOR_MS = 1_200

afterEach(killAll)

test('a start that meets the write lock of another process waits for it, as a request does', { timeout: 30_000 }, async () => {
  const folder = ownFolder()
  const settings = { database: path.join(folder, 'farebox.db'), witness: path.join(folder, 'witness') }
  const first = await startServer(settings)
  await askFor(first.port, { method: 'POST', path: '/subscribe', body: { customerId: 'ada', plan: 'open' } })
  const holder = new Database(settings.database)
  holder.exec('BEGIN IMMEDIATE')
  const starting = startServer(settings)
  starting.catch(() => {})
  await sleep(HELD_FOR_MS)
  holder.close()
  const second = await starting
  const { status } = await ask(second.port, { path: '/work', customer: 'ada' })
  report('start', { lockHeldForMs: HELD_FOR_MS, status })
  expect(status).toBe(200)
})
