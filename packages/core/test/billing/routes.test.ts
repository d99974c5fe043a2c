/** What each billing route answers, and to whom. */

import { describe, expect, test } from 'vitest'
import { billing } from '../../src/billing/index.ts'
import { ADMIN, start } from './start.ts'

const DAY = 86_400_000

const NOTHING_BOUGHT = { credits: { available: '0' }, balance: { currency: 'USD', available: '0', overdraft: '0' } }

describe('a customer', () => {
  test('sees the plans, the own subscription and the usage with what is left', async () => {
    const { farebox, as } = await start()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })
    await farebox.usage.track({ customerId: 'ada', feature: 'downloads', value: '2.5' })
    const plans = (await as('ada', 'GET /plans')).json['plans'] as { code: string; price: string; features: object }[]
    expect(plans.map(({ code, price }) => `${code} ${price}`)).toContain('pro 29')
    expect(plans[0]?.features).toEqual({
      api_calls: { included: '10', overage: 'block' },
      downloads: { included: '1', overage: 'block' },
    })
    expect((await as('ada', 'GET /subscription')).json).toMatchObject({
      customer: 'ada',
      plan: 'pro',
      status: 'active',
      starts_at: '2026-01-01T00:00:00.000Z',
      ends_at: null,
    })
    expect((await as('ada', 'GET /usage')).json).toEqual({
      ...NOTHING_BOUGHT,
      customer: 'ada',
      features: [
        {
          feature: 'api_calls',
          period: ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z'],
          unit: null,
          included: '100',
          used: '0',
          reserved: '0',
          remaining: '100',
        },
        {
          feature: 'downloads',
          period: ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z'],
          unit: null,
          included: '5',
          used: '2.5',
          reserved: '0',
          remaining: '2.5',
        },
      ],
    })
  })

  test('who never called has no subscription yet, and no usage', async () => {
    const { as } = await start()
    expect(await as('new', 'GET /subscription')).toMatchObject({ status: 404, json: { code: 'not_found' } })
    expect((await as('new', 'GET /usage')).json).toEqual({ ...NOTHING_BOUGHT, customer: 'new', features: [] })
    expect((await as('new', 'GET /events')).json).toEqual({ items: [], next: null })
    expect((await as('new', 'GET /invoices/preview')).json).toEqual({ invoice: null })
  })

  test('reads all events of a period page by page, newest first, whatever the feature', async () => {
    const { farebox, clock, as } = await start()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })
    for (let i = 0; i < 23; i += 1) {
      clock.advance(1_000)
      await farebox.usage.track({ customerId: 'ada', feature: i % 3 === 0 ? 'downloads' : 'api_calls', idempotencyKey: `k${i}` })
      await farebox.usage.track({ customerId: 'bob', feature: 'api_calls' }).catch(() => {})
    }
    const keys: string[] = []
    let cursor: string | null = null
    let pages = 0
    do {
      const page = await as('ada', `GET /events?limit=5${cursor === null ? '' : `&cursor=${cursor}`}`)
      expect(page.status).toBe(200)
      keys.push(...(page.json['items'] as { key: string }[]).map(({ key }) => key))
      cursor = page.json['next'] as string | null
      pages += 1
    } while (cursor !== null && pages < 10)
    expect(keys).toEqual(Array.from({ length: 23 }, (_, i) => `k${22 - i}`))
    expect(pages).toBe(5)
    const { json } = await as('ada', 'GET /events?feature=downloads')
    expect(json['items']).toHaveLength(8)
    expect((json['items'] as object[])[0]).toEqual({
      seq: expect.any(Number) as number,
      key: 'k21',
      customer: 'ada',
      feature: 'downloads',
      quantity: '1',
      timestamp: '2026-01-01T00:00:22.000Z',
      route: null,
      properties: null,
    })
  })

  test('reads the events of a period that is invoiced, by any instant of it', async () => {
    const { farebox, clock, as } = await start()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })
    await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', idempotencyKey: 'january' })
    clock.advance(40 * DAY)
    await farebox.closePeriods()
    await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', idempotencyKey: 'february' })
    const keysOf = async (query: string): Promise<unknown> =>
      ((await as('ada', `GET /events${query}`)).json['items'] as { key: string }[]).map(({ key }) => key)
    expect(await keysOf('')).toEqual(['february'])
    expect(await keysOf('?period=2026-01-17T12:00:00Z')).toEqual(['january'])
  })

  test('a cursor goes on only in the listing it is from', async () => {
    const { farebox, clock, as } = await start()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })
    for (const key of ['a', 'b', 'c']) await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', idempotencyKey: key })
    const { next } = (await as('ada', 'GET /events?limit=1&feature=api_calls')).json
    await farebox.subscriptions.create({ customerId: 'bob', plan: 'pro' })
    await farebox.usage.track({ customerId: 'bob', feature: 'api_calls', idempotencyKey: 'e' })
    const others = await as('bob', `GET /events?cursor=${String(next)}`)
    expect([others.status, others.json['code']]).toEqual([400, 'invalid_cursor'])
    // A page that was begun in one month ends in it, also when the next month comes in between.
    clock.advance(31 * DAY)
    const rest = await as('ada', `GET /events?feature=api_calls&cursor=${String(next)}`)
    expect((rest.json['items'] as { key: string }[]).map(({ key }) => key)).toEqual(['b', 'a'])
  })

  test('has invoices as JSON, as a page, and the preview of the next', async () => {
    const { farebox, clock, as } = await start()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })
    await farebox.closePeriods()
    await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', value: 104 })
    const preview = (await as('ada', 'GET /invoices/preview')).json['invoice']
    expect(preview).toMatchObject({ customer: 'ada', status: 'draft', number: null, total: '29.40' })
    clock.advance(31 * DAY)
    await farebox.closePeriods()
    const { items, next } = (await as('ada', 'GET /invoices')).json as {
      items: { id: string; number: string; total: string }[]
      next: null
    }
    expect(items.map(({ number, total }) => [number, total])).toEqual([
      ['FB-000001', '29.00'],
      ['FB-000002', '29.40'],
    ])
    expect(next).toBeNull()
    const first = (await as('ada', 'GET /invoices?limit=1')).json
    expect(first['items']).toHaveLength(1)
    const second = (await as('ada', `GET /invoices?limit=1&cursor=${String(first['next'])}`)).json
    expect(second['items']).toMatchObject([{ number: 'FB-000002' }])
    for (const name of [items[0]?.id, 'FB-000001']) expect((await as('ada', `GET /invoices/${name}`)).json).toEqual(items[0])
    const html = await as('ada', 'GET /invoices/FB-000002', { accept: 'text/html,*/*;q=0.8' })
    expect(html.headers.get('content-type')).toBe('text/html; charset=UTF-8')
    expect(html.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(html.headers.get('x-content-type-options')).toBe('nosniff')
    expect(html.text).toContain('29.40')
  })

  test('reaches every route over the limit, and pays nothing for it', async () => {
    const { farebox, as } = await start()
    await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', value: 10 })
    for (const path of ['/plans', '/usage', '/events', '/invoices', '/invoices/preview', '/subscription'])
      expect((await as('ada', `GET ${path}`)).status).toBe(200)
    expect((await farebox.events.list()).items).toHaveLength(1)
  })
})

describe('the operator', () => {
  test('makes customers, twice is once', async () => {
    const { admin } = await start()
    const ada = { id: 'ada', name: 'Ada', email: 'ada@example.com', time_zone: 'Europe/Lisbon' }
    expect(await admin('POST /admin/customers', ada)).toMatchObject({
      status: 201,
      json: { ...ada, created_at: '2026-01-01T00:00:00.000Z' },
    })
    expect(await admin('POST /admin/customers', { id: 'ada', name: 'Ada L.' })).toMatchObject({
      status: 200,
      json: { ...ada, name: 'Ada L.' },
    })
    await admin('POST /admin/customers', { id: 'bob' })
    expect((await admin('GET /admin/customers/ada')).json).toMatchObject({ name: 'Ada L.' })
    const page = (await admin('GET /admin/customers?limit=1')).json
    expect(page['items']).toMatchObject([{ id: 'ada' }])
    expect((await admin(`GET /admin/customers?cursor=${String(page['next'])}`)).json['items']).toMatchObject([{ id: 'bob' }])
    expect(await admin('GET /admin/customers/nobody')).toMatchObject({ status: 404, json: { code: 'not_found' } })
  })

  test('subscribes them, and sees what each of them sees', async () => {
    const { admin, farebox } = await start()
    expect(await admin('POST /admin/subscriptions', { customer: 'ada', plan: 'pro' })).toMatchObject({
      status: 200,
      json: { plan: 'pro' },
    })
    expect((await admin('POST /admin/subscriptions', { customer: 'ada', plan: 'pro' })).status).toBe(200)
    expect(await admin('POST /admin/subscriptions', { customer: 'ada', plan: 'free' })).toMatchObject({
      status: 409,
      json: { code: 'already_subscribed' },
    })
    await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', value: 3 })
    expect((await admin('GET /admin/customers/ada/subscription')).json).toMatchObject({ plan: 'pro' })
    expect((await admin('GET /admin/customers/ada/usage')).json).toMatchObject({ features: [{ used: '3' }, {}] })
    expect((await admin('GET /admin/customers/ada/events')).json).toMatchObject({ items: [{ quantity: '3' }] })
    expect((await admin('GET /admin/customers/ada/preview')).json).toMatchObject({ invoice: { customer: 'ada' } })
    expect((await admin('GET /admin/customers/ada/invoices')).json).toEqual({ items: [], next: null })
    expect((await admin('GET /admin/customers/bob/subscription')).status).toBe(404)
  })

  test('makes keys that work until they are revoked', async () => {
    const { admin, send } = await start()
    const made = await admin('POST /admin/api-keys', { customer: 'ada', name: 'laptop' })
    expect(made).toMatchObject({ status: 201, json: { customer: 'ada', name: 'laptop', revoked_at: null } })
    const { id, key } = made.json as { id: string; key: string }
    expect((await send('GET /usage', { authorization: `Bearer ${key}` })).status).toBe(200)
    const listed = await admin('GET /admin/api-keys?customer=ada')
    expect(listed.json).toMatchObject({ api_keys: [{ id, name: 'laptop' }] })
    expect(listed.text).not.toContain(key.split('_')[2])
    expect((await admin(`DELETE /admin/api-keys/${id}`)).json).toMatchObject({ id, revoked_at: '2026-01-01T00:00:00.000Z' })
    expect((await send('GET /usage', { authorization: `Bearer ${key}` })).status).toBe(401)
    expect((await admin('DELETE /admin/api-keys/none')).status).toBe(404)
  })

  test('closes periods, audits, and reads every invoice and the catalog', async () => {
    const { admin, clock, farebox } = await start()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })
    clock.advance(31 * DAY)
    expect((await admin('POST /admin/close', { until: '2026-01-15T00:00:00Z' })).json).toEqual({
      invoices: ['FB-000001'],
      held: [],
      waiting: [],
    })
    expect((await admin('POST /admin/close')).json).toEqual({ invoices: ['FB-000002'], held: [], waiting: [] })
    expect((await admin('POST /admin/close', {})).json).toMatchObject({ invoices: [] })
    expect(await admin('POST /admin/close', { until: '2027-01-01T00:00:00Z' })).toMatchObject({
      status: 400,
      json: { code: 'invalid_request' },
    })
    expect((await admin('GET /admin/invoices')).json['items']).toHaveLength(2)
    expect((await admin('GET /admin/invoices/FB-000001')).json).toMatchObject({ number: 'FB-000001' })
    expect((await admin('GET /admin/audit')).json).toEqual({ ok: true, events: 0, differences: [] })
    expect((await admin('GET /admin/catalog')).json).toMatchObject({
      version: farebox.catalog.version,
      catalog: { currency: 'USD' },
    })
  })

  test('reports one event: counted, counted before, another one, not allowed', async () => {
    const { admin, farebox } = await start()
    const event = {
      customer: 'ada',
      feature: 'downloads',
      value: '0.25',
      idempotency_key: 'k1',
      properties: { region: 'eu', cold: true },
    }
    expect(await admin('POST /admin/events', event)).toMatchObject({ status: 201, json: { result: 'recorded', key: 'k1' } })
    expect(await admin('POST /admin/events', event)).toMatchObject({ status: 200, json: { result: 'repeat', key: 'k1' } })
    expect(await admin('POST /admin/events', { ...event, value: 2 })).toMatchObject({
      status: 409,
      json: { code: 'key_conflict', fields: ['value'] },
    })
    const refused = await admin('POST /admin/events', { customer: 'ada', feature: 'downloads', value: 1 })
    expect(refused).toMatchObject({ status: 402, json: { code: 'allowance_exhausted', remaining: 0.75, requested: 1 } })
    expect(refused.headers.get('ratelimit')).toMatch(/^"downloads";r=0/)
    expect((await farebox.events.list()).items).toMatchObject([{ quantity: 250_000n, properties: { region: 'eu', cold: true } }])
  })

  test('reports a batch, each event with a result of its own, in their order', async () => {
    const { admin, farebox } = await start()
    const a = { customer: 'ada', feature: 'api_calls', idempotency_key: 'a' }
    const { status, json } = await admin('POST /admin/events/batch', {
      events: [
        a,
        a,
        { ...a, value: 2 },
        { ...a, feature: 'nonsense' },
        { customer: 'ada' },
        { ...a, idempotency_key: 'b', value: 'NaN' },
        'text',
      ],
    })
    expect(status).toBe(200)
    expect(
      (json['results'] as { result: string; problem?: { code: string } }[]).map(({ result, problem }) => problem?.code ?? result),
    ).toEqual(['recorded', 'repeat', 'key_conflict', 'unknown_feature', 'invalid_request', 'invalid_quantity', 'invalid_request'])
    expect((await farebox.events.list()).items).toHaveLength(1)
    expect((await admin('POST /admin/events/batch', { events: Array.from({ length: 1001 }, () => a) })).status).toBe(400)
    const many = Array.from({ length: 1000 }, (_, i) => ({ customer: `c${i}`, feature: 'api_calls' }))
    expect((await admin('POST /admin/events/batch', { events: many })).json['results']).toHaveLength(1000)
  })
})

describe('the router', () => {
  test('a host that leaves the prefix in the URL says so, and no half of a name is one', async () => {
    const { as, send } = await start({ basePath: '/v1/billing' })
    expect((await send('GET /v1/billing/openapi.json')).status).toBe(200)
    expect((await send('GET /openapi.json')).status).toBe(200)
    expect((await as('ada', 'GET /v1/billings/openapi.json')).status).toBe(404)
    // What is guarded stays guarded below the prefix.
    expect((await send('GET /v1/billing/usage')).status).toBe(401)
    expect((await send('GET /v1/billing/admin/catalog')).status).toBe(401)
    for (const basePath of ['billing', '/billing/', '/', '/a b', 5])
      expect(() => billing({ basePath: basePath as string })).toThrow('basePath')
  })

  test('the application may say who is calling', async () => {
    const { farebox } = await start()
    const router = billing({ farebox, identify: async ({ headers }) => headers.get('x-user') })
    const ask = (headers: Record<string, string>) => router.fetch(new Request('http://a.test/usage', { headers }))
    expect(await (await ask({ 'x-user': 'ada' })).json()).toEqual({ ...NOTHING_BOUGHT, customer: 'ada', features: [] })
    expect((await ask({})).status).toBe(401)
  })

  test.each([
    [{ adminKey: 'too short' }, 'invalid_option'],
    [{ adminkey: ADMIN }, 'invalid_option'],
    [{ identify: 'x' }, 'invalid_option'],
    [{ farebox: {} }, 'invalid_option'],
  ])('options are checked: %o', async (options, code) => {
    const { farebox } = await start()
    expect(() => billing({ farebox, ...options } as never)).toThrow(expect.objectContaining({ code }) as Error)
    expect(() => billing({ farebox, ...options } as never)).not.toThrow(/too short/)
  })
})
