/** What a customer does with the own subscription over HTTP, and what the operator does with everybody's. */

import { describe, expect, test } from 'vitest'
import { billing } from '../../src/billing/index.ts'
import { createFarebox, defineCatalog } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite/store.ts'
import { shop } from './shop.ts'
import { type Answer, type Running, start } from './start.ts'

const DAY = 86_400_000

const open = (offeredPlans?: readonly string[]): Promise<Running> =>
  start(offeredPlans === undefined ? {} : { offeredPlans }, { catalog: shop })

const invoiceOf = ({
  json,
}: Answer): { lines: { type: string; amount: string }[]; total: string; status: string; number: string } =>
  json['invoice'] as ReturnType<typeof invoiceOf>

describe('a customer', () => {
  test('sees every plan with its prices in the currency of the customer, the features and the packs', async () => {
    const { as, farebox } = await open()
    const plans = (await as('ada', 'GET /plans')).json
    expect(plans).toMatchObject({
      currency: 'USD',
      features: [
        { code: 'api_calls', name: 'API calls', type: 'metered', unit: null },
        { code: 'chat', name: 'Chat', type: 'metered', unit: 'answer' },
        { code: 'sso', name: 'Single sign-on', type: 'boolean', unit: null },
      ],
      credit_packs: [{ code: 'small', name: 'Small pack', price: '5', currency: 'USD', credits: '100' }],
    })
    const told = (plans['plans'] as Record<string, unknown>[]).map(({ code, price, interval, consumption }) =>
      [code, price, interval, consumption].join(' '),
    )
    expect(told).toEqual([
      'free 0 month metered',
      'weekly 9 week metered',
      'pro 30 month metered',
      'max 90 month metered',
      'quarterly 80 quarter metered',
      'yearly 300 year metered',
      'lifetime 999 one_time metered',
      'trial 20 month metered',
      'credits 10 month credits',
      'prepaid 5 month balance',
    ])
    expect(plans['plans']).toContainEqual({
      code: 'pro',
      name: 'Pro',
      price: '30',
      currency: 'USD',
      interval: 'month',
      consumption: 'metered',
      trial_days: 0,
      credits: null,
      included_balance: null,
      blocks_on_exhaustion: null,
      spend_limit: '500',
      minimum: null,
      is_default: false,
      features: { api_calls: { included: '100', overage: { model: 'per_unit', price: '0.1' } }, sso: true },
    })
    await farebox.customers.create({ id: 'bea', currency: 'EUR' })
    const inEuros = (await as('bea', 'GET /plans')).json
    expect(inEuros).toMatchObject({ currency: 'EUR', credit_packs: [{ price: '4.5', currency: 'EUR' }] })
    expect(inEuros['plans']).toContainEqual(expect.objectContaining({ code: 'pro', price: '28', currency: 'EUR' }))
    // A coupon is worth something to whoever knows its code.
    expect(JSON.stringify(plans)).not.toMatch(/welcome|coupon/)
  })

  test('previews an upgrade, carries it out, and both are the same', async () => {
    const { as, farebox, clock } = await open()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })
    await farebox.closePeriods()
    clock.advance(10 * DAY)
    const preview = await as('ada', 'POST /subscription/change/preview', {}, { plan: 'max' })
    expect(preview.status).toBe(200)
    expect(invoiceOf(preview).lines.map(({ type, amount }) => `${type} ${amount}`)).toEqual([
      'proration_charge 60.97',
      'proration_credit -20.32',
    ])
    expect(preview.json).toMatchObject({
      subscription: { customer: 'ada', plan: 'max', status: 'active', is_paused: false },
      effective_at: '2026-01-11T00:00:00.000Z',
      invoice: { status: 'draft', number: null, total: '40.65' },
    })
    expect((await as('ada', 'GET /subscription')).json).toMatchObject({ plan: 'pro' })

    const change = await as('ada', 'POST /subscription/change', {}, { plan: 'max' })
    expect(change.json).toMatchObject({ subscription: { plan: 'max' }, effective_at: '2026-01-11T00:00:00.000Z' })
    const [before, after] = [invoiceOf(preview), invoiceOf(change)]
    expect([after.lines, after.total, after.status, after.number]).toEqual([before.lines, before.total, 'open', 'FB-000002'])
    expect((await as('ada', 'GET /subscription')).json).toEqual(change.json['subscription'])
    expect((await as('ada', `GET /invoices/${after.number}`)).json).toEqual(change.json['invoice'])
  })

  test('has a downgrade at the renewal, and takes it back', async () => {
    const { as, farebox, clock } = await open()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'max' })
    await farebox.closePeriods()
    clock.advance(DAY)
    const change = await as('ada', 'POST /subscription/change', {}, { plan: 'pro' })
    expect(change.json).toMatchObject({
      effective_at: '2026-02-01T00:00:00.000Z',
      invoice: null,
      subscription: { plan: 'max', scheduled: [{ kind: 'plan', at: '2026-02-01T00:00:00.000Z', plan: 'pro' }] },
    })
    // Nobody leaves a paid plan early by themselves: that gives money back.
    for (const when of ['now', { at: '2026-01-20T00:00:00Z' }])
      expect(await as('ada', 'POST /subscription/change', {}, { plan: 'pro', when })).toMatchObject({
        status: 400,
        json: { code: 'invalid_request' },
      })
    const back = await as('ada', 'POST /subscription/reactivate', {}, {})
    expect(back.json).toMatchObject({ subscription: { plan: 'max', scheduled: [] }, invoice: null })
  })

  test('cancels at the end or now, sees it before, and comes back before it ends', async () => {
    const { as, farebox, clock } = await open()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })
    await farebox.closePeriods()
    const preview = await as('ada', 'POST /subscription/cancel/preview', {}, {})
    expect(preview.json).toMatchObject({ effective_at: '2026-02-01T00:00:00.000Z', subscription: { status: 'active' } })
    expect((await as('ada', 'GET /subscription')).json).toMatchObject({ ends_at: null, renews_at: '2026-02-01T00:00:00.000Z' })
    expect((await as('ada', 'POST /subscription/cancel', {}, {})).json).toMatchObject({
      subscription: { ends_at: '2026-02-01T00:00:00.000Z', renews_at: null, scheduled: [{ kind: 'end' }] },
    })
    await as('ada', 'POST /subscription/reactivate', {}, {})
    expect((await as('ada', 'GET /subscription')).json).toMatchObject({ ends_at: null })
    clock.advance(DAY)
    await as('ada', 'POST /subscription/cancel', {}, { when: 'now' })
    expect((await as('ada', 'GET /subscription')).json).toMatchObject({ status: 'canceled', usage_period: null })
    // Coming back would begin an allowance anew: the application, or the operator, subscribes again.
    for (const [path, body] of [
      ['change', { plan: 'pro' }],
      ['reactivate', {}],
      ['cancel', {}],
    ] as const)
      expect(await as('ada', `POST /subscription/${path}`, {}, body)).toMatchObject({
        status: 409,
        json: { code: 'invalid_transition' },
      })
  })

  test('redeems a coupon once, and is told why not without being told of others', async () => {
    const { as, farebox } = await open()
    for (const customerId of ['ada', 'bob']) await farebox.subscriptions.create({ customerId, plan: 'pro' })
    const redeem = (customer: string, coupon: string) => as(customer, 'POST /subscription/coupons', {}, { coupon })
    for (let i = 0; i < 2; i += 1)
      expect(await redeem('ada', 'welcome')).toMatchObject({
        status: 200,
        json: { discounts: [{ coupon: 'welcome', cycles_left: 1 }] },
      })
    const { invoices } = await farebox.closePeriods()
    expect(invoices.find(({ customerId }) => customerId === 'ada')).toMatchObject({
      lines: [{ type: 'plan_base' }, { type: 'discount', discount: { coupon: 'welcome', percent: '50' } }],
      discount: { minor: 1_500n },
      total: { minor: 1_500n },
    })
    const unknown = await redeem('ada', 'nope')
    expect([unknown.status, unknown.json['code']]).toEqual([400, 'unknown_coupon'])
    expect(unknown.text).not.toMatch(/welcome|for_max|only_one/)
    expect(await redeem('ada', 'for_max')).toMatchObject({ status: 409, json: { code: 'not_redeemable' } })
    expect((await redeem('ada', 'only_one')).status).toBe(200)
    expect(await redeem('bob', 'only_one')).toMatchObject({ status: 409, json: { code: 'limit_reached' } })
    expect(await redeem('stranger', 'welcome')).toMatchObject({ status: 404, json: { code: 'not_found' } })
  })

  test('sees and takes the offered plans only; the operator has all', async () => {
    const { as, admin, farebox } = await open(['free', 'pro'])
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'free' })
    const { plans } = (await as('ada', 'GET /plans')).json as { plans: { code: string }[] }
    expect(plans.map(({ code }) => code)).toEqual(['free', 'pro'])
    for (const path of ['change', 'change/preview']) {
      const answers = await Promise.all(['max', 'nonsense'].map((plan) => as('ada', `POST /subscription/${path}`, {}, { plan })))
      expect(answers.map(({ status, json }) => [status, json['code']])).toEqual(Array(2).fill([400, 'unknown_plan']))
      expect(answers[0]?.text).toBe(answers[1]?.text)
    }
    expect((await admin('POST /admin/customers/ada/subscription/change', { plan: 'max' })).status).toBe(200)
    expect(() => billing({ farebox, offeredPlans: ['none'] })).toThrow('offeredPlans')
    expect(() => billing({ farebox, offeredPlans: 'pro' as never })).toThrow('offeredPlans')
  })

  test('is not made to change anything by a page of another origin: what has no kind is not read', async () => {
    const { as, farebox } = await open()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'pro' })
    for (const path of ['cancel', 'reactivate', 'change', 'coupons'])
      for (const kind of [undefined, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
        expect(
          await as('ada', `POST /subscription/${path}`, kind === undefined ? {} : { 'content-type': kind }, kind && '{}'),
        ).toMatchObject({ status: 415, json: { code: 'unsupported_media_type' } })
    expect((await as('ada', 'GET /subscription')).json).toMatchObject({ ends_at: null, scheduled: [] })
  })

  test('sees what may be used, also where it is on or off', async () => {
    const { as, farebox } = await open()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'credits' })
    await farebox.subscriptions.create({ customerId: 'bob', plan: 'pro' })
    await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', value: 20 })
    const { entitlements } = (await as('ada', 'GET /entitlements')).json as { entitlements: object[] }
    expect(entitlements).toEqual([
      {
        feature: 'api_calls',
        allowed: true,
        code: null,
        plan: 'credits',
        unit: 'credits',
        limit: '50',
        used: '40',
        remaining: '10',
        period_end: '2026-02-01T00:00:00.000Z',
      },
      expect.objectContaining({ feature: 'chat', allowed: false, code: 'feature_not_in_plan' }),
      expect.objectContaining({ feature: 'sso', allowed: false, code: 'feature_not_in_plan', limit: null }),
    ])
    const six = await as('ada', 'GET /entitlements/api_calls?value=6')
    expect(six.json).toMatchObject({ allowed: false, code: 'credits_exhausted', remaining: '10' })
    expect((await as('ada', 'GET /entitlements/api_calls?value=5')).json).toMatchObject({ allowed: true })
    expect((await as('bob', 'GET /entitlements/sso')).json).toMatchObject({ allowed: true, plan: 'pro' })
    expect((await as('ada', 'GET /usage')).json).toMatchObject({
      features: [{ feature: 'api_calls', unit: 'credits', used: '20', included: '50', remaining: '10' }],
    })
    for (const [path, code] of [
      ['/entitlements/nonsense', 'unknown_feature'],
      ['/entitlements/api_calls?value=-1', 'invalid_quantity'],
      ['/entitlements/api_calls?unit=1', 'invalid_request'],
    ])
      expect(await as('ada', `GET ${path}`)).toMatchObject({ status: 400, json: { code } })
    expect((await farebox.events.list()).items).toHaveLength(1)
    // Whoever was never seen is on the default plan from the first call on.
    expect((await as('new', 'GET /entitlements/api_calls?value=10')).json).toMatchObject({
      allowed: true,
      plan: 'free',
      used: '0',
      remaining: '10',
    })
    expect((await as('new', 'GET /entitlements/sso')).json).toMatchObject({ allowed: false, plan: 'free' })
    expect((await as('new', 'GET /subscription')).status).toBe(404)
  })
})

describe('the operator', () => {
  const path = '/admin/customers/ada/subscription'

  test('changes a plan at any time, gives money back, pauses and resumes', async () => {
    const { admin, farebox, clock } = await open()
    await admin('POST /admin/subscriptions', { customer: 'ada', plan: 'max' })
    await farebox.closePeriods()
    clock.advance(10 * DAY)
    const preview = await admin(`POST ${path}/change/preview`, { plan: 'pro', when: 'now' })
    const changed = await admin(`POST ${path}/change`, { plan: 'pro', when: 'now' })
    expect(invoiceOf(changed).lines).toEqual(invoiceOf(preview).lines)
    expect(changed.json).toMatchObject({ subscription: { plan: 'pro' }, effective_at: '2026-01-11T00:00:00.000Z' })
    const later = await admin(`POST ${path}/change`, { plan: 'max', when: { at: '2026-01-20T00:00:00Z' } })
    expect(later.json).toMatchObject({ effective_at: '2026-01-20T00:00:00.000Z', invoice: null })
    expect((await admin(`POST ${path}/reactivate`)).json).toMatchObject({ subscription: { scheduled: [] } })

    clock.advance(DAY)
    const paused = await admin(`POST ${path}/pause`, { when: 'now', resumes_at: '2026-03-01T00:00:00Z' })
    expect(paused.json).toMatchObject({ subscription: { is_paused: true, scheduled: [{ kind: 'resumption' }] } })
    expect(await admin(`POST ${path}/pause`, { when: 'now' })).toMatchObject({
      status: 409,
      json: { code: 'invalid_transition' },
    })
    clock.advance(DAY)
    expect((await admin(`POST ${path}/resume`)).json).toMatchObject({ subscription: { is_paused: false, plan: 'pro' } })
    expect(await admin(`POST ${path}/resume`)).toMatchObject({ status: 409, json: { code: 'invalid_transition' } })

    clock.advance(DAY)
    const [seen, ended] = [
      await admin(`POST ${path}/cancel/preview`, { when: 'now', prorate: true }),
      await admin(`POST ${path}/cancel`, { when: 'now', prorate: true }),
    ]
    expect(invoiceOf(ended).lines).toEqual(invoiceOf(seen).lines)
    expect(ended.json).toMatchObject({ subscription: { status: 'canceled' } })
    expect((await admin('POST /admin/subscriptions', { customer: 'ada', plan: 'pro' })).json).toMatchObject({ status: 'active' })
  })

  test('activates what waited for its payment, and redeems for a customer', async () => {
    const { admin, as } = await open()
    await admin('POST /admin/subscriptions', { customer: 'ada', plan: 'pro', awaits_payment: true })
    expect((await as('ada', 'GET /subscription')).json).toMatchObject({ status: 'pending_payment' })
    expect((await as('ada', 'GET /entitlements/api_calls')).json).toMatchObject({ allowed: false, code: 'payment_overdue' })
    expect((await admin(`POST ${path}/activate`)).json).toMatchObject({ status: 'active' })
    expect(await admin(`POST ${path}/activate`)).toMatchObject({ status: 409, json: { code: 'invalid_transition' } })
    expect((await admin(`POST ${path}/coupons`, { coupon: 'welcome' })).json).toMatchObject({
      discounts: [{ coupon: 'welcome' }],
    })
    expect(await admin('POST /admin/customers/nobody/subscription/cancel')).toMatchObject({ status: 404 })
  })

  test('keeps what an invoice needs to know of a customer, and sees what that customer may use', async () => {
    const { admin } = await open()
    const bea = { id: 'bea', currency: 'EUR', country: 'DE', tax_id: 'DE123456789', is_tax_exempt: true }
    expect((await admin('POST /admin/customers', bea)).json).toMatchObject(bea)
    expect((await admin('POST /admin/customers', { id: 'bea', name: 'Bea' })).json).toMatchObject({ ...bea, name: 'Bea' })
    await admin('POST /admin/subscriptions', { customer: 'bea', plan: 'pro' })
    for (const wrong of [{ currency: 'USD' }, { currency: 'GBP' }, { country: 'Germany' }, { country: 'de' }])
      expect(await admin('POST /admin/customers', { id: 'bea', ...wrong })).toMatchObject({
        status: 400,
        json: { code: 'invalid_request' },
      })
    expect((await admin('GET /admin/customers/bea/entitlements')).json).toMatchObject({ entitlements: [{ plan: 'pro' }, {}, {}] })
    expect((await admin('GET /admin/customers/bea/entitlements/api_calls?value=1000')).json).toMatchObject({ allowed: true })
    expect((await admin('GET /admin/customers/bea/entitlements/sso')).json).toMatchObject({ allowed: true })
  })

  test('moves one customer, or all page by page, to the prices of a newer catalog; again moves nothing', async () => {
    const store = sqlite({ path: ':memory:' })
    const plans = (price: string) => ({ pro: { price, interval: 'month', features: { api_calls: { included: 5 } } } }) as const
    const features = { api_calls: { type: 'metered' } } as const
    const old = createFarebox({ catalog: defineCatalog({ currency: 'USD', features, plans: plans('10') }), store })
    const names = Array.from({ length: 7 }, (_, i) => `c${i}`)
    for (const customerId of names) await old.subscriptions.create({ customerId, plan: 'pro', startsAt: '2026-01-01T00:00:00Z' })
    await old.customers.create({ id: 'idle' })
    await old.subscriptions.cancel({ customerId: 'c6', when: 'now' })

    const farebox = createFarebox({ catalog: defineCatalog({ currency: 'USD', features, plans: plans('12') }), store })
    const { admin } = await start({ farebox }, {})
    const versionOf = async (customer: string) =>
      (await admin(`GET /admin/customers/${customer}/subscription`)).json['catalog_version']
    expect((await admin('POST /admin/customers/c0/subscription/prices', { when: 'now' })).status).toBe(200)
    expect([await versionOf('c0'), await versionOf('c1')]).toEqual([farebox.catalog.version, old.catalog.version])
    const all = async () => {
      const told: string[] = []
      let cursor: string | null | undefined
      do {
        const { json } = await admin('POST /admin/subscriptions/prices', { when: 'now', limit: 3, ...(cursor ? { cursor } : {}) })
        told.push(
          ...(json['items'] as { customer: string; result: string }[]).map(({ customer, result }) => `${customer} ${result}`),
        )
        cursor = json['next'] as string | null
      } while (cursor !== null)
      return told
    }
    const rest = ['c6 no_subscription', 'idle no_subscription']
    expect(await all()).toEqual(['c0 current', ...names.slice(1, 6).map((name) => `${name} moved`), ...rest])
    expect(await all()).toEqual([...names.slice(0, 6).map((name) => `${name} current`), ...rest])
    expect(await Promise.all(names.slice(0, 6).map(versionOf))).toEqual(Array(6).fill(farebox.catalog.version))
    await old.stop()
  })
})
