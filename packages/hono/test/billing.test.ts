/** The billing routes below any mount: reachable for everybody, counted for nobody, with the path and the bytes that were sent. */

import { FareboxError } from '@farebox/core'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { billing, meter } from '../src/index.ts'
import { observed } from './observed.ts'
import { start } from './server.ts'

const ADMIN_KEY = 'an operator secret of 32 characters and more'

/** A metered app, with the billing routes as an option of its tests. */
function metered() {
  const watch = observed()
  const app = new Hono().use(meter(watch.options))
  app.get('/x', (c) => c.text('x'))
  const routes = () => billing({ farebox: watch.farebox, adminKey: ADMIN_KEY, identify: () => 'ada' })
  return { ...watch, app, routes }
}

const asOperator = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' }

describe.each([true, false])('with the global Request replaced: %s', (overrideGlobalObjects) => {
  test('a customer over the limit reaches them below any mount, and no meter counts it', async () => {
    const { app, routes, admissions } = metered()
    app.route('/billing', routes())
    const deep = new Hono().basePath('/deep').onError((_error, c) => c.text('mapped', 500))
    app.route('/api/:version', new Hono().route('/money', deep.route('/', routes())))
    app.mount('/mounted', routes().fetch)
    const server = await start(app, { overrideGlobalObjects })
    for (let call = 0; call < 3; call++) await (await server.fetch('/x')).text()
    expect((await server.fetch('/x')).status).toBe(402)
    const before = admissions.length

    for (const mount of ['/billing', '/api/v7/money/deep', '/mounted']) {
      const response = await server.fetch(`${mount}/usage`)
      expect([mount, response.status, response.headers.get('ratelimit')]).toEqual([mount, 200, null])
      expect(JSON.stringify(await response.json())).toContain('api_calls')
      expect((await server.fetch(`${mount}/usage`, { method: 'HEAD' })).status).toBe(200)
      const unknown = await server.fetch(`${mount}/nothing%2Fhere`)
      expect([unknown.status, unknown.headers.get('content-type')]).toEqual([404, 'application/problem+json'])
      expect((await server.fetch(`${mount}?x`)).status).toBe(404)
      expect((await server.fetch(`${mount}/events?limit=none`)).status).toBe(400)
    }
    expect(admissions).toHaveLength(before)
  })

  test('they read the bytes that were sent, also where middleware has read them before', async () => {
    const { app, routes, farebox } = metered()
    app.use('/read/*', async (c, next) => {
      await c.req.text()
      await next()
    })
    app.route('/billing', routes())
    app.route('/read', routes())
    const server = await start(app, { overrideGlobalObjects })

    for (const mount of ['/billing', '/read']) {
      const text = `\r\n{ "customer" : "eve",\t"feature":"pages", "value":"0.25", "properties" : {"told":"é ${mount}"} }${' '.repeat(5000)}`
      const response = await server.fetch(`${mount}/admin/events`, { method: 'POST', body: text, headers: asOperator })
      expect([mount, response.status, await response.text()]).toEqual([mount, 201, expect.any(String)])
    }
    const { items } = await farebox.events.list()
    expect(items.map(({ customerId, properties }) => [customerId, properties])).toEqual([
      ['eve', { told: 'é /billing' }],
      ['eve', { told: 'é /read' }],
    ])
  })
})

test('they work without a server', async () => {
  const { app, routes } = metered()
  app.route('/billing', routes())
  expect((await app.request('/billing/plans')).status).toBe(200)
  expect((await app.request('/billing/openapi.json')).status).toBe(200)
  expect((await app.request('/billing/admin/customers')).status).toBe(401)
  expect((await app.request('/billing/admin/customers', { headers: asOperator })).status).toBe(200)
})

test('a segment keeps its encoding', async () => {
  const { app, routes } = metered()
  app.route('/billing', routes())
  for (const id of ['a%2Fb', 'a%20b', '%3F', '%23', '%5C', '%25', 'é', 'a:b@c']) {
    const response = await app.request(`/billing/admin/customers/${id}`, { headers: asOperator })
    expect([id, response.status, await response.json()]).toEqual([id, 404, expect.objectContaining({ status: 404 })])
  }
  const id = 'a/b:c%2Fd?e#f\\g'
  const made = await app.request('/billing/admin/customers', {
    method: 'POST',
    headers: asOperator,
    body: JSON.stringify({ id }),
  })
  expect(made.status).toBe(201)
  const found = await app.request(`/billing/admin/customers/${encodeURIComponent(id)}`, { headers: asOperator })
  expect([found.status, await found.json()]).toEqual([200, expect.objectContaining({ id })])
})

test('a wrong option is refused at start-up', () => {
  expect(() => billing({ adminKey: 'short' })).toThrow(FareboxError)
})
