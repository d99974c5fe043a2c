/** What the engine does about payments that no story on both stores tells: refusals, time, damage, and stopping. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Entry } from '../../src/account/account-state.ts'
import type { PaymentProvider } from '../../src/contracts/payment-provider.ts'
import { createFarebox, FareboxError, manual } from '../../src/index.ts'
import { meterFetch as metered } from '../../src/http/fetch.ts'
import { sandbox } from '../../src/providers/sandbox.ts'
import { sqlite } from '../../src/sqlite/store.ts'
import type { Grant } from '../../src/records/grant.ts'
import { decimal } from '../../src/values/decimal.ts'
import { catalog, inTwoCurrencies, open } from './open.ts'

const BILLING = { billingUrl: 'https://api.example.com/billing/', upgradeUrl: 'https://shop.example.com/plans' }

describe('a 402', () => {
  async function refusal(plan: 'credits' | 'prepaid'): Promise<{ code: string; actions: unknown }> {
    const { farebox } = open(BILLING)
    await farebox.subscriptions.create({ customerId: 'ada', plan })
    const handler = metered(() => new Response('ok'), { farebox, identify: () => 'ada', units: 3 })
    const answer = await handler(new Request('https://api.example.com/'))
    expect(answer.status).toBe(402)
    return (await answer.json()) as { code: string; actions: unknown }
  }

  const upgrade = { rel: 'upgrade', href: BILLING.upgradeUrl, method: 'GET' }

  test('for lack of credits offers each pack', async () => {
    const { code, actions } = await refusal('credits')
    expect(code).toBe('credits_exhausted')
    expect(actions).toEqual([
      { rel: 'buy_credits', href: 'https://api.example.com/billing/credits/packs/starter/purchases', method: 'POST' },
      { rel: 'buy_credits', href: 'https://api.example.com/billing/credits/packs/gift/purchases', method: 'POST' },
      upgrade,
    ])
  })

  test('for lack of balance offers to top up', async () => {
    const { code, actions } = await refusal('prepaid')
    expect(code).toBe('balance_exhausted')
    expect(actions).toEqual([{ rel: 'top_up', href: 'https://api.example.com/billing/balance/top-ups', method: 'POST' }, upgrade])
  })
})

describe('options', () => {
  test('that cannot be are refused at the start', () => {
    const wrong = [
      { payments: {} },
      { payments: { ...manual(), id: 'Not A Name' } },
      { billingUrl: 'ftp://x' },
      { creditNoteSeries: 'cn' },
      { creditNoteSeries: 'FB' },
      { invoiceSeries: 'CN' },
    ]
    for (const options of wrong) {
      const made = () => createFarebox({ catalog, store: sqlite({ path: ':memory:' }), ...(options as object) })
      expect(made, JSON.stringify(options)).toThrow(FareboxError)
    }
  })
})

describe('a pack that costs nothing', () => {
  test('is granted at once, and nobody is charged', async () => {
    const { farebox, payments } = open()
    const bought = await farebox.credits.buyPack({ customerId: 'ada', pack: 'gift', idempotencyKey: 'k' })
    expect(bought).toMatchObject({ kind: 'paid', payment: null, grant: { left: '5' }, invoice: { status: 'paid' } })
    expect(await farebox.credits.buyPack({ customerId: 'ada', pack: 'gift', idempotencyKey: 'k' })).toMatchObject({
      kind: 'paid',
    })
    expect((await farebox.credits.get('ada')).available).toBe('5')
    expect(payments.movements()).toEqual([])
    expect((await farebox.verify()).differences).toEqual([])
  })
})

describe('money that a customer has', () => {
  test('keeps its currency, also before there is a subscription', async () => {
    const { farebox } = open({ catalog: inTwoCurrencies })
    await farebox.customers.create({ id: 'ada', currency: 'EUR' })
    await farebox.balance.grant({ customerId: 'ada', amount: '5.00' })
    expect(await farebox.balance.get('ada')).toMatchObject({ available: '5', currency: 'EUR' })
    await expect(farebox.customers.create({ id: 'ada', currency: 'USD' })).rejects.toMatchObject({ code: 'invalid_option' })
    await farebox.balance.grant({ customerId: 'bob', amount: '5.00' })
    await expect(farebox.customers.create({ id: 'bob', currency: 'EUR' })).rejects.toMatchObject({ code: 'invalid_option' })
    // Credits are in no currency.
    await farebox.credits.grant({ customerId: 'eve', credits: 5 })
    expect(await farebox.customers.create({ id: 'eve', currency: 'EUR' })).toMatchObject({ currency: 'EUR' })
  })
})

describe('what is under way', () => {
  test('is asked about by its own time: later and later, and not while an answer may still come', async () => {
    const provider = sandbox()
    const asked: string[] = []
    let isLost = true
    const flaky: PaymentProvider = {
      ...provider,
      charge: async (input) => {
        await provider.charge(input)
        return { kind: 'unknown' }
      },
      async status(key) {
        asked.push(key)
        return isLost ? { kind: 'unknown' } : provider.status(key)
      },
    }
    const { clock, store, farebox } = open({ payments: flaky })
    await farebox.payments.attach({ customerId: 'ada', paymentMethod: 'sandbox_card' })
    await farebox.credits.buyPack({ customerId: 'ada', pack: 'starter', idempotencyKey: 'k' })
    // What its timer does once a minute.
    const look = async (afterMs: number): Promise<number> => {
      clock.advance(afterMs)
      const other = createFarebox({ catalog, store, clock, payments: flaky })
      await other.ready
      await new Promise((resolve) => setTimeout(resolve, 20))
      return asked.splice(0).length
    }
    expect(await look(4_999)).toBe(0)
    expect(await look(1)).toBe(1)
    expect(await look(9_999)).toBe(0)
    expect(await look(1)).toBe(1)
    isLost = false
    expect(await look(20_000)).toBe(1)
    expect(await look(24 * 3_600_000)).toBe(0)
    expect((await farebox.credits.get('ada')).available).toBe('100')
  })

  test('is told to onError where the provider threw, and an answer that means nothing is no answer', async () => {
    const provider = sandbox()
    const thrown = new Error('the network is down')
    const odd = { ...provider, charge: () => Promise.reject(thrown) }
    const { farebox, errors } = open({ payments: odd })
    await farebox.payments.attach({ customerId: 'ada', paymentMethod: 'sandbox_card' })
    expect((await farebox.credits.buyPack({ customerId: 'ada', pack: 'starter', idempotencyKey: 'k' })).kind).toBe('unknown')
    expect(errors).toEqual([thrown])
    const nonsense = { ...sandbox(), charge: async () => ({ kind: 'maybe' }) } as object as PaymentProvider
    const other = open({ payments: nonsense })
    expect((await other.farebox.credits.buyPack({ customerId: 'ada', pack: 'starter', idempotencyKey: 'k' })).kind).toBe(
      'unknown',
    )
  })

  test('is waited for when the engine stops, as long as it may take', async () => {
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    const provider = sandbox()
    const folder = mkdtempSync(path.join(tmpdir(), 'farebox-payments-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const store = sqlite({ path: path.join(folder, 'billing.db') })
    const slow = {
      ...provider,
      charge: (input: Parameters<typeof provider.charge>[0]) => gate.then(() => provider.charge(input)),
    }
    const farebox = createFarebox({ catalog, store, payments: slow })
    await farebox.payments.attach({ customerId: 'ada', paymentMethod: 'sandbox_card' })
    const buying = farebox.credits.buyPack({ customerId: 'ada', pack: 'starter', idempotencyKey: 'k' })
    for (let i = 0; i < 50 && (await farebox.payments.list()).items.length === 0; i += 1)
      await new Promise((resolve) => setTimeout(resolve, 2))
    const stopping = farebox.stop()
    setTimeout(release, 30)
    await stopping
    await buying.catch(() => {})
    expect(provider.movements()).toHaveLength(1)
    // What was charged was granted before the store was let go.
    const next = createFarebox({ catalog, store: sqlite({ path: path.join(folder, 'billing.db') }) })
    expect((await next.credits.get('ada')).available).toBe('100')
    await next.stop()
  })
})

describe('the audit', () => {
  /** Books that are right, with one entry that is not. */
  async function differences(wrong: (ids: { pack: string; payment: string; oneOff: string }) => Entry): Promise<string[]> {
    const { farebox, store } = open()
    await farebox.subscriptions.create({ customerId: 'ada', plan: 'credits' })
    await farebox.payments.attach({ customerId: 'ada', paymentMethod: 'sandbox_card' })
    const bought = await farebox.credits.buyPack({ customerId: 'ada', pack: 'starter', idempotencyKey: 'k' })
    const lines = [{ description: 'Book', amount: '20.00' }]
    const oneOff = await farebox.invoices.createOneOff({ customerId: 'ada', lines, idempotencyKey: 'o' })
    expect((await farebox.verify()).differences).toEqual([])
    const entry = wrong({ pack: bought.invoice.id, payment: bought.payment?.id ?? '', oneOff: oneOff.id })
    await store.change({ customerId: 'ada' }, () => ({ result: undefined, entries: [entry] }))
    return (await farebox.verify()).differences.map(({ kind, message }) => `${kind}: ${message}`)
  }

  const grant = (id: string, granted: string, change: Partial<Grant> = {}): Entry => ({
    kind: 'granted',
    grant: {
      id,
      unit: 'credits',
      source: 'pack',
      priority: 0,
      granted: decimal(granted),
      revoked: decimal('0'),
      used: decimal('0'),
      held: decimal('0'),
      startsAt: 0,
      expiresAt: null,
      createdAt: 0,
      reference: null,
      isClosed: false,
      ...change,
    },
  })

  test('names an invoice that is paid, and nobody paid it', async () => {
    expect(await differences(({ oneOff }) => ({ kind: 'collected', invoiceId: oneOff, status: 'paid' }))).toEqual([
      'invoice: Invoice FB-000002 of ada: it is paid, and 20.00 are due',
    ])
  })

  test('names an invoice that is void, and was paid', async () => {
    const found = await differences(({ pack }) => ({ kind: 'collected', invoiceId: pack, status: 'void' }))
    expect(found[0]).toBe('invoice: Invoice FB-000001 of ada: it is void, and 10.00 were paid')
    expect(found[1]).toMatch(/^grant: .* it is void, and its grant .* is there$/)
  })

  test('names a grant that is not what was sold', async () => {
    expect(await differences(({ pack }) => grant(`grant-${pack}`, '101'))).toEqual([
      'grant: Invoice FB-000001 of ada: it sold 100, the grant has 101',
    ])
  })

  test('names a grant of which more was taken back than it says, and one of which more went than it had', async () => {
    const revocations = [{ key: 'x', amount: decimal('7'), at: 0, reason: null }]
    expect(await differences(() => grant('g', '5', { revoked: decimal('6'), revocations, source: 'adjustment' }))).toEqual([
      'grant: Grant g of ada: its revocations are 7, it says 6',
      'grant: Grant g of ada: 0 were used and 6 taken back of 5',
    ])
  })

  test('names invoice credit that no invoice drew', async () => {
    const found = await differences(() => grant('g', '5', { unit: 'invoice_credit', used: decimal('5'), source: 'credit_note' }))
    expect(found).toEqual(['grant: Invoices of ada drew -5 more invoice credit than its grants say was used'])
  })

  test('names a payment of which more went back than came in, and one without an invoice', async () => {
    const usd = (minor: bigint) => ({ minor, currency: 'USD' })
    const refund = { id: 'r', key: 'r', amount: usd(1_001n), status: 'succeeded', reference: 'r', declineCode: null } as const
    const paid = (id: string, invoiceId: string): Entry => ({
      kind: 'payment',
      payment: {
        id,
        customerId: 'ada',
        invoiceId,
        amount: usd(1_000n),
        status: 'succeeded',
        isAutomatic: false,
        awaits: 'provider',
        provider: 'sandbox',
        paymentMethod: null,
        reference: 'x',
        declineCode: null,
        refunded: usd(1_001n),
        refunds: [{ ...refund, creditNote: null, asked: null, createdAt: 0, endedAt: 0 }],
        asked: null,
        createdAt: 0,
        endedAt: 0,
      },
    })
    expect(await differences(({ payment, pack }) => paid(payment, pack))).toEqual([
      'invoice: Invoice FB-000001 of ada: 10.01 of it went back, of 10.00 that came in',
      expect.stringMatching(/^payment: .*: more goes back than came in$/),
    ])
    expect(await differences(() => paid('nobody-pay-1', 'nobody'))).toEqual([
      'payment: Payment nobody-pay-1 of ada: its invoice nobody is no final one',
      'payment: Payment nobody-pay-1 of ada: more goes back than came in',
    ])
  })
})
