/** Proof: `kill -9` of the whole PostgreSQL server at any time loses nothing that was answered and counts nothing twice. */

import path from 'node:path'
import { startPostgres } from '@farebox/postgres-server'
import { afterEach, expect, test } from 'vitest'
import { LARGE_UNITS } from '../harness/catalog.ts'
import { askFor, readLedger } from '../harness/client.ts'
import { startClients } from '../harness/clients.ts'
import { startFleet } from '../harness/fleet.ts'
import { readPostgresLog } from '../harness/postgres-witness.ts'
import { isLong, ownFolder, report, sleep, until } from '../harness/report.ts'
import { killAll } from '../harness/server-process.ts'

const PROCESSES = 3
const CLIENTS = 24
const KILL_FOR_MS = isLong ? 60_000 : 12_000
const CONTROL_FOR_MS = isLong ? 20_000 : 6_000

/** What a request may wait for the database; the rest is the work of busy processes on a busy machine. */
const TIMEOUT_MS = 2_000
const ANSWERED_WITHIN_MS = 2 * TIMEOUT_MS

/** Customers and their plans: one has a limit that is reached on the way. */
const PLANS = { ada: 'open', ben: 'open', cyd: 'large', dan: 'billed' }

afterEach(killAll)

test('what was answered is in the log once after any number of kills of the server', { timeout: 240_000 }, async () => {
  const sound = await killLoop('full', KILL_FOR_MS)
  const control = await killLoop('process', CONTROL_FOR_MS)
  const { kills, answered, refused, events, retries, slowestMs, lost, doubled, usedOfLarge } = sound
  report(
    'kill of PostgreSQL',
    { kills, answered, refused, lost, doubled, events, retries, unanswered: sound.unanswered, slowestMs, usedOfLarge },
    { kills: control.kills, answered: control.answered, lost: control.lost },
  )
  expect(sound).toMatchObject({ lost: 0, doubled: 0, wrongTotals: 0, openReservations: 0, unanswered: 0, isVerified: true })
  expect(slowestMs).toBeLessThan(ANSWERED_WITHIN_MS)
  expect(kills).toBeGreaterThan(2)
  expect(answered).toBeGreaterThan(0)
  expect(usedOfLarge).toBeLessThanOrEqual(LARGE_UNITS)
  // The control: commits that the server does not write down before it answers are lost with it, and the harness sees it.
  expect(control.lost).toBeGreaterThan(0)
})

interface Outcome {
  readonly kills: number
  readonly answered: number
  readonly refused: number
  readonly retries: number
  readonly slowestMs: number
  readonly unanswered: number
  readonly events: number
  readonly lost: number
  readonly doubled: number
  readonly wrongTotals: number
  readonly openReservations: number
  readonly usedOfLarge: number
  readonly isVerified: boolean
}

async function killLoop(durability: 'full' | 'process', forMs: number): Promise<Outcome> {
  const server = await startPostgres()
  try {
    const folder = ownFolder()
    const ledger = path.join(folder, 'ledger')
    const postgres = { connectionString: server.url, durability, timeoutMs: TIMEOUT_MS }
    const settings = { database: path.join(folder, 'unused.db'), witness: path.join(folder, 'witness'), postgres }
    const fleet = await startFleet(settings, PROCESSES)
    const port = fleet.any()?.port ?? 0
    const startsAt = Date.now() - 86_400_000
    for (const [customerId, plan] of Object.entries(PLANS))
      await askFor(port, { method: 'POST', path: '/subscribe', body: { customerId, plan, startsAt } })
    const clients = startClients({ fleet, ledger, count: CLIENTS, customers: Object.keys(PLANS) })

    const deadline = performance.now() + forMs
    let kills = 0
    while (performance.now() < deadline) {
      await sleep(1_000 + Math.random() * 1_000)
      await server.kill()
      kills += 1
      await server.restart()
    }
    const figures = await clients.finish()
    const readLog = async (): ReturnType<typeof readPostgresLog> => readPostgresLog(server.url, 'farebox')
    // In the control settlements are lost too: their reservations wait for the end of the processes.
    if (durability === 'full')
      await until('no reservation is left open', async () => (await readLog()).reserved.size === 0, 20_000)
    const audit = await askFor<{ ok: boolean }>(port, { path: '/verify' })
    await fleet.stop()

    const log = await readLog()
    const lines = readLedger(ledger)
    const answered = lines.filter(({ word }) => word === 'ok')
    return {
      ...figures,
      kills,
      answered: answered.length,
      refused: lines.filter(({ word }) => word === 'refused').length,
      events: log.events,
      lost: answered.filter(({ customer, key }) => log.countOf.get(`${customer} ${key}`) !== 1).length,
      doubled: log.doubled.length,
      wrongTotals: log.wrongTotals,
      openReservations: log.reserved.size,
      usedOfLarge: log.usedBy.get('cyd') ?? 0,
      isVerified: audit.ok,
    }
  } finally {
    await server.stop()
  }
}
