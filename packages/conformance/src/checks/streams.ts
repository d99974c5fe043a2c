/** Answers that come in chunks: not held back, not changed, settled when they are over. */

import { expect } from 'vitest'
import type { Check } from '../check.ts'

export const STREAM_CHECKS: readonly Check[] = [
  {
    id: 'C37',
    situations: [37],
    level: 'MUST',
    title: 'a stream is not held back, and is settled at its end and not before',
    async run(world) {
      const app = await world.start()
      const request = app.open('GET /stream')
      expect(await request.chunk()).toBe('first ')
      await app.controls.reached('rest')
      expect(await app.reserved()).toBe(1)
      expect(app.ledger.events()).toEqual([])
      app.controls.release('rest')
      expect((await request.answer()).body).toBe('second third last')
      expect(await app.billed()).toEqual(['ada api_calls 1 /stream'])
    },
  },
  {
    id: 'C38',
    situations: [38],
    level: 'MUST',
    title: 'server-sent events arrive one by one with their media type, and are settled at their end',
    async run(world) {
      const bare = await world.start({ layers: () => [] })
      bare.controls.release('rest')
      const { headers: expected } = await bare.send('GET /events')
      const app = await world.start()
      const request = app.open('GET /events')
      expect(await request.status).toBe(200)
      expect(await request.chunk()).toBe('data: first\n\n')
      expect(await app.reserved()).toBe(1)
      expect(app.ledger.events()).toEqual([])
      app.controls.release('rest')
      const { headers, body } = await request.answer()
      expect(body).toBe('data: last\n\n')
      // Express adds a charset by itself.
      expect(headers['content-type']).toMatch(/^text\/event-stream/)
      for (const name of ['content-type', 'cache-control', 'transfer-encoding', 'content-length'])
        expect(headers[name]).toBe(expected[name])
      expect(await app.billed()).toEqual(['ada api_calls 1 /events'])
    },
  },
  {
    id: 'C39',
    situations: [39],
    level: 'MUST',
    title: 'a stream that its client leaves is settled once, with the units that were added by then',
    async run(world) {
      const app = await world.start()
      const request = app.open('GET /measured/stream')
      expect(await request.chunk()).toBe('first ')
      await app.controls.reached('rest')
      await request.leave()
      expect(await app.billed()).toEqual(['ada downloads 2 /measured/stream'])
      app.controls.release('rest')
      expect(await app.send('GET /plain/1')).toMatchObject({ status: 200 })
      expect(await app.billed()).toEqual(['ada downloads 2 /measured/stream', 'ada api_calls 1 /plain/:id'])
    },
  },
  {
    id: 'C40',
    situations: [40],
    level: 'MUST',
    title: 'a stream that the server breaks off is cut as the host does it, and settled once as not finished',
    async run(world) {
      const statuses: number[] = []
      const app = await world.start({ options: { billWhen: ({ status }) => statuses.push(status) > 0, onAbort: 'void' } })
      const request = app.open('GET /broken')
      expect(await request.chunk()).toBe('first ')
      app.controls.release('rest')
      await expect(request.answer()).rejects.toBeInstanceOf(Error)
      expect(await app.billed()).toEqual([])
      expect(statuses).toEqual([])
      expect(await app.send('GET /plain/1')).toMatchObject({ status: 200 })
    },
  },
]
