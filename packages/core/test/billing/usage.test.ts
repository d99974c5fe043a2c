/** Usage over HTTP that costs credits or money: tokens of AI models, corrections, and why a bill is what it is. */

import { describe, expect, test } from 'vitest'
import { verifyEventProof } from '../../src/index.ts'
import { parrotPrices, parrotShop } from './shop.ts'
import { ADMIN, type Running, start } from './start.ts'

const DAY = 86_400_000

type Json = Record<string, unknown>

async function open(): Promise<Running & { readonly models: ReturnType<typeof parrotPrices> }> {
  const models = parrotPrices()
  return { ...(await start({}, { catalog: parrotShop, models })), models }
}

/** A million tokens went in and a tenth came out: 3 dollars, and 60 cents of margin. */
const answer = { feature: 'chat', model: 'parrot-1', input_tokens: 1_000_000, output_tokens: 100_000 }

describe('what an AI model used', () => {
  test('is reported with an event, priced, and taken from the balance', async () => {
    const { admin, as, farebox } = await open()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'prepaid' })
    const event = { customer: 'ada', idempotency_key: 'k1', ...answer }
    expect(await admin('POST /admin/events', event)).toMatchObject({ status: 201, json: { result: 'recorded', key: 'k1' } })
    expect(await admin('POST /admin/events', event)).toMatchObject({ status: 200, json: { result: 'repeat' } })
    expect(await admin('POST /admin/events', { ...event, output_tokens: 1 })).toMatchObject({
      status: 409,
      json: { code: 'key_conflict' },
    })
    const [seen] = (await as('ada', 'GET /events')).json['items'] as [Json]
    expect(seen).toMatchObject({
      quantity: '1',
      charge: {
        unit: 'USD',
        cost: '3.6',
        parts: [['plan-1767225600000', '3.6']],
        model: {
          model: 'parrot-1',
          provider: 'aviary',
          catalog: 'parrots@1',
          margin: '20',
          classes: [
            ['input', 1_000_000, '2'],
            ['output', 100_000, '10'],
          ],
          provider_cost: '3',
        },
      },
    })
    expect((await as('ada', 'GET /usage')).json).toMatchObject({
      features: [
        { feature: 'api_calls', unit: 'USD', included: '5', remaining: '1.4' },
        { feature: 'chat', unit: 'USD', used: '1', included: '5', remaining: '1.4' },
      ],
    })
    const cutOff = { ...event, idempotency_key: 'k2', output_tokens: 0, input_tokens: 1_000, incomplete: true }
    expect((await admin('POST /admin/events', cutOff)).status).toBe(201)
    const [cut] = (await as('ada', 'GET /events')).json['items'] as [Json]
    expect(cut).toMatchObject({ charge: { cost: '0.0024', model: { incomplete: true } } })
    expect(await admin('POST /admin/events', { ...event, idempotency_key: 'k3' })).toMatchObject({
      status: 402,
      json: { code: 'balance_exhausted', unit: 'USD' },
    })
  })

  test('is refused with a code when its counts are wrong or no list has the model', async () => {
    const { admin, farebox } = await open()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'prepaid' })
    for (const [wrong, status, code] of [
      [{ model: 'unheard-of' }, 422, 'unknown_model'],
      [{ model: '' }, 400, 'invalid_model_usage'],
      [{ input_tokens: -1 }, 400, 'invalid_model_usage'],
      [{ input_tokens: 1.5 }, 400, 'invalid_model_usage'],
      [{ output_tokens: 2_000_000_000 }, 400, 'invalid_model_usage'],
      [{ cache_read_tokens: 0.1 }, 400, 'invalid_model_usage'],
      [{ output_tokens: undefined }, 400, 'invalid_model_usage'],
      [{ model: undefined }, 400, 'invalid_model_usage'],
      [{ input_tokens: '7' }, 400, 'invalid_request'],
      [{ inputTokens: 7 }, 400, 'invalid_request'],
    ] as const)
      expect(await admin('POST /admin/events', { customer: 'ada', ...answer, ...wrong })).toMatchObject({
        status,
        json: { code },
      })
    const batch = await admin('POST /admin/events/batch', {
      events: [
        { customer: 'ada', ...answer, model: 'unheard-of' },
        { customer: 'ada', ...answer },
      ],
    })
    expect(batch.json).toMatchObject({
      results: [{ result: 'refused', problem: { code: 'unknown_model', status: 422 } }, { result: 'recorded' }],
    })
    expect((await farebox.events.list()).items).toHaveLength(1)
  })

  test('waits in a queue where it has no price, and is billed once it has one', async () => {
    const { admin, farebox, models } = await open()
    for (const customerId of ['ada', 'bob']) await farebox.subscriptions.create({ customerId, plan: 'prepaid' })
    const later = { ...answer, model: 'later-1', properties: { job: 'nightly' } }
    expect(await admin('POST /admin/events', { customer: 'ada', ...later, idempotency_key: 'k1' })).toMatchObject({
      status: 202,
      json: { result: 'queued', key: 'k1' },
    })
    const { json } = await admin('POST /admin/events/batch', { events: [{ customer: 'bob', ...later, idempotency_key: 'k2' }] })
    expect(json).toMatchObject({ results: [{ result: 'queued', key: 'k2' }] })
    const waiting = await admin('GET /admin/unpriced?limit=1')
    expect(waiting.json['items']).toEqual([
      {
        key: 'k1',
        customer: 'ada',
        feature: 'chat',
        quantity: '1',
        timestamp: '2026-01-01T00:00:00.000Z',
        route: null,
        properties: { job: 'nightly' },
        usage: {
          model: 'later-1',
          provider: null,
          input_tokens: 1_000_000,
          output_tokens: 100_000,
          cache_read_tokens: 0,
          cache_write_tokens: 0,
        },
        reason: 'The list has no price for it yet',
      },
    ])
    const rest = await admin(`GET /admin/unpriced?cursor=${String(waiting.json['next'])}`)
    expect(rest.json).toMatchObject({ items: [{ key: 'k2', customer: 'bob' }], next: null })
    expect((await admin('GET /admin/unpriced?customer=bob')).json['items']).toHaveLength(1)
    expect((await admin('POST /admin/unpriced/retry')).json).toEqual({ priced: 0, waiting: 2 })
    models.release()
    expect((await admin('POST /admin/unpriced/retry')).json).toEqual({ priced: 2, waiting: 0 })
    expect((await admin('GET /admin/unpriced')).json).toEqual({ items: [], next: null })
    expect((await farebox.events.list()).items.map(({ key }) => key)).toEqual(['k1', 'k2'])
  })

  test('of a customer whose subscription waits for its payment keeps nobody else from a price', async () => {
    const { admin, farebox, clock, models } = await open()
    for (const customer of ['ada', 'bob']) {
      await farebox.subscriptions.create({ customerId: customer, plan: 'prepaid' })
      expect(await admin('POST /admin/events', { customer, ...answer, model: 'later-1' })).toMatchObject({ status: 202 })
    }
    clock.advance(DAY)
    await farebox.subscriptions.cancel({ customerId: 'ada', when: 'now' })
    clock.advance(DAY)
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'prepaid', awaitsPayment: true })
    models.release()
    expect((await admin('POST /admin/unpriced/retry')).json).toEqual({ priced: 1, waiting: 1 })
    await farebox.subscriptions.activate('ada')
    expect((await admin('POST /admin/unpriced/retry')).json).toEqual({ priced: 1, waiting: 0 })
  })

  test('comes in the data of a CloudEvent, whose members stay properties', async () => {
    const { send, farebox } = await open()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'prepaid' })
    const headers = { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/cloudevents+json' }
    const event = { specversion: '1.0', source: '/jobs', type: 'chat', subject: 'ada' }
    const { feature: _feature, ...data } = answer
    for (let i = 0; i < 2; i += 1)
      expect((await send('POST /api/v1/events', headers, JSON.stringify({ ...event, id: '1', data }))).status).toBe(204)
    // A model by itself is a property: what it used is not known, and waits.
    await send('POST /api/v1/events', headers, JSON.stringify({ ...event, id: '2', data: { model: 'parrot-1' } }))
    const { items } = await farebox.events.list()
    expect(items).toMatchObject([{ charge: { cost: { coefficient: 36n, scale: 1 } }, properties: { model: 'parrot-1' } }])
    expect((await farebox.usage.unpriced()).items).toMatchObject([{ usage: null, properties: { model: 'parrot-1' } }])
    const bad = { ...event, id: '3', data: { ...data, input_tokens: -1 } }
    expect(await send('POST /api/v1/events', headers, JSON.stringify(bad))).toMatchObject({
      status: 422,
      json: { results: [{ problem: { code: 'invalid_model_usage' } }] },
    })
  })
})

describe('a correction', () => {
  test('takes back part of an event, once, and gives the money back', async () => {
    const { admin, as, farebox } = await open()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'prepaid' })
    await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', value: 100, idempotencyKey: 'job-7' })
    const wrong = { customer: 'ada', idempotency_key: 'job-7', value: 40, properties: { why: 'counted twice' } }
    const corrected = await admin('POST /admin/corrections', wrong)
    expect(corrected).toMatchObject({ status: 201, json: { result: 'corrected', quantity: '-60' } })
    expect(await admin('POST /admin/corrections', wrong)).toMatchObject({
      status: 200,
      json: { result: 'repeat', quantity: '-60' },
    })
    expect(await admin('POST /admin/corrections', { ...wrong, value: 10 })).toMatchObject({
      status: 409,
      json: { code: 'correction_conflict' },
    })
    const { items } = (await as('ada', 'GET /events')).json as { items: Json[] }
    expect(items).toMatchObject([
      { quantity: '-60', corrects: items[1]?.['seq'], properties: { why: 'counted twice' }, charge: { cost: '-0.6' } },
      { quantity: '100', charge: { cost: '1' } },
    ])
    expect((await as('ada', 'GET /usage')).json).toMatchObject({ features: [{ used: '40', remaining: '4.6' }, {}] })
    const second = await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', value: 2 })
    expect(second.kind).toBe('recorded')
    const { seq } = (await farebox.events.list()).items.at(-1) as { seq: number }
    expect((await admin('POST /admin/corrections', { customer: 'ada', seq })).json).toMatchObject({
      quantity: '-2',
      corrects: seq,
    })
  })

  test('says what is wrong with it', async () => {
    const { admin, farebox } = await open()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'prepaid' })
    await farebox.subscriptions.create({ customerId: 'bob', plan: 'prepaid' })
    await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', idempotencyKey: 'k' })
    const { seq } = (await farebox.events.list()).items[0] as { seq: number }
    for (const [body, status, code] of [
      [{ customer: 'ada' }, 400, 'invalid_request'],
      [{ customer: 'ada', idempotency_key: 'k', seq }, 400, 'invalid_request'],
      [{ customer: 'ada', seq: 0 }, 400, 'invalid_request'],
      [{ customer: 'ada', seq: 9e15 }, 404, 'not_found'],
      [{ customer: 'ada', idempotency_key: 'other' }, 404, 'not_found'],
      [{ customer: 'ada', idempotency_key: 'a b' }, 400, 'invalid_key'],
      [{ customer: 'ada', idempotency_key: 'k', value: 2 }, 400, 'invalid_quantity'],
      [{ customer: 'ada', idempotency_key: 'k', value: '-1' }, 400, 'invalid_quantity'],
      // Of another customer.
      [{ customer: 'bob', idempotency_key: 'k' }, 404, 'not_found'],
      [{ customer: 'bob', seq }, 404, 'not_found'],
    ] as const)
      expect([body, await admin('POST /admin/corrections', body)]).toMatchObject([body, { status, json: { code } }])
    expect((await farebox.events.list()).items).toHaveLength(1)
  })
})

describe('an invoice', () => {
  async function billed(): Promise<Running> {
    const running = await open()
    const { farebox, clock, admin } = running
    await farebox.customers.create({ id: 'ada' })
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'metered' })
    for (let i = 0; i < 5; i += 1) {
      clock.advance(1_000)
      await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', idempotencyKey: `a${i}` })
      await farebox.usage.track({ customerId: 'ada', feature: 'chat', idempotencyKey: `c${i}`, properties: { of: i } })
    }
    clock.advance(31 * DAY)
    await farebox.closePeriods()
    await farebox.usage.track({
      customerId: 'ada',
      feature: 'api_calls',
      idempotencyKey: 'late',
      timestamp: '2026-01-20T00:00:00Z',
    })
    await farebox.usage.correct({ customerId: 'ada', idempotencyKey: 'c1' })
    await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', idempotencyKey: 'february' })
    clock.advance(29 * DAY)
    expect((await admin('POST /admin/close')).json['invoices']).toHaveLength(1)
    return running
  }

  test('explains each of its lines in words and down to its events, page by page', async () => {
    const { as, admin } = await billed()
    const invoice = (await as('ada', 'GET /invoices/FB-000002')).json as { lines: { id: string; type: string }[]; seal: Json }
    expect(invoice.lines.map(({ id }) => id)).toEqual([
      'plan_base',
      'api_calls-graduated-1',
      'api_calls-graduated-2',
      'chat-included',
    ])
    const first = await as('ada', 'GET /invoices/FB-000002/lines/api_calls-graduated-2?limit=2')
    expect(first.json).toMatchObject({
      line: invoice.lines[2],
      rule: 'graduated',
      tier: 2,
      exact: '0.1',
      grants: [],
      sentences: [
        expect.stringContaining('2 api_calls were used from 2026-01-01'),
        expect.stringContaining('priced graduated, tier 2: 0.05 for 1'),
        expect.stringContaining('0.1 exactly'),
      ],
    })
    const keys: string[] = []
    let { events } = first.json as { events: { items: { key: string }[]; next: string | null } }
    for (;;) {
      keys.push(...events.items.map(({ key }) => key))
      if (events.next === null) break
      const path = `/invoices/FB-000002/lines/api_calls-graduated-2?limit=2&cursor=${events.next}`
      events = (await as('ada', `GET ${path}`)).json['events'] as typeof events
    }
    expect(keys).toEqual(['a4', 'a3', 'a2', 'a1', 'a0'])
    for (const { id } of invoice.lines) {
      const explained = await as('ada', `GET /invoices/FB-000002/lines/${id}`)
      expect(explained).toMatchObject({ status: 200, json: { line: { id } } })
      expect((await admin(`GET /admin/invoices/FB-000002/lines/${id}`)).text).toBe(explained.text)
    }
    expect(await as('ada', 'GET /invoices/FB-000002/lines/none')).toMatchObject({ status: 404, json: { code: 'not_found' } })
    expect(await as('ada', 'GET /invoices/FB-000002/lines/chat-included?cursor=x')).toMatchObject({
      status: 400,
      json: { code: 'invalid_cursor' },
    })
  })

  test('has a proof of each of its events, late ones and corrections too, and of no other', async () => {
    const { as, admin, farebox } = await billed()
    const invoices = (await as('ada', 'GET /invoices')).json['items'] as { number: string; seal: { events: number } | null }[]
    expect(invoices.map(({ seal }) => seal?.events ?? 0)).toEqual([0, 10, 3])
    let proved = 0
    for (const { seq, key } of (await farebox.events.list()).items) {
      const isLater = ['late', 'february'].includes(key) || key.startsWith('correction')
      for (const { number, seal } of invoices) {
        const { status, json, text } = await as('ada', `GET /invoices/${number}/events/${seq}/proof`)
        const isThere = seal !== null && isLater === (number === 'FB-000003')
        expect([key, number, status]).toEqual([key, number, isThere ? 200 : 404])
        if (!isThere) continue
        proved += 1
        expect(json).toMatchObject({ event: { key, customer: 'ada' }, seal })
        expect(verifyEventProof(json as never)).toBe(true)
        expect(verifyEventProof({ ...json, event: { ...(json['event'] as object), quantity: '2' } } as never)).toBe(false)
        expect((await admin(`GET /admin/invoices/${number}/events/${seq}/proof`)).text).toBe(text)
      }
    }
    expect(proved).toBe(13)
    for (const seq of ['0', '01', '-1', '1.5', 'x', '9'.repeat(16)])
      expect(await as('ada', `GET /invoices/FB-000002/events/${seq}/proof`)).toMatchObject({ status: 400 })
    // The events of a page are as they are sealed, and have their place besides.
    const [event] = (await as('ada', 'GET /events?period=2026-01-15T00:00:00Z&feature=chat')).json['items'] as [Json]
    const proof = await as('ada', `GET /invoices/FB-000003/events/${String(event['seq'])}/proof`)
    const { seq: _seq, corrects: _corrects, ...sealed } = event
    expect(proof.json['event']).toEqual(sealed)
    expect(verifyEventProof({ ...proof.json, event } as never)).toBe(true)
  })

  test('has proofs on a plan of credits and on one of a balance, with who paid', async () => {
    const { as, farebox, clock } = await open()
    for (const [customerId, plan] of [
      ['ada', 'credits'],
      ['bob', 'overdraft'],
    ] as const) {
      await farebox.subscriptions.create({ customerId, plan })
      for (let i = 0; i < 3; i += 1) await farebox.usage.track({ customerId, feature: 'api_calls', value: 4 })
    }
    const usage = { model: 'parrot-1', inputTokens: 1_000_000, outputTokens: 0 }
    await farebox.usage.track({ customerId: 'bob', feature: 'chat', ...usage })
    clock.advance(31 * DAY)
    await farebox.closePeriods()
    const events = (await farebox.events.list()).items
    const sealed = (await farebox.invoices.list()).items.filter(({ seal }) => seal !== null)
    const proofs = await Promise.all(
      sealed.flatMap(({ id, customerId }) =>
        events
          .filter((event) => event.customerId === customerId)
          .map(({ seq }) => as(customerId, `GET /invoices/${id}/events/${seq}/proof`)),
      ),
    )
    expect(proofs.map(({ json }) => verifyEventProof(json as never))).toEqual(Array(7).fill(true))
    const told: string[] = []
    for (const { customerId, id, lines } of sealed)
      for (const line of lines.filter(({ feature }) => feature !== null)) {
        const { json } = await as(customerId, `GET /invoices/${id}/lines/${line.id}`)
        const paid = (json['grants'] as { amount: string }[]).map(({ amount }) => amount)
        told.push([line.id, json['rule'], json['exact'], ...paid].join(' '))
      }
    expect(told).toEqual([
      'api_calls-included credits 24 24',
      'api_calls-included balance 0.12 0.12',
      'chat-included balance 2.4 0.88',
      'chat-balance_overage balance_overage 1.52 0.88',
    ])
  })
})
