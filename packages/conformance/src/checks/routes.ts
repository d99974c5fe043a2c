/** What is metered, and under which label: what the host's own router matches, and nothing else. */

import { expect } from 'vitest'
import type { Check } from '../check.ts'
import { LIMIT, type SampleChange, type World } from '../world.ts'
import { exhaust } from './exhaust.ts'

const PREFLIGHT = { headers: { origin: 'https://app.example.test', 'access-control-request-method': 'GET' } }

/** Sends requests that nothing serves, below and over the limit, and gives the statuses. Nothing of them is counted. */
async function statusesOfUnserved(world: World, requests: readonly string[]): Promise<number[]> {
  const app = await world.start()
  const statuses: number[] = []
  for (const request of requests) statuses.push((await app.send(request)).status)
  expect(await app.billed()).toEqual([])
  await exhaust(app)
  for (const request of requests) statuses.push((await app.send(request)).status)
  expect(app.ran).toHaveLength(LIMIT)
  expect(await app.billed()).toHaveLength(LIMIT)
  return statuses
}

/** Whatever the host makes of each path: it is counted exactly when its handler runs, and refused then over the limit. */
async function countsWhatRuns(world: World, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const app = await world.start()
    await app.send(`GET ${path}`)
    const ran = app.ran.length
    expect({ path, used: await app.used('ada') }).toEqual({ path, used: ran })
    for (let sent = ran; sent < LIMIT; sent++) await app.send('GET /plain/1')
    const over = await app.send(`GET ${path}`)
    expect({ path, ran: app.ran.length, isRefused: over.status === 402 }).toEqual({ path, ran: LIMIT, isRefused: ran > 0 })
    await app.stop()
  }
}

/** The only label of the log, after one request. */
async function labelOf(world: World, path: string): Promise<string> {
  const app = await world.start()
  expect(await app.send(`GET ${path}`)).toMatchObject({ status: 200 })
  await app.billed()
  const [event, ...others] = app.ledger.events()
  expect(others).toEqual([])
  return String(event?.route)
}

export const ROUTE_CHECKS: readonly Check[] = [
  {
    id: 'C01',
    situations: [1],
    level: 'MUST',
    title: 'a matched GET is served and counted once under the pattern of its route',
    async run(world) {
      const app = await world.start()
      expect(await app.send('GET /plain/1?token=secret')).toMatchObject({ status: 200, body: 'plain 1' })
      expect(await app.billed()).toEqual(['ada api_calls 1 /plain/:id'])
    },
  },
  {
    id: 'C02',
    situations: [2, 3],
    level: 'MUST',
    title: "a path that no route matches is the host's own 404 and never counted, nor refused over the limit",
    run: async (world) => expect(await statusesOfUnserved(world, ['GET /nope', 'POST /nope'])).toEqual([404, 404, 404, 404]),
  },
  {
    id: 'C04',
    situations: [4],
    level: 'MUST',
    title: "a method that no route has is the host's own answer and never counted, nor refused over the limit",
    async run(world) {
      for (const status of await statusesOfUnserved(world, ['DELETE /plain/1', 'GET /documents', 'HEAD /documents']))
        expect([404, 405]).toContain(status)
    },
  },
  {
    id: 'C05',
    situations: [5],
    level: 'MUST',
    title: 'HEAD on a GET route is counted once, like GET, and has no body',
    async run(world) {
      const app = await world.start()
      expect(await app.send('HEAD /plain/1')).toMatchObject({ status: 200, body: '' })
      expect(await app.billed()).toEqual(['ada api_calls 1 /plain/:id'])
    },
  },
  {
    id: 'C06',
    situations: [6],
    level: 'MUST',
    title: 'HEAD over the limit gets the headers of the 402 and no body, and its handler does not run',
    async run(world) {
      const app = await world.start()
      await exhaust(app)
      const refused = await app.send('HEAD /plain/1')
      expect(refused).toMatchObject({ status: 402, body: '' })
      expect(refused.headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
      expect(app.ran).toHaveLength(LIMIT)
    },
  },
  preflight({ id: 'C07', situations: [7], place: 'in front of', layers: (meter) => [{ kind: 'cors' }, meter] }),
  preflight({ id: 'C08', situations: [8], place: 'behind', layers: (meter) => [meter, { kind: 'cors' }] }),
  {
    id: 'C09',
    situations: [9],
    level: 'MUST',
    title: "OPTIONS without CORS is the host's own answer and never counted, nor refused over the limit",
    async run(world) {
      const bare = await world.start({ layers: () => [] })
      const { status } = await bare.send('OPTIONS /plain/1')
      expect(await statusesOfUnserved(world, ['OPTIONS /plain/1'])).toEqual([status, status])
    },
  },
  {
    id: 'C10.1',
    situations: [10],
    level: 'MUST',
    title: 'the label of a route in a mounted router is its pattern with the mount in front',
    run: async (world) => expect(await labelOf(world, '/v1/users/7')).toBe('/v1/users/:id'),
  },
  {
    id: 'C10.2',
    situations: [10],
    level: 'MUST',
    title: 'below a mount with a parameter the label has the pattern of the route and never its value',
    async run(world) {
      const label = await labelOf(world, '/api/v2/users/7')
      expect(label).toContain('/users/:id')
      expect(label).not.toContain('7')
    },
  },
  {
    id: 'C10.3',
    situations: [10],
    level: 'SHOULD',
    title: 'below a mount with a parameter the label has the pattern of the mount too',
    run: async (world) => expect(await labelOf(world, '/api/v2/users/7')).toBe('/api/:version/users/:id'),
  },
  {
    id: 'C10.4',
    situations: [10],
    level: 'MUST',
    title: 'the root of a mounted router is counted once',
    run: async (world) => expect(await labelOf(world, '/v1')).toMatch(/^\/v1\/?$/),
  },
  {
    id: 'C11.1',
    situations: [11],
    level: 'MUST',
    title: 'the label of a route two mounts deep is the whole pattern',
    run: async (world) => expect(await labelOf(world, '/v1/nested/deep/6')).toBe('/v1/nested/deep/:leaf'),
  },
  {
    id: 'C11.2',
    situations: [11],
    level: 'SHOULD',
    title: 'two mounts deep no value of a parameter is in the label',
    run: async (world) => expect(await labelOf(world, '/api/v2/n/5/deep/6')).toBe('/api/:version/n/:n/deep/:leaf'),
  },
  {
    id: 'C12',
    situations: [12],
    level: 'MUST',
    title: "a route in the framework's most separate kind of part is counted once, under the pattern with its prefix",
    run: async (world) => expect(await labelOf(world, '/admin/items/9')).toBe('/admin/items/:id'),
  },
  {
    id: 'C13',
    situations: [13],
    level: 'MUST',
    title: 'a wildcard has one label for all depths',
    async run(world) {
      const shallow = await labelOf(world, '/files/a')
      expect(await labelOf(world, '/files/a/b/c')).toBe(shallow)
      expect(shallow).toMatch(/^\/files\/\*/)
    },
  },
  {
    id: 'C14',
    situations: [14],
    level: 'MUST',
    title: 'an optional parameter is served with and without, under a label that does not have its value',
    async run(world) {
      for (const path of ['/maybe', '/maybe/17']) {
        const label = await labelOf(world, path)
        expect(label).toMatch(/^\/maybe/)
        expect(label).not.toContain('17')
      }
    },
  },
  {
    id: 'C15',
    situations: [15],
    level: 'MUST',
    title: 'a trailing slash, doubled slashes and other cases are counted exactly when a handler runs',
    run: (world) => countsWhatRuns(world, ['/plain/1/', '/PLAIN/1', '//plain/1', '/plain//1', '/v1/', '/V1/users/7/']),
  },
  {
    id: 'C16',
    situations: [16],
    level: 'MUST',
    title: 'encoded separators, letters and dots are counted exactly when a handler runs',
    run: (world) =>
      countsWhatRuns(world, [
        '/plain/a%2Fb',
        '/%70lain/1',
        '/plain%2F1',
        '/files/../plain/1',
        '/plain/%2e%2e',
        '/plain/1;a=b',
        '/plain/1%00',
      ]),
  },
  {
    id: 'C17',
    situations: [17],
    level: 'MUST',
    title: 'malformed encoding is counted exactly when a handler runs, and the next request is served',
    async run(world) {
      const app = await world.start()
      await app.send('GET /plain/%E0%A4%A')
      await app.send('GET /plain/%')
      expect(await app.used('ada')).toBe(app.ran.length)
      expect(await app.send('GET /plain/1', { as: 'bob' })).toMatchObject({ status: 200 })
    },
  },
]

interface PreflightInput extends Pick<Check, 'id' | 'situations'> {
  readonly place: string
  readonly layers: NonNullable<SampleChange['layers']>
}

function preflight({ id, situations, place, layers }: PreflightInput): Check {
  return {
    id,
    situations,
    level: 'MUST',
    title: `a preflight that the CORS layer ${place} the meter answers is never counted, nor refused over the limit`,
    async run(world) {
      const app = await world.start({ layers })
      for (let round = 0; round < 2; round++) {
        const answer = await app.send('OPTIONS /plain/1', PREFLIGHT)
        expect([200, 204]).toContain(answer.status)
        expect(answer.headers['access-control-allow-origin']).toBe('*')
        if (round === 0) await exhaust(app)
      }
      expect(await app.billed()).toHaveLength(LIMIT)
    },
  }
}
