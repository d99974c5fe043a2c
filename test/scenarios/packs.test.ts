/** Stories of credits that are bought in packs: once for each key, whatever the provider answers. */

import { FareboxError } from '@farebox/core'
import { describe, expect, test } from 'vitest'
import { charging, ledgerLines, openShop, outcome } from './shop.ts'
import { STORES } from './stores.ts'

describe.each(STORES)('packs of credits on $name', ({ database }) => {
  test('are charged at once, granted with the paid invoice, and used after the credits of the plan', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.subscribe('ada', 'credits')
    await story.pays('ada', 'sandbox_card')
    const bought = await farebox.credits.buyPack({ customerId: 'ada', pack: 'starter', idempotencyKey: 'k1' })
    expect(outcome(bought)).toBe('paid FB-000001 paid 10.00')
    expect(bought.grant).toMatchObject({
      unit: 'credits',
      source: 'pack',
      granted: '100',
      left: '100',
      expiresAt: null,
      priority: 0,
    })
    expect(bought.invoice.lines).toMatchObject([
      { type: 'credit_pack', description: 'Starter pack', quantity: 100_000_000n, unitPrice: '10.00' },
    ])
    expect(await story.left('ada')).toBe('110 credits')
    expect(await story.use('ada', 12)).toBe('recorded')
    const { available, grants } = await farebox.credits.get('ada')
    expect([available, ...grants.map(({ source, left }) => `${source} ${left}`)]).toEqual(['98', 'plan 0', 'pack 98'])
  })

  test('are one purchase for one key: sent twice at once, and again later', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.pays('ada', 'sandbox_card')
    const input = { customerId: 'ada', pack: 'starter', idempotencyKey: 'k1' }
    const answers = await Promise.all(Array.from({ length: 20 }, () => farebox.credits.buyPack(input)))
    expect(new Set(answers.map(outcome))).toEqual(new Set(['paid FB-000001 paid 10.00']))
    story.goTo('2026-01-02')
    expect(outcome(await farebox.credits.buyPack(input))).toBe('paid FB-000001 paid 10.00')
    expect(story.moved()).toEqual(['charge 10.00'])
    expect((await farebox.credits.get('ada')).available).toBe('100')
    // The key is that of one customer: another one's is another purchase.
    await story.pays('bob', 'sandbox_card')
    expect(outcome(await farebox.credits.buyPack({ ...input, customerId: 'bob' }))).toBe('paid FB-000002 paid 10.00')
    await expect(farebox.credits.buyPack({ ...input, pack: 'large' })).rejects.toMatchObject({ code: 'key_conflict' })
    expect((await farebox.invoices.list()).items).toHaveLength(2)
  })

  test('outlive the subscription, and are there for the next one', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.subscribe('ada', 'credits')
    await story.pays('ada', 'sandbox_card')
    await farebox.credits.buyPack({ customerId: 'ada', pack: 'starter', idempotencyKey: 'k1' })
    await story.use('ada', 15)
    await farebox.subscriptions.cancel({ customerId: 'ada' })
    story.goTo('2026-06-01')
    await story.close()
    expect(await story.use('ada', 1)).toBe('no_subscription')
    expect((await farebox.credits.get('ada')).available).toBe('95')
    await story.subscribe('ada', 'credits')
    expect(await story.left('ada')).toBe('105 credits')
  })

  test('that are declined grant nothing and owe nothing, and the key stays declined', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.pays('ada', 'sandbox_insufficient_funds')
    const input = { customerId: 'ada', pack: 'starter', idempotencyKey: 'k1' }
    const declined = await farebox.credits.buyPack(input)
    expect(declined).toMatchObject({ kind: 'declined', code: 'insufficient_funds', grant: null, invoice: { status: 'void' } })
    await story.pays('ada', 'sandbox_card')
    expect(await farebox.credits.buyPack(input)).toMatchObject({ kind: 'declined', code: 'insufficient_funds' })
    expect(outcome(await farebox.credits.buyPack({ ...input, idempotencyKey: 'k2' }))).toBe('paid FB-000002 paid 10.00')
    expect((await farebox.credits.get('ada')).available).toBe('100')
    await expect(farebox.invoices.pay(declined.invoice.id)).rejects.toMatchObject({ code: 'invalid_transition' })
    expect(await farebox.credits.buyPack({ customerId: 'eve', pack: 'starter', idempotencyKey: 'k' })).toMatchObject({
      kind: 'declined',
      code: 'no_payment_method',
    })
  })

  test('whose answer is lost are asked for under the same key, and granted once', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.pays('ada', 'sandbox_timeout')
    const input = { customerId: 'ada', pack: 'starter', idempotencyKey: 'k1' }
    expect(await farebox.credits.buyPack(input)).toMatchObject({
      kind: 'unknown',
      invoice: { status: 'open' },
      payment: { status: 'unknown' },
    })
    expect((await farebox.credits.get('ada')).available).toBe('0')
    expect((await farebox.payments.list({ isOpen: true })).items).toHaveLength(1)
    expect(await farebox.payments.askAgain()).toBe(1)
    expect((await farebox.credits.get('ada')).available).toBe('100')
    expect(outcome(await farebox.credits.buyPack(input))).toBe('paid FB-000001 paid 10.00')
    expect(await farebox.payments.askAgain()).toBe(0)
    expect(story.moved()).toEqual(['charge 10.00'])
    await story.pays('bob', 'sandbox_timeout_declined')
    expect((await farebox.credits.buyPack({ ...input, customerId: 'bob' })).kind).toBe('unknown')
    // Asking to buy again is asking what became of it.
    expect(await farebox.credits.buyPack({ ...input, customerId: 'bob' })).toMatchObject({
      kind: 'declined',
      code: 'card_declined',
    })
  })

  test('that take a while are granted when they are paid, and not before', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.subscribe('ada', 'credits')
    await story.pays('ada', 'sandbox_pending')
    const pending = await farebox.credits.buyPack({ customerId: 'ada', pack: 'starter', idempotencyKey: 'k1' })
    expect(pending).toMatchObject({ kind: 'pending', payment: { status: 'pending', awaits: 'provider' } })
    expect(await story.left('ada')).toBe('10 credits')
    await expect(farebox.invoices.void(pending.invoice.id)).rejects.toMatchObject({ code: 'invalid_transition' })
    expect(await farebox.payments.askAgain()).toBe(1)
    expect(await story.left('ada')).toBe('110 credits')
  })

  test('lose nothing when the process dies at any step between the charge and the grant', async () => {
    const steps = ['before the provider is called', 'after the money moved'] as const
    for (const died of steps) {
      const place = database()
      const story = openShop(() => place, {
        through: (provider) =>
          charging(provider, async (input) => {
            if (died === 'after the money moved') await provider.charge(input)
            throw new Error('the process died')
          }),
        onError: () => {},
      })
      await story.pays('ada', 'sandbox_card')
      const input = { customerId: 'ada', pack: 'starter', idempotencyKey: 'k1' }
      expect((await story.farebox.credits.buyPack(input)).kind, died).toBe('unknown')
      // Another process, with the same provider.
      const next = openShop(() => place, { through: () => story.sandbox })
      await next.farebox.payments.askAgain()
      expect(story.moved(), died).toEqual(['charge 10.00'])
      expect((await next.farebox.credits.get('ada')).available, died).toBe('100')
      expect(outcome(await next.farebox.credits.buyPack(input)), died).toBe('paid FB-000001 paid 10.00')
      expect(story.moved(), died).toEqual(['charge 10.00'])
    }
  })

  test('of a provider that hangs count as unknown when its time is over, and no longer hold anybody up', async () => {
    const story = openShop(database, {
      through: (provider) => ({ ...charging(provider, () => new Promise(() => {})), withinMs: 20 }),
    })
    await story.pays('ada', 'sandbox_card')
    const input = { customerId: 'ada', pack: 'starter', idempotencyKey: 'k1' }
    expect((await story.farebox.credits.buyPack(input)).kind).toBe('unknown')
    // It never heard of it, and is not charged twice however often it is asked.
    expect(await story.farebox.payments.askAgain()).toBe(0)
    // A day later the provider may have forgotten the key: what it never heard of is given up.
    story.goTo('2026-01-02')
    expect(await story.farebox.payments.askAgain()).toBe(1)
    expect(await story.farebox.credits.buyPack(input)).toMatchObject({
      kind: 'declined',
      code: 'not_sent',
      invoice: { status: 'void' },
    })
    expect(story.moved()).toEqual([])
  })

  test('are unknown where the catalog has none, and bad input is refused', async () => {
    const { farebox } = openShop(database)
    const code = (promise: Promise<unknown>): Promise<string> =>
      promise.then(
        () => 'nothing',
        (error: unknown) => (error instanceof FareboxError ? error.code : String(error)),
      )
    const input = { customerId: 'ada', pack: 'starter', idempotencyKey: 'k1' }
    expect(await code(farebox.credits.buyPack({ ...input, pack: 'huge' }))).toBe('unknown_pack')
    expect(await code(farebox.credits.buyPack({ ...input, customerId: 'a b' }))).toBe('invalid_customer')
    expect(await code(farebox.credits.buyPack({ ...input, idempotencyKey: '' }))).toBe('invalid_key')
    expect(await code(farebox.credits.grant({ customerId: 'ada', credits: 0 }))).toBe('invalid_quantity')
    expect(await code(farebox.credits.grant({ customerId: 'ada', credits: 1, priority: -1 }))).toBe('invalid_option')
    expect(await code(farebox.credits.grant({ customerId: 'ada', credits: 1, expiresAt: '2025-01-01T00:00:00Z' }))).toBe(
      'invalid_timestamp',
    )
    expect((await farebox.invoices.list()).items).toEqual([])
  })
})

describe.each(STORES)('credits of the operator on $name', ({ database }) => {
  test('are granted once for each key, with an expiry and a priority, and taken back as far as they are left', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.subscribe('ada', 'credits')
    story.goTo('2026-01-02')
    const input = { customerId: 'ada', credits: '5.5', expiresAt: '2026-01-20T00:00:00Z', reason: 'sorry', idempotencyKey: 'g1' }
    const granted = await farebox.credits.grant(input)
    expect(granted).toMatchObject({ source: 'adjustment', granted: '5.5', reason: 'sorry', expiresAt: Date.UTC(2026, 0, 20) })
    expect(await farebox.credits.grant(input)).toEqual(granted)
    await expect(farebox.credits.grant({ ...input, credits: 6 })).rejects.toMatchObject({ code: 'key_conflict' })
    await farebox.credits.grant({ customerId: 'ada', credits: 1_000, priority: 5 })
    const { grants } = await farebox.credits.get('ada')
    // The soonest expiry first; the one with a priority of its own last.
    expect(grants.map(({ source, priority, left }) => `${source} ${priority} ${left}`)).toEqual([
      'adjustment 0 5.5',
      'plan 0 10',
      'adjustment 5 1000',
    ])
    await story.use('ada', 2)
    const taken = { customerId: 'ada', grant: granted.id, credits: 3, idempotencyKey: 'r1', reason: 'a mistake' }
    expect(await farebox.credits.revoke(taken)).toMatchObject({ used: '2', revoked: '3', left: '0.5' })
    expect(await farebox.credits.revoke(taken)).toMatchObject({ revoked: '3', left: '0.5' })
    await expect(farebox.credits.revoke({ ...taken, idempotencyKey: 'r2' })).rejects.toMatchObject({
      code: 'revoke_exceeds_grant',
      fields: { left: '0.5' },
    })
    expect(await farebox.credits.revoke({ customerId: 'ada', grant: granted.id })).toMatchObject({ left: '0' })
    await expect(farebox.credits.revoke({ customerId: 'ada', grant: 'nope' })).rejects.toMatchObject({ code: 'not_found' })
    await expect(farebox.credits.revoke({ customerId: 'bob', grant: granted.id })).rejects.toMatchObject({ code: 'not_found' })
    const { items } = await farebox.credits.ledger('ada')
    expect(ledgerLines(items)).toEqual([
      'usage -2 → 1010',
      'revoke -0.5 → 1012',
      'revoke -3 → 1012.5',
      'grant 1000 → 1015.5',
      'grant 5.5 → 15.5',
      'grant 10 → 10',
    ])
  })
})
