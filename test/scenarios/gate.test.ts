/** The gate: what a framework adapter is given, with the real engine behind it. */

import {
  createFarebox,
  defaultFarebox,
  defineCatalog,
  type Farebox,
  FareboxError,
  type FareboxOptions,
  formatQuantity,
  testClock,
} from '@farebox/core'
import type { Gate, MeterOptions, Outcome, Verdict } from '@farebox/core/http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { catalog } from './catalog.ts'
import { STORES, type TestDatabase } from './stores.ts'

const NOON = Date.UTC(2026, 0, 15, 12)
const clock = testClock(NOON)
const running: Farebox[] = []
const errors: unknown[] = []
let database: TestDatabase

function start(options: Partial<FareboxOptions> = {}): Farebox {
  clock.set(NOON)
  errors.length = 0
  const farebox = createFarebox({
    catalog,
    store: database.store(),
    clock,
    upgradeUrl: '/billing/upgrade',
    onError: (error) => errors.push(error),
    ...options,
  })
  running.push(farebox)
  return farebox
}

afterEach(async () => {
  // Many tests leave requests open.
  for (const farebox of running.splice(0)) await farebox.stop({ withinMs: 0 })
})

interface Raw {
  readonly customer?: string | null
  readonly headers?: Record<string, string>
  readonly units?: number
}

function gateOf(farebox: Farebox, options: MeterOptions<Raw> = {}, feature = 'api_calls'): Gate<Raw> {
  return farebox.createGate<Raw>(feature, { identify: ({ customer }) => customer ?? null, ...options })
}

const ask = (gate: Gate<Raw>, raw: Raw = { customer: 'ada' }): Promise<Verdict> =>
  gate.admit({ method: 'GET', route: '/v1/:id', header: (name) => raw.headers?.[name], raw })

async function serve(
  gate: Gate<Raw>,
  outcome: Outcome,
  raw: Raw = { customer: 'ada' },
  add: readonly number[] = [],
): Promise<Verdict> {
  const verdict = await ask(gate, raw)
  if (verdict.kind === 'admitted') {
    for (const units of add) verdict.ticket.meter.add(units)
    gate.settle(verdict.ticket, outcome, raw)
  }
  return verdict
}

const used = async (farebox: Farebox, customerId = 'ada'): Promise<string> =>
  formatQuantity((await farebox.usage.totals({ customerId }))[0]?.posted ?? 0n)
const finished = (status: number): Outcome => ({ kind: 'finished', status })

describe.each(STORES)('the gate on $name', (kind) => {
  beforeEach(() => {
    database = kind.database()
  })

  describe('what is billed', () => {
    it.each<[string, MeterOptions<Raw>, Outcome, readonly number[], string]>([
      ['an answer below 400', {}, finished(200), [], '1'],
      ['a redirect', {}, finished(304), [], '1'],
      ['no answer of 400', {}, finished(400), [], '0'],
      ['no answer of 500', {}, finished(500), [], '0'],
      ['what billWhen says', { billWhen: ({ status }) => status === 404 }, finished(404), [], '1'],
      ['an aborted request, because the work was started', {}, { kind: 'aborted', status: 200 }, [], '1'],
      ['the units added before an abort', {}, { kind: 'aborted', status: 200 }, [0.5, 2], '2.5'],
      ['no aborted request with onAbort void', { onAbort: 'void' }, { kind: 'aborted', status: null }, [], '0'],
      ['nothing when the handler never started', {}, { kind: 'not_started' }, [], '0'],
      ['the sum of added units instead of the fixed ones', { units: 5 }, finished(200), [1, 2.25], '3.25'],
      ['zero added units', {}, finished(200), [0], '0'],
      ['a function of the request', { units: ({ customer }) => `${customer?.length}.5` }, finished(200), [], '3.5'],
      ['a function of the outcome', { units: (_raw, outcome) => (outcome === undefined ? 9 : 4) }, finished(200), [], '4'],
      ['no more than the blocked limit, whatever was added', {}, finished(200), [400], '10'],
    ])('bills %s', async (_what, options, outcome, add, expected) => {
      const farebox = start()
      await serve(gateOf(farebox, options), outcome, { customer: 'ada' }, add)
      expect(await used(farebox)).toBe(expected)
      expect((await farebox.verify()).ok).toBe(true)
    })

    it('bills the reserved units and tells the developer when units fails after the work', async () => {
      const farebox = start()
      await serve(gateOf(farebox, { units: (_raw, outcome) => (outcome === undefined ? 3 : NaN) }), finished(200))
      expect(await used(farebox)).toBe('3')
      expect(errors).toMatchObject([{ code: 'invalid_quantity' }])
    })

    it('settles once, however often it is told to', async () => {
      const farebox = start()
      const gate = gateOf(farebox)
      const verdict = await ask(gate)
      if (verdict.kind !== 'admitted') throw new Error('expected an admission')
      for (const outcome of [finished(200), finished(200), finished(500)]) gate.settle(verdict.ticket, outcome, {})
      expect(await used(farebox)).toBe('1')
    })

    it.each([NaN, Infinity, -1, 0.0000001, '1e3', 2 ** 53 - 1])(
      'refuses %s units with a coded error, never silently 1',
      async (units) => {
        const gate = gateOf(start(), { units: () => units })
        await expect(ask(gate)).rejects.toMatchObject({ code: 'invalid_quantity' })
      },
    )
  })

  describe('what a refused client is told', () => {
    it('gives figures, the renewal and what to do, in a 402 problem document', async () => {
      const gate = gateOf(start(), { units: 7 })
      const first = await ask(gate)
      expect(first).toMatchObject({
        kind: 'admitted',
        headers: [
          ['RateLimit-Policy', '"api_calls";q=10'],
          ['RateLimit', '"api_calls";r=3;t=2635200'],
        ],
      })
      const second = await ask(gate)
      if (second.kind !== 'refused') throw new Error('expected a refusal')
      expect(second.reply.status).toBe(402)
      expect(Object.fromEntries(second.reply.headers)).toEqual({
        'Content-Type': 'application/problem+json',
        'Cache-Control': 'no-store',
        'RateLimit-Policy': '"api_calls";q=10',
        RateLimit: '"api_calls";r=3;t=2635200',
      })
      expect(JSON.parse(second.reply.body)).toEqual({
        type: 'urn:farebox:problem:allowance_exhausted',
        title: 'The allowance of the plan is used up',
        status: 402,
        detail:
          'The free plan includes 10 api_calls per period; 7 are used or reserved and this request needs 7. It renews at 2026-02-15T00:00:00.000Z.',
        instance: expect.stringMatching(/^urn:farebox:decision:.+/),
        code: 'allowance_exhausted',
        'violated-policies': ['api_calls'],
        feature: 'api_calls',
        plan: 'free',
        limit: 10,
        used: 7,
        remaining: 3,
        requested: 7,
        period_end: '2026-02-15T00:00:00.000Z',
        actions: [{ rel: 'upgrade', href: '/billing/upgrade', method: 'GET' }],
      })
    })

    it('admits again what a voided request gave back, and in the next period', async () => {
      const farebox = start()
      const gate = gateOf(farebox, { units: 10 })
      expect((await serve(gate, finished(500))).kind).toBe('admitted')
      expect((await serve(gate, finished(200))).kind).toBe('admitted')
      expect((await ask(gate)).kind).toBe('refused')
      clock.set(Date.UTC(2026, 1, 15))
      expect((await ask(gate)).kind).toBe('admitted')
    })

    it('answers 401 to a stranger, or does not meter him at all', async () => {
      const farebox = start()
      expect(await ask(gateOf(farebox), { customer: null })).toMatchObject({ kind: 'refused', reply: { status: 401 } })
      expect(await ask(gateOf(farebox), { customer: 'white space' })).toMatchObject({ kind: 'refused', reply: { status: 401 } })
      expect(await ask(gateOf(farebox, { anonymous: 'skip' }), { customer: null })).toEqual({ kind: 'unmetered' })
    })

    it('answers 403 for a feature that the plan lacks and 402 without a subscription', async () => {
      const plans = { basic: { price: '1.00', interval: 'month', features: { a: { included: 1 } } } } as const
      const small = defineCatalog({ currency: 'EUR', features: { a: { type: 'metered' }, b: { type: 'metered' } }, plans })
      const farebox = start({ catalog: small })
      const gate = gateOf(farebox, {}, 'b')
      expect(await ask(gate)).toMatchObject({
        kind: 'refused',
        reply: { status: 402, body: expect.stringContaining('no_subscription') },
      })
      expect(await farebox.customers.get('ada')).toBeNull()
      await farebox.subscriptions.create({ customerId: 'ada', plan: 'basic' })
      expect(await ask(gate)).toMatchObject({
        kind: 'refused',
        reply: { status: 403, body: expect.stringContaining('feature_not_in_plan') },
      })
    })

    it('answers 503 when the store cannot answer, never "limit reached"', async () => {
      const farebox = start()
      const gate = gateOf(farebox)
      await farebox.stop()
      expect(await ask(gate)).toMatchObject({
        kind: 'refused',
        reply: { status: 503, body: expect.stringContaining('store_unavailable') },
      })
    })
  })

  describe('API keys', () => {
    it('find the customer by the x-api-key header or a bearer token, until they are revoked', async () => {
      const farebox = start()
      const gate = farebox.createGate<Raw>('api_calls')
      const { key, id } = await farebox.apiKeys.create({ customerId: 'ada', name: 'laptop' })
      for (const headers of [{ 'x-api-key': key }, { authorization: `Bearer ${key}` }, { authorization: `bearer ${key}` }]) {
        expect(await ask(gate, { headers })).toMatchObject({ kind: 'admitted', ticket: { meter: { customerId: 'ada' } } })
      }
      await farebox.apiKeys.revoke(id)
      const fresh = farebox.createGate<Raw>('api_calls')
      for (const gateAfter of [gate, fresh])
        expect(await ask(gateAfter, { headers: { 'x-api-key': key } })).toMatchObject({ kind: 'refused', reply: { status: 401 } })
    })

    it('are stored as a hash only, and a key that is of no customer is refused', async () => {
      const farebox = start()
      const gate = farebox.createGate<Raw>('api_calls')
      const { key, id } = await farebox.apiKeys.create({ customerId: 'ada' })
      const [, , secret = ''] = key.split('_')
      expect(secret).toHaveLength(64)
      expect(JSON.stringify(await farebox.apiKeys.list('ada'))).not.toContain(secret)
      expect(await farebox.apiKeys.list('ada')).toMatchObject([{ id, revokedAt: null }])
      const stored = await database.rows('SELECT * FROM _api_keys')
      expect(stored).toMatchObject([{ id, secret_hash: expect.stringMatching(/^[0-9a-f]{64}$/) }])
      expect(JSON.stringify(stored)).not.toContain(secret)
      const elsewhere = start({ store: kind.database().store() })
      for (const stranger of [
        key.replace(secret.slice(0, 4), '0000'),
        (await elsewhere.apiKeys.create({ customerId: 'ada' })).key,
      ])
        expect(await ask(gate, { headers: { 'x-api-key': stranger } })).toMatchObject({ reply: { status: 401 } })
    })
  })

  describe('mistakes that a developer can make', () => {
    it.each<[string, () => unknown, string, RegExp]>([
      [
        'an unknown feature',
        () => start().createGate('api_call'),
        'unknown_feature',
        /api_calls, downloads, got 'api_call': fix its spelling/,
      ],
      [
        'an unknown option',
        () => start().createGate('api_calls', { unit: 3 } as object),
        'invalid_option',
        /units.*got unit: fix its spelling/,
      ],
      [
        'a word that an option does not know',
        () => start().createGate('api_calls', { onAbort: 'bill' as 'charge' }),
        'invalid_option',
        /'charge' or 'void', got 'bill'/,
      ],
      ['fixed units that are no quantity', () => start().createGate('api_calls', { units: -1 }), 'invalid_quantity', /-1/],
      ['no catalog', () => createFarebox({ store: database.store() } as never), 'invalid_option', /catalog.*defineCatalog/],
      ['no store', () => createFarebox({ catalog } as never), 'invalid_option', /store.*sqlite/],
      ['no Farebox at all', () => defaultFarebox(), 'no_farebox', /none was created: call createFarebox/],
      [
        'two Fareboxes and no word which',
        () => [start(), start(), defaultFarebox()],
        'no_farebox',
        /2 are running: say which one/,
      ],
    ])('are answered with a code and the fix: %s', async (_what, act, code, message) => {
      let caught: unknown
      try {
        await act()
      } catch (error) {
        caught = error
      }
      expect(caught).toBeInstanceOf(FareboxError)
      expect(caught).toMatchObject({ code, message: expect.stringMatching(message) })
    })

    it('are answered when tracking: customer, key, instant, properties', async () => {
      const farebox = start()
      const track = (input: object) => farebox.usage.track({ customerId: 'ada', feature: 'api_calls', ...input })
      await expect(track({ customerId: '' })).rejects.toMatchObject({ code: 'invalid_customer' })
      await expect(track({ customerId: 'a\u0000b' })).rejects.toMatchObject({ code: 'invalid_customer' })
      await expect(track({ idempotencyKey: 'x'.repeat(256) })).rejects.toMatchObject({ code: 'invalid_key' })
      await expect(track({ timestamp: NOON + 301_000 })).rejects.toMatchObject({ code: 'invalid_timestamp' })
      await expect(track({ timestamp: '2026-02-30T00:00:00Z' })).rejects.toMatchObject({ code: 'invalid_timestamp' })
      await expect(track({ properties: JSON.parse('{"__proto__": "x"}') })).rejects.toMatchObject({ code: 'invalid_properties' })
      await expect(track({ properties: { note: { deep: 1 } } })).rejects.toMatchObject({ code: 'invalid_properties' })
      await expect(track({ value: '1_000' })).rejects.toMatchObject({ code: 'invalid_quantity' })
      expect((await farebox.events.list()).items).toEqual([])
    })

    it('are answered when subscribing: unknown plan, second subscription', async () => {
      const farebox = start()
      await expect(farebox.subscriptions.create({ customerId: 'ada', plan: 'gold' })).rejects.toMatchObject({
        code: 'unknown_plan',
      })
      const first = await farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })
      expect(await farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })).toEqual(first)
      await expect(farebox.subscriptions.create({ customerId: 'ada', plan: 'free' })).rejects.toMatchObject({
        code: 'already_subscribed',
      })
      await expect(farebox.customers.create({ id: 'bob', timeZone: 'Mars/Olympus' })).rejects.toMatchObject({
        code: 'invalid_time_zone',
      })
    })
  })

  describe('stopping', () => {
    it('waits for what is in flight, admits nothing more, and holds no timer', async () => {
      const farebox = start()
      const gate = gateOf(farebox)
      const verdict = await ask(gate)
      if (verdict.kind !== 'admitted') throw new Error('expected an admission')
      let isStopped = false
      const stopping = farebox.stop().then(() => (isStopped = true))
      await new Promise((resolve) => setImmediate(resolve))
      expect(await ask(gate)).toMatchObject({ kind: 'refused', reply: { status: 503 } })
      expect(isStopped).toBe(false)
      gate.settle(verdict.ticket, finished(200), {})
      await stopping
      expect(process.getActiveResourcesInfo().filter((resource) => resource === 'Immediate')).toEqual([])
    })

    it('gives up on a request that does not end, and leaves it to onCrash', async () => {
      const farebox = start()
      await ask(gateOf(farebox))
      await expect(farebox.stop({ withinMs: 1 })).resolves.toBeUndefined()
      await expect(farebox.stop()).resolves.toBeUndefined()
    })
  })

  it('gives the handler a metering that can be answered and logged as JSON', async () => {
    const verdict = await ask(gateOf(start()))
    if (verdict.kind !== 'admitted') throw new Error('expected to be admitted')
    const { key } = verdict.ticket.meter
    expect(JSON.parse(JSON.stringify(verdict.ticket.meter))).toEqual({
      customerId: 'ada',
      feature: 'api_calls',
      key,
      remaining: '9',
    })
  })

  describe('options', () => {
    it('serves what `skip` names without counting or refusing it', async () => {
      const farebox = start()
      const gate = gateOf(farebox, { units: 1_000_000, skip: ({ customer }) => customer === 'ada' })
      expect((await ask(gate)).kind).toBe('unmetered')
      expect((await ask(gate, { customer: 'bob' })).kind).toBe('refused')
      expect(await used(farebox)).toBe('0')
    })

    it('sends what `onRefused` makes of a refusal, and bills nothing', async () => {
      const farebox = start()
      const seen: unknown[] = []
      const gate = gateOf(farebox, {
        units: 1_000_000,
        onRefused: ({ status, headers }, { customer }) => {
          seen.push([status, customer])
          return { status: 429, headers, body: 'slower' }
        },
      })
      expect(await ask(gate)).toMatchObject({ kind: 'refused', reply: { status: 429, body: 'slower' } })
      expect(await ask(gate, {})).toMatchObject({ kind: 'refused', reply: { status: 429 } })
      expect(seen).toEqual([
        [402, 'ada'],
        [401, undefined],
      ])
      expect(await used(farebox)).toBe('0')
    })
  })
})
