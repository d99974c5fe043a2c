/** On Node: headers and settlement at Node's own response, whatever the handler answers with. */

import type { ServerResponse } from 'node:http'
import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { serveStatic } from '@hono/node-server/serve-static'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono } from 'hono'
import { basicAuth } from 'hono/basic-auth'
import { bodyLimit } from 'hono/body-limit'
import { compress } from 'hono/compress'
import { cors } from 'hono/cors'
import { etag } from 'hono/etag'
import { stream, streamSSE } from 'hono/streaming'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { meter } from '../src/index.ts'
import { observed, pause, until } from './observed.ts'
import { start, startHttp2 } from './server.ts'

/** What node-server puts into `c.env`. */
type Bindings = { readonly outgoing: ServerResponse }

/** An app with one meter for all of it, whose plan is never used up. */
function metered(whenAsked?: (c: Context) => Promise<void> | void) {
  const watch = observed(whenAsked)
  const app = new Hono()
  app.use(meter('downloads', { ...watch.options, units: '0.1' }))
  /** Waits for the settlement, and a little longer for a second one. */
  async function settled() {
    await until(() => watch.outcomes.length > 0)
    await pause()
    return watch.outcomes
  }
  return { ...watch, app, settled }
}

/** A body that fails after its first chunk. */
function breaking(): ReadableStream<Uint8Array> {
  let pulls = 0
  return new ReadableStream({
    async pull(controller) {
      await wait(10)
      if (pulls++ === 0) controller.enqueue(new Uint8Array(10))
      else controller.error(new Error('the source broke'))
    },
  })
}

describe.each([true, false])('with the global Response replaced: %s', (overrideGlobalObjects) => {
  test('every way to answer carries the allowance, keeps what it is and is settled with its status', async () => {
    const { app, settled } = metered()
    const encode = (text: string) => new TextEncoder().encode(text)
    app.get('/json', (c) => c.json({ a: 1 }, 201, { 'x-own': 'json' }))
    app.get('/text', (c) => c.text('plain'))
    app.get('/header', (c) => (c.header('x-own', 'header'), c.html('<p>')))
    app.get('/raw', () => new Response('raw', { status: 203, headers: { 'x-own': 'raw' } }))
    app.get('/bare', () => new Response('bare'))
    app.get('/bytes', () => new Response(encode('bytes')))
    app.get('/blob', () => new Response(new Blob(['blob'])))
    app.get('/empty', (c) => c.body(null, 204))
    app.get('/unchanged', (c) => c.body(null, 304))
    app.get('/redirect', (c) => c.redirect('/json'))
    app.get('/static-redirect', () => Response.redirect('https://example.test/', 307))
    app.get('/stream', (c) => stream(c, async (out) => void (await out.write('stream'))))
    app.get('/sse', (c) => streamSSE(c, async (out) => out.writeSSE({ data: 'sse' })))
    app.get('/thrown', () => {
      throw new Error('thrown')
    })
    app.get('/missing', (c) => c.notFound())
    app.get('/sent', (c) => {
      const { outgoing } = c.env as Bindings
      outgoing.writeHead(202, { 'content-type': 'text/plain' }).end('sent')
      return RESPONSE_ALREADY_SENT
    })
    app.get('/file/*', serveStatic({ root: import.meta.dirname, rewriteRequestPath: (path) => path.replace('/file', '') }))
    app.onError((error, c) => c.text(error.message, 500))
    const server = await start(app, { overrideGlobalObjects })

    const expected: readonly (readonly [path: string, status: number, body: string])[] = [
      ['/json', 201, '{"a":1}'],
      ['/text', 200, 'plain'],
      ['/header', 200, '<p>'],
      ['/raw', 203, 'raw'],
      ['/bare', 200, 'bare'],
      ['/bytes', 200, 'bytes'],
      ['/blob', 200, 'blob'],
      ['/empty', 204, ''],
      ['/unchanged', 304, ''],
      ['/redirect', 302, ''],
      ['/static-redirect', 307, ''],
      ['/stream', 200, 'stream'],
      ['/sse', 200, 'data: sse\n\n'],
      ['/thrown', 500, 'thrown'],
      ['/missing', 404, '404 Not Found'],
      ['/sent', 202, 'sent'],
      ['/file/server.ts', 200, expect.stringContaining('createAdaptorServer') as string],
    ]
    for (const [path, status, body] of expected) {
      const response = await server.fetch(path)
      expect([path, response.status, await response.text()]).toEqual([path, status, body])
      expect(response.headers.get('ratelimit'), path).toMatch(/^"downloads";r=\d+;t=\d+$/)
      if (['/json', '/header', '/raw'].includes(path)) expect(response.headers.get('x-own')).toBe(path.slice(1))
    }
    expect((await settled()).map((outcome) => outcome.kind === 'finished' && outcome.status)).toEqual(
      expected.map(([, status]) => status),
    )
  })

  test('a refusal is sent as it is, with the headers that came before it, and no error handler gets it', async () => {
    const { options, outcomes } = observed()
    const app = new Hono().onError((_error, c) => c.text('mapped', 500))
    let runs = 0
    app.use(cors(), (c, next) => (c.header('x-early', 'yes'), next()))
    app.use(meter(options))
    app.post('/x', (c) => c.text(`${++runs}`))
    const server = await start(app, { overrideGlobalObjects })

    for (let call = 0; call < 3; call++) await (await server.fetch('/x', { method: 'POST', body: 'body' })).text()
    const refused = await server.fetch('/x', { method: 'POST', body: 'body' })
    expect(refused.status).toBe(402)
    expect(await refused.json()).toMatchObject({ status: 402, code: 'allowance_exhausted', 'violated-policies': ['api_calls'] })
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ratelimit: expect.stringMatching(/^"api_calls";r=0;t=/),
      'access-control-allow-origin': '*',
      'x-early': 'yes',
    })
    expect(runs).toBe(3)
    await until(() => outcomes.length === 3)
  })
})

describe('around the handler', () => {
  test('middleware that replaces, compresses or shortens the answer is settled with what went out', async () => {
    const { options, outcomes } = observed()
    const app = new Hono().use(etag(), compress())
    app.use(meter('downloads', { ...options, units: '0.1' }))
    app.get('/long', (c) => c.text('long '.repeat(1000)))
    const server = await start(app)

    const whole = await server.fetch('/long', { headers: { 'accept-encoding': 'gzip' } })
    expect([whole.headers.get('content-encoding'), (await whole.text()).length]).toEqual(['gzip', 5000])
    const headers = { 'if-none-match': whole.headers.get('etag') ?? '' }
    expect((await server.fetch('/long', { headers })).status).toBe(304)
    await until(() => outcomes.length === 2)
    expect(outcomes).toEqual([
      { kind: 'finished', status: 200 },
      { kind: 'finished', status: 304 },
    ])
  })

  test("a developer's mistake is the application's error handler's, and leaves nothing reserved", async () => {
    const { options, billed } = observed()
    const app = new Hono().onError((error, c) => c.json({ code: 'code' in error ? error.code : null }, 500))
    app.get('/nan', meter({ ...options, units: () => Number.NaN }), (c) => c.text('never'))
    app.get('/who', meter({ ...options, identify: () => Promise.reject(new Error('no directory')) }), (c) => c.text('never'))
    const server = await start(app)

    expect(await (await server.fetch('/nan')).json()).toEqual({ code: 'invalid_quantity' })
    expect((await server.fetch('/who')).status).toBe(500)
    expect(await billed()).toEqual([])
  })

  test('whom authentication in front of the meter turns away is not billed, and never hears of a limit', async () => {
    const { options, admissions } = observed()
    const app = new Hono().use(basicAuth({ username: 'ada', password: 'secret' }), meter(options))
    app.get('/x', (c) => c.text('x'))
    const server = await start(app)
    const headers = { authorization: `Basic ${Buffer.from('ada:secret').toString('base64')}` }
    for (const status of [200, 200, 200, 402]) expect((await server.fetch('/x', { headers })).status).toBe(status)

    const stranger = await server.fetch('/x')
    expect([stranger.status, stranger.headers.get('ratelimit')]).toEqual([401, null])
    expect(admissions).toHaveLength(4)
  })

  test('the handler adds units to its own request, among others that run at once', async () => {
    const { options, billed } = observed()
    const app = new Hono()
    app.get('/add/:n', meter('downloads', options), async (c) => {
      const own = c.get('meter')
      await wait(5)
      own?.add(c.req.param('n'))
      return c.text(own === c.var.meter ? `${own?.customerId} ${own?.feature}` : 'another')
    })
    const server = await start(app)

    const answers = await Promise.all(['1', '2', '0.5'].map(async (n) => (await server.fetch(`/add/${n}`)).text()))
    expect(answers).toEqual(Array(3).fill('ada downloads'))
    expect((await billed()).toSorted()).toEqual(['downloads 0.5 /add/:n', 'downloads 1 /add/:n', 'downloads 2 /add/:n'])
  })

  test('a body that was refused or read beforehand is no client that left', async () => {
    const { app, settled } = metered(() => pause(10))
    app.post('/echo', bodyLimit({ maxSize: 5 }), async (c) => c.text(await c.req.text()))
    const server = await start(app)

    expect(await (await server.fetch('/echo', { method: 'POST', body: 'short' })).text()).toBe('short')
    expect((await server.fetch('/echo', { method: 'POST', body: 'too long' })).status).toBe(413)
    expect(await settled()).toEqual([
      { kind: 'finished', status: 200 },
      { kind: 'finished', status: 413 },
    ])
  })

  test('a meter in a mounted application counts the request once with the one before it', async () => {
    const { options, billed } = observed()
    const mounted = new Hono().use(meter(options)).get('/x', (c) => c.text(c.get('meter')?.feature ?? ''))
    const app = new Hono()
      .use(meter('downloads', options))
      .get('/in/*', (c) => mounted.fetch(new Request(new URL('/x', c.req.url)), c.env))
    const server = await start(app)

    expect(await (await server.fetch('/in/x')).text()).toBe('downloads')
    expect(await billed()).toEqual(['downloads 1 /in/*'])
  })
})

describe('the end', () => {
  test('HEAD is settled like GET, and refused without a body', async () => {
    const { options, outcomes } = observed()
    const app = new Hono().use(meter(options)).get('/page', (c) => c.text('page'))
    const server = await start(app)
    for (let call = 0; call < 3; call++) expect((await server.fetch('/page', { method: 'HEAD' })).status).toBe(200)
    const refused = await server.fetch('/page', { method: 'HEAD' })
    expect([refused.status, await refused.text()]).toEqual([402, ''])
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    await until(() => outcomes.length === 3)
  })

  test('a stream is not held back, and is settled at its end', async () => {
    const { app, outcomes, settled } = metered()
    let finish = () => {}
    app.get('/stream', (c) =>
      streamSSE(c, async (out) => {
        await out.writeSSE({ data: 'first' })
        await new Promise<void>((resolve) => (finish = resolve))
        await out.writeSSE({ data: 'last' })
      }),
    )
    const server = await start(app)

    const chunks: string[] = []
    const client = server.open('GET /stream')
    client.on('response', (response) => response.on('data', (chunk) => chunks.push(`${chunk}`)))
    client.end()
    await until(() => chunks.length === 1)
    expect(outcomes).toEqual([])
    finish()
    expect(await settled()).toEqual([{ kind: 'finished', status: 200 }])
    expect(chunks.join('')).toBe('data: first\n\ndata: last\n\n')
  })

  test('a client that leaves before the headers is settled as aborted without a status, once', async () => {
    const { app, settled } = metered()
    let hasAnswered = false
    app.get('/slow', async (c) => {
      await wait(60)
      hasAnswered = true
      return c.text('too late')
    })
    const server = await start(app)

    const client = server.open('GET /slow')
    client.end()
    setTimeout(() => client.destroy(), 20)
    await until(() => hasAnswered)
    expect(await settled()).toEqual([{ kind: 'aborted', status: null }])
  })

  test('a client that leaves in the middle of a stream is settled as aborted, and what was added so far is billed', async () => {
    const { app, settled, billed } = metered()
    app.get('/stream', (c) =>
      stream(c, async (out) => {
        await out.write('chunk')
        c.get('meter')?.add('0.25')
        await until(() => out.aborted)
      }),
    )
    const server = await start(app)
    const client = server.open('GET /stream')
    client.on('response', (response) => response.once('data', () => client.destroy()))
    client.end()
    expect(await settled()).toEqual([{ kind: 'aborted', status: 200 }])
    expect(await billed()).toEqual(['downloads 0.25 /stream'])
  })

  test('a client that leaves while it is admitted is not worked for', async () => {
    const { app, settled } = metered(() => pause(60))
    let hasRun = false
    app.get('/x', (c) => {
      hasRun = true
      return c.text('x')
    })
    const server = await start(app)

    const client = server.open('GET /x')
    client.end()
    setTimeout(() => client.destroy(), 20)
    expect(await settled()).toEqual([{ kind: 'not_started' }])
    expect(hasRun).toBe(false)
  })

  test('an error in the middle of a stream is settled as cut off, not as finished', async () => {
    const { app, settled } = metered()
    app.get('/stream', () => new Response(breaking()))
    // node-server says there what broke.
    vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => void vi.restoreAllMocks())
    const server = await start(app)
    await expect(server.fetch('/stream').then((response) => response.text())).rejects.toThrow()
    expect(await settled()).toEqual([{ kind: 'aborted', status: 200 }])
  })

  test('pipelined requests of a client that leaves during admission are not worked for', async () => {
    const { app, outcomes } = metered(() => pause(60))
    const ran: string[] = []
    app.get('/:id', (c) => (ran.push(c.req.param('id')), c.text('ran')))
    const server = await start(app)

    const socket = net.connect(server.port, '127.0.0.1')
    socket.write('GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n')
    setTimeout(() => socket.destroy(), 20)
    await until(() => outcomes.length === 2)
    expect(outcomes).toEqual(Array(2).fill({ kind: 'not_started' }))
    expect(ran).toEqual([])
  })
})

describe('over HTTP/2', () => {
  test('an answer carries the allowance, a refusal is whole, and a cancelled stream is aborted', async () => {
    const { options, outcomes } = observed()
    const app = new Hono().use(meter(options))
    app.get('/x', (c) => c.text('x'))
    app.get('/stream', (c) =>
      stream(c, async (out) => {
        await out.write('first')
        await until(() => out.aborted)
      }),
    )
    const client = await startHttp2(app)

    async function get(path: string) {
      const sent = client.request({ ':path': path })
      const headers = await new Promise<Record<string, unknown>>((resolve) => sent.once('response', resolve))
      return { headers, body: Buffer.concat(await sent.toArray()).toString() }
    }
    expect(await get('/x')).toMatchObject({ headers: { ':status': 200, ratelimit: expect.stringContaining('r=2') }, body: 'x' })

    const cancelled = client.request({ ':path': '/stream' })
    await new Promise((resolve) => cancelled.once('data', resolve))
    cancelled.close(8)
    await until(() => outcomes.length === 2)
    expect(outcomes[1]).toEqual({ kind: 'aborted', status: 200 })

    await get('/x')
    const refused = await get('/x')
    expect(refused.headers).toMatchObject({ ':status': 402, 'content-type': 'application/problem+json' })
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'allowance_exhausted' })
  })

  test('an error in the middle of a stream is settled as cut off', async () => {
    const { app, settled } = metered()
    app.get('/stream', () => new Response(breaking()))
    vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => void vi.restoreAllMocks())
    const client = await startHttp2(app)

    const sent = client
      .request({ ':path': '/stream' })
      .on('error', () => {})
      .resume()
    await new Promise((resolve) => sent.once('close', resolve))
    expect(await settled()).toEqual([{ kind: 'aborted', status: 200 }])
  })
})
