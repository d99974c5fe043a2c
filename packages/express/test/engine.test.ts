/** The adapter with the real engine behind it: what a customer of an Express application is served, refused and billed. */

import http from 'node:http'
import { createFarebox, defineCatalog, formatQuantity, type Farebox } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import type { ErrorRequestHandler, Request } from 'express'
import { describe, expect, onTestFinished, test } from 'vitest'
import { meter } from '../src/index.ts'
import { start } from './server.ts'
import { VERSIONS } from './versions.ts'

const LIMIT = 3

const catalog = defineCatalog({
  currency: 'USD',
  features: {
    api_calls: { type: 'metered', name: 'API calls', default: true },
    downloads: { type: 'metered', name: 'Downloads', unit: 'MB' },
  },
  plans: {
    free: {
      name: 'Free',
      price: '0',
      interval: 'month',
      default: true,
      features: { api_calls: { included: LIMIT }, downloads: { included: 10 } },
    },
  },
})

const toServerError: ErrorRequestHandler = (_error, _req, res, _next) => void res.status(500).send('mapped')

describe.each(VERSIONS)('the engine behind $name', ({ express }) => {
  /** Requests of this suite name their customer in a header. */
  async function startMetered() {
    const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }), upgradeUrl: 'https://example.test/upgrade' })
    onTestFinished(() => farebox.stop())
    const identify = (req: Request): string | undefined => req.get('x-customer')
    const app = express()
    app.use(meter({ identify }))
    app.use(
      '/v1',
      express.Router().get('/users/:id', (_req, res) => res.send('user')),
    )
    app.get('/files/:id', meter('downloads', { identify, units: 4 }), (req, res) => res.send(req.meter?.remaining ?? ''))
    app.get('/measured', meter('downloads', { identify }), (req, res) => {
      req.meter?.add('2.5')
      res.send('measured')
    })
    app.get('/broken', () => {
      throw new Error('thrown')
    })
    app.get('/skipped', (_req, _res, next) => next('route'))
    app.get('/skipped', (_req, res) => res.send('second route'))
    app.get('/slow', (_req, res) => void setTimeout(() => res.send('slow'), 50))
    app.options('/preflight', (_req, res) => void res.sendStatus(204))
    app.all('/all', meter('downloads', { identify, units: 1000 }), (_req, res) => void res.sendStatus(204))
    app.use(toServerError)
    return { farebox, server: await start(app) }
  }

  const as = (customer: string) => ({ headers: { 'x-customer': customer } })

  async function posted(farebox: Farebox): Promise<string[]> {
    await farebox.flush()
    const { items } = await farebox.events.list()
    return items.map(
      ({ customerId, feature, quantity, route }) => `${customerId} ${feature} ${formatQuantity(quantity)} ${route}`,
    )
  }

  test('a customer is served up to the limit and billed for it, and then refused in words a program can act on', async () => {
    const { farebox, server } = await startMetered()

    for (const left of [2, 1, 0]) {
      const served = await server.send('GET /v1/users/7', as('ada'))
      expect(served).toMatchObject({ status: 200, body: 'user' })
      expect(served.headers.ratelimit).toContain(`"api_calls";r=${left}`)
    }
    const refused = await server.send('GET /v1/users/7', as('ada'))
    expect(refused.status).toBe(402)
    expect(refused.headers['content-type']).toBe('application/problem+json')
    expect(JSON.parse(refused.body)).toMatchObject({
      status: 402,
      code: 'allowance_exhausted',
      feature: 'api_calls',
      limit: LIMIT,
      used: LIMIT,
      remaining: 0,
      actions: [{ rel: 'upgrade', href: 'https://example.test/upgrade' }],
    })
    expect(await server.send('HEAD /v1/users/7', as('ada'))).toMatchObject({ status: 402, body: '' })
    expect(await server.send('GET /v1/users/7', as('bob'))).toMatchObject({ status: 200 })
    expect(await posted(farebox)).toEqual([
      ...Array(LIMIT).fill('ada api_calls 1 /v1/users/:id'),
      'bob api_calls 1 /v1/users/:id',
    ])
  })

  test("an exhausted customer still gets the application's own 404 and OPTIONS answer, and other features", async () => {
    const { server } = await startMetered()
    for (let sent = 0; sent < LIMIT; sent++) await server.send('GET /v1/users/7', as('ada'))

    expect(await server.send('GET /v1/users/7', as('ada'))).toMatchObject({ status: 402 })
    expect(await server.send('GET /nope', as('ada'))).toMatchObject({ status: 404 })
    expect(await server.send('DELETE /v1/users/7', as('ada'))).toMatchObject({ status: 404 })
    expect(await server.send('OPTIONS /v1/users/7', as('ada'))).toMatchObject({ status: 200 })
    expect(await server.send('GET /files/1', as('ada'))).toMatchObject({ status: 200 })
  })

  test('OPTIONS is never counted, also where the application has a route for it', async () => {
    const { farebox, server } = await startMetered()

    expect(await server.send('OPTIONS /preflight', as('ada'))).toMatchObject({ status: 204 })
    expect(await server.send('OPTIONS /all', as('ada'))).toMatchObject({ status: 204 })
    expect(await posted(farebox)).toEqual([])
  })

  test('a route with its own meter bills its own feature and units alone', async () => {
    const { farebox, server } = await startMetered()

    expect(await server.send('GET /files/1', as('ada'))).toMatchObject({ status: 200, body: '6' })
    expect(await server.send('GET /measured', as('ada'))).toMatchObject({ status: 200 })
    expect(await server.send('GET /files/2', as('ada'))).toMatchObject({ status: 402 })
    expect(await posted(farebox)).toEqual(['ada downloads 4 /files/:id', 'ada downloads 2.5 /measured'])
  })

  test('a request that fails is not billed and gives its units back', async () => {
    const { farebox, server } = await startMetered()

    for (let sent = 0; sent < LIMIT * 2; sent++)
      expect(await server.send('GET /broken', as('ada'))).toMatchObject({ status: 500, body: 'mapped' })
    expect(await server.send('GET /v1/users/7', as('ada'))).toMatchObject({ status: 200 })
    expect(await posted(farebox)).toEqual(['ada api_calls 1 /v1/users/:id'])
  })

  test('a request through two routes is billed once', async () => {
    const { farebox, server } = await startMetered()

    expect(await server.send('GET /skipped', as('ada'))).toMatchObject({ body: 'second route' })
    expect(await posted(farebox)).toEqual(['ada api_calls 1 /skipped'])
  })

  test('a stranger is refused, not counted', async () => {
    const { farebox, server } = await startMetered()

    expect(await server.send('GET /v1/users/7')).toMatchObject({ status: 401 })
    expect(await server.send('GET /nope')).toMatchObject({ status: 404 })
    expect(await posted(farebox)).toEqual([])
  })

  test('a client that leaves is billed for the work that it started', async () => {
    const { farebox, server } = await startMetered()

    const client = http.request({ port: server.port, path: '/slow', ...as('ada') }).on('error', () => {})
    client.end()
    setTimeout(() => client.destroy(), 20)
    const deadline = Date.now() + 3000
    while ((await posted(farebox)).length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(await posted(farebox)).toEqual(['ada api_calls 1 /slow'])
  })

  test('of a burst at the limit exactly as many are served and billed as are left', async () => {
    const { farebox, server } = await startMetered()

    const statuses = (await Promise.all(Array.from({ length: 20 }, () => server.send('GET /slow', as('ada'))))).map(
      ({ status }) => status,
    )
    expect(statuses.filter((status) => status === 200)).toHaveLength(LIMIT)
    expect(statuses.filter((status) => status === 402)).toHaveLength(20 - LIMIT)
    expect(await posted(farebox)).toHaveLength(LIMIT)
    expect(await farebox.verify()).toMatchObject({ ok: true, events: LIMIT })
  })

  test('a misspelt feature and an unknown option fail at start-up with a coded error', async () => {
    await startMetered()
    const misspelt: string = 'donwloads'

    expect(() => meter(misspelt)).toThrow(expect.objectContaining({ code: 'unknown_feature' }))
    expect(() => meter({ unit: 1 } as object)).toThrow(expect.objectContaining({ code: 'invalid_option' }))
  })
})
