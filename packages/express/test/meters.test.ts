/** Which meter counts: the finest, once, however many a request passes. */

import { tracingChannel } from 'node:diagnostics_channel'
import newestExpress, { type RequestHandler } from 'express'
import { describe, expect, expectTypeOf, onTestFinished, test } from 'vitest'
import meterByDefault, { meter, type MeterContext } from '../src/index.ts'
import { createRecorder } from './recorder.ts'
import { start } from './server.ts'
import { VERSIONS } from './versions.ts'

const answer: RequestHandler = (req, res) => void res.send(req.meter?.feature ?? 'unmetered')
const goOn: RequestHandler = (_req, _res, next) => next()

test('meter is the named and the default export', () => {
  expect(meterByDefault).toBe(meter)
})

test('meter gives the feature and the options, without the Farebox, to the gate', () => {
  const farebox = createRecorder()
  meter('downloads', { farebox, units: 5 })
  meter({ farebox, onAbort: 'void' })
  expect(farebox.options).toEqual([{ units: 5 }, { onAbort: 'void' }])
})

test('meter without a Farebox fails at start-up with a coded error', () => {
  expect(() => meter()).toThrow(expect.objectContaining({ code: 'no_farebox' }))
})

test('a handler after a meter keeps the types of its path and sees req.meter', () => {
  const { app, farebox } = { app: newestExpress(), farebox: createRecorder() }
  app.get('/files/:id', meter('downloads', { farebox }), (req, res) => {
    expectTypeOf(req.params).toEqualTypeOf<{ id: string }>()
    expectTypeOf(req.meter).toEqualTypeOf<MeterContext | undefined>()
    res.end()
  })
})

describe.each(VERSIONS)('the meters on $name', ({ express }) => {
  function metered() {
    const farebox = createRecorder()
    return { app: express(), farebox, use: (feature?: string) => (feature ? meter(feature, { farebox }) : meter({ farebox })) }
  }

  test('a route with its own meter never touches the default feature', async () => {
    const { app, farebox, use } = metered()
    app.use(use())
    app.get('/own', use('downloads'), answer)
    app.get('/default', answer)
    const server = await start(app)

    for (let round = 0; round < 2; round++) {
      expect(await server.send('GET /own')).toMatchObject({ body: 'downloads' })
      expect(await server.send('HEAD /own')).toMatchObject({ status: 200 })
      expect(await server.send('GET /default')).toMatchObject({ body: 'default' })
    }
    expect(farebox.admissions.filter(({ feature }) => feature === 'default')).toHaveLength(2)
    expect(farebox.admissions.filter(({ feature }) => feature === 'downloads')).toHaveLength(4)
    expect(farebox.settlements).toHaveLength(6)
  })

  test('a route with its own meter works without any other', async () => {
    const { app, farebox, use } = metered()
    app.get('/own/:id', use('downloads'), answer)
    app.get('/free', answer)
    const server = await start(app)

    expect(await server.send('GET /own/1')).toMatchObject({ body: 'downloads' })
    expect(await server.send('GET /free')).toMatchObject({ body: 'unmetered' })
    expect(farebox.admissions).toEqual([{ feature: 'downloads', method: 'GET', route: '/own/:id' }])
  })

  test('a meter of one method leaves the other methods of the route to the default feature', async () => {
    const { app, use } = metered()
    app.use(use())
    app.route('/both').get(answer).post(use('downloads'), answer)
    app.route('/all').all(use('exports')).get(answer)
    const server = await start(app)

    expect(await server.send('GET /both')).toMatchObject({ body: 'default' })
    expect(await server.send('POST /both')).toMatchObject({ body: 'downloads' })
    expect(await server.send('GET /all')).toMatchObject({ body: 'exports' })
  })

  test("a router's meter is finer than the app's, and only for the routes of the router", async () => {
    const { app, farebox, use } = metered()
    const router = express.Router()
    router.use(use('downloads'))
    router.get('/inside', answer)
    const unmounted = express.Router().use(use('exports'))
    unmounted.get('/exported', answer)
    app.use(use())
    app.use('/v1', router)
    app.use(unmounted)
    app.get('/v1/outside', answer)
    const server = await start(app)

    expect(await server.send('GET /v1/inside')).toMatchObject({ body: 'downloads' })
    expect(await server.send('GET /exported')).toMatchObject({ body: 'exports' })
    expect(await server.send('GET /v1/outside')).toMatchObject({ body: 'default' })
    expect(farebox.admissions).toHaveLength(3)
  })

  test("the app's meter reaches into routers that have none", async () => {
    const { app, use } = metered()
    const router = express.Router()
    router.get('/inside', answer)
    app.use(use())
    app.use('/v1', router)
    const server = await start(app)

    expect(await server.send('GET /v1/inside')).toMatchObject({ body: 'default' })
  })

  test('a meter on a path is for what matches after it below the path, in the app and in routers', async () => {
    const { app, use } = metered()
    const router = express.Router()
    router.get('/files/b', answer)
    app.use(use())
    app.use('/files', use('downloads'))
    app.get('/files/a', answer)
    app.use(router)
    app.get('/other', answer)
    const server = await start(app)

    expect(await server.send('GET /files/a')).toMatchObject({ body: 'downloads' })
    expect(await server.send('GET /files/b')).toMatchObject({ body: 'downloads' })
    expect(await server.send('GET /other')).toMatchObject({ body: 'default' })
  })

  test('a meter that is mounted twice, or again in a router and on the route, counts once', async () => {
    const { app, farebox, use } = metered()
    const same = use()
    const router = express.Router().use(same, use())
    router.get('/x', same, answer)
    router.get('/y', answer)
    app.use(same, same)
    app.use('/v1', router)
    const server = await start(app)

    await server.send('GET /v1/x')
    await server.send('GET /v1/y')
    expect(farebox.admissions).toHaveLength(2)
    expect(farebox.settlements).toHaveLength(2)
  })

  test('a meter inside other middleware of a route counts, and not again where the default feature did', async () => {
    const { app, farebox, use } = metered()
    const inner = use('downloads')
    const composed: RequestHandler = (req, res, next) => inner(req, res, () => next())
    const bare = express()
    bare.get('/x', composed, answer)
    app.use(use())
    app.get('/x', composed, answer)
    const [alone, both] = [await start(bare), await start(app)]

    expect(await alone.send('GET /x')).toMatchObject({ body: 'downloads' })
    expect(await both.send('GET /x')).toMatchObject({ body: 'default' })
    expect(farebox.settlements).toHaveLength(2)
  })

  test('a request that several routes match is admitted once, under the first', async () => {
    const { app, farebox, use } = metered()
    app.use(use())
    app.get('/x', goOn)
    app.get('/:name', goOn)
    app.get('/x', (_req, _res, next) => next('route'), goOn)
    app.get('/x', use('downloads'), answer)
    const server = await start(app)

    expect(await server.send('GET /x')).toMatchObject({ body: 'default' })
    expect(farebox.admissions).toEqual([{ feature: 'default', method: 'GET', route: '/x' }])
    expect(farebox.settlements).toHaveLength(1)
  })

  test('a route that was left behind does not make a later app-wide meter admit', async () => {
    const { app, farebox, use } = metered()
    app.get('/x', goOn)
    app.use(use())
    const server = await start(app)

    expect(await server.send('GET /x')).toMatchObject({ status: 404 })
    app.get('/x', answer)
    expect(await server.send('GET /x')).toMatchObject({ body: 'default' })
    expect(farebox.admissions).toHaveLength(1)
  })

  test('tracing of the router changes nothing', async () => {
    const channel = tracingChannel<object>('express.router.request')
    const subscribers = { start() {}, end() {}, asyncStart() {}, asyncEnd() {}, error() {} }
    channel.subscribe(subscribers)
    onTestFinished(() => channel.unsubscribe(subscribers))
    const { app, farebox, use } = metered()
    app.use(use())
    app.get('/default', answer)
    app.get('/own', use('downloads'), answer)
    const server = await start(app)

    expect(await server.send('GET /nope')).toMatchObject({ status: 404 })
    expect(await server.send('GET /default')).toMatchObject({ body: 'default' })
    expect(await server.send('GET /own')).toMatchObject({ body: 'downloads' })
    expect(farebox.admissions).toHaveLength(2)
  })
})
