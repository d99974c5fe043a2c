/** Handlers that fail: the host answers, and nothing is billed. */

import { expect } from 'vitest'
import type { Check } from '../check.ts'
import { answer, SampleError } from '../sample-routes.ts'
import type { SampleAnswer } from '../sample.ts'
import { LIMIT, type SampleChange, type World } from '../world.ts'
import { exhaust } from './exhaust.ts'

/** A route that fails answers as it does without a meter, gives back what it reserved, and stays as it is. */
async function isReleased(world: World, path: string): Promise<void> {
  const bare = await world.start({ layers: () => [] })
  const expected = await bare.send(`GET ${path}`)
  expect(expected.status).toBe(500)
  const app = await world.start()
  for (let sent = 0; sent <= LIMIT; sent++) {
    expect(await app.send(`GET ${path}`)).toMatchObject({ status: 500, body: expected.body })
    expect(await app.billed()).toEqual([])
  }
  expect(app.ran).toHaveLength(LIMIT + 1)
}

/** What the application's own error handling of these checks answers. */
function statusOf(error: unknown): SampleAnswer {
  return answer(error instanceof SampleError ? error.answerStatus : 500, 'mapped')
}

export const ERROR_CHECKS: readonly Check[] = [
  {
    id: 'C25.1',
    situations: [25],
    level: 'MUST',
    title: 'a handler that throws gets the error handling of the host and is not billed',
    run: (world) => isReleased(world, '/throw/sync'),
  },
  {
    id: 'C25.2',
    situations: [25],
    level: 'MUST',
    title: 'a handler in a mounted router that throws is not billed',
    run: (world) => isReleased(world, '/v1/fail/1'),
  },
  {
    id: 'C26',
    situations: [26],
    level: 'MUST',
    title: 'a handler that rejects gets the error handling of the host and is not billed',
    run: (world) => isReleased(world, '/throw/async'),
  },
  {
    id: 'C27',
    situations: [27],
    level: 'MUST',
    title: 'a handler that throws what is no Error gets the error handling of the host and is not billed',
    run: (world) => isReleased(world, '/throw/value'),
  },
  {
    id: 'C28.1',
    situations: [28],
    level: 'MUST',
    title: 'an answer of 400 or more is not billed',
    async run(world) {
      const app = await world.start()
      for (const status of [400, 404, 409, 500, 503]) expect(await app.send(`GET /status/${status}`)).toMatchObject({ status })
      expect(await app.billed()).toEqual([])
    },
  },
  {
    id: 'C28.2',
    situations: [28],
    level: 'MUST',
    title: 'billWhen sees the status of the answer and decides',
    async run(world) {
      const statuses: number[] = []
      const app = await world.start({ options: { billWhen: ({ status }) => (statuses.push(status), status === 409) } })
      for (const status of [200, 409]) {
        await app.send(`GET /status/${status}`)
        await app.billed()
      }
      expect(statuses).toEqual([200, 409])
      expect(await app.billed()).toEqual(['ada api_calls 1 /status/:status'])
    },
  },
  {
    id: 'C29',
    situations: [29],
    level: 'MUST',
    title: "the status that the application's error handling sends is the one that counts",
    async run(world) {
      const statuses: number[] = []
      const app = await world.start({
        onError: statusOf,
        options: { billWhen: ({ status }) => (statuses.push(status), status === 422) },
      })
      expect(await app.send('GET /throw/known')).toMatchObject({ status: 422, body: 'mapped' })
      expect(await app.billed()).toEqual(['ada api_calls 1 /throw/known'])
      expect(statuses).toEqual([422])
    },
  },
  {
    id: 'C30',
    situations: [30],
    level: 'MUST',
    title: 'a body that the host refuses is not billed, and one that it takes reaches the handler',
    async run(world) {
      const app = await world.start({ layers: (meter) => [{ kind: 'json' }, meter] })
      const headers = { 'content-type': 'application/json' }
      const bad = await app.send('POST /documents', { headers, body: '{"a":' })
      expect(bad.status).toBe(400)
      expect(app.ran).toEqual([])
      const good = await app.send('POST /documents', { headers, body: '{"a":"é"}' })
      expect(good).toMatchObject({ status: 201, body: '{"a":"é"}' })
      expect(await app.billed()).toEqual(['ada api_calls 1 /documents'])
    },
  },
  {
    id: 'C31.1',
    situations: [31],
    level: 'MUST',
    title: "whom the host's authentication in front of the meter turns away is not billed, and never hears of a limit",
    run: (world) => turnsAway(world, (meter) => [{ kind: 'auth' }, meter]),
  },
  {
    id: 'C31.2',
    situations: [31],
    level: 'SHOULD',
    title:
      "whom the host's authentication turns away that is registered after the meter is not billed either, and hears of no limit",
    run: (world) => turnsAway(world, (meter) => [meter, { kind: 'auth' }]),
  },
]

async function turnsAway(world: World, layers: NonNullable<SampleChange['layers']>): Promise<void> {
  const app = await world.start({ layers })
  for (let round = 0; round < 2; round++) {
    expect(await app.send('GET /plain/1', { headers: { 'x-auth': 'unknown' } })).toMatchObject({ status: 401 })
    const forbidden = await app.send('GET /plain/1', { headers: { 'x-auth': 'forbidden' } })
    expect(forbidden.status).toBe(403)
    expect(forbidden.headers.ratelimit).toBeUndefined()
    if (round === 0) await exhaust(app)
  }
  expect(await app.used('ada')).toBe(LIMIT)
}
