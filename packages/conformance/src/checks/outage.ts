/** A store that cannot answer. It is a real one, whose file somebody else has locked. */

import { expect } from 'vitest'
import type { Check } from '../check.ts'
import { answer } from '../sample-routes.ts'

/** How long the store of these checks waits for its file. */
const BUSY_TIMEOUT_MS = 50

export const OUTAGE_CHECKS: readonly Check[] = [
  {
    id: 'C64.1',
    situations: [64],
    level: 'MUST',
    title: 'while the store cannot answer, requests get 503, their handlers do not run, and nothing is counted afterwards',
    async run(world) {
      const app = await world.start({ busyTimeoutMs: BUSY_TIMEOUT_MS, onError: () => answer(500, 'mapped') })
      app.ledger.lock()
      const refused = await app.send('GET /plain/1')
      expect(refused.status).toBe(503)
      expect(refused.headers).toMatchObject({
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        'retry-after': '1',
      })
      expect(JSON.parse(refused.body)).toMatchObject({ status: 503, code: 'store_unavailable' })
      expect(await app.send('GET /nope')).toMatchObject({ status: 404 })
      expect(app.ran).toEqual([])
      app.ledger.unlock()
      expect(await app.send('GET /plain/1', { as: 'bob' })).toMatchObject({ status: 200 })
      expect(await app.billed()).toEqual(['bob api_calls 1 /plain/:id'])
    },
  },
  {
    id: 'C64.2',
    situations: [64],
    level: 'MUST',
    title: "with onStoreError: 'allow' they are served, and billed once when the store is back",
    async run(world) {
      const app = await world.start({ busyTimeoutMs: BUSY_TIMEOUT_MS, options: { onStoreError: 'allow' } })
      app.ledger.lock()
      expect(await app.send('GET /plain/1')).toMatchObject({ status: 200, body: 'plain 1' })
      expect(await app.send('GET /measured')).toMatchObject({ status: 200 })
      expect(await app.send('GET /status/500')).toMatchObject({ status: 500 })
      app.ledger.unlock()
      await app.until('what was served is billed', () => app.ledger.events().length === 2)
      expect((await app.billed()).toSorted()).toEqual(['ada api_calls 1 /plain/:id', 'ada downloads 2.5 /measured'])
      expect(app.errors).toEqual([])
    },
  },
  {
    id: 'C65',
    situations: [65],
    level: 'MUST',
    title: 'a store that does not answer in time is not waited for: all who came meanwhile are answered while it still hangs',
    async run(world) {
      const app = await world.start({ busyTimeoutMs: BUSY_TIMEOUT_MS })
      app.ledger.lock()
      const customers = ['ada', 'bob', 'cy', 'dee']
      const answers = await Promise.all(customers.map((as) => app.send('GET /plain/1', { as })))
      for (const { status } of answers) expect(status).toBe(503)
      app.ledger.unlock()
      for (const as of customers) expect(await app.send('GET /plain/1', { as })).toMatchObject({ status: 200 })
      expect(await app.billed()).toHaveLength(customers.length)
    },
  },
]
