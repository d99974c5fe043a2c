/** The sandbox: a provider like any other, whose cards do each time what their names say. */

import { describe, expect, test } from 'vitest'
import type { ChargeInput } from '../../src/contracts/payment-provider.ts'
import { sandbox, SANDBOX_METHODS } from '../../src/providers/sandbox.ts'
import { open } from './open.ts'

const usd = (minor: bigint) => ({ minor, currency: 'USD' })
const charge = (key: string, change: Partial<ChargeInput> = {}): ChargeInput => ({
  customerId: 'ada',
  paymentMethod: 'sandbox_card',
  amount: usd(1_000n),
  invoiceId: 'i1',
  key,
  ...change,
})
const payment = (id: string) => ({ id, customerId: 'ada', invoiceId: 'i1', reference: null })

describe('the sandbox as a provider', () => {
  test.each([
    ['sandbox_card', 'succeeded', 'succeeded'],
    ['sandbox_declined', 'declined card_declined', 'declined card_declined'],
    ['sandbox_insufficient_funds', 'declined insufficient_funds', 'declined insufficient_funds'],
    ['sandbox_expired', 'declined expired_card', 'declined expired_card'],
    ['sandbox_timeout', 'unknown', 'succeeded'],
    ['sandbox_timeout_declined', 'unknown', 'declined card_declined'],
    ['sandbox_pending', 'pending', 'succeeded'],
    ['sandbox_pending_declined', 'pending', 'declined debit_returned'],
    ['sandbox_refund_declined', 'succeeded', 'succeeded'],
    ['sandbox_refund_timeout', 'succeeded', 'succeeded'],
    ['nobody_knows_it', 'declined unknown_payment_method', 'declined unknown_payment_method'],
    [null, 'declined no_payment_method', 'declined no_payment_method'],
  ])('%s is %s, and when it is asked again %s', async (paymentMethod, first, then) => {
    const told = (result: { kind: string }): string => ('code' in result ? `${result.kind} ${String(result.code)}` : result.kind)
    for (const provider of [sandbox(), sandbox()]) {
      expect(told(await provider.charge(charge('k', { paymentMethod })))).toBe(first)
      expect(told(await provider.status('k'))).toBe(then)
      expect(provider.movements()).toHaveLength(then === 'succeeded' ? 1 : 0)
    }
  })

  test('has every way to pay in its table', () => {
    expect(Object.keys(SANDBOX_METHODS)).toHaveLength(10)
  })

  test('moves the money of a key once, and takes nothing else under it', async () => {
    const provider = sandbox()
    const results = await Promise.all(Array.from({ length: 5 }, () => provider.charge(charge('k'))))
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1)
    expect(provider.movements()).toEqual([{ kind: 'charge', key: 'k', customerId: 'ada', amount: usd(1_000n) }])
    for (const change of [{ amount: usd(1_001n) }, { customerId: 'bob' }, { paymentMethod: 'sandbox_pending' }])
      await expect(provider.charge(charge('k', change))).rejects.toMatchObject({ code: 'key_conflict' })
    expect(await provider.status('other')).toEqual({ kind: 'none' })
  })

  test('refunds no more than it charged, once for a key', async () => {
    const provider = sandbox()
    await provider.charge(charge('k'))
    const refund = (key: string, minor: bigint) => provider.refund({ payment: payment('k'), amount: usd(minor), key })
    expect((await refund('r1', 600n)).kind).toBe('succeeded')
    expect((await refund('r1', 600n)).kind).toBe('succeeded')
    expect(await refund('r2', 401n)).toEqual({ kind: 'declined', code: 'refund_exceeds_charge' })
    expect((await refund('r3', 400n)).kind).toBe('succeeded')
    expect(provider.movements().map(({ amount }) => amount.minor)).toEqual([1_000n, 600n, 400n])
    await expect(refund('r1', 1n)).rejects.toMatchObject({ code: 'key_conflict' })
    await provider.charge(charge('no', { paymentMethod: 'sandbox_declined' }))
    expect(await provider.refund({ payment: payment('no'), amount: usd(1n), key: 'r4' })).toEqual({
      kind: 'declined',
      code: 'charge_not_paid',
    })
  })

  test('refuses options that it does not know', () => {
    expect(() => sandbox({ url: 'x' } as object)).toThrow(/baseUrl/)
    expect(() => sandbox({ baseUrl: 'javascript:alert(1)' })).toThrow(/baseUrl/)
    expect(() => sandbox({ secret: 'short' })).toThrow(/secret/)
  })
})

describe('the checkout page', () => {
  const urls = { successUrl: 'https://shop.example.com/done?a=1&b=2', cancelUrl: 'https://shop.example.com/back' }
  const submit = (url: string, body: string): Request =>
    new Request(url, { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } })

  test('puts a card on file with a plain form, and the customer buys with it', async () => {
    const { farebox, payments } = open()
    const { url } = await farebox.payments.createCheckout({ customerId: 'ada', ...urls, idempotencyKey: 'c1' })
    expect(url).toMatch(/^https:\/\/api\.example\.com\/sandbox\/checkout\/checkout_[0-9a-f]{32}$/)
    expect((await farebox.payments.createCheckout({ customerId: 'ada', ...urls, idempotencyKey: 'c1' })).url).toBe(url)
    const page = await payments.handler(new Request(url))
    const html = await page.text()
    expect([page.status, page.headers.get('cache-control'), page.headers.get('referrer-policy')]).toEqual([
      200,
      'no-store',
      'no-referrer',
    ])
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'.*form-action 'self' https:\/\/shop\.example\.com;/,
    )
    expect(html).not.toContain('<script')
    for (const token of Object.keys(SANDBOX_METHODS)) expect(html).toContain(`value="${token}"`)
    const done = await payments.handler(submit(url, 'payment_method=sandbox_card'))
    expect([done.status, done.headers.get('location')]).toEqual([303, urls.successUrl])
    expect((await farebox.credits.buyPack({ customerId: 'ada', pack: 'starter', idempotencyKey: 'k' })).kind).toBe('paid')
    // It was used: whoever finds its address later changes nothing.
    expect((await payments.handler(submit(url, 'payment_method=sandbox_declined'))).status).toBe(410)
    expect((await payments.handler(new Request(url))).status).toBe(410)
    expect((await farebox.customers.get('ada'))?.paymentMethod).toBe('sandbox_card')
  })

  test('is of use for an hour, to whoever has its address, and takes what it offers', async () => {
    const { farebox, payments, clock } = open()
    const { url } = await farebox.payments.createCheckout({ customerId: 'ada', ...urls })
    for (const body of [
      'payment_method=nope',
      'x=1',
      '',
      `payment_method=sandbox_card&x=${'x'.repeat(5_000)}`,
      'payment_method=__proto__',
    ])
      expect((await payments.handler(submit(url, body))).status).toBe(400)
    expect((await payments.handler(new Request(url, { method: 'DELETE' }))).status).toBe(405)
    expect((await payments.handler(new Request('https://api.example.com/sandbox/checkout/checkout_0'))).status).toBe(404)
    clock.advance(3_600_000)
    expect((await payments.handler(submit(url, 'payment_method=sandbox_card'))).status).toBe(410)
    expect(await farebox.customers.get('ada')).toBeNull()
  })

  test('shows names as text, and leads to web addresses only', async () => {
    const { farebox, payments } = open()
    const customerId = '"><script>alert(1)</script>'
    const { url } = await farebox.payments.createCheckout({
      customerId,
      successUrl: urls.successUrl,
      cancelUrl: 'https://x.example/"onload="x',
    })
    const html = await (await payments.handler(new Request(url))).text()
    expect(html).not.toMatch(/<script|"onload/)
    expect(html).toContain('&quot;&gt;&lt;script&gt;')
    for (const successUrl of ['javascript:alert(1)', '/relative', 'ftp://x.example', ''])
      await expect(farebox.payments.createCheckout({ customerId: 'ada', successUrl })).rejects.toMatchObject({
        code: 'invalid_option',
      })
  })

  test('says so when the card could not be kept', async () => {
    const payments = sandbox()
    const { url } = await payments.createCheckout({ customerId: 'ada', ...urls, key: 'k' })
    expect((await payments.handler(submit(`https://api.example.com${url}`, 'payment_method=sandbox_card'))).status).toBe(503)
  })
})

describe('webhooks', () => {
  const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

  test('tell of a payment that ended, and are asked about: twice, late and out of order they do no harm', async () => {
    const { farebox, payments } = open()
    await farebox.payments.attach({ customerId: 'ada', paymentMethod: 'sandbox_pending' })
    const { payment: pending } = await farebox.credits.buyPack({ customerId: 'ada', pack: 'starter', idempotencyKey: 'k' })
    const body = bytes([
      { kind: 'payment', key: `${pending?.id}-refund-1` },
      { kind: 'payment', key: pending?.id },
      { kind: 'payment', key: 'nobody-pay-1' },
    ])
    const send = (signature: string | undefined) =>
      farebox.payments.webhook({ body, header: (name) => (name === 'sandbox-signature' ? signature : undefined) })
    expect(await Promise.all([send(payments.sign(body)), send(payments.sign(body))])).toEqual([3, 3])
    expect(await send(payments.sign(body))).toBe(3)
    expect((await farebox.credits.get('ada')).available).toBe('100')
    expect(payments.movements()).toHaveLength(1)
  })

  test('that are not signed, signed for other bytes, or not understood are refused', async () => {
    const { farebox, payments } = open()
    const attach = bytes([{ kind: 'payment_method', customerId: 'ada', paymentMethod: 'sandbox_card' }])
    const send = (body: Uint8Array, signature?: string) => farebox.payments.webhook({ body, header: () => signature })
    const refused = { code: 'invalid_webhook' }
    await expect(send(attach)).rejects.toMatchObject(refused)
    await expect(send(attach, '')).rejects.toMatchObject(refused)
    await expect(send(attach, sandbox().sign(attach))).rejects.toMatchObject(refused)
    const changed = new Uint8Array(attach)
    changed[5] = 0x41
    await expect(send(changed, payments.sign(attach))).rejects.toMatchObject(refused)
    for (const body of [
      new TextEncoder().encode('{'),
      bytes({}),
      bytes([null]),
      bytes([{ kind: 'payment' }]),
      bytes([{ kind: 'other' }]),
    ])
      await expect(send(body, payments.sign(body))).rejects.toMatchObject(refused)
    expect(await farebox.customers.get('ada')).toBeNull()
    expect(await send(attach, payments.sign(attach))).toBe(1)
    expect((await farebox.customers.get('ada'))?.paymentMethod).toBe('sandbox_card')
  })
})
