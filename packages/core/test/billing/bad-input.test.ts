/** What no client should send, on every route: a 4xx with a code, never a 500, and the server goes on. */

import http from 'node:http'
import { expect, test } from 'vitest'
import { PROBLEMS } from '../../src/http/problem.ts'
import { describedOperations, type Operation, pathOf, SOME } from './operations.ts'
import { shop } from './shop.ts'
import { ADMIN, type Answer, type Running, start } from './start.ts'

/** Takes bodies of three kinds, and events without any. */
const CLOUD_EVENTS = '/api/v1/events'

const operations = await describedOperations()
const withBody = operations.filter(({ kinds }) => kinds.length > 0)

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

/** An instant like others, and the last one that there is. */
const FURTHEST = '9999-12-31T23:59:59Z'

const TIMES = [
  '0000-01-01T00:00:00Z',
  '1969-12-31T23:59:59Z',
  FURTHEST,
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

/** Sends with the credentials that the route asks for, and to a path whose names are there. */
async function sendTo(
  running: Running,
  operation: Operation,
  headers: Record<string, string> = {},
  body?: string | Uint8Array,
): Promise<Answer> {
  const request = `${operation.method} ${pathOf(operation, SOME)}`
  if (operation.isOperators) return running.send(request, { authorization: `Bearer ${ADMIN}`, ...headers }, body)
  return running.as('ada', request, headers, body)
}

function isThere(method: string, path: string): boolean {
  return operations.some((operation) => operation.method === method && operation.path === path)
}

/** Somebody whom the paths name, and to whom everything can happen. */
async function withAda(): Promise<Running> {
  const running = await start({}, { catalog: shop })
  await running.farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })
  await running.farebox.closePeriods()
  return running
}

test.each(withBody)('bodies sent to $name', async (operation) => {
  const running = await withAda()
  const [kind = ''] = operation.kinds
  const before = (await running.admin('GET /admin/customers/ada/subscription')).text
  for (const [what, body] of BODIES)
    await expectRefused(running, what, await sendTo(running, operation, { 'content-type': kind }, body))
  for (const type of [
    'text/plain',
    'application/xml',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'nonsense',
  ])
    expect(await sendTo(running, operation, { 'content-type': type }, '{}')).toMatchObject({ status: 415 })
  for (const encoding of ['gzip', 'br', 'deflate'])
    expect((await sendTo(running, operation, { 'content-type': kind, 'content-encoding': encoding }, '{}')).status).toBe(415)
  const tooLarge = `{"id":"${'x'.repeat(1024 * 1024)}"}`
  const answer = await sendTo(running, operation, { 'content-type': kind }, tooLarge)
  expect([answer.status, answer.json['code']]).toEqual([413, 'body_too_large'])
  if (operation.needsBody) await expectRefused(running, 'no body at all', await sendTo(running, operation))
  const others = ['PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter((method) => !isThere(method, operation.path))
  // What a browser asks before it sends anything is no way to send it.
  for (const method of others) expect([404, 415]).toContain((await sendTo(running, { ...operation, method })).status)
  expect((await running.admin('GET /admin/customers/ada/subscription')).text).toBe(before)
  expect((await running.admin('GET /admin/audit')).json).toMatchObject({ ok: true, events: 0 })
  // What may be left out is: last, because something comes of it.
  if (!operation.needsBody && operation.path !== CLOUD_EVENTS) expect((await sendTo(running, operation)).status).toBeLessThan(410)
  expect(running.errors).toEqual([])
})

test.each(withBody)('a body that says neither its kind nor its length, as HTTP/2 has them, sent to $name', async (operation) => {
  const { router, errors, farebox } = await withAda()
  const { key } = await farebox.apiKeys.create({ customerId: 'ada' })
  const credential = operation.isOperators ? ADMIN : key
  const isOptional = !operation.needsBody && operation.path !== CLOUD_EVENTS
  for (const text of ['{"customer":"ada"}', '']) {
    const sent = {
      method: operation.method,
      headers: { authorization: `Bearer ${credential}` },
      body: new Blob([text]).stream(),
      duplex: 'half' as const,
    }
    const response = await router.fetch(new Request(`http://host.test${pathOf(operation, SOME)}`, sent))
    const { status } = response
    if (text !== '') expect(status).toBe(415)
    else if (isOptional) expect([200, 202, 404, 409]).toContain(status)
    else expect([400, 415]).toContain(status)
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
    const { status } = await running.admin(`GET /admin/api-keys?customer=${encodeURIComponent(id)}`)
    expect(`${what} api keys ${status}`).toMatch(/ (200|4\d\d)$/)
  }
  expect(running.errors).toEqual([])
  expect((await running.admin('GET /admin/audit')).json).toMatchObject({ ok: true })
})

test.each(operations.filter(({ names }) => names.length > 0))('ids of every kind in the path of $name', async (operation) => {
  const running = await withAda()
  for (const name of operation.names) {
    for (const id of IDS.filter((one) => one.isWellFormed())) {
      const path = pathOf(operation, { ...SOME, [name]: id })
      const body = operation.kinds.length === 0 ? undefined : '{}'
      const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
      const authorization = `Bearer ${ADMIN}`
      const { status } = operation.isOperators
        ? await running.send(`${operation.method} ${path}`, { authorization, ...headers }, body)
        : await running.as('ada', `${operation.method} ${path}`, headers, body)
      expect(`${name} ${JSON.stringify(id).slice(0, 40)} ${status}`).toMatch(/ (200|4\d\d)$/)
    }
  }
  expect(running.errors).toEqual([])
})

test('values, times and token counts of every kind, wherever one goes in', async () => {
  const running = await withAda()
  await running.farebox.usage.track({ customerId: 'ada', feature: 'api_calls', idempotencyKey: 'k' })
  const say = async (what: string, request: string, text: string): Promise<void> => {
    const headers = { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' }
    await expectRefused(running, `${request} ${what}`, await running.send(request, headers, text))
  }
  const counted = '"customer":"ada","feature":"api_calls","model":"parrot-1"'
  for (const value of VALUES) {
    await say(value, 'POST /admin/corrections', `{"customer":"ada","idempotency_key":"k","value":${value}}`)
    await say(value, 'POST /admin/events', `{${counted},"input_tokens":${value},"output_tokens":1}`)
    await say(value, 'POST /admin/subscriptions/prices', `{"when":"now","limit":${value}}`)
    const query = encodeURIComponent(value.replaceAll('"', ''))
    await expectRefused(running, value, await running.as('ada', `GET /entitlements/api_calls?value=${query}`))
  }
  const ofAda = '/admin/customers/ada/subscription'
  for (const time of TIMES.filter((one) => one !== FURTHEST).map((one) => JSON.stringify(one))) {
    await say(time, 'POST /admin/subscriptions', `{"customer":"bob","plan":"free","starts_at":${time}}`)
    for (const what of ['change', 'change/preview'])
      await say(time, `POST ${ofAda}/${what}`, `{"plan":"max","when":{"at":${time}}}`)
    for (const what of ['cancel', 'cancel/preview', 'pause']) await say(time, `POST ${ofAda}/${what}`, `{"when":{"at":${time}}}`)
    await say(time, `POST ${ofAda}/pause`, `{"resumes_at":${time}}`)
    await say(time, 'POST /admin/close', `{"until":${time}}`)
  }
  const amounts = VALUES.filter((value) => !['9007199254740993', '1e-9'].includes(value))
  for (const amount of [...amounts, '"0"', '"1.001"', '"1,00"', '1', '"99999999999"']) {
    const [top, key] = [`"amount":${amount}`, '"idempotency_key":"k"']
    await say(amount, 'POST /admin/customers/ada/balance/grants', `{${top}}`)
    await say(amount, 'POST /admin/customers/ada/balance/grants/plan-1/revoke', `{${top}}`)
    await say(amount, 'POST /admin/payments/none/refunds', `{${top},${key}}`)
    await say(amount, 'POST /admin/invoices', `{"customer":"ada","lines":[{"description":"a",${top}}],${key}}`)
    await say(amount, 'POST /admin/invoices/FB-000001/credit-notes', `{${top},"reason":"a",${key}}`)
    const headers = { 'content-type': 'application/json' }
    await expectRefused(running, amount, await running.as('ada', 'POST /balance/top-ups', headers, `{${top},${key}}`))
    const settings = `{"threshold":"1.00","amount":"1.00","monthly_ceiling":${amount}}`
    await expectRefused(running, amount, await running.as('ada', 'PUT /balance/auto-top-up', headers, settings))
  }
  for (const value of VALUES) {
    await say(value, 'POST /admin/customers/ada/credits/grants', `{"credits":${value}}`)
    await say(value, 'POST /admin/customers/ada/credits/grants', `{"credits":1,"priority":${value}}`)
  }
  for (const when of ['"soon"', '""', 'null', '7', '[]', '{}', '{"at":null}', '{"at":7}', '{"at":"now","or":1}'])
    for (const what of ['change', 'cancel', 'pause', 'prices'])
      await say(when, `POST ${ofAda}/${what}`, `{"plan":"max","when":${when}}`)
  expect(running.errors).toEqual([])
  expect((await running.farebox.events.list()).items).toHaveLength(1)
})

test.each(['change', 'cancel', 'pause'])(
  'a %s at the end of the year 9999 is one, and everything can still be read',
  async (what) => {
    const running = await withAda()
    const ofAda = '/admin/customers/ada/subscription'
    const when = { at: FURTHEST }
    expect((await running.admin(`POST ${ofAda}/${what}`, what === 'change' ? { plan: 'yearly', when } : { when })).status).toBe(
      200,
    )
    expect(
      (await running.admin('POST /admin/subscriptions', { customer: 'bob', plan: 'yearly', starts_at: FURTHEST })).status,
    ).toBe(200)
    for (const operation of operations.filter(({ method }) => method === 'GET')) {
      for (const customer of ['ada', 'bob']) {
        const path = pathOf(operation, { ...SOME, customer })
        const { status } = await (operation.isOperators ? running.admin(`GET ${path}`) : running.as(customer, `GET ${path}`))
        expect(`${operation.name} ${status}`).toMatch(/ (200|400|404)$/)
      }
    }
    expect(running.errors).toEqual([])
  },
)

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

test.each(operations.filter(({ method }) => method === 'GET'))('queries of every kind sent to $name', async (operation) => {
  const running = await withAda()
  const ask = (query: string) => sendTo(running, { ...operation, path: `${operation.path}?${query}` })
  const isListing = operation.queries.includes('limit')
  // The last of two is what counts.
  const queries = isListing ? QUERIES : QUERIES.filter((query) => !/^(limit|cursor)=/.test(query))
  for (const query of queries) await expectRefused(running, `${operation.name}?${query}`, await ask(query))
  if (!isListing) for (const query of ['limit=1', 'cursor=x']) await expectRefused(running, query, await ask(query))
  for (const time of operation.queries.includes('period') ? TIMES.slice(2) : [])
    expect([200, 400]).toContain((await ask(`period=${encodeURIComponent(time)}`)).status)
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
