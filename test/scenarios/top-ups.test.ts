/** Stories of prepaid money: topped up, spent, bought by itself below a threshold, and told entry by entry. */

import type { AutoTopUpInput, LedgerEntry } from '@farebox/core'
import { describe, expect, test } from 'vitest'
import { charging, ledgerLines, openShop, outcome, type Shop } from './shop.ts'
import { STORES } from './stores.ts'

const SETTINGS: AutoTopUpInput = { threshold: '5.00', amount: '20.00', coolDownMinutes: 10, monthlyCeiling: '50.00' }

/** What was bought by itself, and what became of it, oldest first. */
async function automatic({ farebox }: Shop, customerId = 'ada'): Promise<string[]> {
  // Whatever is considered now has been.
  await farebox.payments.askAgain()
  const { items } = await farebox.payments.list({ customerId })
  return items.filter(({ isAutomatic }) => isAutomatic).map(({ status }) => status)
}

async function wholeLedger({ farebox }: Shop, limit: number): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = []
  let after: string | undefined
  do {
    const page = await farebox.balance.ledger('ada', { limit, after })
    expect(page.items.length).toBeLessThanOrEqual(limit)
    entries.push(...page.items)
    after = page.next ?? undefined
  } while (after !== undefined)
  return entries
}

describe.each(STORES)('a prepaid balance on $name', ({ database }) => {
  test('is topped up, spent after what the plan includes, and outlives the period', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.subscribe('ada', 'prepaid')
    await story.pays('ada', 'sandbox_card')
    const topUp = { customerId: 'ada', amount: '25.00', idempotencyKey: 't1' }
    const answers = await Promise.all([farebox.balance.topUp(topUp), farebox.balance.topUp({ ...topUp, amount: '25' })])
    expect(answers.map(outcome)).toEqual(Array(2).fill('paid FB-000001 paid 25.00'))
    await expect(farebox.balance.topUp({ ...topUp, amount: '26.00' })).rejects.toMatchObject({ code: 'key_conflict' })
    expect(await farebox.balance.get('ada')).toMatchObject({ available: '35', currency: 'USD', overdraft: '0', autoTopUp: null })
    expect(await story.use('ada', 12)).toBe('recorded')
    expect(await story.use('ada', 24)).toBe('balance_exhausted')
    story.goTo('2026-02-01')
    // What the plan includes is back, and what was topped up is still there.
    expect((await farebox.balance.get('ada')).grants.map(({ source, left }) => `${source} ${left}`)).toEqual([
      'plan 10',
      'top_up 23',
    ])
    expect(await story.close()).toEqual(['recurring 10.00: Prepaid 10.00', 'recurring 10.00: Prepaid 10.00, 12 API calls 0.00'])
  })

  test('takes amounts of money and nothing else', async () => {
    const { farebox } = openShop(database)
    for (const amount of ['0', '0.00', '-1.00', '1.001', '1e3', '', ' 1', '1000000000.01', 'NaN', 25, null]) {
      const asked = farebox.balance.topUp({ customerId: 'ada', amount: amount as string, idempotencyKey: 'k' })
      await expect(asked, String(amount)).rejects.toMatchObject({ code: 'invalid_amount' })
    }
    expect((await farebox.invoices.list()).items).toEqual([])
    const settings = (change: Partial<AutoTopUpInput>) => farebox.balance.setAutoTopUp('ada', { ...SETTINGS, ...change })
    await expect(settings({ monthlyCeiling: '19.99' })).rejects.toMatchObject({ code: 'invalid_option' })
    await expect(settings({ coolDownMinutes: 0 })).rejects.toMatchObject({ code: 'invalid_option' })
    await expect(settings({ threshold: '-1' })).rejects.toMatchObject({ code: 'invalid_amount' })
    await expect(settings({ amount: '0.00' })).rejects.toMatchObject({ code: 'invalid_amount' })
  })

  test('is bought by itself when an event leaves too little of it, and not for others', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.subscribe('ada', 'prepaid')
    await story.subscribe('bob', 'prepaid')
    await story.pays('ada', 'sandbox_card')
    await farebox.balance.setAutoTopUp('ada', SETTINGS)
    expect((await farebox.balance.get('ada')).autoTopUp).toEqual({
      threshold: '5',
      amount: '20',
      coolDownMinutes: 10,
      monthlyCeiling: '50',
    })
    await story.use('ada', 5)
    expect(await automatic(story)).toEqual([])
    await story.use('bob', 6)
    await story.use('ada', '0.5')
    expect(await automatic(story)).toEqual(['succeeded'])
    expect((await farebox.balance.get('ada')).available).toBe('24.5')
    expect(await automatic(story, 'bob')).toEqual([])
    expect(story.moved()).toEqual(['charge 20.00'])
    const [payment] = (await farebox.payments.list({ customerId: 'ada' })).items
    expect(payment).toMatchObject({ isAutomatic: true, provider: 'sandbox', paymentMethod: 'sandbox_card' })
  })

  test('is bought by itself once it is refused for lack of it, after the cool-down, and up to the ceiling of the month', async () => {
    const story = openShop(database, { begins: '2026-01-02' })
    const { farebox } = story
    await story.subscribe('ada', 'prepaid')
    await story.pays('ada', 'sandbox_card')
    await farebox.customers.create({ id: 'ada', timeZone: 'America/New_York' })
    await farebox.balance.setAutoTopUp('ada', SETTINGS)
    await story.use('ada', 10)
    expect(await automatic(story)).toEqual(['succeeded'])
    // Spent again at once: the cool-down holds it back, and so the request is refused.
    await story.use('ada', 20)
    expect(await story.use('ada', 1)).toBe('balance_exhausted')
    expect(await automatic(story)).toEqual(['succeeded'])
    story.clock.advance(10 * 60_000)
    expect(await story.use('ada', 1)).toBe('balance_exhausted')
    expect(await automatic(story)).toEqual(['succeeded', 'succeeded'])
    await story.use('ada', 20)
    // 60.00 would be more than the ceiling of 50.00, also just before the month ends where the customer is.
    story.goTo('2026-02-01T04:59:00Z')
    await story.use('ada', 10)
    expect(await automatic(story)).toEqual(['succeeded', 'succeeded'])
    story.goTo('2026-02-01T05:00:00Z')
    expect(await story.use('ada', 1)).toBe('balance_exhausted')
    expect(await automatic(story)).toEqual(['succeeded', 'succeeded', 'succeeded'])
    // Turning it off and on again forgets neither.
    await farebox.balance.setAutoTopUp('ada', null)
    await farebox.balance.setAutoTopUp('ada', { ...SETTINGS, threshold: '100.00', monthlyCeiling: '39.99' })
    story.clock.advance(60 * 60_000)
    await story.use('ada', 1)
    expect(await automatic(story)).toEqual(['succeeded', 'succeeded', 'succeeded'])
  })

  test('counts an attempt that is declined for the cool-down, and not for the ceiling', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.subscribe('ada', 'prepaid')
    await story.pays('ada', 'sandbox_declined')
    await farebox.balance.setAutoTopUp('ada', { ...SETTINGS, monthlyCeiling: '20.00' })
    await story.use('ada', 10)
    expect(await automatic(story)).toEqual(['declined'])
    await story.pays('ada', 'sandbox_card')
    await story.use('ada', 1)
    expect(await automatic(story)).toEqual(['declined'])
    story.clock.advance(10 * 60_000)
    await story.use('ada', 1)
    expect(await automatic(story)).toEqual(['declined', 'succeeded'])
    expect((await farebox.invoices.list({ customerId: 'ada' })).items.map(({ status }) => status)).toEqual(['void', 'paid'])
  })

  test('has one attempt under way at most, however many processes see that it is low', async () => {
    const place = database()
    const calls: string[] = []
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    const first = openShop(() => place)
    const slow = (): Parameters<typeof openShop>[1] => ({
      through: () =>
        charging(first.sandbox, async (input) => {
          calls.push(input.key)
          await gate
          return first.sandbox.charge(input)
        }),
    })
    await first.subscribe('ada', 'prepaid')
    await first.pays('ada', 'sandbox_card')
    const stories = [openShop(() => place, slow()), openShop(() => place, slow()), openShop(() => place, slow())]
    await first.farebox.balance.setAutoTopUp('ada', { ...SETTINGS, coolDownMinutes: 1, monthlyCeiling: '1000.00' })
    expect(await automatic(first)).toEqual([])
    await Promise.all(
      stories.flatMap((story) =>
        Array.from({ length: 3 }, () => story.farebox.usage.track({ customerId: 'ada', feature: 'api_calls', value: 1 })),
      ),
    )
    for (let i = 0; i < 50 && calls.length === 0; i += 1) await new Promise((resolve) => setTimeout(resolve, 20))
    for (const story of stories) await story.use('ada', 1)
    const open = await first.farebox.payments.list({ isOpen: true })
    expect(open.items.map(({ isAutomatic }) => isAutomatic)).toEqual([true])
    expect(calls).toHaveLength(1)
    release()
    for (const story of stories) await automatic(story)
    expect(first.moved()).toEqual(['charge 20.00'])
    expect((await first.farebox.payments.list()).items.map(({ status }) => status)).toEqual(['succeeded'])
  })

  test('is granted after an answer that was lost, by another process and by its own time', async () => {
    const place = database()
    const story = openShop(() => place, {
      through: (provider) => charging(provider, async (input) => (await provider.charge(input), { kind: 'unknown' })),
    })
    const { farebox } = story
    await story.subscribe('ada', 'prepaid')
    await story.pays('ada', 'sandbox_card')
    await farebox.balance.setAutoTopUp('ada', SETTINGS)
    await story.use('ada', 10)
    for (let i = 0; i < 100 && story.moved().length === 0; i += 1) await new Promise((resolve) => setTimeout(resolve, 10))
    const other = openShop(() => place, { through: () => story.sandbox })
    expect(await automatic(other)).toEqual(['succeeded'])
    expect((await farebox.balance.get('ada')).available).toBe('20')
    expect(story.moved()).toEqual(['charge 20.00'])
  })

  test('is told entry by entry: the movements sum to it, page by page, over periods, corrections, expiries and refunds', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.subscribe('ada', 'prepaid')
    await story.pays('ada', 'sandbox_card')
    story.goTo('2026-01-05')
    await story.use('ada', '2.5')
    const event = await farebox.usage.track({ customerId: 'ada', feature: 'api_calls', value: 4, idempotencyKey: 'e1' })
    expect(event.kind).toBe('recorded')
    story.goTo('2026-01-10')
    const bought = await farebox.balance.topUp({ customerId: 'ada', amount: '30.00', idempotencyKey: 't1' })
    story.goTo('2026-01-11')
    await story.use('ada', 7)
    story.goTo('2026-01-12')
    await farebox.usage.correct({ customerId: 'ada', idempotencyKey: 'e1', value: 1 })
    story.goTo('2026-02-03')
    await story.use('ada', '0.000001')
    story.goTo('2026-02-04')
    await farebox.payments.refund({ payment: bought.payment?.id ?? '', amount: '10.00', idempotencyKey: 'r1' })
    const entries = await wholeLedger(story, 100)
    expect(ledgerLines(entries)).toEqual([
      'revoke -10 → 26.499999',
      'usage -0.000001 → 36.499999',
      'grant 10 → 36.5',
      'expiry -3 → 26.5',
      'correction 3 → 29.5',
      'usage -7 → 26.5',
      'grant 30 → 33.5',
      'usage -4 → 3.5',
      'usage -2.5 → 7.5',
      'grant 10 → 10',
    ])
    expect((await farebox.balance.get('ada')).available).toBe('26.499999')
    for (const limit of [1, 2, 3, 7, 10]) expect(await wholeLedger(story, limit), String(limit)).toEqual(entries)
    // Closing changes which invoice holds an event, and nothing of the ledger; nor does a cursor lose its place over it.
    const page = await farebox.balance.ledger('ada', { limit: 5 })
    await story.close()
    expect(await wholeLedger(story, 3)).toEqual(entries)
    const rest = await farebox.balance.ledger('ada', { limit: 100, after: page.next ?? '' })
    expect([...page.items, ...rest.items]).toEqual(entries)
    await expect(farebox.balance.ledger('ada', { after: 'nonsense' })).rejects.toMatchObject({ code: 'invalid_option' })
    expect((await farebox.balance.ledger('nobody')).items).toEqual([])
  })

  test('shows what a plan without blocking costs beyond it as overdraft, which is billed when the period ends', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.subscribe('ada', 'open')
    await story.use('ada', 40)
    expect(await farebox.balance.get('ada')).toMatchObject({ available: '0', overdraft: '3.32' })
    const { items } = await farebox.balance.ledger('ada')
    expect(items[0]).toMatchObject({ kind: 'usage', amount: '-10', balance: '0', uncovered: '3.32', quantity: '40' })
    story.goTo('2026-02-01')
    expect((await story.close()).at(-1)).toBe(
      'recurring 13.32: Open 10.00, 40 API calls 0.00, 1 API calls, beyond the balance 3.32',
    )
    expect((await farebox.balance.get('ada')).overdraft).toBe('0')
  })
})
