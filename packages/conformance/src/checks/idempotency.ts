/** A client's Idempotency-Key is never enough to make work free; a key of a usage event counts it once. */

import { expect } from 'vitest'
import type { Check } from '../check.ts'

const KEY = '8e03978e-40d5-43dd-bc93-6894a57f9324'

const keyed = (key = KEY): { headers: Record<string, string> } => ({ headers: { 'idempotency-key': key } })

export const IDEMPOTENCY_CHECKS: readonly Check[] = [
  {
    id: 'C49',
    situations: [49],
    level: 'MUST',
    title: 'a retry with the same Idempotency-Key whose handler runs again is billed again',
    async run(world) {
      const app = await world.start()
      for (let sent = 0; sent < 2; sent++) expect(await app.send('GET /plain/1', keyed())).toMatchObject({ status: 200 })
      expect(app.ran).toHaveLength(2)
      expect(await app.billed()).toHaveLength(2)
    },
  },
  {
    id: 'C50',
    situations: [50],
    level: 'MUST',
    title: 'other work under the same Idempotency-Key is billed, and refused over the limit',
    async run(world) {
      const app = await world.start()
      for (const path of ['/plain/1', '/plain/2', '/v1/users/1'])
        expect(await app.send(`GET ${path}`, keyed())).toMatchObject({ status: 200 })
      expect(await app.send('GET /plain/1', keyed())).toMatchObject({ status: 402 })
      expect(await app.billed()).toHaveLength(3)
    },
  },
  {
    id: 'C51',
    situations: [51],
    level: 'MUST',
    title: 'of concurrent requests with the same Idempotency-Key as many are billed as handlers run',
    async run(world) {
      const app = await world.start()
      const requests = [1, 2].map(() => app.send('GET /hold/both', keyed()))
      await app.controls.reached('both')
      app.controls.release('both')
      for (const { status } of await Promise.all(requests)) expect([200, 409]).toContain(status)
      expect(await app.billed()).toHaveLength(app.ran.length)
    },
  },
  {
    id: 'C52',
    situations: [52],
    level: 'MUST',
    title: 'quoted or unquoted, of one customer or of two, an Idempotency-Key makes no work free',
    async run(world) {
      const app = await world.start()
      for (const as of ['ada', 'bob'])
        for (const key of ['abc', '"abc"'])
          expect(await app.send('GET /plain/1', { as, ...keyed(key) })).toMatchObject({ status: 200 })
      const each = ['ada', 'ada', 'bob', 'bob'].map((customer) => `${customer} api_calls 1 /plain/:id`)
      expect(await app.billed()).toEqual(each)
    },
  },
  {
    id: 'C53.1',
    situations: [53],
    level: 'MUST',
    title: 'a settlement that the store cannot write at once is written once when it can',
    async run(world) {
      const app = await world.start({ busyTimeoutMs: 50 })
      const request = app.send('GET /hold/one')
      await app.controls.reached('one')
      app.ledger.lock()
      app.controls.release('one')
      expect(await request).toMatchObject({ status: 200 })
      // Whoever comes now is turned away by the same lock, so the settlement has met it too.
      expect(await app.send('GET /plain/1')).toMatchObject({ status: 503 })
      app.ledger.unlock()
      expect(await app.billed()).toEqual(['ada api_calls 1 /hold/:name'])
    },
  },
  {
    id: 'C53.2',
    situations: [53],
    level: 'MUST',
    title: 'a usage event under a key that was seen is counted once, beside what the requests used',
    async run(world) {
      const app = await world.start()
      expect(await app.send('GET /plain/1')).toMatchObject({ status: 200 })
      const event = { customerId: 'ada', feature: 'api_calls', value: 1, idempotencyKey: KEY }
      const kinds = [(await app.farebox.usage.track(event)).kind, (await app.farebox.usage.track(event)).kind]
      expect(kinds).toEqual(['recorded', 'repeat'])
      expect(await app.used('ada')).toBe(2)
    },
  },
]
