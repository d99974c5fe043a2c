/** Clients that go away: before the handler, in it, and after it. */

import { expect } from 'vitest'
import type { Check } from '../check.ts'
import type { App, World } from '../world.ts'

/** Options that note the status of every finished answer; an aborted one has none. */
function noting(statuses: number[]): { billWhen: (outcome: { status: number }) => boolean } {
  return { billWhen: ({ status }) => statuses.push(status) > 0 }
}

/** Two round trips: what the server's event loop had waiting about the client that left has been seen by then. */
async function seen(app: App): Promise<void> {
  for (let sent = 0; sent < 2; sent++) await app.connect().send('GET /nope')
}

/** A client that leaves a handler which then goes on. */
async function leaveHandler(world: World, onAbort: 'charge' | 'void'): Promise<{ app: App; statuses: number[] }> {
  const statuses: number[] = []
  const app = await world.start({ options: { ...noting(statuses), onAbort } })
  const request = app.open('GET /hold/one')
  await app.controls.reached('one')
  await request.leave()
  await app.billed()
  app.controls.release('one')
  expect(await app.send('GET /plain/1', { as: 'bob' })).toMatchObject({ status: 200 })
  return { app, statuses }
}

export const ABORT_CHECKS: readonly Check[] = [
  {
    id: 'C34.1',
    situations: [34],
    level: 'MUST',
    title: 'a client that leaves before the headers is billed for the work that it started, and not as a finished answer',
    async run(world) {
      const { app, statuses } = await leaveHandler(world, 'charge')
      expect(await app.billed()).toEqual(['ada api_calls 1 /hold/:name', 'bob api_calls 1 /plain/:id'])
      expect(statuses).toEqual([200])
    },
  },
  {
    id: 'C34.2',
    situations: [34],
    level: 'MUST',
    title: "with onAbort: 'void' a client that leaves before the headers is not billed",
    async run(world) {
      const { app, statuses } = await leaveHandler(world, 'void')
      expect(await app.billed()).toEqual(['bob api_calls 1 /plain/:id'])
      expect(statuses).toEqual([200])
    },
  },
  {
    id: 'C35',
    situations: [35],
    level: 'MUST',
    title: 'a client that leaves while its request is being admitted is not worked for and not billed',
    async run(world) {
      const asked = Promise.withResolvers<void>()
      const app = await world.start({
        options: {
          identify(request) {
            asked.resolve()
            return request.header('x-customer')
          },
        },
      })
      await app.farebox.customers.create({ id: 'ada' })
      app.ledger.lock()
      const request = app.open('GET /plain/1')
      await asked.promise
      await request.leave()
      await seen(app)
      app.ledger.unlock()
      expect(await app.send('GET /plain/2', { as: 'bob' })).toMatchObject({ status: 200 })
      expect(await app.billed()).toEqual(['bob api_calls 1 /plain/:id'])
      expect(app.ran).toEqual(['/plain/:id'])
    },
  },
  {
    id: 'C36',
    situations: [36],
    level: 'MUST',
    title: 'a handler that finishes after its client left is settled once, and the server lives on',
    async run(world) {
      const app = await world.start()
      const requests = ['one', 'two'].map((name) => app.open(`GET /hold/${name}`))
      await Promise.all(['one', 'two'].map((name) => app.controls.reached(name)))
      await Promise.all(requests.map((request) => request.leave()))
      expect(await app.billed()).toHaveLength(2)
      app.controls.releaseAll()
      expect(await app.send('GET /plain/1')).toMatchObject({ status: 200 })
      expect(await app.billed()).toHaveLength(3)
    },
  },
  {
    id: 'C41',
    situations: [41],
    level: 'MUST',
    protocol: 'http2',
    title: 'a stream that an HTTP/2 client cancels is aborted, though the response says that it finished',
    async run(world) {
      const statuses: number[] = []
      const app = await world.start({ options: noting(statuses) })
      const request = app.open('GET /events')
      expect(await request.chunk()).toBe('data: first\n\n')
      await request.leave()
      expect(await app.billed()).toEqual(['ada api_calls 1 /events'])
      expect(statuses).toEqual([])
    },
  },
]
