/** The billing routes under a prefix of a Fastify application. */

import fastify, { type FastifyServerOptions } from 'fastify'
import { expect, test } from 'vitest'
import { billing, meter } from '../src/index.ts'
import { LIMIT, prepare } from './start.ts'

const ADMIN = 'an-admin-key-of-more-than-32-characters'
const operator = { authorization: `Bearer ${ADMIN}` }

async function start(prefix = '/billing') {
  const served = prepare()
  await served.app.register(meter, served.options)
  await served.app.register(billing, { prefix, farebox: served.farebox, adminKey: ADMIN })
  served.app.post('/echo', (request) => request.body)
  served.app.get('/plain', () => 'plain')
  const { key } = await served.farebox.apiKeys.create({ customerId: 'ada' })
  return { ...served, port: await served.listen(), customer: { 'x-api-key': key } }
}

test('are reached over the limit, and never counted', async () => {
  const { port, send, billed, customer } = await start()
  for (let i = 0; i <= LIMIT; i += 1) await send('GET /plain')
  expect((await send('GET /plain')).status).toBe(402)
  const response = await fetch(`http://127.0.0.1:${port}/billing/usage`, { headers: customer })
  expect([response.status, response.headers.get('ratelimit')]).toEqual([200, null])
  expect(await response.json()).toMatchObject({ customer: 'ada', features: [{ used: '3', remaining: '0' }, {}] })
  expect((await fetch(`http://127.0.0.1:${port}/billing/nothing`, { headers: customer })).status).toBe(404)
  expect(await billed()).toHaveLength(LIMIT)
})

test('take bodies as they were sent, and leave the parsers of other routes alone', async () => {
  const { port, farebox } = await start()
  const body = ' {\n\t"customer" : "bob", "feature":"api_calls" ,"properties":{"name":"Zo\u00eb \u2603"} } '
  const post = (path: string, headers: Record<string, string>, text = body) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: text,
    })
  expect((await post('/billing/admin/events', operator)).status).toBe(201)
  expect((await farebox.events.list()).items).toMatchObject([{ properties: { name: 'Zo\u00eb \u2603' } }])
  expect((await post('/billing/admin/events', operator, '{"customer":')).status).toBe(400)
  expect((await post('/billing/admin/events', { ...operator, 'content-type': 'text/plain' })).status).toBe(415)
  expect((await post('/billing/admin/close', operator, '{}')).status).toBe(200)
  expect(await (await post('/echo', { 'x-customer': 'eve' })).json()).toMatchObject({ customer: 'bob' })
})

test('see path and query below a prefix with parameters', async () => {
  const { port } = await start('/v/:version/billing')
  const response = await fetch(`http://127.0.0.1:${port}/v/2/billing/admin/customers?limit=1`, { headers: operator })
  expect([response.status, await response.json()]).toMatchObject([
    200,
    { items: [{ id: 'ada' }], next: expect.any(String) as string },
  ])
})

test('are served over HTTP/2', async () => {
  const served = prepare({}, fastify({ http2: true, forceCloseConnections: true } as FastifyServerOptions))
  await served.app.register(billing, { prefix: '/billing', farebox: served.farebox, adminKey: ADMIN })
  const response = await served.app.inject({ url: '/billing/admin/customers', headers: operator })
  expect([response.statusCode, response.json()]).toEqual([200, { items: [], next: null }])
})

test('mistakes end the start', async () => {
  const { app, farebox } = prepare()
  const registered = (async () => app.register(billing, { farebox, adminKey: 'short' }))()
  await expect(registered).rejects.toMatchObject({ code: 'invalid_option' })
})
