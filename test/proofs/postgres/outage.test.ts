/** Proof: with `onStoreError: 'allow'` an outage of PostgreSQL stops nobody, and every request is in the log once afterwards. */

import path from 'node:path'
import type { Health } from '@farebox/core'
import { startPostgres } from '@farebox/postgres-server'
import { afterEach, expect, test } from 'vitest'
import { ask, askFor, linesOf } from '../harness/client.ts'
import { readPostgresLog } from '../harness/postgres-witness.ts'
import { isLong, ownFolder, report, sleep, until } from '../harness/report.ts'
import { killAll, startServer } from '../harness/server-process.ts'
import type { LogFacts } from '../harness/witness.ts'

const OUTAGE_MS = isLong ? 30_000 : 6_000
const CLIENTS = 16
const CUSTOMERS = ['ada', 'ben', 'cyd']

/** The last delivery may have to wait for the longest pause between two tries. */
const DELIVERED_WITHIN_MS = 30_000

afterEach(killAll)

test('every request of an outage is served, and is billed once when the database is back', { timeout: 180_000 }, async () => {
  const allow = await outage('allow')
  const refuse = await outage('refuse')
  const { served, handlers, unbilled, log, spooled } = allow
  report(
    'outage of PostgreSQL',
    { outageMs: OUTAGE_MS, served, notServed: allow.notServed, spooled, events: log.events, unbilled, left: allow.left },
    { notServed: refuse.notServed, slowestMs: refuse.slowestMs },
  )
  expect(allow.notServed).toBe(0)
  expect(spooled).toBeGreaterThan(0)
  expect({ handlers, unbilled, events: log.events }).toEqual({ handlers: served, unbilled: 0, events: served })
  expect(log).toMatchObject({ doubled: [], wrongTotals: 0 })
  expect(log.reserved.size).toBe(0)
  expect(allow.left).toBe(0)
  expect(allow.alarms).toEqual(expect.arrayContaining(['store_unavailable', 'spool_not_empty']))
  expect(allow.alarmsAfter).toEqual([])
  // The control: with the other policy the same outage is felt.
  expect(refuse.notServed).toBeGreaterThan(0)
  expect({ unbilled: refuse.unbilled, events: refuse.log.events }).toEqual({ unbilled: 0, events: refuse.handlers })
})

interface Outcome {
  readonly served: number
  readonly notServed: number
  readonly slowestMs: number
  readonly handlers: number
  /** Handlers that ran and whose event is not in the log exactly once. */
  readonly unbilled: number
  /** The most events that waited in the spool. */
  readonly spooled: number
  readonly left: number
  readonly alarms: readonly string[]
  readonly alarmsAfter: readonly string[]
  readonly log: LogFacts
}

async function outage(policy: 'allow' | 'refuse'): Promise<Outcome> {
  const postgres = await startPostgres()
  try {
    const folder = ownFolder()
    const witness = path.join(folder, 'witness')
    const server = await startServer({
      database: path.join(folder, 'unused.db'),
      postgres: { connectionString: postgres.url },
      ...(policy === 'allow' ? { spool: path.join(folder, 'spool.db') } : {}),
      witness,
    })
    const { port } = server
    const startsAt = Date.now() - 86_400_000
    for (const customerId of CUSTOMERS)
      await askFor(port, { method: 'POST', path: '/subscribe', body: { customerId, plan: 'open', startsAt } })
    const clients = startAsking(port)
    await sleep(1_000)
    await postgres.kill()
    await sleep(OUTAGE_MS)
    const during = await askFor<Health>(port, { path: '/health' })
    await postgres.restart()
    await sleep(1_000)
    const figures = await clients.finish()
    const healthNow = (): Promise<Health> => askFor<Health>(port, { path: '/health' })
    await until('all is delivered', async () => (await healthNow()).status === 'ok', DELIVERED_WITHIN_MS)
    const after = await healthNow()
    server.kill('SIGTERM')
    await server.ended
    const log = await readPostgresLog(postgres.url, 'farebox')
    const keys = linesOf(witness)
    const times = new Map<string, number>()
    for (const [id, count] of log.countOf) times.set(id.slice(id.indexOf(' ') + 1), count)
    return {
      ...figures,
      handlers: keys.length,
      unbilled: keys.filter((key) => times.get(key) !== 1).length,
      spooled: during.spool.events,
      left: after.spool.events + after.spool.rejected,
      alarms: during.alarms.map(({ code }) => code),
      alarmsAfter: after.alarms.map(({ code }) => code),
      log,
    }
  } finally {
    await postgres.stop()
  }
}

interface Asking {
  finish(): Promise<{ readonly served: number; readonly notServed: number; readonly slowestMs: number }>
}

/** Clients that ask again as soon as they are answered, with a little rest: hundreds of requests a second. */
function startAsking(port: number): Asking {
  const end = new AbortController()
  let served = 0
  let notServed = 0
  let slowestMs = 0
  const client = async (place: number): Promise<void> => {
    for (let turn = place; !end.signal.aborted; turn += 1) {
      const begunMs = performance.now()
      const answer = await ask(port, { path: '/work', customer: CUSTOMERS[turn % CUSTOMERS.length] ?? '' }).catch(() => null)
      slowestMs = Math.max(slowestMs, performance.now() - begunMs)
      if (answer?.status === 200) served += 1
      else notServed += 1
      await sleep(10)
    }
  }
  const running = Array.from({ length: CLIENTS }, (_, place) => client(place))
  return {
    async finish() {
      end.abort()
      await Promise.all(running)
      return { served, notServed, slowestMs }
    },
  }
}
