/** Who may call which route, and that no customer ever sees or changes anything of another's. */

import { describe, expect, test } from 'vitest'
import { billing } from '../../src/billing/index.ts'
import { sandbox } from '../../src/providers/sandbox.ts'
import { describedOperations, type Operation, operationsOf, pathOf, SOME } from './operations.ts'
import { shop } from './shop.ts'
import { ADMIN, type Answer, type Running, start } from './start.ts'

const DAY = 86_400_000

const operations = await describedOperations()
const ofCustomers = operations.filter(({ isOperators }) => !isOperators)
const ofOperator = operations.filter(({ isOperators }) => isOperators)

describe('who may come in', () => {
  test('the document has the routes of both', () => {
    expect([ofCustomers.length >= 25, ofOperator.length >= 55]).toEqual([true, true])
    for (const { path, isOperators } of operations) expect([path, /^\/(admin|api)\//.test(path)]).toEqual([path, isOperators])
  })

  test('a stranger comes nowhere but to the document', async () => {
    const { send } = await start()
    for (const operation of operations) {
      const answer = await send(`${operation.method} ${pathOf(operation, SOME)}`)
      expect([operation.name, answer.status, answer.headers.get('www-authenticate'), answer.json['code']]).toEqual([
        operation.name,
        401,
        'Bearer',
        operation.isOperators ? 'admin_required' : 'unidentified_customer',
      ])
    }
    for (const request of ['GET /admin/nothing', 'POST /api/v1/nothing', 'GET /nothing'])
      expect((await send(request)).status).toBe(401)
    expect((await send('GET /openapi.json')).status).toBe(200)
  })

  test('a customer is no operator, and the operator no customer', async () => {
    const { as, send } = await start()
    const asOperator = { authorization: `Bearer ${ADMIN}` }
    for (const operation of ofOperator)
      expect(await as('ada', `${operation.method} ${pathOf(operation, SOME)}`)).toMatchObject({
        status: 401,
        json: { code: 'admin_required' },
      })
    for (const operation of ofCustomers)
      expect([operation.name, (await send(`${operation.method} ${pathOf(operation, SOME)}`, asOperator)).status]).toEqual([
        operation.name,
        401,
      ])
    for (const wrong of [`${ADMIN}x`, ADMIN.slice(1), ADMIN.toUpperCase(), ''])
      expect((await send('GET /admin/customers', { authorization: `Bearer ${wrong}` })).status).toBe(401)
    expect((await send('GET /admin/customers', { authorization: `bearer ${ADMIN}` })).status).toBe(200)
  })

  test('without an admin key the routes of the operator are off', async () => {
    const { farebox } = await start()
    const router = billing({ farebox })
    for (const operation of operationsOf(router).filter(({ isOperators }) => isOperators)) {
      const url = `http://a.test${pathOf(operation, SOME)}`
      const response = await router.fetch(new Request(url, { method: operation.method, headers: { authorization: 'Bearer ' } }))
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([403, 'admin_disabled'])
    }
  })
})

/** What a customer may say to each route that changes something. */
const SAID: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'POST /subscription/change/preview': { plan: 'max' },
  'POST /subscription/change': { plan: 'max' },
  'POST /subscription/cancel/preview': {},
  'POST /subscription/cancel': {},
  'POST /subscription/reactivate': {},
  'POST /subscription/coupons': { coupon: 'welcome' },
  'POST /credits/packs/{pack}/purchases': { idempotency_key: 'mine' },
  'POST /balance/top-ups': { amount: '5.00', idempotency_key: 'mine' },
  'PUT /balance/auto-top-up': { threshold: '1.00', amount: '5.00', monthly_ceiling: '50.00' },
  'DELETE /balance/auto-top-up': {},
  'POST /invoices/{id}/pay': {},
  'POST /checkout': { success_url: 'https://app.example.com/' },
}

/** Whose cursors are tried on one another. */
const LISTINGS = [
  '/events?limit=1',
  '/events?limit=1&period=2026-01-05T00:00:00Z',
  '/invoices?limit=1',
  '/payments?limit=1',
  '/credits/ledger?limit=1',
  '/balance/ledger?limit=1',
]

interface World extends Running {
  /** Everything that has a name, of both customers: invoices, their lines, places of events. */
  readonly names: Readonly<Record<'id' | 'line' | 'seq' | 'feature', readonly string[]>>
  /** Names of bob's invoices and payments. */
  readonly bobs: ReadonlySet<string>
}

/** Two customers with the same history: invoices, payments, grants, corrections, what came late, usage of the running period. */
async function twoCustomers(): Promise<World> {
  const running = await start({}, { catalog: shop, payments: sandbox() })
  const { farebox, clock } = running
  for (const customerId of ['ada', 'bob']) {
    const event = { customerId, feature: 'api_calls', properties: { of: customerId } }
    await farebox.customers.create({ id: customerId, name: customerId, taxId: `tax-of-${customerId}` })
    await farebox.subscriptions.create({ customerId, plan: 'pro' })
    await farebox.payments.attach({ customerId, paymentMethod: 'sandbox_card' })
    await farebox.credits.buyPack({ customerId, pack: 'small', idempotencyKey: 'mine' })
    await farebox.balance.topUp({ customerId, amount: '7.00', idempotencyKey: 'mine-too' })
    await farebox.balance.grant({ customerId, amount: '3.00', reason: `for ${customerId}` })
    await farebox.balance.setAutoTopUp(customerId, { threshold: '0.50', amount: '4.00', monthlyCeiling: '40.00' })
    for (let i = 0; i < 3; i += 1) await farebox.usage.track({ ...event, idempotencyKey: `of-${customerId}-${i}` })
    await farebox.usage.correct({ customerId, idempotencyKey: `of-${customerId}-0`, properties: { of: customerId } })
  }
  clock.advance(31 * DAY)
  await farebox.closePeriods()
  for (const customerId of ['ada', 'bob']) {
    const event = { customerId, feature: 'api_calls', properties: { of: customerId } }
    await farebox.usage.track({ ...event, idempotencyKey: `late-of-${customerId}`, timestamp: '2026-01-20T00:00:00Z' })
    await farebox.usage.track({ ...event, idempotencyKey: `now-of-${customerId}` })
  }
  const invoices = (await farebox.invoices.list()).items
  const events = (await farebox.events.list()).items
  const payments = (await farebox.payments.list()).items
  return {
    ...running,
    names: {
      id: [...invoices.flatMap(({ id, number }) => [id, number ?? '']), ...payments.map(({ id }) => id)],
      line: [...new Set(invoices.flatMap(({ lines }) => lines.map(({ id }) => id)))],
      seq: [...new Set(events.map(({ seq }) => String(seq)))],
      feature: [...shop.features.keys()],
    },
    bobs: new Set(
      [
        ...invoices.flatMap(({ customerId, id, number }) => [
          { customerId, id },
          { customerId, id: number ?? '' },
        ]),
        ...payments,
      ]
        .filter(({ customerId }) => customerId === 'bob')
        .map(({ id }) => id),
    ),
  }
}

/** Every way to fill the names of a path. */
function filled(operation: Operation, { names }: World): Record<string, string>[] {
  return operation.names.reduce<Record<string, string>[]>(
    (ways, name) =>
      ways.flatMap((way) => (names[name as keyof World['names']] ?? []).map((value) => ({ ...way, [name]: value }))),
    [{}],
  )
}

/** All that the operator can see of bob. */
async function seenOfBob({ admin }: World): Promise<string[]> {
  const paths = ofOperator.filter(({ method, path }) => method === 'GET' && path.includes('{customer}'))
  const answers = await Promise.all([
    ...paths.map((operation) => admin(`GET ${pathOf(operation, { customer: 'bob', feature: 'api_calls' })}`)),
    admin('GET /admin/api-keys?customer=bob'),
    admin('GET /admin/payments?customer=bob'),
  ])
  return answers.map(({ text }) => text)
}

describe('two customers', () => {
  const reads = ofCustomers.filter(({ method }) => method === 'GET')
  const changes = ofCustomers.filter(({ method }) => method !== 'GET')

  test.each(reads)('$name shows one nothing of the other, whatever the ids, the cursors and the members', async (operation) => {
    const world = await twoCustomers()
    const { as, bobs } = world
    const ways = filled(operation, world)
    expect(ways.length).toBeGreaterThan(0)
    const cursors = await Promise.all(
      LISTINGS.map(async (path) => (await as('bob', `GET ${path}`)).json['next'] as string | null),
    )
    const queries = ['', ...cursors.flatMap((cursor) => (cursor === null ? [] : [`?cursor=${cursor}`]))]
    for (const way of ways) {
      const path = pathOf(operation, way)
      const isBobs = bobs.has(way['id'] ?? '')
      const unknown = isBobs ? await as('ada', `GET ${pathOf(operation, { ...way, id: 'FB-999999' })}`) : null
      for (const query of queries) {
        const answer = await as('ada', `GET ${path}${query}`)
        expect(`${path}${query} ${answer.text}`.slice(path.length + query.length)).not.toMatch(/bob/)
        if (unknown !== null && query === '') expect([answer.status, answer.text]).toEqual([404, unknown.text])
      }
      for (const query of ['customer=bob', 'customerId=bob', 'customer_id=bob'])
        expect(await as('ada', `GET ${path}?${query}`)).toMatchObject({ status: 400, json: { code: 'invalid_request' } })
    }
  })

  test('no route that changes something is left out below', () => {
    expect(changes.map(({ name }) => name).toSorted()).toEqual(Object.keys(SAID).toSorted())
  })

  test.each(changes)('$name changes nothing of the other, whatever is said', async (operation) => {
    const world = await twoCustomers()
    const { as, farebox } = world
    const before = await seenOfBob(world)
    const said = SAID[operation.name] ?? {}
    for (const way of filled(operation, world)) {
      const request = `${operation.method} ${pathOf(operation, way)}`
      const others = [{ customer: 'bob' }, { customerId: 'bob' }, { customer_id: 'bob' }, { id: 'bob' }]
      for (const other of operation.kinds.length === 0 ? [] : others)
        expect(await as('ada', request, {}, { ...said, ...other })).toMatchObject({
          status: 400,
          json: { code: 'invalid_request' },
        })
      expect((await as('ada', `${request}?customer=bob`, {}, said)).status).toBe(400)
      const answer: Answer = await as('ada', request, { 'x-customer': 'bob' }, said)
      expect(answer.text).not.toMatch(/bob/)
    }
    expect(await seenOfBob(world)).toEqual(before)
    expect((await farebox.verify()).ok).toBe(true)
  })
})
