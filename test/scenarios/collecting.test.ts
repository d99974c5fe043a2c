/** Stories of invoices that are collected: charged, marked as paid, withdrawn, given up; one step of each pair at once wins. */

import { fixedTaxRates, manual } from '@farebox/core'
import { describe, expect, test } from 'vitest'
import { charging, openShop, outcome, shownMoney } from './shop.ts'
import { STORES } from './stores.ts'

const LINES = [
  { description: 'Workshop', amount: '100.00' },
  { description: 'Travel', amount: '19.99' },
]

describe.each(STORES)('collecting on $name', ({ database }) => {
  test('charges the invoice of a period once, whoever asks at once and again', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.subscribe('ada', 'credits')
    await story.pays('ada', 'sandbox_card')
    await story.close()
    const answers = await Promise.all(Array.from({ length: 10 }, () => farebox.invoices.pay('FB-000001')))
    expect(new Set(answers.map(outcome))).toEqual(new Set(['paid FB-000001 paid 20.00']))
    expect(outcome(await farebox.invoices.pay('FB-000001'))).toBe('paid FB-000001 paid 20.00')
    expect(story.moved()).toEqual(['charge 20.00'])
    const { due, paid, payments } = await farebox.invoices.collection('FB-000001')
    expect([shownMoney(due), shownMoney(paid), payments.length]).toEqual(['0.00 USD', '20.00 USD', 1])
  })

  test('begins a new attempt after a decline, under a key of its own', async () => {
    const story = openShop(database)
    const { farebox } = story
    const { id } = await farebox.invoices.createOneOff({ customerId: 'ada', lines: LINES, idempotencyKey: 'o1' })
    for (const method of ['sandbox_expired', 'sandbox_declined', 'sandbox_card'] as const) {
      await story.pays('ada', method)
      await farebox.invoices.pay(id)
    }
    const payments = await farebox.payments.of(id)
    expect(payments.map((payment) => [payment.id, payment.status, payment.declineCode])).toEqual([
      [`${id}-pay-1`, 'declined', 'expired_card'],
      [`${id}-pay-2`, 'declined', 'card_declined'],
      [`${id}-pay-3`, 'succeeded', null],
    ])
    expect(await farebox.payments.get(`${id}-pay-2`)).toEqual(payments[1])
    expect(await farebox.payments.get(`${id}-pay-4`)).toBeNull()
    expect(story.moved()).toEqual(['charge 119.99'])
  })

  test('has one attempt under way at most: who asks meanwhile asks what became of it', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.pays('ada', 'sandbox_pending')
    const { id } = await farebox.invoices.createOneOff({ customerId: 'ada', lines: LINES, idempotencyKey: 'o1' })
    expect((await farebox.invoices.pay(id)).kind).toBe('pending')
    await story.pays('ada', 'sandbox_card')
    expect((await farebox.invoices.pay(id)).kind).toBe('paid')
    expect(story.moved()).toEqual(['charge 119.99'])
    expect(await farebox.payments.of(id)).toHaveLength(1)
  })

  test('by bank transfer waits for the operator, who says that it came or that nobody waits any more', async () => {
    const story = openShop(database, { payments: manual() })
    const { farebox } = story
    const pending = await farebox.credits.buyPack({ customerId: 'ada', pack: 'starter', idempotencyKey: 'k1' })
    expect(pending).toMatchObject({ kind: 'pending', payment: { status: 'pending', awaits: 'operator', provider: 'manual' } })
    expect(await farebox.payments.askAgain()).toBe(0)
    const paid = await farebox.invoices.markPaid(pending.invoice.id, { reference: 'transfer 77' })
    expect(paid).toMatchObject({
      kind: 'paid',
      payment: { reference: 'transfer 77', status: 'succeeded' },
      grant: { left: '100' },
    })
    await expect(farebox.invoices.markPaid(pending.invoice.id)).rejects.toMatchObject({ code: 'invalid_transition' })
    const other = await farebox.credits.buyPack({ customerId: 'ada', pack: 'large', idempotencyKey: 'k2' })
    expect(await farebox.invoices.void(other.invoice.id)).toMatchObject({ status: 'void' })
    expect(await farebox.credits.buyPack({ customerId: 'ada', pack: 'large', idempotencyKey: 'k2' })).toMatchObject({
      kind: 'declined',
      code: 'void',
    })
    expect((await farebox.credits.get('ada')).available).toBe('100')
  })

  test('goes along the table and no other way', async () => {
    const story = openShop(database)
    const { farebox } = story
    const make = async (key: string): Promise<string> =>
      (await farebox.invoices.createOneOff({ customerId: 'ada', lines: LINES, idempotencyKey: key })).id
    const steps = {
      pay: farebox.invoices.pay,
      markPaid: farebox.invoices.markPaid,
      void: farebox.invoices.void,
      giveUp: farebox.invoices.markUncollectible,
    }
    type Step = keyof typeof steps
    const outcomes = async (first: Step): Promise<string[]> => {
      const found: string[] = []
      for (const second of Object.keys(steps) as Step[]) {
        const id = await make(`${first} ${second}`.replace(' ', '-'))
        await steps[first](id)
        const done = await steps[second](id).then(
          () => 'done',
          (error: { code: string }) => error.code,
        )
        found.push(`${second} ${done} ${(await farebox.invoices.get(id))?.status}`)
      }
      return found
    }
    await story.pays('ada', 'sandbox_card')
    const never = (status: string): string[] =>
      ['markPaid', 'void', 'giveUp'].map((step) => `${step} invalid_transition ${status}`)
    expect(await outcomes('markPaid')).toEqual(['pay done paid', ...never('paid')])
    expect(await outcomes('void')).toEqual(['pay invalid_transition void', ...never('void')])
    expect(await outcomes('giveUp')).toEqual([
      'pay done paid',
      'markPaid done paid',
      'void done void',
      'giveUp invalid_transition uncollectible',
    ])
    for (const step of Object.values(steps)) await expect(step('nope')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('of two steps at once one wins, and no money comes in for what is withdrawn', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.pays('ada', 'sandbox_card')
    for (let round = 0; round < 6; round += 1) {
      const { id } = await farebox.invoices.createOneOff({ customerId: 'ada', lines: LINES, idempotencyKey: `o${round}` })
      const steps = [
        () => farebox.invoices.pay(id),
        () => farebox.invoices.void(id),
        () => farebox.invoices.markPaid(id),
        () => farebox.creditNotes.create({ invoice: id, amount: '119.99', reason: 'all', idempotencyKey: 'c' }),
      ]
      const order = round % 2 === 0 ? steps : steps.toReversed()
      await Promise.allSettled(order.map((step) => step()))
      const { invoice, due, paid, credited, kept } = await farebox.invoices.collection(id)
      expect(due.minor).toBe(0n)
      if (invoice.status === 'void') expect(paid.minor).toBe(0n)
      // What came in is what was asked for, or the customer keeps the rest.
      else expect(paid.minor + invoice.creditApplied.minor - kept.minor).toBe(11_999n - credited.minor)
    }
  })

  test('leaves an invoice alone while its payment is under way', async () => {
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    const story = openShop(database, {
      through: (provider) => charging(provider, async (input) => gate.then(() => provider.charge(input))),
    })
    const { farebox } = story
    await story.pays('ada', 'sandbox_card')
    const { id } = await farebox.invoices.createOneOff({ customerId: 'ada', lines: LINES, idempotencyKey: 'o1' })
    const paying = farebox.invoices.pay(id)
    for (let i = 0; i < 100 && (await farebox.payments.of(id)).length === 0; i += 1)
      await new Promise((resolve) => setTimeout(resolve, 5))
    const busy = { code: 'invalid_transition' }
    await expect(farebox.invoices.void(id)).rejects.toMatchObject(busy)
    await expect(farebox.invoices.markPaid(id)).rejects.toMatchObject(busy)
    await expect(farebox.invoices.markUncollectible(id)).rejects.toMatchObject(busy)
    await expect(
      farebox.creditNotes.create({ invoice: id, amount: '1.00', reason: 'x', idempotencyKey: 'c' }),
    ).rejects.toMatchObject(busy)
    release()
    expect((await paying).kind).toBe('paid')
  })
})

describe.each(STORES)('one-off invoices on $name', ({ database }) => {
  test('have taxes, are made once for a key, and never come to less than nothing', async () => {
    const tax = fixedTaxRates({ seller: { country: 'DE' }, rates: [{ country: 'DE', rate: '19' }] })
    const story = openShop(database, { tax })
    const { farebox } = story
    const input = { customerId: 'ada', lines: LINES, idempotencyKey: 'o1' }
    const made = await Promise.all([farebox.invoices.createOneOff(input), farebox.invoices.createOneOff(input)])
    expect(made[1]).toEqual(made[0])
    expect(made[0]).toMatchObject({ number: 'FB-000001', type: 'one_off', status: 'open' })
    expect([made[0].subtotal, made[0].tax, made[0].total].map(shownMoney)).toEqual(['119.99 USD', '22.80 USD', '142.79 USD'])
    await expect(farebox.invoices.createOneOff({ ...input, lines: LINES.slice(1) })).rejects.toMatchObject({
      code: 'key_conflict',
    })
    for (const amount of ['-1.00', '0.00', '0.001']) {
      const lines = [{ description: 'x', amount }]
      await expect(farebox.invoices.createOneOff({ ...input, lines, idempotencyKey: 'o2' })).rejects.toMatchObject({
        code: 'invalid_amount',
      })
    }
    for (const lines of [[], [{ description: '', amount: '1.00' }], [{ description: 'x'.repeat(501), amount: '1.00' }]])
      await expect(farebox.invoices.createOneOff({ ...input, lines, idempotencyKey: 'o3' })).rejects.toMatchObject({
        code: 'invalid_option',
      })
    expect((await farebox.invoices.list()).items).toHaveLength(1)
  })

  test('are paid by invoice credit first, which comes back when they are withdrawn', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.pays('ada', 'sandbox_card')
    const first = await farebox.invoices.createOneOff({ customerId: 'ada', lines: LINES, idempotencyKey: 'o1' })
    await farebox.invoices.pay(first.id)
    await farebox.creditNotes.create({ invoice: first.id, amount: '30.00', reason: 'late', idempotencyKey: 'c1' })
    const second = await farebox.invoices.createOneOff({
      customerId: 'ada',
      lines: [{ description: 'Book', amount: '20.00' }],
      idempotencyKey: 'o2',
    })
    expect(second).toMatchObject({ status: 'paid', creditApplied: { minor: 2_000n } })
    const third = await farebox.invoices.createOneOff({
      customerId: 'ada',
      lines: [{ description: 'Book', amount: '20.00' }],
      idempotencyKey: 'o3',
    })
    expect(third).toMatchObject({ status: 'open', creditApplied: { minor: 1_000n } })
    expect(shownMoney((await farebox.invoices.collection(third.id)).due)).toBe('10.00 USD')
    await farebox.invoices.void(third.id)
    const fourth = await farebox.invoices.createOneOff({
      customerId: 'ada',
      lines: [{ description: 'Pen', amount: '10.00' }],
      idempotencyKey: 'o4',
    })
    expect(fourth).toMatchObject({ status: 'paid', creditApplied: { minor: 1_000n } })
  })
})
