/** What the gate says is what happens: the handler runs, or the refusal is sent, or the application's error handling has it. */

import { AsyncLocalStorage } from 'node:async_hooks'
import http from 'node:http'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { describe, expect, test } from 'vitest'
import { meter } from '../src/index.ts'
import { createRecorder, REFUSAL_BODY, type RecorderOptions } from './recorder.ts'
import { pause, start } from './server.ts'
import { VERSIONS } from './versions.ts'

const toServerError: ErrorRequestHandler = (_error, _req, res, _next) => void res.status(500).send('mapped')

describe.each(VERSIONS)('the admission on $name', ({ express }) => {
  /** An app with one route that the app's meter admits to and one that has a meter of its own. */
  function meteredApp(options: RecorderOptions = {}) {
    const farebox = createRecorder(options)
    const ran: string[] = []
    const handler: RequestHandler = (req, res) => {
      ran.push(req.path)
      res.send('ok')
    }
    const app = express()
    app.use(meter({ farebox }))
    app.get('/default', handler)
    app.get('/own', meter('downloads', { farebox }), handler)
    return { app: app.use(toServerError), farebox, ran }
  }

  test.each(['/default', '/own'])(
    'a refusal of %s is sent whole, and neither the handler nor an error handler sees it',
    async (path) => {
      const { app, farebox, ran } = meteredApp({ limit: 1 })
      const server = await start(app)

      expect(await server.send(`GET ${path}`)).toMatchObject({ status: 200 })
      const refusal = await server.send(`GET ${path}`)
      expect(refusal).toMatchObject({ status: 402, body: REFUSAL_BODY })
      expect(refusal.headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
      expect(refusal.headers['content-length']).toBe(`${REFUSAL_BODY.length}`)
      expect(ran).toEqual([path])
      await pause()
      expect(farebox.settlements).toHaveLength(1)
    },
  )

  test.each(['/default', '/own'])('a refused HEAD of %s has the headers and no body', async (path) => {
    const { app, ran } = meteredApp({ limit: 0 })
    const server = await start(app)

    const refusal = await server.send(`HEAD ${path}`)
    expect(refusal).toMatchObject({ status: 402, body: '' })
    expect(refusal.headers['content-type']).toBe('application/problem+json')
    expect(ran).toEqual([])
  })

  test('a gate that rejects is an error of the application, and nothing is settled', async () => {
    const farebox = createRecorder({ beforeDecision: () => Promise.reject(new Error('identify threw')) })
    const app = express().use(meter({ farebox }))
    app.get('/default', (_req, res) => res.send('ok'))
    app.get('/own', meter('downloads', { farebox }), (_req, res) => res.send('ok'))
    app.use(((error, _req, res, _next) => void res.status(503).send(error.message)) satisfies ErrorRequestHandler)
    const server = await start(app)

    expect(await server.send('GET /default')).toMatchObject({ status: 503, body: 'identify threw' })
    expect(await server.send('GET /own')).toMatchObject({ status: 503, body: 'identify threw' })
    expect(farebox.settlements).toEqual([])
  })

  test('an unmetered request runs without req.meter and without headers', async () => {
    const farebox = createRecorder({ isMetered: false })
    const app = express().use(meter({ farebox }))
    app.get('/x', (req, res) => res.send(`${req.meter}`))
    const server = await start(app)

    const free = await server.send('GET /x')
    expect(free).toMatchObject({ status: 200, body: 'undefined' })
    expect(free.headers.ratelimit).toBeUndefined()
    await pause()
    expect(farebox.settlements).toEqual([])
  })

  test('the headers of an admitted request survive every way to answer', async () => {
    const farebox = createRecorder()
    const app = express().use(meter({ farebox }))
    app.get('/json', (_req, res) => res.json({}))
    app.get('/head', (_req, res) => void res.writeHead(201, { 'x-own': '1' }).end())
    app.get('/file', (_req, res) => res.sendFile(import.meta.filename))
    app.get('/stream', (_req, res) => void (res.write('a'), res.end('b')))
    app.get('/throw', () => {
      throw new Error('thrown')
    })
    app.get('/fall', (_req, _res, next) => next())
    app.set('env', 'test')
    const server = await start(app)

    // The last two answers come from Express's final handler, which sends no header but its own.
    for (const path of ['/json', '/head', '/file', '/stream']) {
      expect((await server.send(`GET ${path}`)).headers.ratelimit).toBe('"default";r=1')
    }
    expect(await server.send('GET /throw')).toMatchObject({ status: 500 })
    expect(await server.send('GET /fall')).toMatchObject({ status: 404 })
  })

  test('headers that were sent before are left alone, admitted or refused', async () => {
    const farebox = createRecorder({ limit: 1 })
    const app = express()
    app.use((_req, res, next) => {
      res.write('early ')
      next()
    })
    app.use(meter({ farebox }))
    app.get('/x', (_req, res) => void res.end('late'))
    const server = await start(app)

    expect(await server.send('GET /x')).toMatchObject({ status: 200, body: 'early late' })
    expect(await server.send('GET /x')).toMatchObject({ status: 200, body: 'early ' })
  })

  test('concurrent requests each see their own meter and the context they came with', async () => {
    const storage = new AsyncLocalStorage<string>()
    const farebox = createRecorder({ beforeDecision: () => pause(Math.random() * 10) })
    const app = express()
    app.use((req, _res, next) => storage.run(req.url, next))
    app.use(meter({ farebox }))
    app.get('/:id', (req, res) => void setTimeout(() => res.send(`${req.meter?.key} ${storage.getStore()} ${req.params.id}`), 5))
    const server = await start(app)

    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => server.send(`GET /${index}`)))
    expect(new Set(answers.map(({ body }) => body.split(' ')[0])).size).toBe(20)
    for (const [index, { body }] of answers.entries()) expect(body).toMatch(new RegExp(`^key-\\d+ /${index} ${index}$`))
  })

  test('of a burst at the limit exactly as many run as are left', async () => {
    const { app, farebox, ran } = meteredApp({ limit: 7, beforeDecision: () => pause(Math.random() * 10) })
    const server = await start(app)

    const answers = await Promise.all(Array.from({ length: 30 }, () => server.send('GET /default')))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(7)
    expect(answers.filter(({ status }) => status === 402)).toHaveLength(23)
    expect(ran).toHaveLength(7)
    await pause()
    expect(farebox.settlements).toHaveLength(7)
  })

  test("the gate reads headers and the framework's own request", async () => {
    const seen: unknown[] = []
    const app = express()
    app.use(
      meter({
        farebox: {
          createGate: () => ({
            async admit(request) {
              seen.push(request.header('x-api-key'), request.header('x-none'), (request.raw as { url: string }).url)
              return { kind: 'unmetered' }
            },
            async settle() {},
          }),
        },
      }),
    )
    app.get('/x', (_req, res) => res.send('ok'))
    const server = await start(app)

    await server.send('GET /x?y=1', { headers: { 'X-Api-Key': 'secret' } })
    expect(seen).toEqual(['secret', undefined, '/x?y=1'])
  })

  test('a thousand requests on one connection leave no listener behind', async () => {
    const { app, farebox } = meteredApp()
    const listeners = new Set<number>()
    app.use((_req, _res, next) => next())
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const sockets = new Set<unknown>()
    const server = await start((req, res) => {
      sockets.add(req.socket)
      listeners.add(req.socket.eventNames().reduce((sum, name) => sum + req.socket.listenerCount(name), 0))
      app(req, res)
    })

    for (let sent = 0; sent < 1000; sent++) await server.send('GET /default', { agent })
    agent.destroy()
    await pause()
    expect(farebox.settlements).toHaveLength(1000)
    expect(sockets.size).toBe(1)
    expect(listeners.size).toBeLessThanOrEqual(2)
  })
})
