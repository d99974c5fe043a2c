/** Where no Node response is at hand: `app.request()`, Bun, Deno, workers. */

import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { etag } from 'hono/etag'
import { HTTPException } from 'hono/http-exception'
import { stream, streamSSE } from 'hono/streaming'
import { describe, expect, test } from 'vitest'
import { meter } from '../src/index.ts'
import { observed, pause } from './observed.ts'

/** An app with one meter for all of it, whose plan is never used up. */
function metered() {
  const watch = observed()
  const app = new Hono()
  app.use(meter('downloads', { ...watch.options, units: '0.1' }))
  return { ...watch, app }
}

function readerOf(response: Response): ReadableStreamDefaultReader<Uint8Array> {
  if (response.body === null) throw new Error('the answer has no body')
  return response.body.getReader()
}

test('every way to answer carries the allowance, keeps what it is and is settled with its status', async () => {
  const { app, outcomes } = metered()
  app.get('/json', (c) => c.json({ a: 1 }, 201, { 'x-own': 'json' }))
  app.get('/raw', () => new Response('raw', { status: 203, headers: { 'x-own': 'raw' } }))
  app.get('/empty', (c) => c.body(null, 204))
  app.get('/redirect', () => Response.redirect('https://example.test/', 307))
  app.get('/thrown', () => {
    throw new HTTPException(418, { message: 'thrown' })
  })
  app.get('/missing', (c) => c.notFound())

  for (const [path, status, body] of [
    ['/json', 201, '{"a":1}'],
    ['/raw', 203, 'raw'],
    ['/empty', 204, ''],
    ['/redirect', 307, ''],
    ['/thrown', 418, 'thrown'],
    ['/missing', 404, '404 Not Found'],
  ]) {
    const response = await app.request(`${path}`)
    expect([path, response.status, await response.text()]).toEqual([path, status, body])
    expect(response.headers.get('ratelimit')).toMatch(/^"downloads";r=\d+;t=\d+$/)
    if (path === '/json' || path === '/raw') expect(response.headers.get('x-own')).toBe(path.slice(1))
    expect(outcomes.at(-1)).toEqual({ kind: 'finished', status })
  }
})

test('a refusal is returned with the headers that came before it, and no error handler gets it', async () => {
  const { options, billed } = observed()
  const app = new Hono().onError((_error, c) => c.text('mapped', 500))
  app.use(cors(), (c, next) => (c.header('x-early', 'yes'), next()))
  app.use(meter(options))
  app.get('/x', (c) => c.text('x'))

  for (let call = 0; call < 3; call++) expect((await app.request('/x')).status).toBe(200)
  const refused = await app.request('/x')
  expect(refused.status).toBe(402)
  expect(await refused.json()).toMatchObject({ status: 402, code: 'allowance_exhausted' })
  expect(Object.fromEntries(refused.headers)).toMatchObject({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'access-control-allow-origin': '*',
    'x-early': 'yes',
  })
  const head = await app.request('/x', { method: 'HEAD' })
  expect([head.status, head.body, head.headers.get('content-type')]).toEqual([402, null, 'application/problem+json'])
  expect(await billed()).toHaveLength(3)
})

test('an error that is none goes on to the host, and is not billed', async () => {
  const { app, outcomes } = metered()
  app.get('/x', () => {
    throw 'not even an Error'
  })
  await expect(app.request('/x')).rejects.toBe('not even an Error')
  expect(outcomes).toEqual([{ kind: 'finished', status: 500 }])
})

test('the last middleware may still change the headers and replace the answer', async () => {
  const { options, outcomes } = observed()
  const app = new Hono().use(etag())
  app.use(async (c, next) => {
    await next()
    c.header('x-late', 'yes')
  })
  app.use(meter('downloads', options))
  app.get('/x', (c) => c.text('x', 200, { etag: '"1"' }))

  const response = await app.request('/x')
  expect([response.headers.get('x-late'), await response.text()]).toEqual(['yes', 'x'])
  expect((await app.request('/x', { headers: { 'if-none-match': '"1"' } })).status).toBe(304)
  await pause(1)
  expect(outcomes).toEqual([
    { kind: 'finished', status: 200 },
    { kind: 'finished', status: 200 },
  ])
})

test("another runtime's binding with the name of Node's response is not taken for it", async () => {
  const { app, outcomes } = metered()
  app.get('/x', (c) => c.text('x'))
  const binding = new Proxy({}, { get: () => () => Promise.resolve() })
  const response = await app.request('/x', {}, { outgoing: binding })
  expect([await response.text(), response.headers.has('ratelimit')]).toEqual(['x', true])
  expect(outcomes).toEqual([{ kind: 'finished', status: 200 }])
})

describe('a stream', () => {
  test('is passed on as it comes, and settled at its end with what was added', async () => {
    const { app, outcomes, billed } = metered()
    let goOn = () => {}
    app.get('/sse', (c) =>
      streamSSE(c, async (out) => {
        for (const data of ['1', '2', '3']) {
          await new Promise<void>((resolve) => (goOn = resolve))
          await out.writeSSE({ data })
          c.get('meter')?.add(1)
        }
      }),
    )
    const response = await app.request('/sse')
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const reader = readerOf(response)
    for (const data of ['1', '2', '3']) {
      expect(outcomes).toEqual([])
      goOn()
      expect(new TextDecoder().decode((await reader.read()).value)).toBe(`data: ${data}\n\n`)
      await pause(1)
    }
    expect((await reader.read()).done).toBe(true)
    expect(outcomes).toEqual([{ kind: 'finished', status: 200 }])
    expect(await billed()).toEqual(['downloads 3 /sse'])
  })

  test('that its reader leaves is aborted, and the handler hears of it', async () => {
    const { app, outcomes, billed } = metered()
    let hasHeard = false
    app.get('/stream', (c) =>
      stream(c, async (out) => {
        out.onAbort(() => void (hasHeard = true))
        await out.write('first')
        await new Promise(() => {})
      }),
    )
    const reader = readerOf(await app.request('/stream'))
    await reader.read()
    await reader.cancel()
    expect([hasHeard, outcomes]).toEqual([true, [{ kind: 'aborted', status: 200 }]])
    expect(await billed()).toEqual(['downloads 0.1 /stream'])
  })

  test('whose client leaves is aborted by the signal of the request', async () => {
    const { app, outcomes } = metered()
    app.get('/stream', (c) => stream(c, async () => new Promise<void>(() => {})))
    const client = new AbortController()
    await app.request(new Request('http://localhost/stream', { signal: client.signal }))
    client.abort()
    expect(outcomes).toEqual([{ kind: 'aborted', status: 200 }])
  })
})

test('a client that leaves while it is admitted is not worked for', async () => {
  const client = new AbortController()
  const { options, outcomes } = observed(() => client.abort())
  const app = new Hono().use(meter(options))
  let hasRun = false
  app.get('/x', (c) => ((hasRun = true), c.text('x')))
  const response = await app.request(new Request('http://localhost/x', { signal: client.signal }))
  expect([hasRun, response.body]).toEqual([false, null])
  expect(outcomes).toEqual([{ kind: 'not_started' }])
})
