/** What is metered: the requests that a router matches to a route, under the route's own pattern. */

import { describe, expect, test } from 'vitest'
import { meter } from '../src/index.ts'
import { createRecorder } from './recorder.ts'
import { start, until } from './server.ts'
import { VERSIONS } from './versions.ts'

describe.each(VERSIONS)('the match on $name', ({ express, major }) => {
  function meteredApp(limit = Infinity) {
    const farebox = createRecorder({ limit })
    const app = express()
    app.set('env', 'test')
    app.use(meter({ farebox }))
    return { app, farebox, routes: () => farebox.admissions.map(({ route }) => route) }
  }

  test('a matched route is admitted once, with its method, its path without the query and its pattern', async () => {
    const { app, farebox } = meteredApp()
    app.get('/plain/:id', (req, res) => res.send(req.params.id))
    const server = await start(app)

    expect(await server.send('GET /plain/7?token=secret')).toMatchObject({ status: 200, body: '7' })
    expect(farebox.admissions).toEqual([{ feature: 'default', method: 'GET', route: '/plain/:id' }])
  })

  test.each([Infinity, 0])(
    "what the host does not match is the host's own answer and never admitted (limit %s)",
    async (limit) => {
      const { app, farebox } = meteredApp(limit)
      app.get('/plain/:id', (_req, res) => res.send('plain'))
      app.post('/post-only', (_req, res) => res.send('posted'))
      const server = await start(app)

      for (let round = 0; round < 2; round++) {
        expect(await server.send('GET /nope')).toMatchObject({ status: 404 })
        expect(await server.send('DELETE /plain/1')).toMatchObject({ status: 404 })
        expect(await server.send('GET /post-only')).toMatchObject({ status: 404 })
        expect(await server.send('HEAD /post-only')).toMatchObject({ status: 404 })
        expect(await server.send('GET /plain/%E0%A4%A')).toMatchObject({ status: 400 })
        const options = await server.send('OPTIONS /plain/1')
        expect(options.status).toBe(200)
        expect(options.headers.allow?.split(/, ?/).sort()).toEqual(['GET', 'HEAD'])
        expect(farebox.admissions).toEqual([])
        expect(farebox.refusals).toEqual([])
        // The second round meets routes that the admission already stands in.
        if (limit > 0) break
        await server.send('GET /plain/1')
        await server.send('POST /post-only')
        expect(farebox.refusals).toHaveLength(2)
        farebox.refusals.length = 0
      }
    },
  )

  test('an unmatched method stays unmatched after the route was admitted for another one', async () => {
    const { app, farebox } = meteredApp()
    app.get('/x', (_req, res) => res.send('x'))
    app.post('/y', (_req, res) => res.send('y'))
    const server = await start(app)

    await server.send('GET /x')
    await server.send('POST /y')
    expect(await server.send('DELETE /x')).toMatchObject({ status: 404 })
    expect(await server.send('HEAD /y')).toMatchObject({ status: 404 })
    const options = await server.send('OPTIONS /x')
    expect(options.headers.allow?.split(/, ?/).sort()).toEqual(['GET', 'HEAD'])
    expect(farebox.admissions).toHaveLength(2)
  })

  test('HEAD is admitted like GET, and by a HEAD route of its own', async () => {
    const { app, farebox } = meteredApp()
    app.get('/page', (_req, res) => res.send('page'))
    app.head('/own', (_req, res) => void res.sendStatus(204))
    const server = await start(app)

    expect(await server.send('HEAD /page')).toMatchObject({ status: 200, body: '' })
    expect(await server.send('HEAD /own')).toMatchObject({ status: 204 })
    expect(farebox.admissions.map(({ method, route }) => `${method} ${route}`)).toEqual(['HEAD /page', 'HEAD /own'])
  })

  test('a mount with a parameter keeps the concrete mount and the pattern below it', async () => {
    const { app, routes } = meteredApp()
    const router = express.Router()
    router.get('/users/:id', (_req, res) => res.send('user'))
    app.use('/api/:version', router)
    const server = await start(app)

    await server.send('GET /api/v1/users/7')
    expect(routes()).toEqual(['/api/v1/users/:id'])
  })

  test('the label of an expression, an array and a wildcard is a stable string', async () => {
    const { app, routes } = meteredApp()
    app.get(/^\/r\/(\d+)$/, (_req, res) => res.send('expression'))
    app.get(['/a/:id', '/b/:id'], (_req, res) => res.send('array'))
    const wildcard = major === 4 ? '/files/*' : '/files/*rest'
    const optional = major === 4 ? '/o/:id?' : '/o{/:id}'
    app.get(wildcard, (_req, res) => res.send('wildcard'))
    app.get(optional, (_req, res) => res.send('optional'))
    const server = await start(app)

    for (const path of ['/r/1', '/a/1', '/b/2', '/files/a/b/c', '/o', '/o/1', '/A/1', '/a/1/', '/a/x%2Fy']) {
      expect(await server.send(`GET ${path}`)).toMatchObject({ status: 200 })
    }
    const array = '/a/:id,/b/:id'
    expect(routes()).toEqual(['/^\\/r\\/(\\d+)$/', array, array, wildcard, optional, optional, array, array, array])
  })

  test('a mounted app is metered by its parent, also when it was mounted and used before', async () => {
    const { app, routes } = meteredApp()
    const child = express()
    child.get('/users/:id', (req, res) => res.send(`${req.app === child}`))
    const grandchild = express()
    grandchild.get('/leaf', (_req, res) => res.send('leaf'))
    child.use('/grand', grandchild)
    app.use('/child', child)
    app.get('/after', (_req, res) => res.send('after'))
    const server = await start(app)

    for (let round = 0; round < 2; round++) {
      expect(await server.send('GET /child/users/1')).toMatchObject({ body: 'true' })
      await server.send('GET /child/grand/leaf')
      await server.send('GET /after')
    }
    const once = ['/child/users/:id', '/child/grand/leaf', '/after']
    expect(routes()).toEqual([...once, ...once])
  })

  test('an app that meters itself is metered the same alone and mounted, and its parent is not', async () => {
    const farebox = createRecorder()
    const child = express()
    child.use(meter({ farebox }))
    child.get('/x', (_req, res) => res.send('x'))
    const parent = express()
    // A route that matches before the child is entered and goes on.
    parent.all(major === 4 ? '*' : '/*all', (_req, _res, next) => next())
    parent.use('/child', child)
    parent.get('/own', (_req, res) => res.send('own'))
    const [alone, mounted] = [await start(child), await start(parent)]

    for (let round = 0; round < 2; round++) {
      await mounted.send('GET /child/x')
      await alone.send('GET /x')
      await mounted.send('GET /own')
    }
    expect(farebox.admissions.map(({ route }) => route)).toEqual(['/child/x', '/x', '/child/x', '/x'])
  })

  test('two apps that share a router meter it each with their own meter, and one without a meter does not', async () => {
    const farebox = createRecorder()
    const shared = express.Router()
    shared.get('/x', (_req, res) => res.send('x'))
    const servers = []
    for (const use of [meter('a', { farebox }), meter('b', { farebox }), undefined]) {
      const app = express()
      if (use) app.use(use)
      servers.push(await start(app.use(shared)))
    }

    for (const server of [...servers, ...servers]) expect(await server.send('GET /x')).toMatchObject({ status: 200 })
    expect(farebox.admissions.map(({ feature }) => feature)).toEqual(['a', 'b', 'a', 'b'])
  })

  test('a first request that is under way is not disturbed when the admission enters its route', async () => {
    const farebox = createRecorder()
    const order: string[] = []
    let release = () => {}
    const shared = express.Router()
    shared.get(
      '/slow',
      (req, _res, next) => {
        order.push(`first ${req.headers['x-name']}`)
        if (req.headers['x-name'] === 'plain') release = next
        else next()
      },
      (req, res) => {
        order.push(`second ${req.headers['x-name']}`)
        res.send('done')
      },
    )
    const plain = await start(express().use(shared))
    const metered = await start(express().use(meter({ farebox }), shared))

    const underWay = plain.send('GET /slow', { headers: { 'x-name': 'plain' } })
    await until(() => order.length === 1)
    await metered.send('GET /slow', { headers: { 'x-name': 'metered' } })
    release()
    await underWay
    expect(order).toEqual(['first plain', 'first metered', 'second metered', 'second plain'])
    expect(farebox.admissions).toHaveLength(1)
  })

  test('a handler that is added to a route after its first request is metered', async () => {
    const { app, routes } = meteredApp()
    const route = app.route('/late')
    route.get((_req, res) => res.send('get'))
    const server = await start(app)

    await server.send('GET /late')
    route.post((_req, res) => res.send('post'))
    expect(await server.send('POST /late')).toMatchObject({ status: 200, body: 'post' })
    expect(await server.send('GET /late')).toMatchObject({ status: 200, body: 'get' })
    expect(routes()).toHaveLength(3)
  })

  test('a parameter that the application refuses is never admitted', async () => {
    const { app, farebox } = meteredApp()
    app.param('id', (_req, res, _next, id) => void (id === 'bad' ? res.sendStatus(400) : _next()))
    app.get('/users/:id', (_req, res) => res.send('user'))
    const server = await start(app)

    expect(await server.send('GET /users/bad')).toMatchObject({ status: 400 })
    expect(await server.send('GET /users/good')).toMatchObject({ status: 200 })
    expect(farebox.admissions).toHaveLength(1)
  })

  test('the route of the request reads as Express would have it', async () => {
    const { app } = meteredApp()
    const seen: unknown[] = []
    app.use((req, _res, next) => {
      seen.push(req.route)
      next()
    })
    app.get('/x', (req, res) => res.send(req.route.path))
    const server = await start(app)

    expect(await server.send('GET /x')).toMatchObject({ body: '/x' })
    expect(seen).toEqual([undefined])
  })
})
