/** What no client should send, on every route: a 4xx with a code, never a 500, and the server goes on. */

import http from 'node:http'
import { expect, test } from 'vitest'
import { PROBLEMS } from '../../src/http/problem.ts'
import { ADMIN, type Running, start } from './start.ts'

const ROUTES_WITH_BODY = [
  '/admin/customers',
  '/admin/subscriptions',
  '/admin/api-keys',
  '/admin/events',
  '/admin/events/batch',
  '/admin/close',
  '/api/v1/events',
]

/** Closing needs nothing said. */
const WITHOUT_BODY = '/admin/close'

const BODIES: readonly (readonly [what: string, body: string | Uint8Array])[] = [
  [
    'a CloudEvent with bytes',
    '{"specversion":"1.0","id":"1","source":"/a","type":"api_calls","subject":"ada","data_base64":"eyJ2YWx1ZSI6NX0="}',
  ],
  ['text that is no JSON', 'hello'],
  ['an unfinished object', '{"id":'],
  ['trailing garbage', '{} x'],
  ['a list', '[1]'],
  ['a number', '7'],
  ['null', 'null'],
  ['bytes that are no UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ['far too deep', '['.repeat(100_000)],
  ['deep and closed', `{"id":${'['.repeat(50)}${']'.repeat(50)}}`],
  ['a member nobody knows', '{"nobody":"knows"}'],
  ['__proto__', '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{}}}'],
]

const IDS = [
  '',
  ' ',
  ' 1',
  'x'.repeat(129),
  'x'.repeat(100_000),
  'a\0b',
  '\ud800',
  'caf\u00e9',
  'cafe\u0301',
  '\u202egnp',
  '\u{1f600}',
  '../etc/passwd',
  "'; DROP TABLE _events;--",
  '$.a[?(@.b)]',
  '<script>alert(1)</script>',
]

const VALUES: readonly string[] = [
  '-1',
  '"-1"',
  '1e309',
  '-1e309',
  '-0.0000001',
  '9007199254740993',
  '"NaN"',
  '"1_000"',
  '"0x10"',
  '""',
  '" 1"',
  'true',
  '[]',
  '{}',
  '1e-9',
  '"1e3"',
  'null',
]

const TIMES = [
  '0000-01-01T00:00:00Z',
  '1969-12-31T23:59:59Z',
  '9999-12-31T23:59:59Z',
  '50000-01-01T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '2016-12-31T23:59:60Z',
  '2026-01-01T00:00:00',
  '2026-01-01',
  '1767225600',
  'now',
  '',
]

const QUERIES = [
  'limit=0',
  'limit=-1',
  'limit=1001',
  'limit=1e2',
  'limit=0x10',
  'limit=',
  'limit=1.5',
  'cursor=',
  'cursor=x',
  'cursor=bnVsbA',
  'cursor=WzFd',
  'nobody=knows',
  '__proto__=1',
  'limit=1&limit=x',
]

async function expectRefused(
  running: Running,
  what: string,
  answer: { status: number; headers: Headers; json: Record<string, unknown> },
): Promise<void> {
  const { status, headers, json } = answer
  expect(`${what}: ${status} ${headers.get('content-type')}`).toMatch(/: 4\d\d application\/problem\+json$/)
  expect(Object.keys(PROBLEMS)).toContain(json['code'])
  expect(json).toMatchObject({
    status,
    type: `urn:farebox:problem:${String(json['code'])}`,
    detail: expect.any(String) as string,
  })
  expect(running.errors).toEqual([])
}

test.each(ROUTES_WITH_BODY)('bodies sent to %s', async (path) => {
  const running = await start()
  const authorization = `Bearer ${ADMIN}`
  const kind = path.startsWith('/api') ? 'application/cloudevents+json' : 'application/json'
  for (const [what, body] of BODIES) {
    const answer = await running.send(`POST ${path}`, { authorization, 'content-type': kind }, body)
    await expectRefused(running, what, answer)
  }
  for (const type of [
    'text/plain',
    'application/xml',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'nonsense',
  ])
    expect(await running.send(`POST ${path}`, { authorization, 'content-type': type }, '{}')).toMatchObject({ status: 415 })
  for (const encoding of ['gzip', 'br', 'deflate'])
    expect(
      (await running.send(`POST ${path}`, { authorization, 'content-type': kind, 'content-encoding': encoding }, '{}')).status,
    ).toBe(415)
  const tooLarge = `{"id":"${'x'.repeat(1024 * 1024)}"}`
  const answer = await running.send(`POST ${path}`, { authorization, 'content-type': kind }, tooLarge)
  expect([answer.status, answer.json['code']]).toEqual([413, 'body_too_large'])
  const bare = await running.send(`POST ${path}`, { authorization })
  if (path === WITHOUT_BODY) expect(bare.status).toBe(200)
  else await expectRefused(running, 'no body at all', bare)
  for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    expect((await running.send(`${method} ${path}`, { authorization })).status).toBe(404)
  expect((await running.admin('GET /admin/audit')).json).toMatchObject({ ok: true, events: 0 })
})

test.each(ROUTES_WITH_BODY)('a body that says neither its kind nor its length, as HTTP/2 has them, sent to %s', async (path) => {
  const { router, errors, farebox } = await start()
  for (const [text, status] of [
    ['{"customer":"ada"}', 415],
    ['', path === WITHOUT_BODY ? 200 : path.startsWith('/api') ? 415 : 400],
  ] as const) {
    const sent = {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN}` },
      body: new Blob([text]).stream(),
      duplex: 'half' as const,
    }
    const response = await router.fetch(new Request(`http://host.test${path}`, sent))
    expect([text, response.status]).toEqual([text, status])
    if (status >= 400) expect(Object.keys(PROBLEMS)).toContain(((await response.json()) as { code: string }).code)
  }
  expect(errors).toEqual([])
  expect((await farebox.events.list()).items).toEqual([])
})

test('a binary CloudEvent without data is one, whether or not a length says that there is none', async () => {
  const { router, farebox } = await start()
  const attributes = { 'ce-specversion': '1.0', 'ce-source': '/a', 'ce-type': 'api_calls', 'ce-subject': 'ada' }
  for (const [id, body] of [
    ['1', null],
    ['2', new Blob([]).stream()],
  ] as const) {
    const headers = { authorization: `Bearer ${ADMIN}`, ...attributes, 'ce-id': id }
    const init = { method: 'POST', headers, body, duplex: 'half' as const }
    expect((await router.fetch(new Request('http://host.test/api/v1/events', init))).status).toBe(204)
  }
  expect((await farebox.events.list()).items).toHaveLength(2)
})

test('batches: an event twice, none, and too many', async () => {
  const running = await start()
  const [a, b] = ['a', 'b'].map((key) => ({ customer: 'ada', feature: 'api_calls', idempotency_key: key }))
  const { json } = await running.admin('POST /admin/events/batch', { events: [a, a, b] })
  expect(json).toMatchObject({ results: [{ result: 'recorded' }, { result: 'repeat' }, { result: 'recorded' }] })
  for (const count of [0, 1_001, 10_001])
    await expectRefused(
      running,
      `${count} events`,
      await running.admin('POST /admin/events/batch', { events: Array.from({ length: count }, () => ({})) }),
    )
  expect((await running.farebox.events.list()).items).toHaveLength(2)
})

test('of a member that a body has twice the last one counts, as JSON.parse has it', async () => {
  const running = await start()
  const { status } = await running.send(
    'POST /admin/events',
    { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
    '{"customer":"bob","feature":"nonsense","feature":"api_calls","customer":"ada"}',
  )
  expect(status).toBe(201)
  expect((await running.farebox.events.list()).items).toMatchObject([{ customerId: 'ada', feature: 'api_calls' }])
})

test('ids of every kind, wherever an id goes in', async () => {
  const running = await start()
  for (const id of IDS) {
    const customer = JSON.stringify(id)
    const what = `id ${customer.slice(0, 40)}`
    const isFine = id === '../etc/passwd' || id === '$.a[?(@.b)]' || id === '<script>alert(1)</script>'
    for (const body of [
      { path: '/admin/customers', text: `{"id":${customer}}` },
      { path: '/admin/api-keys', text: `{"customer":${customer}}` },
      { path: '/admin/subscriptions', text: `{"customer":${customer},"plan":"free"}` },
      { path: '/admin/events', text: `{"customer":${customer},"feature":"api_calls"}` },
    ]) {
      const answer = await running.send(
        `POST ${body.path}`,
        { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
        body.text,
      )
      // Printable ASCII without spaces is an id, however odd: it is only ever a value.
      if (isFine) expect(answer.status).toBeLessThan(300)
      else await expectRefused(running, what, answer)
    }
    if (!id.isWellFormed()) continue
    const inPath = encodeURIComponent(id)
    for (const path of [
      `/admin/customers/${inPath}/usage`,
      `/admin/customers/${inPath}`,
      `/admin/invoices/${inPath}`,
      `/admin/api-keys?customer=${inPath}`,
    ]) {
      const { status } = await running.admin(`GET ${path}`)
      expect(`${what} ${path.slice(0, 30)} ${status}`).toMatch(/ (200|4\d\d)$/)
    }
    const { status } = await running.as('ada', `GET /invoices/${inPath}`)
    expect(status === 200 || (status >= 400 && status < 500)).toBe(true)
  }
  expect(running.errors).toEqual([])
  expect((await running.admin('GET /admin/audit')).json).toMatchObject({ ok: true })
})

test('values and times of every kind', async () => {
  const running = await start()
  const post = (member: string) =>
    running.send(
      'POST /admin/events',
      { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
      `{"customer":"ada","feature":"api_calls",${member}}`,
    )
  for (const value of VALUES) await expectRefused(running, `value ${value}`, await post(`"value":${value}`))
  for (const time of TIMES) await expectRefused(running, `timestamp ${time}`, await post(`"timestamp":${JSON.stringify(time)}`))
  for (const key of ['', ' ', 'x'.repeat(256), '\u00e9', 'a b', 'a\nb'])
    await expectRefused(running, `key ${key.slice(0, 9)}`, await post(`"idempotency_key":${JSON.stringify(key)}`))
  for (const properties of [
    '{"A":1}',
    '{"a":{"b":1}}',
    '{"a":null}',
    '{"":1}',
    `{"a":"${'x'.repeat(257)}"}`,
    '[]',
    `{${Array.from({ length: 33 }, (_, i) => `"p${i}":1`).join()}}`,
  ])
    await expectRefused(running, `properties ${properties.slice(0, 20)}`, await post(`"properties":${properties}`))
  for (const feature of ['', 'constructor', '__proto__', "x' OR 1=1", 'x'.repeat(65)])
    await expectRefused(running, `feature ${feature}`, await running.admin('POST /admin/events', { customer: 'ada', feature }))
  expect((await running.farebox.events.list()).items).toEqual([])
})

test('queries of every kind', async () => {
  const running = await start()
  for (const query of QUERIES) {
    for (const path of ['/events', '/invoices']) {
      const answer = await running.as('ada', `GET ${path}?${query}`)
      // The last of two is what counts.
      await expectRefused(running, `${path}?${query}`, answer)
    }
    await expectRefused(running, query, await running.admin(`GET /admin/customers?${query}`))
  }
  for (const time of TIMES.slice(2))
    await running
      .as('ada', `GET /events?period=${encodeURIComponent(time)}`)
      .then(({ status }) => expect([200, 400]).toContain(status))
  for (const path of ['/usage?x=1', '/plans?customer=bob', '/subscription?a', '/invoices/preview?b=2'])
    await expectRefused(running, path, await running.as('ada', `GET ${path}`))
  expect(running.errors).toEqual([])
})

test('headers of every kind, and paths that no route has', async () => {
  const running = await start()
  for (const authorization of ['Bearer', 'Bearer ', 'Basic YTpi', `Bearer ${'x'.repeat(8_000)}`, `bearer  ${ADMIN}x`, 'fb_x'])
    expect((await running.send('GET /usage', { authorization })).status).toBe(401)
  for (const path of [
    '/',
    '/nothing',
    '/admin',
    '/usage/',
    '/USAGE',
    '/invoices/a/b',
    '/..%2fadmin',
    '/%E0%A4%A',
    '/admin/customers/%00',
    `/${'x'.repeat(9_000)}`,
  ]) {
    const { status } = await running.as('ada', `GET ${path}`)
    expect(status === 401 || status === 404 || status === 400).toBe(true)
  }
  expect(running.errors).toEqual([])
})

test('a body that is larger than it says, and one that never ends, are cut off', async () => {
  const running = await start()
  const status = await new Promise<number>((resolve, reject) => {
    const request = http.request(`${running.url}/admin/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
    })
    // The server may close the connection while more is on its way.
    request.on('error', () => {})
    request.on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
      request.destroy()
    })
    const chunk = 'x'.repeat(64 * 1024)
    const send = (): void => {
      for (let i = 0; i < 8; i += 1) request.write(chunk)
      if (!request.destroyed) setImmediate(send)
    }
    request.on('close', () => reject(new Error('closed without an answer')))
    send()
  })
  expect(status).toBe(413)
  expect((await running.send('GET /openapi.json')).status).toBe(200)
})
