/** Money over HTTP: what a customer buys and has, and what the operator grants, collects and gives back. */

import { describe, expect, test } from 'vitest'
import { meterFetch as metered } from '../../src/http/fetch.ts'
import { sandbox } from '../../src/providers/sandbox.ts'
import { shop } from './shop.ts'
import { type Answer, type Running, start } from './start.ts'

const DAY = 86_400_000

type Json = Record<string, unknown>

/** With a card on file for ada, unless it is said that she has none. */
async function open(card: string | null = 'sandbox_card'): Promise<Running> {
  const running = await start({}, { catalog: shop, payments: sandbox() })
  await running.farebox.subscriptions.create({ customerId: 'ada', plan: 'credits' })
  if (card !== null) await running.farebox.payments.attach({ customerId: 'ada', paymentMethod: card })
  return running
}

const itemsOf = ({ json }: Answer): Json[] => json['items'] as Json[]

describe('a customer', () => {
  test.each([
    ['credits', 'buy_credits', {}],
    ['prepaid', 'top_up', { amount: '25.00' }],
  ] as const)('on %s who is refused buys where the refusal says: %s', async (plan, rel, said) => {
    const billingUrl = 'https://api.example.com/billing'
    const { farebox, as } = await start({}, { catalog: shop, payments: sandbox(), billingUrl })
    await farebox.subscriptions.create({ customerId: 'ada', plan })
    await farebox.payments.attach({ customerId: 'ada', paymentMethod: 'sandbox_card' })
    const handler = metered(() => new Response('ok'), { farebox, identify: () => 'ada', units: 1_000_000 })
    const refusal = await handler(new Request('https://api.example.com/'))
    expect(refusal.status).toBe(402)
    const { actions } = (await refusal.json()) as { actions: { rel: string; href: string; method: string }[] }
    expect(actions.map((action) => action.rel)).toContain(rel)
    for (const [index, { href, method }] of actions.entries()) {
      expect(href.startsWith(`${billingUrl}/`)).toBe(true)
      const bought = await as(
        'ada',
        `${method} ${href.slice(billingUrl.length)}`,
        {},
        { ...said, idempotency_key: `order-${index}` },
      )
      expect(bought).toMatchObject({ status: 200, json: { result: 'paid' } })
    }
  })

  test('buys a pack of credits once for each key, and sees where they come from and went', async () => {
    const { as, farebox, clock } = await open()
    clock.advance(1_000)
    const bought = await as('ada', 'POST /credits/packs/small/purchases', {}, { idempotency_key: 'order-1' })
    expect(bought).toMatchObject({
      status: 200,
      json: {
        result: 'paid',
        invoice: { type: 'credit_purchase', status: 'paid', total: '5.00' },
        payment: { status: 'succeeded', amount: '5.00', provider: 'sandbox', payment_method: 'sandbox_card' },
        grant: { unit: 'credits', source: 'pack', left: '100', expires_at: null },
      },
    })
    expect((await as('ada', 'POST /credits/packs/small/purchases', {}, { idempotency_key: 'order-1' })).json).toEqual(bought.json)
    clock.advance(1_000)
    await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', value: 30 })
    const credits = (await as('ada', 'GET /credits')).json
    expect(credits).toMatchObject({
      available: '90',
      held: '0',
      // Those of the plan expire, so they go first.
      grants: [
        { source: 'plan', used: '50', left: '0' },
        { source: 'pack', used: '10', left: '90' },
      ],
    })
    expect((await as('ada', 'GET /usage')).json).toMatchObject({ credits: { available: '90' }, balance: { available: '0' } })
    const first = await as('ada', 'GET /credits/ledger?limit=2')
    expect(itemsOf(first)).toMatchObject([
      { kind: 'usage', feature: 'api_calls', quantity: '30', amount: '-60', balance: '90' },
      { kind: 'grant', source: 'pack', amount: '100', balance: '150' },
    ])
    const rest = await as('ada', `GET /credits/ledger?limit=2&cursor=${String(first.json['next'])}`)
    expect([itemsOf(rest), rest.json['next']]).toMatchObject([
      [{ kind: 'grant', source: 'plan', amount: '50', balance: '50' }],
      null,
    ])
    expect(itemsOf(await as('ada', 'GET /payments'))).toMatchObject([
      { status: 'succeeded', invoice: (bought.json['invoice'] as Json)['id'] },
    ])
    for (const [pack, body, status, code] of [
      ['nope', { idempotency_key: 'a' }, 400, 'unknown_pack'],
      ['small', { idempotency_key: 'a b' }, 400, 'invalid_key'],
      ['small', {}, 400, 'invalid_request'],
    ] as const)
      expect(await as('ada', `POST /credits/packs/${pack}/purchases`, {}, body)).toMatchObject({ status, json: { code } })
  })

  test('tops up a balance, is told when the card declines, and has it topped up without asking', async () => {
    const { as, farebox, clock } = await open('sandbox_insufficient_funds')
    await farebox.subscriptions.create({ customerId: 'bob', plan: 'prepaid' })
    await farebox.payments.attach({ customerId: 'bob', paymentMethod: 'sandbox_card' })
    clock.advance(1_000)
    const declined = await as('ada', 'POST /balance/top-ups', {}, { amount: '25.00', idempotency_key: 'k1' })
    expect(declined).toMatchObject({
      status: 402,
      json: { code: 'payment_declined', decline_code: 'insufficient_funds', payment: expect.any(String) as string },
    })
    expect((await as('ada', `GET /payments/${String(declined.json['payment'])}`)).json).toMatchObject({
      status: 'declined',
      decline_code: 'insufficient_funds',
      refunds: [],
    })
    const paid = await as('bob', 'POST /balance/top-ups', {}, { amount: '25.00', idempotency_key: 'k1' })
    expect(paid).toMatchObject({ status: 200, json: { result: 'paid', grant: { source: 'top_up', left: '25' } } })
    expect(await as('bob', 'POST /balance/top-ups', {}, { amount: '26.00', idempotency_key: 'k1' })).toMatchObject({
      status: 409,
      json: { code: 'key_conflict' },
    })
    for (const amount of ['0', '-1', '1.001', '1e3', 'all', ''])
      expect(await as('bob', 'POST /balance/top-ups', {}, { amount, idempotency_key: 'k2' })).toMatchObject({
        status: 400,
        json: { code: 'invalid_amount' },
      })
    const settings = { threshold: '10.00', amount: '20.00', cool_down_minutes: 30, monthly_ceiling: '100.00' }
    expect((await as('bob', 'PUT /balance/auto-top-up', {}, settings)).json).toMatchObject({
      currency: 'USD',
      available: '30',
      overdraft: '0',
      auto_top_up: { threshold: '10', amount: '20', cool_down_minutes: 30, monthly_ceiling: '100' },
    })
    for (const [wrong, code] of [
      [{ monthly_ceiling: '19.99' }, 'invalid_request'],
      [{ cool_down_minutes: 0 }, 'invalid_request'],
      [{ amount: '1.001' }, 'invalid_amount'],
    ] as const)
      expect(await as('bob', 'PUT /balance/auto-top-up', {}, { ...settings, ...wrong })).toMatchObject({
        status: 400,
        json: { code },
      })
    expect((await as('bob', 'DELETE /balance/auto-top-up')).json).toMatchObject({ auto_top_up: null })
    expect(itemsOf(await as('bob', 'GET /balance/ledger'))).toMatchObject([
      { kind: 'grant', source: 'top_up', amount: '25', balance: '30' },
      { kind: 'grant', source: 'plan', amount: '5', balance: '5' },
    ])
  })

  test('leaves a way to pay on a page of the provider, and pays an invoice', async () => {
    const { as, farebox } = await open(null)
    await farebox.closePeriods()
    const [invoice] = itemsOf(await as('ada', 'GET /invoices')) as [{ number: string }]
    const unpaid = await as('ada', `POST /invoices/${invoice.number}/pay`, {}, {})
    expect(unpaid).toMatchObject({ status: 402, json: { code: 'payment_declined', decline_code: 'no_payment_method' } })
    const page = await as('ada', 'POST /checkout', {}, { success_url: 'https://app.example.com/thanks' })
    expect(page.json).toMatchObject({ id: expect.any(String) as string, url: expect.stringContaining('/sandbox/') as string })
    for (const success_url of ['javascript:alert(1)', 'nowhere', ''])
      expect(await as('ada', 'POST /checkout', {}, { success_url })).toMatchObject({
        status: 400,
        json: { code: 'invalid_request' },
      })
    await farebox.payments.attach({ customerId: 'ada', paymentMethod: 'sandbox_card' })
    for (let i = 0; i < 2; i += 1)
      expect(await as('ada', `POST /invoices/${invoice.number}/pay`, {}, {})).toMatchObject({
        status: 200,
        json: { result: 'paid', invoice: { status: 'paid' }, payment: { status: 'succeeded', amount: '10.00' } },
      })
    expect(itemsOf(await as('ada', 'GET /payments')).map(({ status }) => status)).toEqual(['declined', 'succeeded'])
  })

  test('hears that a payment is under way, and how it ended when it is asked for again', async () => {
    const { as } = await open('sandbox_pending')
    const buy = () => as('ada', 'POST /credits/packs/small/purchases', {}, { idempotency_key: 'k' })
    expect(await buy()).toMatchObject({ status: 202, json: { result: 'pending', payment: { status: 'pending' }, grant: null } })
    expect(await buy()).toMatchObject({ status: 200, json: { result: 'paid', grant: { left: '100' } } })
  })
})

describe('the operator', () => {
  test('grants credits and balance and takes them back, and says why to nobody else', async () => {
    const { admin, as } = await open()
    for (const [unit, amount, less] of [
      ['credits', { credits: 40 }, { credits: '15.5' }],
      ['balance', { amount: '40.00' }, { amount: '15.50' }],
    ] as const) {
      const path = `/admin/customers/ada/${unit}/grants`
      const terms = {
        ...amount,
        reason: 'sorry for the outage',
        priority: 2,
        expires_at: '2026-06-01T00:00:00Z',
        idempotency_key: 'g',
      }
      const made = await admin(`POST ${path}`, terms)
      expect(made).toMatchObject({
        status: 201,
        json: { unit, granted: '40', reason: 'sorry for the outage', priority: 2, expires_at: '2026-06-01T00:00:00.000Z' },
      })
      expect((await admin(`POST ${path}`, terms)).json).toEqual(made.json)
      expect(await admin(`POST ${path}`, { ...terms, priority: 3 })).toMatchObject({
        status: 409,
        json: { code: 'key_conflict' },
      })
      const { id } = made.json as { id: string }
      expect((await admin(`POST ${path}/${id}/revoke`, { ...less, reason: 'too much' })).json).toMatchObject({
        revoked: '15.5',
        left: '24.5',
      })
      const tooMuch = unit === 'credits' ? { credits: 25 } : { amount: '25.00' }
      expect(await admin(`POST ${path}/${id}/revoke`, tooMuch)).toMatchObject({
        status: 409,
        json: { code: 'revoke_exceeds_grant' },
      })
      expect((await admin(`POST ${path}/${id}/revoke`)).json).toMatchObject({ left: '0' })
      expect(await admin(`POST ${path}/none/revoke`)).toMatchObject({ status: 404, json: { code: 'not_found' } })
      for (const [mine, theirs] of [
        [`GET /${unit}`, `GET /admin/customers/ada/${unit}`],
        [`GET /${unit}/ledger`, `GET /admin/customers/ada/${unit}/ledger`],
      ] as const) {
        expect((await as('ada', mine)).text).not.toMatch(/too much|outage/)
        if (theirs.endsWith('ledger')) expect((await admin(theirs)).text).toContain('too much')
      }
    }
    for (const body of [{ credits: 0 }, { credits: '-1' }, { credits: 'NaN' }])
      expect(await admin('POST /admin/customers/ada/credits/grants', body)).toMatchObject({
        status: 400,
        json: { code: 'invalid_quantity' },
      })
  })

  test('makes an invoice of anything, has it paid, gives money back, and sees all that became of it', async () => {
    const { admin, as } = await open()
    const asked = { customer: 'ada', lines: [{ description: 'Workshop', amount: '300.00' }], idempotency_key: 'workshop' }
    const made = await admin('POST /admin/invoices', asked)
    expect(made).toMatchObject({ status: 200, json: { type: 'one_off', status: 'open', total: '300.00' } })
    expect((await admin('POST /admin/invoices', asked)).json).toEqual(made.json)
    const { number } = made.json as { number: string }
    const collected = await admin(`POST /admin/invoices/${number}/pay`)
    expect(collected).toMatchObject({ status: 200, json: { result: 'paid', payment: { amount: '300.00' } } })
    const { id: payment } = collected.json['payment'] as { id: string }
    const refund = { amount: '50.00', idempotency_key: 'r1' }
    for (let i = 0; i < 2; i += 1)
      expect((await admin(`POST /admin/payments/${payment}/refunds`, refund)).json).toMatchObject({
        result: 'succeeded',
        refund: { amount: '50.00' },
        payment: { refunded: '50.00' },
      })
    expect(await admin(`POST /admin/payments/${payment}/refunds`, { amount: '300.00', idempotency_key: 'r2' })).toMatchObject({
      status: 409,
      json: { code: 'refund_exceeds_payment' },
    })
    expect(await admin('POST /admin/payments/none/refunds', refund)).toMatchObject({ status: 404 })
    const note = { amount: '100.00', reason: 'Half a day was missing', idempotency_key: 'n1' }
    const credited = await admin(`POST /admin/invoices/${number}/credit-notes`, note)
    expect(credited).toMatchObject({
      status: 201,
      json: { credit_note: { type: 'credit_note', number: 'CN-000001', total: '-100.00', reason: note.reason }, due: '0.00' },
    })
    expect(
      await admin(`POST /admin/invoices/${number}/credit-notes`, { ...note, amount: '250.00', idempotency_key: 'n2' }),
    ).toMatchObject({
      status: 409,
      json: { code: 'credit_exceeds_invoice' },
    })
    expect((await admin(`GET /admin/invoices/${number}/collection`)).json).toMatchObject({
      due: '0.00',
      paid: '300.00',
      refunded: '50.00',
      credited: '100.00',
      payments: [{ id: payment, refunds: [{ status: 'succeeded' }] }],
      credit_notes: [{ number: 'CN-000001' }],
    })
    expect((await as('ada', 'GET /invoices/CN-000001')).json).toMatchObject({ corrects_number: number })
    expect(itemsOf(await admin('GET /admin/payments?customer=ada'))).toMatchObject([{ id: payment }])
    expect(itemsOf(await admin('GET /admin/payments?under_way=true'))).toEqual([])
    expect((await admin(`GET /admin/payments/${payment}`)).json).toEqual(itemsOf(await as('ada', 'GET /payments'))[0])
    expect((await admin('GET /admin/audit')).json).toMatchObject({ ok: true })
  })

  test('marks as paid, gives up and withdraws, as far as the status allows', async () => {
    const { admin, farebox, clock } = await open()
    const make = async (key: string): Promise<string> => {
      const body = { customer: 'ada', lines: [{ description: key, amount: '10.00' }], idempotency_key: key }
      return String((await admin('POST /admin/invoices', body)).json['number'])
    }
    const [paid, lost, gone] = [await make('paid'), await make('lost'), await make('gone')]
    expect(await admin(`POST /admin/invoices/${paid}/mark-paid`, { reference: 'transfer 7' })).toMatchObject({
      status: 200,
      json: { result: 'paid', payment: { provider: 'manual', reference: 'transfer 7' } },
    })
    expect((await admin(`POST /admin/invoices/${lost}/mark-uncollectible`)).json).toMatchObject({ status: 'uncollectible' })
    expect((await admin(`POST /admin/invoices/${gone}/void`)).json).toMatchObject({ status: 'void' })
    for (const request of [`${paid}/void`, `${paid}/mark-uncollectible`, `${gone}/pay`, `${gone}/mark-paid`])
      expect(await admin(`POST /admin/invoices/${request}`)).toMatchObject({ status: 409, json: { code: 'invalid_transition' } })
    for (const step of ['pay', 'mark-paid', 'void', 'mark-uncollectible'])
      expect(await admin(`POST /admin/invoices/none/${step}`)).toMatchObject({ status: 404, json: { code: 'not_found' } })
    await admin('PUT /admin/customers/ada/payment-method', { payment_method: 'sandbox_pending' })
    const slow = await make('slow')
    expect(await admin(`POST /admin/invoices/${slow}/pay`)).toMatchObject({ status: 202, json: { result: 'pending' } })
    expect((await admin('POST /admin/payments/ask')).json).toEqual({ asked: 1 })
    expect((await admin(`GET /admin/invoices/${slow}`)).json).toMatchObject({ status: 'paid' })
    expect((await admin('PUT /admin/customers/ada/payment-method', { payment_method: null })).json).toEqual({
      customer: 'ada',
      payment_method: null,
    })
    clock.advance(DAY)
    expect((await farebox.verify()).ok).toBe(true)
  })

  test('who has no provider with a page is told so', async () => {
    const { as } = await start({}, { catalog: shop })
    expect(await as('ada', 'POST /checkout', {}, { success_url: 'https://app.example.com/' })).toMatchObject({
      status: 409,
      json: { code: 'no_checkout' },
    })
  })
})
