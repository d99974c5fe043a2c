/** Stories of money that goes back: refunds and credit notes, never more than came in, whoever asks at once. */

import { fixedTaxRates, formatMoney } from '@farebox/core'
import { describe, expect, test } from 'vitest'
import { openShop, type Shop, shownMoney } from './shop.ts'
import { STORES } from './stores.ts'

/** A paid invoice of 100.00, and its payment. */
async function paidInvoice({ farebox, pays }: Shop, customerId = 'ada', method: Parameters<Shop['pays']>[1] = 'sandbox_card') {
  await pays(customerId, method)
  const lines = [
    { description: 'Workshop', amount: '60.00' },
    { description: 'Travel', amount: '40.00' },
  ]
  const { id } = await farebox.invoices.createOneOff({ customerId, lines, idempotencyKey: 'o1' })
  const paid = await farebox.invoices.pay(id)
  return { invoice: id, payment: paid.payment?.id ?? '' }
}

describe.each(STORES)('refunds on $name', ({ database }) => {
  test('give back once for a key, and together never more than was paid, also at once', async () => {
    const story = openShop(database)
    const { farebox } = story
    const { payment } = await paidInvoice(story)
    const one = { payment, amount: '30.00', idempotencyKey: 'r0' }
    const same = await Promise.all(Array.from({ length: 5 }, () => farebox.payments.refund(one)))
    expect(new Set(same.map(({ kind, refund }) => `${kind} ${refund.id}`))).toEqual(new Set([`succeeded ${payment}-refund-1`]))
    await expect(farebox.payments.refund({ ...one, amount: '31.00' })).rejects.toMatchObject({ code: 'key_conflict' })
    const many = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => farebox.payments.refund({ payment, amount: '9.00', idempotencyKey: `r${i + 1}` })),
    )
    expect(many.filter(({ status }) => status === 'fulfilled')).toHaveLength(7)
    for (const answer of many)
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'refund_exceeds_payment' })
    // What is left goes back without an amount, and then nothing does.
    expect((await farebox.payments.refund({ payment, idempotencyKey: 'rest' })).refund.amount.minor).toBe(700n)
    await expect(farebox.payments.refund({ payment, idempotencyKey: 'more' })).rejects.toMatchObject({
      code: 'refund_exceeds_payment',
    })
    const back = story.sandbox.movements().filter(({ kind }) => kind === 'refund')
    expect(back.reduce((sum, { amount }) => sum + amount.minor, 0n)).toBe(10_000n)
    expect(await farebox.payments.get(payment)).toMatchObject({ refunded: { minor: 10_000n } })
    await expect(farebox.payments.refund({ payment: 'nope', idempotencyKey: 'x' })).rejects.toMatchObject({ code: 'not_found' })
  })

  test('of a pack take back the same share of it, as far as it is unused', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.subscribe('ada', 'credits')
    await story.pays('ada', 'sandbox_card')
    const { payment } = await farebox.credits.buyPack({ customerId: 'ada', pack: 'starter', idempotencyKey: 'k1' })
    const id = payment?.id ?? ''
    await farebox.payments.refund({ payment: id, amount: '3.33', idempotencyKey: 'r1' })
    const pack = async () => (await farebox.credits.get('ada')).grants.find(({ source }) => source === 'pack')
    expect(await pack()).toMatchObject({ revoked: '33.3', left: '66.7' })
    await story.use('ada', 70)
    expect(await pack()).toMatchObject({ used: '60', left: '6.7' })
    // Two thirds go back, and no more credits than are left.
    await farebox.payments.refund({ payment: id, amount: '6.67', idempotencyKey: 'r2' })
    expect(await pack()).toMatchObject({ granted: '100', used: '60', revoked: '40', left: '0' })
    expect(await story.use('ada', 1)).toBe('credits_exhausted')
  })

  test('that the provider declines give again what they took, and count for nothing', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.subscribe('ada', 'prepaid')
    await story.pays('ada', 'sandbox_refund_declined')
    const { payment } = await farebox.balance.topUp({ customerId: 'ada', amount: '50.00', idempotencyKey: 't1' })
    const refunded = await farebox.payments.refund({ payment: payment?.id ?? '', amount: '20.00', idempotencyKey: 'r1' })
    expect(refunded).toMatchObject({
      kind: 'declined',
      refund: { declineCode: 'refund_declined' },
      payment: { refunded: { minor: 0n } },
    })
    expect((await farebox.balance.get('ada')).available).toBe('60')
    expect(await farebox.payments.refund({ payment: payment?.id ?? '', amount: '20.00', idempotencyKey: 'r1' })).toMatchObject({
      kind: 'declined',
    })
    expect((await farebox.payments.refund({ payment: payment?.id ?? '', amount: '50.00', idempotencyKey: 'r2' })).kind).toBe(
      'declined',
    )
  })

  test('whose answer is lost hold what they took, and are asked for under the same key', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.subscribe('ada', 'prepaid')
    await story.pays('ada', 'sandbox_refund_timeout')
    const { payment } = await farebox.balance.topUp({ customerId: 'ada', amount: '50.00', idempotencyKey: 't1' })
    const input = { payment: payment?.id ?? '', amount: '50.00', idempotencyKey: 'r1' }
    expect((await farebox.payments.refund(input)).kind).toBe('unknown')
    // It cannot be spent while nobody knows.
    expect((await farebox.balance.get('ada')).available).toBe('10')
    await expect(farebox.payments.refund({ ...input, amount: '0.01', idempotencyKey: 'r2' })).rejects.toMatchObject({
      code: 'refund_exceeds_payment',
    })
    expect(await farebox.payments.askAgain()).toBe(1)
    expect((await farebox.payments.refund(input)).kind).toBe('succeeded')
    expect(story.moved()).toEqual(['charge 50.00', 'refund 50.00'])
  })
})

describe.each(STORES)('credit notes on $name', ({ database }) => {
  test('have a series of their own, are made once for a key, and leave what was paid as invoice credit', async () => {
    const story = openShop(database)
    const { farebox } = story
    const { invoice } = await paidInvoice(story)
    const input = { invoice, lines: [{ line: 'one_off-2', amount: '15.00' }], reason: 'Shorter trip', idempotencyKey: 'c1' }
    const answers = await Promise.all(Array.from({ length: 5 }, () => farebox.creditNotes.create(input)))
    expect(new Set(answers.map(({ creditNote }) => creditNote.number))).toEqual(new Set(['CN-000001']))
    const [made] = answers
    expect(made).toMatchObject({ kept: { minor: 1_500n }, refunds: [], due: { minor: 0n } })
    expect(made?.creditNote).toMatchObject({
      type: 'credit_note',
      status: 'paid',
      corrects: invoice,
      correctsNumber: 'FB-000001',
      total: { minor: -1_500n },
    })
    await expect(farebox.creditNotes.create({ ...input, reason: 'Another' })).rejects.toMatchObject({ code: 'key_conflict' })
    const next = await farebox.invoices.createOneOff({
      customerId: 'ada',
      lines: [{ description: 'Book', amount: '20.00' }],
      idempotencyKey: 'o2',
    })
    expect(next).toMatchObject({ number: 'FB-000002', creditApplied: { minor: 1_500n } })
    expect(story.moved()).toEqual(['charge 100.00'])
  })

  test('send money back as far as it came in, and keep the rest as credit', async () => {
    const story = openShop(database)
    const { farebox } = story
    const first = await paidInvoice(story)
    await farebox.creditNotes.create({ invoice: first.invoice, amount: '25.00', reason: 'a', idempotencyKey: 'c1' })
    const lines = [{ description: 'Consulting', amount: '100.00' }]
    const second = await farebox.invoices.createOneOff({ customerId: 'ada', lines, idempotencyKey: 'o2' })
    await farebox.invoices.pay(second.id)
    // 75.00 came in as money, 25.00 as credit.
    const note = await farebox.creditNotes.create({
      invoice: second.id,
      amount: '90.00',
      reason: 'b',
      idempotencyKey: 'c2',
      refund: 'provider',
    })
    expect([note.kept.minor, ...note.refunds.map(({ amount, status }) => `${formatMoney(amount)} ${status}`)]).toEqual([
      1_500n,
      '75.00 succeeded',
    ])
    expect(story.moved()).toEqual(['charge 100.00', 'charge 75.00', 'refund 75.00'])
    const { due, paid, refunded, credited, kept } = await farebox.invoices.collection(second.id)
    expect([due, paid, refunded, credited, kept].map(shownMoney)).toEqual([
      '0.00 USD',
      '75.00 USD',
      '75.00 USD',
      '90.00 USD',
      '15.00 USD',
    ])
  })

  test('lower what is due of an open invoice, and pay it when nothing is left', async () => {
    const story = openShop(database)
    const { farebox } = story
    const lines = [{ description: 'Consulting', amount: '100.00' }]
    const { id } = await farebox.invoices.createOneOff({ customerId: 'ada', lines, idempotencyKey: 'o1' })
    const note = await farebox.creditNotes.create({
      invoice: id,
      amount: '40.00',
      reason: 'a',
      idempotencyKey: 'c1',
      refund: 'provider',
    })
    expect(note).toMatchObject({ kept: { minor: 0n }, refunds: [], due: { minor: 6_000n } })
    await story.pays('ada', 'sandbox_card')
    await farebox.invoices.pay(id)
    expect(story.moved()).toEqual(['charge 60.00'])
    const other = await farebox.invoices.createOneOff({ customerId: 'ada', lines, idempotencyKey: 'o2' })
    await farebox.creditNotes.create({ invoice: other.id, amount: '100.00', reason: 'all', idempotencyKey: 'c2' })
    expect(await farebox.invoices.get(other.id)).toMatchObject({ status: 'paid' })
    expect((await farebox.invoices.collection(other.id)).kept.minor).toBe(0n)
  })

  test('and refunds together give back what was paid and no more, in whichever order and at once', async () => {
    const story = openShop(database)
    const { farebox } = story
    for (let round = 0; round < 4; round += 1) {
      const customerId = `c${round}`
      const { invoice, payment } = await paidInvoice(story, customerId)
      const asked = Array.from({ length: 12 }, (_, i) => async () => {
        if (i % 3 === 0) await farebox.payments.refund({ payment, amount: '17.00', idempotencyKey: `r${i}` })
        else
          await farebox.creditNotes.create({
            invoice,
            amount: '13.00',
            reason: 'x',
            idempotencyKey: `c${i}`,
            refund: i % 3 === 1 ? 'provider' : 'credit',
          })
      })
      await Promise.allSettled((round % 2 === 0 ? asked : asked.toReversed()).map((ask) => ask()))
      const { paid, refunded, credited, kept } = await farebox.invoices.collection(invoice)
      expect(refunded.minor + kept.minor).toBeLessThanOrEqual(paid.minor)
      expect(credited.minor).toBeLessThanOrEqual(10_000n)
      const back = story.sandbox.movements().filter((one) => one.kind === 'refund' && one.customerId === customerId)
      expect(back.reduce((sum, { amount }) => sum + amount.minor, 0n)).toBe(refunded.minor)
    }
  })

  test('take back taxes and the unused part of what was bought, and conserve both to the cent', async () => {
    const rates = [{ country: 'DE', rate: '19' }]
    const story = openShop(database, { tax: fixedTaxRates({ seller: { country: 'DE' }, rates }) })
    const { farebox } = story
    const { invoice } = await paidInvoice(story)
    for (let i = 0; i < 7; i += 1)
      await farebox.creditNotes.create({ invoice, amount: '17.00', reason: 'x', idempotencyKey: `c${i}` })
    const { credited, kept } = await farebox.invoices.collection(invoice)
    expect([credited, kept].map(shownMoney)).toEqual(['119.00 USD', '119.00 USD'])
    await expect(
      farebox.creditNotes.create({ invoice, amount: '0.01', reason: 'x', idempotencyKey: 'c8' }),
    ).rejects.toMatchObject({
      code: 'credit_exceeds_invoice',
    })
    const bought = await farebox.credits.buyPack({ customerId: 'ada', pack: 'starter', idempotencyKey: 'k1' })
    await farebox.creditNotes.create({ invoice: bought.invoice.id, amount: '5.00', reason: 'half', idempotencyKey: 'c1' })
    expect((await farebox.credits.get('ada')).available).toBe('50')
    const notes = (await farebox.invoices.list()).items.filter(({ type }) => type === 'credit_note')
    expect(notes.map(({ number }) => number)).toEqual(Array.from({ length: 8 }, (_, i) => `CN-${String(i + 1).padStart(6, '0')}`))
  })

  test('of a base price are not given back again when the plan ends early', async () => {
    const story = openShop(database)
    const { farebox } = story
    await story.pays('ada', 'sandbox_card')
    await story.subscribe('ada', 'credits')
    await story.close()
    await farebox.invoices.pay('FB-000001')
    await farebox.creditNotes.create({ invoice: 'FB-000001', amount: '20.00', reason: 'sorry', idempotencyKey: 'c1' })
    story.goTo('2026-01-02')
    const { invoice } = await farebox.subscriptions.cancel({ customerId: 'ada', when: 'now', prorate: true })
    expect(invoice?.total.minor ?? 0n).toBe(0n)
  })

  test('are refused for what is no final invoice, and without a reason', async () => {
    const story = openShop(database)
    const { farebox } = story
    const { invoice } = await paidInvoice(story)
    const input = { invoice, amount: '1.00', reason: 'x', idempotencyKey: 'c1' }
    const { creditNote } = await farebox.creditNotes.create(input)
    const code = (change: object) =>
      farebox.creditNotes.create({ ...input, idempotencyKey: 'c2', ...change }).then(
        () => 'nothing',
        (error: { code: string }) => error.code,
      )
    expect(await code({ invoice: creditNote.id })).toBe('credit_exceeds_invoice')
    expect(await code({ invoice: 'nope' })).toBe('not_found')
    expect(await code({ reason: '' })).toBe('invalid_option')
    expect(await code({ lines: [{ line: 'one_off-1', amount: '1.00' }] })).toBe('invalid_option')
    expect(await code({ amount: undefined, lines: [{ line: 'nope', amount: '1.00' }] })).toBe('not_found')
    expect(await code({ amount: '100.00' })).toBe('credit_exceeds_invoice')
    expect(await code({ amount: '-1.00' })).toBe('invalid_amount')
  })
})
