/** Who is calling, and what a request gets that nobody sent. */

import { expect } from 'vitest'
import type { Check } from '../check.ts'
import { answer } from '../sample-routes.ts'

const STRANGER = { as: null }

export const IDENTITY_CHECKS: readonly Check[] = [
  {
    id: 'C32.1',
    situations: [32],
    level: 'MUST',
    title: 'an anonymous request is answered 401 and its handler does not run',
    async run(world) {
      const app = await world.start()
      const refused = await app.send('GET /plain/1', STRANGER)
      expect(refused.status).toBe(401)
      expect(refused.headers).toMatchObject({ 'content-type': 'application/problem+json', 'www-authenticate': 'Bearer' })
      expect(JSON.parse(refused.body)).toMatchObject({ status: 401, code: 'unidentified_customer' })
      expect(await app.send('GET /nope', STRANGER)).toMatchObject({ status: 404 })
      expect(app.ran).toEqual([])
      expect(await app.billed()).toEqual([])
    },
  },
  {
    id: 'C32.2',
    situations: [32],
    level: 'MUST',
    title: "with anonymous: 'skip' an anonymous request is served without being metered",
    async run(world) {
      const app = await world.start({ options: { anonymous: 'skip' } })
      const served = await app.send('GET /context', STRANGER)
      expect(served).toMatchObject({ status: 200, body: 'null' })
      expect(served.headers.ratelimit).toBeUndefined()
      expect(await app.billed()).toEqual([])
    },
  },
  {
    id: 'C32.3',
    situations: [32],
    level: 'MUST',
    title: 'without identify, customers are known by their API keys, in x-api-key or as a bearer token',
    async run(world) {
      const app = await world.start({ isByApiKey: true })
      const { key } = await app.farebox.apiKeys.create({ customerId: 'eve' })
      for (const headers of [{ 'x-api-key': key }, { authorization: `Bearer ${key}` }])
        expect(await app.send('GET /plain/1', { headers })).toMatchObject({ status: 200 })
      const forged = `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`
      expect(await app.send('GET /plain/1', { headers: { 'x-api-key': forged } })).toMatchObject({ status: 401 })
      expect(await app.billed()).toEqual(['eve api_calls 1 /plain/:id', 'eve api_calls 1 /plain/:id'])
    },
  },
  {
    id: 'C33',
    situations: [33],
    level: 'MUST',
    title: 'an identify that throws or rejects is an error of the application: its handler does not run, nothing is counted',
    async run(world) {
      const failures = [
        () => {
          throw new Error('thrown in identify')
        },
        () => Promise.reject(new Error('rejected in identify')),
      ]
      for (const identify of failures) {
        const app = await world.start({ options: { identify }, onError: (error) => answer(500, String(error)) })
        const failed = await app.send('GET /plain/1')
        expect(failed.status).toBe(500)
        expect(failed.body).toContain('in identify')
        expect(app.ran).toEqual([])
        expect(await app.billed()).toEqual([])
      }
    },
  },
]
