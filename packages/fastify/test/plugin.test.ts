/** What is metered on Fastify, with which meter, and what ends the start. */

import cors from '@fastify/cors'
import { describe, expect, test } from 'vitest'
import { meter } from '../src/index.ts'
import { LIMIT, prepare, start } from './start.ts'

describe('what is metered', () => {
  test('every matched route, under its pattern with the prefix, once', async () => {
    const { app, send, billed } = await start()
    await app.register(
      async (scope) => {
        scope.get('/', () => 'root')
        scope.get('/users/:id', (request) => request.meter)
      },
      { prefix: '/api/:version' },
    )
    const { status, body, headers } = await send('GET /api/v1/users/7')
    expect([status, JSON.parse(body)]).toMatchObject([200, { customerId: 'ada', feature: 'api_calls', remaining: '2' }])
    expect(headers['ratelimit']).toMatch(/^"api_calls";r=2;t=\d+$/)
    expect((await send('HEAD /api/v1/users/7')).status).toBe(200)
    expect((await send('GET /api/v1/')).status).toBe(200)
    expect(await billed()).toEqual([
      'api_calls 1 /api/:version/users/:id',
      'api_calls 1 /api/:version/users/:id',
      'api_calls 1 /api/:version',
    ])
  })

  test('not what no route matches, whatever answers it, even over the limit', async () => {
    const { app, send, billed } = await start()
    app.get('/plain', () => 'plain')
    app.setNotFoundHandler(
      { preHandler: (_request, _reply, done) => done() },
      (_request, reply) => void reply.code(404).send('mine'),
    )
    for (let i = 0; i < LIMIT; i += 1) await send('GET /plain')
    expect((await send('GET /plain')).status).toBe(402)
    for (const request of ['GET /nope', 'DELETE /plain', 'GET /plain/%E0%A4%A'])
      expect((await send(request)).status).toBeOneOf([404, 400])
    expect(await billed()).toHaveLength(LIMIT)
  })

  test.each(['before', 'after'])('no preflight, with cors registered %s the meter', async (order) => {
    const served = prepare({ units: 99 })
    if (order === 'before') await served.app.register(cors)
    await served.app.register(meter, served.options)
    if (order === 'after') await served.app.register(cors)
    served.app.get('/plain', () => 'plain')
    const headers = { origin: 'https://a.test', 'access-control-request-method': 'GET' }
    const { status, headers: answered } = await served.send('OPTIONS /plain', headers)
    expect([status, answered['access-control-allow-origin']]).toEqual([204, '*'])
    expect((await served.send('GET /plain')).status).toBe(402)
  })

  test('routes that were there before the plugin too', async () => {
    const served = prepare()
    served.app.get('/early', () => 'early')
    served.app.get('/early-free', { config: { meter: false } }, () => 'free')
    await served.app.register(meter, served.options)
    served.app.get('/late', () => 'late')
    for (const path of ['/early', '/early-free', '/late']) expect((await served.send(`GET ${path}`)).status).toBe(200)
    expect(await served.billed()).toEqual(['api_calls 1 /early', 'api_calls 1 /late'])
  })

  test('only the part of the application that it is registered in', async () => {
    const served = prepare()
    await served.app.register(async (scope) => {
      await scope.register(meter, served.options)
      scope.get('/inside', () => 'inside')
    })
    served.app.get('/outside', () => 'outside')
    await served.send('GET /inside')
    await served.send('GET /outside')
    expect(await served.billed()).toEqual(['api_calls 1 /inside'])
  })

  test('a request once, when the plugin is registered twice: the one around it counts', async () => {
    const { app, options, send, billed } = await start()
    await app.register(async (scope) => {
      await scope.register(meter, { ...options, feature: 'downloads' })
      scope.get('/inside', () => 'inside')
    })
    await send('GET /inside')
    expect(await billed()).toHaveLength(1)
  })
})

describe('what a route says', () => {
  test('comes before the plugin', async () => {
    const { app, send, billed } = await start()
    app.get('/files', { config: { meter: 'downloads' } }, () => 'file')
    app.get('/big', { config: { meter: { feature: 'downloads', units: 4 } } }, () => 'big')
    app.get('/two', { config: { meter: { units: 2 } } }, () => 'two')
    app.get('/free', { config: { meter: false } }, (request) => String(request.meter))
    for (const path of ['/files', '/big', '/two']) expect((await send(`GET ${path}`)).status).toBe(200)
    expect((await send('GET /free')).body).toBe('null')
    expect(await billed()).toEqual(['downloads 1 /files', 'downloads 4 /big', 'api_calls 2 /two'])
  })

  test('is needed where the plugin is not global', async () => {
    const { app, send, billed } = await start({ global: false })
    app.get('/silent', () => 'silent')
    app.get('/said', { config: { meter: true } }, () => 'said')
    await send('GET /silent')
    await send('GET /said')
    expect(await billed()).toEqual(['api_calls 1 /said'])
  })
})

describe('what comes first', () => {
  test("the route's own hooks and its schema: whom they turn away is not counted", async () => {
    const { app, send, billed } = await start()
    let reserved = false
    const lock = async (request: { meter: unknown }): Promise<void> => {
      reserved ||= request.meter !== null
      throw Object.assign(new Error('locked'), { statusCode: 401 })
    }
    app.get('/locked', { preHandler: lock }, () => 'unlocked')
    const schema = { querystring: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } } } as const
    app.get('/number', { schema }, () => 'number')
    expect((await send('GET /locked')).status).toBe(401)
    expect((await send('GET /locked', {})).body).not.toContain('unidentified_customer')
    expect((await send('GET /number')).status).toBe(400)
    expect(reserved).toBe(false)
    expect(await billed()).toEqual([])
  })

  test('a list of hooks that routes share is not changed', async () => {
    const { app, send, billed } = await start()
    const shared = [async (): Promise<void> => {}]
    app.get('/a', { preHandler: shared }, () => 'a')
    app.get('/b', { preHandler: shared }, () => 'b')
    expect(shared).toHaveLength(1)
    await send('GET /b')
    expect(await billed()).toEqual(['api_calls 1 /b'])
  })
})

describe('mistakes', () => {
  test.each([
    ['unknown_feature', { feature: 'api_cals' }],
    ['invalid_option', { unit: 1 }],
    ['invalid_quantity', { units: -1 }],
  ])('in the options end the start: %s', async (code, options) => {
    const served = prepare()
    const registered = (async () => served.app.register(meter, { ...served.options, ...options } as never))()
    await expect(registered).rejects.toMatchObject({ code })
  })

  test('in a route end the start', async () => {
    const { app } = await start()
    expect(() => app.get('/x', { config: { meter: 'api_cals' } }, () => 'x')).toThrow(
      expect.objectContaining({ code: 'unknown_feature' }),
    )
  })

  test('several Fareboxes and none named ends the start', async () => {
    const { app } = prepare()
    prepare()
    await expect((async () => app.register(meter))()).rejects.toMatchObject({ code: 'no_farebox' })
  })

  test('of the moment go to the error handler with their code', async () => {
    const { app, send, billed } = await start({ units: () => Number.NaN })
    app.setErrorHandler((error: { code?: string }, _request, reply) => void reply.code(500).send(error.code))
    app.get('/x', () => 'x')
    expect(await send('GET /x')).toMatchObject({ status: 500, body: 'invalid_quantity' })
    expect(await billed()).toEqual([])
  })
})
