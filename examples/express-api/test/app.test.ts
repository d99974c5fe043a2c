import { createServer, request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFarebox, formatQuantity, testClock } from '@farebox/core'
import type { Farebox } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { createApp } from '../src/app.ts'
import { catalog } from '../src/catalog.ts'

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface Running {
  readonly farebox: Farebox
  call(target: string, options?: { method?: string; headers?: Record<string, string> }): Promise<Answer>
}

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

async function running(mode: 'replay' | 'live'): Promise<Running> {
  const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }), clock: testClock(Date.UTC(2025, 5, 1)) })
  const identify = mode === 'replay' ? { identify: () => 'customer' } : {}
  await farebox.subscriptions.create({ customerId: 'customer', plan: 'free' })
  const server = createServer(createApp({ farebox, mode, ...identify }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  stops.push(async () => {
    server.close()
    server.closeAllConnections()
    await farebox.stop()
  })
  return { farebox, call: async (target, options) => send({ port, target, ...options }) }
}

/** node:http sends a target as it is; `fetch` would tidy it up first. */
async function send({
  port,
  target,
  method = 'GET',
  headers = {},
}: {
  port: number
  target: string
  method?: string
  headers?: Record<string, string>
}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: '127.0.0.1', path: target, method, headers }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')))
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    outgoing.once('error', reject)
    outgoing.end()
  })
}

const recorded = (status: number, bytes: number): { headers: Record<string, string> } => ({
  headers: { 'x-replay-status': String(status), 'x-replay-bytes': String(bytes) },
})

/** Units billed by feature, once nothing is reserved any more: an answer is settled when the server has closed it. */
async function used(farebox: Farebox): Promise<Record<string, string>> {
  for (;;) {
    const totals = await farebox.usage.totals({ customerId: 'customer' })
    if (totals.every(({ reserved }) => reserved === 0n)) {
      return Object.fromEntries(totals.map(({ feature, posted }) => [feature, formatQuantity(posted)]))
    }
  }
}

describe('the example in a replay', () => {
  it('answers with the recorded status and size', async () => {
    const { call } = await running('replay')
    for (const [status, bytes] of [
      [200, 0],
      [200, 11],
      [206, 700_001],
      [301, 5],
      [404, 334],
    ] as const) {
      const answer = await call('/blog/x', recorded(status, bytes))
      expect(answer).toMatchObject({ status, headers: { 'content-length': String(bytes) } })
      expect(answer.body.length).toBe(bytes)
    }
    expect(await call('/blog', recorded(304, 0))).toMatchObject({ status: 304, body: '' })
    expect(await call('/blog', { method: 'HEAD', ...recorded(200, 42) })).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': '42' },
    })
  })

  it.each(['/', '/blog', '/blog/', '/blog/2025/x.html?a=b', '/blog/tags/node', '/articles', '/projects/x/y', '/images/x.png'])(
    'counts %s as one API call',
    async (target) => {
      const { farebox, call } = await running('replay')
      await call(target, recorded(200, 5))
      expect(await used(farebox)).toMatchObject({ api_calls: '1', downloads: '0' })
    },
  )

  it.each(['/presentations', '/presentations/a/b.pdf', '/files', '/files/x.tar.gz'])(
    'counts the megabytes of %s',
    async (target) => {
      const { farebox, call } = await running('replay')
      await call(target, recorded(200, 203_023))
      await call(target, { method: 'HEAD', ...recorded(200, 0) })
      expect(await used(farebox)).toMatchObject({ api_calls: '0', downloads: '0.203023' })
    },
  )

  it('stops the free plan at ten calls and at one megabyte, and leaves unknown paths to the 404', async () => {
    const { farebox, call } = await running('replay')
    for (let number = 1; number <= 10; number += 1) expect((await call('/', recorded(200, 1))).status).toBe(200)
    const refused = await call('/', recorded(200, 1))
    expect(refused).toMatchObject({ status: 402, headers: { 'content-type': 'application/problem+json' } })
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'allowance_exhausted', feature: 'api_calls', plan: 'free', limit: 10 })
    expect((await call('/favicon.ico', recorded(200, 1))).status).toBe(404)
    expect((await call('/files/a', recorded(200, 999_999))).status).toBe(200)
    expect((await call('/files/a', recorded(200, 2))).status).toBe(402)
    expect((await call('/files/a', recorded(200, 1))).status).toBe(200)
    expect(await used(farebox)).toMatchObject({ api_calls: '10', downloads: '1' })
  })

  it('bills nothing for a recorded failure, another method, an unknown or a malformed path', async () => {
    const { farebox, call } = await running('replay')
    expect((await call('/blog', recorded(500, 9))).status).toBe(500)
    expect((await call('/blog', recorded(0, 9))).status).toBe(500)
    expect((await call('/blog', recorded(403, 9))).status).toBe(403)
    expect((await call('/blog', { method: 'POST', ...recorded(200, 9) })).status).toBe(404)
    expect((await call('/blog', { method: 'OPTIONS', ...recorded(200, 9) })).status).toBe(200)
    expect((await call('/wp-login.php', recorded(200, 9))).status).toBe(404)
    expect((await call('/files/%E8%F1', recorded(200, 9))).status).toBe(400)
    expect(await used(farebox)).toMatchObject({ api_calls: '0', downloads: '0' })
  })
})

describe('the example live', () => {
  it('asks for an API key', async () => {
    const { call } = await running('live')
    expect((await call('/')).status).toBe(401)
    expect((await call('/', { headers: { 'x-forwarded-for': 'customer' } })).status).toBe(401)
  })

  it('tells the caller what is left', async () => {
    const { farebox, call } = await running('live')
    const { key } = await farebox.apiKeys.create({ customerId: 'customer' })
    const answer = await call('/blog/x', { headers: { 'x-api-key': key } })
    expect(JSON.parse(answer.body)).toEqual({ path: '/blog/x', customer: 'customer', feature: 'api_calls', remaining: '9' })
  })

  it('lets no caller choose what is billed', async () => {
    const { farebox, call } = await running('live')
    const { key } = await farebox.apiKeys.create({ customerId: 'customer' })
    const answer = await call('/files/a', {
      headers: { 'x-api-key': key, 'x-forwarded-for': 'somebody', ...recorded(404, 1).headers },
    })
    expect(answer).toMatchObject({ status: 200, headers: { 'content-length': '250000' } })
    expect(await used(farebox)).toMatchObject({ downloads: '0.25' })
  })
})
