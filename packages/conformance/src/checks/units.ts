/** How much a request counts. */

import { expect } from 'vitest'
import type { Check } from '../check.ts'
import { answer } from '../sample-routes.ts'

/** The application's own error handling of these checks: it shows the code. */
function withCode(error: unknown): ReturnType<typeof answer> {
  return answer(500, typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'no code')
}

export const UNIT_CHECKS: readonly Check[] = [
  {
    id: 'C54',
    situations: [54],
    level: 'MUST',
    title: 'a route that counts 4 units is billed 4, and refused when fewer are left',
    async run(world) {
      const app = await world.start()
      const statuses: number[] = []
      for (let sent = 0; sent < 3; sent++) statuses.push((await app.send('GET /own')).status)
      expect(statuses).toEqual([200, 200, 402])
      expect(app.ran).toHaveLength(2)
      expect(await app.send('GET /measured')).toMatchObject({ status: 200 })
      expect(await app.billed()).toEqual(['ada downloads 4 /own', 'ada downloads 4 /own', 'ada downloads 2 /measured'])
    },
  },
  {
    id: 'C55.1',
    situations: [55],
    level: 'MUST',
    title: 'what the handler adds is what is billed',
    async run(world) {
      const app = await world.start()
      expect(await app.send('GET /measured')).toMatchObject({ status: 200, body: 'measured' })
      expect(await app.billed()).toEqual(['ada downloads 2.5 /measured'])
    },
  },
  {
    id: 'C55.2',
    situations: [55],
    level: 'MUST',
    title: 'a function of the outcome says what is billed',
    async run(world) {
      const app = await world.start()
      expect(await app.send('GET /units', { headers: { 'x-reserve': '9', 'x-used': '3.7' } })).toMatchObject({ status: 200 })
      expect(await app.billed()).toEqual(['ada downloads 3.7 /units'])
    },
  },
  {
    id: 'C55.3',
    situations: [55],
    level: 'MUST',
    title: 'what the handler adds while it streams is billed when the stream is over',
    async run(world) {
      const app = await world.start()
      app.controls.release('rest')
      expect(await app.send('GET /measured/stream')).toMatchObject({ status: 200, body: 'first last' })
      expect(await app.billed()).toEqual(['ada downloads 4 /measured/stream'])
    },
  },
  {
    id: 'C56.1',
    situations: [56],
    level: 'MUST',
    title: 'units that are no quantity are a coded error of the application: its handler does not run, nothing is counted',
    async run(world) {
      const app = await world.start({ onError: withCode })
      for (const units of ['-1', 'NaN', '1e400', '0.0000001'])
        expect(await app.send('GET /units', { headers: { 'x-reserve': units } })).toMatchObject({
          status: 500,
          body: 'invalid_quantity',
        })
      expect(app.ran).toEqual([])
      expect(await app.billed()).toEqual([])
    },
  },
  {
    id: 'C56.2',
    situations: [56],
    level: 'MUST',
    title: 'adding what is no quantity is a coded error in the handler, and the request is not billed',
    async run(world) {
      const app = await world.start({ onError: withCode })
      expect(await app.send('GET /wrong')).toMatchObject({ status: 500, body: 'invalid_quantity' })
      expect(await app.billed()).toEqual([])
    },
  },
]
