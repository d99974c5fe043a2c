import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { buildCreditNote, creditableOf, type CreditNoteInput, type LineCredit } from '../../src/invoice/credit-note.ts'
import { refundable } from '../../src/invoice/refundable.ts'
import { fixedTaxRates } from '../../src/invoice/tax/fixed-rates.ts'
import { taxByRules, type TaxOf } from '../../src/invoice/tax/tax-lines.ts'
import { finalize, transition } from '../../src/invoice/transition.ts'
import type { Invoice, InvoiceLine, LineType } from '../../src/records/invoice.ts'
import { toDecimal } from '../../src/values/decimal.ts'
import { formatMoney } from '../../src/values/money.ts'
import { amountsOf, charge, invoiceOf, money, sumsAsText } from './sample.ts'

const AT = Date.UTC(2026, 1, 20)

function taxAt(rate: string, inclusive = false): TaxOf {
  const rules = fixedTaxRates({ seller: { country: 'DE' }, rates: [{ country: 'DE', rate, inclusive, name: 'VAT' }] })
  return taxByRules({ rules, buyer: {}, at: 0, categoryOf: () => null })
}

/** Open, with a number. */
function final(draft: Invoice): Invoice {
  return { ...finalize(draft, AT), number: 'FB-000007' }
}

function note(invoice: Invoice, credited: string | Record<string, string>, earlier: readonly Invoice[] = []): Invoice {
  const what =
    typeof credited === 'string'
      ? { amount: money(credited) }
      : { lines: Object.entries(credited).map(([lineId, amount]): LineCredit => ({ lineId, amount: money(amount) })) }
  const shared: Omit<CreditNoteInput, 'lines' | 'amount'> = {
    id: `cn-${earlier.length + 1}`,
    invoice,
    earlier,
    reason: 'Outage',
    at: AT,
  }
  return buildCreditNote({ ...shared, ...what })
}

const sold = final(
  invoiceOf([charge('base', '50.00', 'plan_base'), charge('documents', '100.00', 'feature_usage')], {
    discounts: [{ coupon: 'ten', name: 'Ten', percent: toDecimal(10n) }],
    taxOf: taxAt('19'),
  }),
)

describe('a credit note', () => {
  test('takes back lines with their tax, says what it is about, and is final at once', () => {
    const made = note(sold, { documents: '30.00' })
    expect(made).toMatchObject({
      id: 'cn-1',
      type: 'credit_note',
      status: 'draft',
      customerId: 'user_123',
      corrects: 'sub_1-1',
      correctsNumber: 'FB-000007',
      reason: 'Outage',
      issuedAt: AT,
    })
    expect(amountsOf(made)).toEqual({ 'credit-documents': '-30.00', 'tax-credit-documents': '-5.70' })
    expect(sumsAsText(made)).toEqual({
      subtotal: '-30.00',
      discount: '0.00',
      tax: '-5.70',
      total: '-35.70',
      creditApplied: '0.00',
    })
    expect(made.lines[0]).toMatchObject({ of: 'documents', corrects: 'sub_1-1', description: 'The documents (FB-000007)' })
    expect(made.lines[1]?.tax).toMatchObject({ rate: '19', treatment: 'exclusive', taxable: money('-30.00') })
    expect(finalize(made, AT).status).toBe('paid')
  })

  test('of the whole takes back exactly what was charged, discounts and taxes included', () => {
    const made = note(sold, '160.65')
    expect(sumsAsText(sold)).toMatchObject({ subtotal: '150.00', discount: '15.00', tax: '25.65', total: '160.65' })
    expect(amountsOf(made)).toEqual({
      'credit-base': '-45.00',
      'credit-documents': '-90.00',
      'tax-credit-base': '-8.55',
      'tax-credit-documents': '-17.10',
    })
    expect(formatMoney(creditableOf(sold, [made]))).toBe('0.00')
  })

  test('of an amount takes the same share of every line', () => {
    expect(amountsOf(note(sold, '35.70'))).toEqual({
      'credit-base': '-10.00',
      'credit-documents': '-20.00',
      'tax-credit-base': '-1.90',
      'tax-credit-documents': '-3.80',
    })
  })

  test('gives back of a change of plan both what was charged and what was given, so that the taxes add up', () => {
    const change = final(
      invoiceOf([charge('old', '-19.35', 'proration_credit'), charge('new', '48.39', 'proration_charge')], {
        taxOf: taxAt('19'),
      }),
    )
    expect(formatMoney(change.total)).toBe('34.55')
    const all = note(change, '34.55')
    expect(amountsOf(all)).toEqual({
      'credit-old': '19.35',
      'credit-new': '-48.39',
      'tax-credit-old': '3.68',
      'tax-credit-new': '-9.19',
    })
    const part = note(change, '10.00')
    expect(amountsOf(note(change, '24.55', [part]))['tax-credit-old']).toBe('2.61')
    expect(amountsOf(part)).toMatchObject({ 'tax-credit-old': '1.07' })
    expect(() => note(change, { old: '1.00' })).toThrow(expect.objectContaining({ code: 'credit_exceeds_invoice' }))
    expect(() => note(change, { new: '40.00' })).toThrow('at most the 34.55 USD that are left of invoice FB-000007, got 47.60')
  })

  test('takes back the tax that a price contains within the price', () => {
    const inclusive = final(invoiceOf([charge('a', '600.00')], { taxOf: taxAt('10', true) }))
    const made = note(inclusive, { a: '60.00' })
    expect(amountsOf(made)).toEqual({ 'credit-a': '-60.00', 'tax-credit-a': '-5.46' })
    expect(made.lines[1]?.tax?.taxable).toEqual(money('-54.54'))
    expect(formatMoney(made.total)).toBe('-60.00')
    expect(amountsOf(note(inclusive, '540.00', [made]))['tax-credit-a']).toBe('-49.09')
  })

  test('P-64: the last one takes the rest, whatever the cents before it', () => {
    const odd = final(invoiceOf([charge('a', '9.99')], { taxOf: taxAt('23.33') }))
    const notes: Invoice[] = []
    for (let i = 0; i < 3; i += 1) notes.push(note(odd, { a: '3.33' }, notes))
    expect(notes.map(({ tax }) => formatMoney(tax))).toEqual(['-0.78', '-0.77', '-0.78'])
    expect(formatMoney(odd.tax)).toBe('2.33')
  })

  test('P-69: many small ones give back no more net and no more tax than there is (polar#13770)', () => {
    const tax: TaxOf = () =>
      new Map([['a', { rate: '19', name: 'T', treatment: 'exclusive', taxable: money('0.52'), amount: money('0.10') }]])
    const invoice = final(invoiceOf([charge('a', '0.52')], { taxOf: tax }))
    const notes: Invoice[] = []
    for (const amount of ['0.32', '0.09', '0.08', '0.03', '0.06', '0.03']) notes.push(note(invoice, amount, notes))
    const sum = (of: 'subtotal' | 'tax'): bigint => notes.reduce((total, one) => total + one[of].minor, 0n)
    expect([sum('subtotal'), sum('tax')]).toEqual([-51n, -10n])
  })

  test('takes back no more of a line, or of the invoice, than is left', () => {
    const first = note(sold, { base: '40.00' })
    expect(() => note(sold, { base: '5.01' }, [first])).toThrow(
      'at most the 5.00 USD that are left of line base of invoice FB-000007, got 5.01',
    )
    expect(note(sold, { base: '5.00' }, [first]).total.minor).toBe(-595n)
    expect(() => note(sold, '113.06', [first])).toThrow(
      expect.objectContaining({ code: 'credit_exceeds_invoice', fields: expect.objectContaining({ expected: '113.05' }) }),
    )
    expect(formatMoney(creditableOf(sold, [first, note(sold, '113.05', [first])]))).toBe('0.00')
    const withdrawn: Invoice = { ...first, status: 'void' }
    expect(note(sold, { base: '45.00' }, [withdrawn]).subtotal.minor).toBe(-4500n)
  })

  test.each<[string, string | Record<string, string>, string]>([
    ['nothing', '0.00', 'credit_exceeds_invoice'],
    ['less than nothing', '-1.00', 'credit_exceeds_invoice'],
    ['no line', {}, 'credit_exceeds_invoice'],
    ['nothing of a line', { base: '0.00' }, 'credit_exceeds_invoice'],
    ['a line that is not there', { other: '1.00' }, 'not_found'],
    ['a tax', { 'tax-base': '1.00' }, 'not_found'],
    ['a discount', { 'discount-1': '1.00' }, 'not_found'],
  ])('of %s is refused', (_, credited, code) => {
    expect(() => note(sold, credited)).toThrow(expect.objectContaining({ code }))
  })

  test('is of a final invoice alone', () => {
    const draft = invoiceOf([charge('a', '10.00')])
    const open = final(draft)
    for (const invoice of [draft, transition(open, 'void'), { ...note(open, '1.00'), status: 'paid' as const }]) {
      expect(() => note(invoice, '1.00')).toThrow(expect.objectContaining({ code: 'credit_exceeds_invoice' }))
    }
    for (const invoice of [open, transition(open, 'paid'), transition(open, 'uncollectible')]) {
      expect(formatMoney(note(invoice, '1.00').total)).toBe('-1.00')
    }
  })

  test('shows an invoice without a tax as one', () => {
    expect(amountsOf(note(final(invoiceOf([charge('a', '10.00'), charge('free', '0.00')])), '10.00'))).toEqual({
      'credit-a': '-10.00',
    })
  })
})

describe('laws of credit notes', () => {
  const types: readonly LineType[] = ['one_off', 'proration_credit', 'feature_usage']
  const amounts = fc.array(
    fc.record({ type: fc.constantFrom(...types), minor: fc.bigInt({ min: -(10n ** 6n), max: 10n ** 6n }) }),
    { minLength: 1, maxLength: 5 },
  )
  const lines = amounts.map((all) =>
    all.map(({ type, minor }, index): InvoiceLine => ({
      ...charge(String(index), '0', type),
      amount: { minor, currency: 'USD' },
    })),
  )
  const invoices = fc
    .record({
      lines,
      rate: fc.bigInt({ min: 0n, max: 100n }),
      inclusive: fc.boolean(),
      percent: fc.bigInt({ min: 1n, max: 99n }),
    })
    .map(({ lines: charges, rate, inclusive, percent }) =>
      final(
        invoiceOf(charges, {
          taxOf: taxAt(String(rate), inclusive),
          discounts: [{ coupon: 'x', name: 'X', percent: toDecimal(percent) }],
        }),
      ),
    )
    .filter(({ total }) => total.minor > 0n)
  const steps = fc.array(fc.record({ line: fc.nat({ max: 5 }), permille: fc.bigInt({ min: 1n, max: 1000n }) }), { maxLength: 6 })

  /** What is left of each line, and of its tax, when the notes are taken off. */
  function rest(invoice: Invoice, notes: readonly Invoice[]): Map<string, bigint> {
    const left = new Map<string, bigint>()
    const add = (key: string, minor: bigint): unknown => left.set(key, (left.get(key) ?? 0n) + minor)
    for (const { id, of, type, amount, discount } of invoice.lines) {
      if (type === 'tax') add(`tax ${of}`, amount.minor)
      else if (discount === undefined) add(id, amount.minor)
      for (const share of discount?.shares ?? []) add(share.of, -share.amount.minor)
    }
    for (const { id, of, type, amount } of notes.flatMap((one) => one.lines)) {
      if (type === 'tax') add(`tax ${id.slice('tax-credit-'.length)}`, amount.minor)
      else add(of ?? '', amount.minor)
    }
    return left
  }

  test('nothing is ever taken back twice, and who takes back everything takes back exactly what was charged', () => {
    fc.assert(
      fc.property(invoices, steps, (invoice, taken) => {
        const charges = invoice.lines.filter(({ type }) => type !== 'tax' && type !== 'discount')
        const notes: Invoice[] = []
        const signs = new Map([...rest(invoice, [])].map(([key, minor]) => [key, minor < 0n]))
        for (const { line, permille } of taken) {
          const id = charges[line]?.id
          const left = id === undefined ? creditableOf(invoice, notes).minor : (rest(invoice, notes).get(id) ?? 0n)
          const minor = (left * permille) / 1000n
          const what = { minor, currency: 'USD' }
          const input = { id: `cn-${notes.length}`, invoice, earlier: notes, reason: 'x', at: AT }
          try {
            notes.push(
              buildCreditNote(
                id === undefined ? { ...input, amount: what } : { ...input, lines: [{ lineId: id, amount: what }] },
              ),
            )
          } catch (error) {
            // Refused: nothing or too much was asked for, as of a line that gave something back.
            expect(error).toMatchObject({ code: 'credit_exceeds_invoice' })
          }
          for (const [key, minorLeft] of rest(invoice, notes))
            expect(signs.get(key) ? minorLeft <= 0n : minorLeft >= 0n).toBe(true)
          expect(creditableOf(invoice, notes).minor >= 0n).toBe(true)
        }
        const left = creditableOf(invoice, notes)
        if (left.minor > 0n)
          notes.push(buildCreditNote({ id: 'last', invoice, earlier: notes, reason: 'x', at: AT, amount: left }))
        expect(creditableOf(invoice, notes).minor).toBe(0n)
        if (left.minor > 0n) expect([...rest(invoice, notes).values()].every((minor) => minor === 0n)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

describe('what may be refunded', () => {
  test.each([
    ['all that was credited, of a paid invoice', { total: '100', paid: '100', credited: '40' }, '40.00'],
    ['nothing of what was not paid', { total: '100', paid: '0', credited: '40' }, '0.00'],
    ['nothing where the rest was paid after the credit', { total: '100', paid: '60', credited: '40' }, '0.00'],
    ['what was paid too much', { total: '100', paid: '80', credited: '40' }, '20.00'],
    ['no more than came in as money', { total: '100', applied: '70', paid: '30', credited: '40' }, '30.00'],
    ['what is left after a refund', { total: '100', paid: '100', credited: '40', refunded: '25' }, '15.00'],
    ['nothing after all of it', { total: '100', paid: '100', credited: '40', refunded: '40' }, '0.00'],
    ['what is not kept as credit', { total: '100', paid: '100', credited: '40', kept: '30' }, '10.00'],
    ['nothing without a credit note', { total: '100', paid: '100' }, '0.00'],
    ['nothing beyond it, whatever was refunded', { total: '100', paid: '100', credited: '40', refunded: '90' }, '0.00'],
  ])(
    'P-70: %s',
    (_, { total, applied = '0', paid, credited = '0', kept = '0', refunded = '0' }: Record<string, string>, expected) => {
      const invoice = { total: money(total ?? '0'), creditApplied: money(applied), currency: 'USD' }
      const most = refundable({
        invoice,
        paid: money(paid ?? '0'),
        credited: money(credited),
        kept: money(kept),
        refunded: money(refunded),
      })
      expect(formatMoney(most)).toBe(expected)
    },
  )

  test('is never more than what came in, nor than what was credited', () => {
    const amounts = fc.bigInt({ min: 0n, max: 10_000n }).map((minor) => ({ minor, currency: 'USD' }))
    fc.assert(
      fc.property(fc.tuple(amounts, amounts, amounts, amounts), ([total, paid, credited, kept]) => {
        const invoice = { total, creditApplied: money('0'), currency: 'USD' }
        let refunded = money('0')
        for (let i = 0; i < 3; i += 1) {
          const most = refundable({ invoice, paid, credited, kept, refunded })
          refunded = { minor: refunded.minor + most.minor, currency: 'USD' }
          expect(refunded.minor <= paid.minor).toBe(true)
          if (paid.minor <= total.minor) expect(refunded.minor <= credited.minor).toBe(true)
        }
      }),
    )
  })
})
