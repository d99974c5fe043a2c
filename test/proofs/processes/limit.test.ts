/** Proof: a limit is a limit, however many requests arrive at once and whichever process they reach. */

import path from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { CAPPED_UNITS } from '../harness/catalog.ts'
import { ask, askFor, linesOf } from '../harness/client.ts'
import { ownFolder, report } from '../harness/report.ts'
import { killAll, type ServerProcess, startServer } from '../harness/server-process.ts'
import type { ServerSettings, Variant } from '../harness/settings.ts'
import { readLog, type LogFacts } from '../harness/witness.ts'

const REQUESTS = 400
const LEFT = 50

afterEach(killAll)

test(
  'of 400 parallel requests with 50 units left exactly 50 handlers run, with one process and with three',
  { timeout: 60_000 },
  async () => {
    const one = await rush(1)
    const three = await rush(3)
    const broken = await rush(1, 'read-then-write')

    report(
      'limit',
      { requests: REQUESTS, handlersOne: one.handlers, handlersThree: three.handlers, refused: three.refused },
      { handlers: broken.handlers },
    )
    for (const { handlers, served, refused, log } of [one, three]) {
      expect({ handlers, served, refused }).toEqual({ handlers: LEFT, served: LEFT, refused: REQUESTS - LEFT })
      // The event that used up the first part of the allowance, and one for each handler.
      expect(log).toMatchObject({ events: LEFT + 1, doubled: [], wrongTotals: 0 })
      expect(log.usedBy.get('ada')).toBe(CAPPED_UNITS)
      expect(log.reserved.size).toBe(0)
    }
    // The control: a gate that reads first and counts later lets more through, and the harness sees it.
    expect(broken.handlers).toBeGreaterThan(LEFT)
  },
)

interface Rush {
  readonly handlers: number
  readonly served: number
  readonly refused: number
  readonly log: LogFacts
}

/** All requests at once, each on a connection of its own, spread over the processes. */
async function rush(processes: number, variant: Variant = 'sound'): Promise<Rush> {
  const folder = ownFolder()
  const settings: ServerSettings = { database: path.join(folder, 'farebox.db'), witness: path.join(folder, 'witness'), variant }
  const servers = await Promise.all(Array.from({ length: processes }, () => startServer(settings)))
  const [{ port }] = servers as [ServerProcess]
  await askFor(port, { method: 'POST', path: '/subscribe', body: { customerId: 'ada', plan: 'capped' } })
  await askFor(port, {
    method: 'POST',
    path: '/track',
    body: { customerId: 'ada', feature: 'api_calls', value: CAPPED_UNITS - LEFT },
  })

  const answers = await Promise.all(
    Array.from({ length: REQUESTS }, (_, i) =>
      ask(servers[i % processes]?.port ?? port, { path: '/work', customer: 'ada' }, { keepAlive: false }),
    ),
  )
  await stop(servers)
  const count = (status: number): number => answers.filter((answer) => answer.status === status).length
  return { handlers: linesOf(settings.witness).length, served: count(200), refused: count(402), log: readLog(settings.database) }
}

async function stop(servers: readonly ServerProcess[]): Promise<void> {
  for (const server of servers) server.kill('SIGTERM')
  await Promise.all(servers.map(({ ended }) => ended))
}
