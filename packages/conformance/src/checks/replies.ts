/** The ways to answer: each is settled once, with the status that was sent. */

import { expect } from 'vitest'
import type { Check } from '../check.ts'
import { ANSWERED, type SampleLayer } from '../sample.ts'
import type { World } from '../world.ts'

/** The statuses that the settlements of these paths see, one after the other. */
async function settledStatuses(world: World, paths: readonly string[], before: readonly SampleLayer[] = []): Promise<number[]> {
  const statuses: number[] = []
  const app = await world.start({
    options: { billWhen: ({ status }) => statuses.push(status) > 0 },
    layers: (meter) => [...before, meter],
  })
  for (const [index, path] of paths.entries()) {
    await app.send(`GET ${path}`, { as: `customer-${index}` })
    await app.billed()
  }
  expect(await app.billed()).toHaveLength(paths.length)
  return statuses
}

export const REPLY_CHECKS: readonly Check[] = [
  {
    id: 'C42',
    situations: [42],
    level: 'MUST',
    title: 'an answer that is written past the framework is settled once, with its status',
    run: async (world) => expect(await settledStatuses(world, ['/raw', '/raw'])).toEqual([201, 201]),
  },
  {
    id: 'C43',
    situations: [43],
    level: 'MUST',
    title: 'empty answers and redirects are settled once, with their status',
    async run(world) {
      const statuses = [200, 204, 302, 304, 404, 503]
      const paths = statuses.map((status) => `/status/${status}`)
      expect(await settledStatuses(world, paths)).toEqual(statuses)
    },
  },
  {
    id: 'C44',
    situations: [44],
    level: 'MUST',
    title: 'a web Response is sent and settled with its own status',
    async run(world) {
      const app = await world.start()
      const served = await app.send('GET /web')
      expect(served).toMatchObject({ status: 201, body: 'web' })
      expect(served.headers).toMatchObject({ 'x-own': 'own', ratelimit: expect.stringContaining('"api_calls";r=2') })
      expect(await settledStatuses(world, ['/web'])).toEqual([201])
    },
  },
  {
    id: 'C45',
    situations: [45],
    level: 'MUST',
    title: 'a request that earlier middleware answered keeps that answer, and is settled with its status',
    async run(world) {
      const app = await world.start({ layers: (meter) => [{ kind: 'answered' }, meter] })
      expect(await app.send('GET /hold/x')).toMatchObject({ status: ANSWERED.status, body: ANSWERED.body })
      await app.controls.reached('x')
      expect(await app.billed()).toEqual(['ada api_calls 1 /hold/:name'])
    },
  },
]
