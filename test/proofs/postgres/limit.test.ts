/** Proof: on PostgreSQL a limit is a limit, whichever of three processes a request reaches. */

import path from 'node:path'
import { startPostgres } from '@farebox/postgres-server'
import { afterEach, expect, test } from 'vitest'
import { CAPPED_UNITS } from '../harness/catalog.ts'
import { ask, askFor, linesOf } from '../harness/client.ts'
import { readPostgresLog } from '../harness/postgres-witness.ts'
import { ownFolder, report } from '../harness/report.ts'
import { killAll, startServer } from '../harness/server-process.ts'
import type { ServerSettings, Variant } from '../harness/settings.ts'
import type { LogFacts } from '../harness/witness.ts'

const PROCESSES = 3
const REQUESTS_EACH = 200
const LEFT = 50

afterEach(killAll)

test('of 600 parallel requests to three processes with 50 units left exactly 50 handlers run', { timeout: 90_000 }, async () => {
  const sound = await rush('sound')
  const control = await rush('read-then-write')
  const { handlers, served, refused, log } = sound
  report(
    'limit on PostgreSQL',
    { processes: PROCESSES, requests: PROCESSES * REQUESTS_EACH, handlers, served, refused },
    {
      handlers: control.handlers,
    },
  )
  expect({ handlers, served, refused }).toEqual({
    handlers: LEFT,
    served: LEFT,
    refused: PROCESSES * REQUESTS_EACH - LEFT,
  })
  expect(log).toMatchObject({ events: LEFT + 1, doubled: [], wrongTotals: 0 })
  expect(log.usedBy.get('ada')).toBe(CAPPED_UNITS)
  expect(log.reserved.size).toBe(0)
  // The control: a gate that reads first and counts later lets more through, and the harness sees it.
  expect(control.handlers).toBeGreaterThan(LEFT)
})

interface Rush {
  readonly handlers: number
  readonly served: number
  readonly refused: number
  readonly log: LogFacts
}

/** All requests at once, each on a connection of its own. */
async function rush(variant: Variant): Promise<Rush> {
  const postgres = await startPostgres()
  try {
    const folder = ownFolder()
    const settings: ServerSettings = {
      database: path.join(folder, 'unused.db'),
      postgres: { connectionString: postgres.url, timeoutMs: 10_000 },
      witness: path.join(folder, 'witness'),
      variant,
    }
    const servers = await Promise.all(Array.from({ length: PROCESSES }, () => startServer(settings)))
    const ports = servers.map(({ port }) => port)
    const [port = 0] = ports
    await askFor(port, { method: 'POST', path: '/subscribe', body: { customerId: 'ada', plan: 'capped' } })
    const before = { customerId: 'ada', feature: 'api_calls', value: CAPPED_UNITS - LEFT }
    await askFor(port, { method: 'POST', path: '/track', body: before })
    const answers = await Promise.all(
      ports.flatMap((one) =>
        Array.from({ length: REQUESTS_EACH }, () => ask(one, { path: '/work', customer: 'ada' }, { keepAlive: false })),
      ),
    )
    for (const server of servers) server.kill('SIGTERM')
    await Promise.all(servers.map(({ ended }) => ended))
    const count = (status: number): number => answers.filter((answer) => answer.status === status).length
    return {
      handlers: linesOf(settings.witness).length,
      served: count(200),
      refused: count(402),
      log: await readPostgresLog(postgres.url, 'farebox'),
    }
  } finally {
    await postgres.stop()
  }
}
