/** Where meters are put: twice, on the route, and not at all. */

import { expect } from 'vitest'
import type { Check } from '../check.ts'
import { LIMIT } from '../world.ts'
import { exhaust } from './exhaust.ts'

export const MOUNTING_CHECKS: readonly Check[] = [
  {
    id: 'C57.1',
    situations: [57],
    level: 'MUST',
    title: 'a meter that is registered twice counts once',
    async run(world) {
      const app = await world.start({ layers: (meter) => [meter, meter] })
      for (const path of ['/plain/1', '/v1/users/7', '/admin/items/9'])
        expect(await app.send(`GET ${path}`)).toMatchObject({ status: 200 })
      expect(await app.billed()).toHaveLength(3)
    },
  },
  {
    id: 'C57.2',
    situations: [57],
    level: 'MUST',
    title: "a route's own meter is the one that counts, with its feature and its units, and counts alone",
    async run(world) {
      const app = await world.start()
      expect(await app.send('GET /twice')).toMatchObject({ status: 200 })
      expect(await app.send('GET /own')).toMatchObject({ status: 200 })
      expect(await app.billed()).toEqual(['ada api_calls 2 /twice', 'ada downloads 4 /own'])
      expect(await app.send('HEAD /own')).toMatchObject({ status: 200 })
      expect(await app.used('ada', 'downloads')).toBe(8)
    },
  },
  {
    id: 'C58.1',
    situations: [58],
    level: 'MUST',
    title: 'a route that is not metered is served over the limit too, without headers and without a meter, and not counted',
    async run(world) {
      const app = await world.start()
      await exhaust(app)
      const served = await app.send('GET /unmetered')
      expect(served).toMatchObject({ status: 200, body: 'null' })
      expect(served.headers.ratelimit).toBeUndefined()
      expect(await app.used('ada')).toBe(LIMIT)
    },
  },
  {
    id: 'C58.2',
    situations: [58],
    level: 'MUST',
    title: 'a request that skip names is served over the limit too, without headers and without a meter, and not counted',
    async run(world) {
      const app = await world.start({ options: { skip: (request) => request.header('x-probe') === 'yes' } })
      await exhaust(app)
      for (const path of ['/context', '/own']) {
        const served = await app.send(`GET ${path}`, { headers: { 'x-probe': 'yes' } })
        expect(served.status).toBe(200)
        expect(served.headers.ratelimit).toBeUndefined()
      }
      expect(await app.send('GET /context', { headers: { 'x-probe': 'yes' } })).toMatchObject({ body: 'null' })
      expect(await app.send('GET /context')).toMatchObject({ status: 402 })
      expect(await app.billed()).toHaveLength(LIMIT)
    },
  },
]
