/** How it ended: each admitted request is settled once, when the response is over, with what really happened. */

import type { ErrorRequestHandler, Request } from 'express'
import net from 'node:net'
import { describe, expect, test } from 'vitest'
import { meter } from '../src/index.ts'
import { createRecorder, type RecorderOptions } from './recorder.ts'
import { pause, start, until } from './server.ts'
import { VERSIONS } from './versions.ts'

describe.each(VERSIONS)('the settlement on $name', ({ express, major }) => {
  function meteredApp(options: RecorderOptions = {}) {
    const farebox = createRecorder(options)
    const app = express().use(meter({ farebox }))
    app.set('env', 'test')
    /** Waits for the settlement, and a little longer for a second one. */
    async function outcomes() {
      await until(() => farebox.settlements.length > 0)
      await pause()
      return farebox.settlements.map(({ outcome }) => outcome)
    }
    return { app, farebox, outcomes }
  }

  test('each status is settled as it was sent', async () => {
    const { app, farebox } = meteredApp()
    app.get('/200', (_req, res) => res.send('ok'))
    app.get('/201', (_req, res) => void res.writeHead(201).end())
    app.get('/204', (_req, res) => void res.sendStatus(204))
    app.get('/302', (_req, res) => res.redirect('/200'))
    app.get('/304', (_req, res) => void res.status(304).end())
    app.get('/404', (_req, _res, next) => next())
    app.get('/409', (_req, res) => void res.sendStatus(409))
    app.get('/500', () => {
      throw new Error('thrown')
    })
    app.get('/503', (_req, _res, next) => next(Object.assign(new Error('passed on'), { status: 503 })))
    const server = await start(app)

    for (const status of [200, 201, 204, 302, 304, 404, 409, 500, 503]) {
      farebox.settlements.length = 0
      expect(await server.send(`GET /${status}`)).toMatchObject({ status })
      await until(() => farebox.settlements.length === 1)
      expect(farebox.settlements[0]?.outcome).toEqual({ kind: 'finished', status })
    }
    expect(farebox.admissions).toHaveLength(9)
  })

  test('an error that leaves a mounted router is settled with the status of the error handler', async () => {
    const { app, farebox, outcomes } = meteredApp()
    const router = express.Router()
    router.get('/throw/:id', async (_req, _res, next) => {
      await pause(1)
      next(new Error('late'))
    })
    app.use('/api', router)
    app.use(((_error, _req, res, _next) => void res.sendStatus(422)) satisfies ErrorRequestHandler)
    const server = await start(app)

    expect(await server.send('GET /api/throw/1')).toMatchObject({ status: 422 })
    expect(await outcomes()).toEqual([{ kind: 'finished', status: 422 }])
    expect(farebox.admissions[0]?.route).toBe('/api/throw/:id')
  })

  test.runIf(major === 5)('a rejected handler is settled with the status that Express gives it', async () => {
    const { app, outcomes } = meteredApp()
    app.get('/x', async () => {
      await pause(1)
      throw 'not even an Error'
    })
    const server = await start(app)

    expect(await server.send('GET /x')).toMatchObject({ status: 500 })
    expect(await outcomes()).toEqual([{ kind: 'finished', status: 500 }])
  })

  test('a connection that breaks as the admission is decided is settled once', async () => {
    const { app, outcomes } = meteredApp({ beforeDecision: (req) => void (req as Request).socket.destroy() })
    app.get('/x', (_req, res) => res.send('ok'))
    const server = await start(app)

    server.open('GET /x').end()
    expect(await outcomes()).toEqual([{ kind: 'not_started' }])
  })

  test('an answer that was handed over whole is finished, also when its client does not stay to read it', async () => {
    const { app, outcomes } = meteredApp()
    app.get('/big', (_req, res) => void res.end(Buffer.alloc(32 * 1024 * 1024)))
    const server = await start(app)

    const client = server.open('GET /big')
    client.on('response', (response) => response.once('data', () => client.destroy()))
    client.end()
    expect(await outcomes()).toEqual([{ kind: 'finished', status: 200 }])
  })

  test('a request body that was read is not mistaken for a client that left', async () => {
    const { app, outcomes } = meteredApp({ beforeDecision: () => pause(10) })
    app.use(express.json())
    app.post('/x', (req, res) => void setTimeout(() => res.json(req.body), 20))
    const server = await start(app)

    const client = server.open('POST /x')
    client.setHeader('content-type', 'application/json')
    client.end('{"a":1}')
    expect(await outcomes()).toEqual([{ kind: 'finished', status: 200 }])
  })

  test('a request that earlier middleware has answered is settled with that answer, and its handler runs', async () => {
    const farebox = createRecorder({ beforeDecision: () => pause(20) })
    const ran: string[] = []
    const app = express()
    app.use((req, res, next) => {
      res.status(202).send('accepted')
      // On the second path the response is already over when the request gets to its meter.
      setTimeout(next, req.path === '/late' ? 20 : 0)
    })
    app.use(meter({ farebox }))
    app.get('/:name', (req) => void ran.push(req.params.name))
    const server = await start(app)

    expect(await server.send('GET /soon')).toMatchObject({ status: 202 })
    expect(await server.send('GET /late')).toMatchObject({ status: 202 })
    await until(() => ran.length === 2)
    await pause()
    expect(farebox.settlements.map(({ outcome }) => outcome)).toEqual(Array(2).fill({ kind: 'finished', status: 202 }))
  })

  test('pipelined requests of a client that leaves during admission are not worked for', async () => {
    const { app, farebox } = meteredApp({ beforeDecision: () => pause(60) })
    const ran: string[] = []
    app.get('/:id', (req) => void ran.push(req.params.id))
    const server = await start(app)

    const socket = net.connect(server.port, '127.0.0.1')
    socket.write('GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n')
    setTimeout(() => socket.destroy(), 20)
    await until(() => farebox.settlements.length === 2)
    expect(farebox.settlements.map(({ outcome }) => outcome)).toEqual(Array(2).fill({ kind: 'not_started' }))
    expect(ran).toEqual([])
  })
})
