/** The billing routes: the same on every host, always reachable, never counted. */

import { billing, type BillingRouter } from '@farebox/core/billing'
import { expect } from 'vitest'
import type { Check } from '../check.ts'
import type { Call } from '../client.ts'
import type { SampleBillingLayer, SampleLayer } from '../sample.ts'
import { type App, LIMIT, type SampleChange, type World } from '../world.ts'
import { exhaust } from './exhaust.ts'

const ADMIN_KEY = 'the operator of the sample is the only one who knows this'

const OPERATOR: Call = { as: null, headers: { authorization: `Bearer ${ADMIN_KEY}` } }

/** Odd whitespace, a byte order that only UTF-8 has, and an escape that a second encoder would write otherwise. */
const ODD_BODY =
  '\n{ "customer"\t:"ada",\r\n "feature":"api_calls" ,"value": 1.50, "properties": {"note":"caffè ☕ \\u00e9"}  }\n\n'

/** As much of a body as a failure shows. */
const SHOWN = 40

const NOTE = 'caffè ☕ é'

function routesAt(path: string): SampleBillingLayer {
  return { kind: 'billing', path, adminKey: ADMIN_KEY }
}

interface Mounted {
  readonly app: App
  /** A customer's credentials. */
  readonly customer: Call
}

/** An application with the billing routes, whose customer `ada` has used up what she has. */
async function start(world: World, layers: SampleChange['layers']): Promise<Mounted> {
  const app = await world.start(layers === undefined ? {} : { layers })
  const { key } = await app.farebox.apiKeys.create({ customerId: 'ada' })
  await exhaust(app)
  return { app, customer: { as: null, headers: { 'x-api-key': key } } }
}

const routers = new WeakMap<App, BillingRouter>()

/** The routes without a host. Made once for an application, because a check asks them a hundred times. */
function routerOf(app: App): BillingRouter {
  const known = routers.get(app)
  if (known !== undefined) return known
  const router = billing({ farebox: app.farebox, adminKey: ADMIN_KEY })
  routers.set(app, router)
  return router
}

interface Asked {
  /** `METHOD /path`, below the mount. */
  readonly request: string
  readonly call: Call
  readonly mount?: string
}

/** Holds what a host answers to what the billing routes answer by themselves, without any host. Gives the status. */
async function answersAlike(app: App, { request, call, mount = '/billing' }: Asked): Promise<number> {
  const [method = '', path = ''] = request.split(' ')
  const { headers = {}, body } = call
  const init = { method, headers, ...(body === undefined ? {} : { body: Buffer.from(body) }) }
  const own = await routerOf(app).fetch(new Request(`http://host.test${path}`, init))
  const answer = await app.send(`${method} ${mount}${path}`, call)
  expect({
    request,
    sent: String(body).slice(0, SHOWN),
    status: answer.status,
    kind: answer.headers['content-type'],
    cache: answer.headers['cache-control'],
    body: answer.body,
  }).toEqual({
    request,
    sent: String(body).slice(0, SHOWN),
    status: own.status,
    kind: own.headers.get('content-type'),
    cache: own.headers.get('cache-control'),
    body: await own.text(),
  })
  return answer.status
}

/** Every path that is read, with ids that exist and with ids that do not. */
const READ_BY_CUSTOMER = [
  '/plans',
  '/usage',
  '/events?feature=api_calls&limit=2',
  '/invoices',
  '/invoices/preview',
  '/invoices/none',
  '/invoices/none/lines/plan_base?limit=1',
  '/invoices/none/events/1/proof',
  '/entitlements',
  '/entitlements/api_calls?value=0.5',
  '/credits/ledger?limit=1',
  '/balance',
  '/payments',
  '/payments/none',
  '/subscription',
  '/nope',
]
const READ_BY_OPERATOR = [
  '/admin/customers',
  '/admin/customers/ada',
  '/admin/customers/ada/usage',
  '/admin/customers/ada/entitlements/api_calls',
  '/admin/unpriced?customer=ada',
  '/admin/payments?under_way=true',
  '/admin/customers/ada/balance/ledger?limit=1',
  '/admin/catalog',
  '/admin/api-keys?customer=ada',
  '/admin/nope',
]
const READ_BY_ANYBODY = ['/openapi.json', '/usage', '/admin/customers']

const WRITTEN_BY_OPERATOR = [
  '/admin/customers',
  '/admin/customers/ada/subscription/change/preview',
  '/admin/corrections',
  '/admin/invoices',
  '/admin/customers/ada/credits/grants',
  '/admin/subscriptions',
  '/admin/api-keys',
  '/admin/events',
  '/admin/events/batch',
  '/admin/close',
]
const WRITTEN_BY_CUSTOMER = [
  '/subscription/change',
  '/subscription/cancel',
  '/credits/packs/small/purchases',
  '/balance/top-ups',
  '/checkout',
]
const BAD_BODIES = [
  '',
  'hello',
  '{"id":',
  '{} x',
  '[1]',
  'null',
  '['.repeat(100_000),
  '{"nobody":"knows"}',
  '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{}}}',
  Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d),
]
const BAD_KINDS = [
  {},
  { 'content-type': 'nonsense' },
  { 'content-type': 'text/plain' },
  { 'content-type': 'multipart/form-data; boundary=x' },
  { 'content-type': 'application/x-www-form-urlencoded' },
  { 'content-type': 'application/json', 'content-encoding': 'gzip' },
]
const BAD_PATHS = [
  '/admin/customers?limit=-1',
  '/admin/customers?__proto__=1',
  '/admin/customers/%00',
  '/admin/customers/..%2f..',
  '/nope',
]

/** Posts the odd body, as often as the operator reports it, beside parsers of the application. */
async function takesExactBytes(
  world: World,
  layers: (billingLayer: SampleLayer, meter: SampleLayer) => readonly SampleLayer[],
): Promise<void> {
  const app = await world.start({ layers: (meter) => layers(routesAt('/billing'), meter) })
  const call = { ...OPERATOR, headers: { ...OPERATOR.headers, 'content-type': 'application/json' }, body: ODD_BODY }
  expect(await app.send('POST /billing/admin/events', call)).toMatchObject({ status: 201 })
  expect(await app.used('ada')).toBe(1.5)
  const { items } = await app.farebox.events.list()
  expect(items.map(({ properties }) => properties)).toEqual([{ note: NOTE }])
}

export const BILLING_CHECKS: readonly Check[] = [
  {
    id: 'C59.1',
    situations: [59],
    level: 'MUST',
    title: 'a customer over the limit reaches the billing routes, in front of the meter or behind it, and they are never counted',
    async run(world) {
      for (const isMeterFirst of [true, false]) {
        const { app, customer } = await start(world, (meter) =>
          isMeterFirst ? [meter, routesAt('/billing')] : [routesAt('/billing'), meter],
        )
        for (const call of [customer, { headers: { ...customer.headers, 'x-customer': 'ada' } }]) {
          const answer = await app.send('GET /billing/usage', call)
          expect(answer.status).toBe(200)
          expect(JSON.parse(answer.body)).toMatchObject({ customer: 'ada' })
          expect(answer.headers.ratelimit).toBeUndefined()
        }
        expect(await app.send('GET /plain/1')).toMatchObject({ status: 402 })
        expect(await app.used('ada')).toBe(LIMIT)
      }
    },
  },
  {
    id: 'C59.2',
    situations: [59],
    level: 'MUST',
    title: 'every billing route answers with the status, the media type and the body that it has without a host',
    async run(world) {
      const { app, customer } = await start(world, (meter) => [routesAt('/billing'), meter])
      for (const [paths, call] of [
        [READ_BY_CUSTOMER, customer],
        [READ_BY_OPERATOR, OPERATOR],
        [READ_BY_ANYBODY, { as: null }],
      ] as const)
        for (const path of paths) await answersAlike(app, { request: `GET ${path}`, call })
    },
  },
  {
    id: 'C59.3',
    situations: [59],
    level: 'MUST',
    title:
      'what no client should send to a billing route is refused as it is without a host, with a code, and nothing comes of it',
    async run(world) {
      const { app, customer } = await start(world, (meter) => [routesAt('/billing'), meter])
      const sendAs =
        (by: Call) =>
        async (request: string, headers: Call['headers'], body?: Call['body']): Promise<void> => {
          const call = { as: null, headers: { ...by.headers, ...headers }, ...(body === undefined ? {} : { body }) }
          const status = await answersAlike(app, { request, call })
          expect(status >= 400 && status < 500).toBe(true)
        }
      for (const [paths, send] of [
        [WRITTEN_BY_OPERATOR, sendAs(OPERATOR)],
        [WRITTEN_BY_CUSTOMER, sendAs(customer)],
      ] as const)
        for (const path of paths) {
          for (const body of BAD_BODIES) await send(`POST ${path}`, { 'content-type': 'application/json' }, body)
          for (const headers of BAD_KINDS) await send(`POST ${path}`, headers, '{}')
          for (const method of ['PUT', 'PATCH', 'DELETE']) await send(`${method} ${path}`, {})
        }
      for (const path of BAD_PATHS) await sendAs(OPERATOR)(`GET ${path}`, {})
      expect(await app.used('ada')).toBe(LIMIT)
    },
  },
  {
    id: 'C60.1',
    situations: [60],
    level: 'MUST',
    title: 'a reported event is taken byte for byte when the JSON parser of the application comes after the billing routes',
    run: (world) => takesExactBytes(world, (routes, meter) => [routes, { kind: 'json' }, meter]),
  },
  {
    id: 'C60.2',
    situations: [60],
    level: 'MUST',
    title:
      'a reported event is taken when the JSON parser of the application comes before the billing routes and has read the body',
    run: (world) => takesExactBytes(world, (routes, meter) => [{ kind: 'json' }, routes, meter]),
  },
  {
    id: 'C60.3',
    situations: [60],
    level: 'MUST',
    title: 'a batch of a thousand events is taken whole, and counted once when it is sent again',
    async run(world) {
      const app = await world.start({ layers: (meter) => [routesAt('/billing'), meter] })
      await app.farebox.subscriptions.create({ customerId: 'ada', plan: 'large' })
      const events = Array.from({ length: 1000 }, (_, index) => ({
        customer: 'ada',
        feature: 'api_calls',
        idempotency_key: `event-${index}`,
        properties: { note: NOTE.repeat(20) },
      }))
      const call = {
        ...OPERATOR,
        headers: { ...OPERATOR.headers, 'content-type': 'application/json' },
        body: JSON.stringify({ events }),
      }
      for (let sent = 0; sent < 2; sent++)
        expect(await app.send('POST /billing/admin/events/batch', call)).toMatchObject({ status: 200 })
      expect(await app.used('ada')).toBe(events.length)
    },
  },
  {
    id: 'C62',
    situations: [62],
    level: 'MUST',
    title: 'below a longer prefix the billing routes see their path and the query whole',
    async run(world) {
      const { app, customer } = await start(world, (meter) => [routesAt('/v1/pay/billing'), meter])
      for (const path of ['/events?feature=api_calls&limit=1', '/usage', '/usage?unknown=a%20b'])
        await answersAlike(app, { request: `GET ${path}`, call: customer, mount: '/v1/pay/billing' })
    },
  },
  {
    id: 'C63',
    situations: [63],
    level: 'MUST',
    title: 'the global Request and Response stay what they are',
    async run(world) {
      const before = [globalThis.Request, globalThis.Response, globalThis.fetch, globalThis.Headers]
      const { app, customer } = await start(world, (meter) => [routesAt('/billing'), meter])
      expect(await app.send('GET /billing/usage', customer)).toMatchObject({ status: 200 })
      expect([globalThis.Request, globalThis.Response, globalThis.fetch, globalThis.Headers]).toEqual(before)
    },
  },
]
