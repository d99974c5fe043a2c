/** How requests end on Fastify, and what is billed then. */

import http from 'node:http'
import http2 from 'node:http2'
import { Readable } from 'node:stream'
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { describe, expect, test } from 'vitest'
import { meter } from '../src/index.ts'
import { connect, LIMIT, prepare, start } from './start.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('a refusal is the problem document, past an error handler that makes a 500 of everything', async () => {
  const { app, send, listen } = await start()
  let runs = 0
  app.setErrorHandler((_error, _request, reply) => void reply.code(500).send('mapped'))
  app.get('/x', () => `run ${(runs += 1)}`)
  const port = await listen()
  for (let i = 0; i < LIMIT; i += 1) await send('GET /x')
  const response = await fetch(`http://127.0.0.1:${port}/x`, { headers: { 'x-customer': 'ada' } })
  expect([response.status, response.headers.get('content-type')]).toEqual([402, 'application/problem+json'])
  expect(await response.json()).toMatchObject({ code: 'allowance_exhausted', status: 402 })
  const head = await fetch(`http://127.0.0.1:${port}/x`, { method: 'HEAD', headers: { 'x-customer': 'ada' } })
  expect([head.status, await head.text()]).toEqual([402, ''])
  expect(runs).toBe(LIMIT)
})

test.each<[string, (app: FastifyInstance) => void]>([
  ['an answer of an async handler', (app) => app.get('/x', async () => ({ a: 1 }))],
  ['an answer with a callback', (app) => app.get('/x', (_request, reply) => void reply.send('x'))],
  ['a stream', (app) => app.get('/x', (_request, reply) => reply.send(Readable.from(['a', 'b'])))],
  ['a web Response', (app) => app.get('/x', () => new Response('made', { status: 201 }))],
  [
    'a hijacked reply',
    (app) =>
      app.get('/x', (_request, reply) => {
        reply.hijack()
        reply.raw.end('raw')
      }),
  ],
  ['a redirect', (app) => app.get('/x', (_request, reply) => reply.redirect('/elsewhere'))],
  ['nothing', (app) => app.get('/x', (_request, reply) => void reply.code(204).send())],
])('%s is billed once', async (_what, route) => {
  const { app, listen, billed } = await start()
  route(app)
  const port = await listen()
  const response = await fetch(`http://127.0.0.1:${port}/x`, { headers: { 'x-customer': 'ada' }, redirect: 'manual' })
  expect(response.headers.get('ratelimit')).toMatch(/^"api_calls";r=2/)
  await response.text()
  await expect.poll(billed).toEqual(['api_calls 1 /x'])
})

test.each([
  ['a thrown error', 500, () => Promise.reject(new Error('thrown'))],
  ['a thrown 4xx', 422, () => Promise.reject(Object.assign(new Error('thrown'), { statusCode: 422 }))],
])('%s is not billed', async (_what, status, handler) => {
  const { app, send, billed } = await start()
  app.get('/x', handler)
  for (let i = 0; i <= LIMIT; i += 1) expect((await send('GET /x')).status).toBe(status)
  expect(await billed()).toEqual([])
})

test('a client that leaves is billed for the work that was started, and later answers change nothing', async () => {
  const { app, listen, billed } = await start()
  let ran = false
  app.get('/slow', async () => {
    await pause(60)
    ran = true
    return 'slow'
  })
  const client = http.get({ port: await listen(), path: '/slow', headers: { 'x-customer': 'ada' } }).on('error', () => {})
  await pause(25)
  client.destroy()
  await expect.poll(() => ran).toBe(true)
  await expect.poll(billed).toEqual(['api_calls 1 /slow'])
})

test('a client that left before the handler started is not billed, and the handler does not run', async () => {
  let goOn = (): void => {}
  const held = new Promise<void>((resolve) => (goOn = resolve))
  const { app, listen, billed } = await start({
    identify: async () => {
      await held
      return 'ada'
    },
  })
  let runs = 0
  app.get('/x', () => `run ${(runs += 1)}`)
  const client = http.get({ port: await listen(), path: '/x' }).on('error', () => {})
  await pause(25)
  client.destroy()
  await pause(25)
  goOn()
  await pause(25)
  expect([runs, await billed()]).toEqual([0, []])
})

describe('HTTP/2', () => {
  test('is metered and refused in the same way', async () => {
    const served = prepare({}, fastify({ http2: true, forceCloseConnections: true } as FastifyServerOptions))
    await served.app.register(meter, served.options)
    served.app.get('/x', (request) => request.meter?.remaining)
    const session = connect(await served.listen())
    const answers = []
    for (let i = 0; i <= LIMIT; i += 1) answers.push(await ask(session, '/x'))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 402])
    expect(answers[3]).toMatchObject({ type: 'application/problem+json', body: expect.stringContaining('allowance_exhausted') })
    expect(await served.billed()).toHaveLength(LIMIT)
  })

  test('a stream that the server breaks off is settled as cut off', async () => {
    const outcomes: unknown[] = []
    const units = (_request: unknown, outcome?: unknown): number => {
      if (outcome !== undefined) outcomes.push(outcome)
      return 1
    }
    const served = prepare(
      { units, onAbort: 'void' },
      fastify({ http2: true, forceCloseConnections: true } as FastifyServerOptions),
    )
    await served.app.register(meter, served.options)
    served.app.get('/broken', (_request, reply) => reply.send(Readable.from(breaking(), { objectMode: false })))
    served.app.get('/whole', () => 'whole')
    const session = connect(await served.listen())
    await ask(session, '/broken').catch(() => {})
    await ask(session, '/whole')
    await expect.poll(served.billed).toEqual(['api_calls 1 /whole'])
    expect(outcomes).toEqual([{ kind: 'finished', status: 200 }])
  })

  test('a cancelled stream is an abort, although it finishes', async () => {
    const ended: unknown[] = []
    const served = prepare(
      { units: (_request, outcome) => (outcome && ended.push(outcome), 1), onAbort: 'void' },
      fastify({ http2: true, forceCloseConnections: true } as FastifyServerOptions),
    )
    await served.app.register(meter, served.options)
    served.app.get('/slow', async () => {
      await pause(80)
      return 'slow'
    })
    const session = connect(await served.listen())
    const request = session.request({ ':path': '/slow', 'x-customer': 'ada' })
    request.on('error', () => {})
    await pause(30)
    request.close(http2.constants.NGHTTP2_CANCEL)
    await pause(120)
    expect(await served.billed()).toEqual([])
    expect((await ask(session, '/slow')).status).toBe(200)
    expect(await served.billed()).toHaveLength(1)
  })
})

async function* breaking(): AsyncGenerator<string> {
  yield 'a'
  throw new Error('broken off')
}

function ask(session: http2.ClientHttp2Session, path: string): Promise<{ status: number; type: unknown; body: string }> {
  return new Promise((resolve, reject) => {
    const request = session.request({ ':path': path, 'x-customer': 'ada' })
    let body = ''
    let head: http2.IncomingHttpHeaders = {}
    request.setEncoding('utf8')
    request.on('response', (headers) => (head = headers))
    request.on('data', (chunk: string) => (body += chunk))
    request.on('end', () => resolve({ status: Number(head[':status']), type: head['content-type'], body }))
    request.on('error', reject)
  })
}
