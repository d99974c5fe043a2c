import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TaxOfLine } from '../../src/contracts/tax-rules.ts'
import type { AppliedDiscount } from '../../src/invoice/discount.ts'
import { fixedTaxRates } from '../../src/invoice/tax/fixed-rates.ts'
import { taxByRules } from '../../src/invoice/tax/tax-lines.ts'
import { finalize } from '../../src/invoice/transition.ts'
import { amountDue, type InvoiceLine, type LineType } from '../../src/records/invoice.ts'
import { invoiceFromStored, invoiceToDocument } from '../../src/records/invoice-document.ts'
import { decimal, toDecimal } from '../../src/values/decimal.ts'
import { formatMoney, zero } from '../../src/values/money.ts'
import { amountsOf, charge, invoiceOf, money, sumsAsText } from './sample.ts'

const rules = fixedTaxRates({
  seller: { country: 'DE' },
  rates: [
    { country: 'DE', rate: '19', name: 'VAT DE' },
    { country: 'DE', category: 'books', rate: '7', name: 'VAT DE' },
    { country: 'JP', rate: '10', name: 'JCT', inclusive: true },
  ],
})

function taxIn(country: string, categories: Readonly<Record<string, string>> = {}): ReturnType<typeof taxByRules> {
  return taxByRules({ rules, buyer: { country }, at: 0, categoryOf: ({ id }) => categories[id] ?? null })
}

const ONE_PERCENT: Omit<TaxOfLine, 'taxable'> = { rate: '1', name: 'T', treatment: 'exclusive', amount: money('0.10') }

function percent(rate: string): AppliedDiscount {
  return { coupon: `off_${rate}`, name: `${rate} % off`, percent: decimal(rate) }
}

function off(amount: string): AppliedDiscount {
  return { coupon: 'flat', name: `${amount} off`, amount: money(amount) }
}

describe('the order of the arithmetic', () => {
  test('is usage and base, then discounts, then tax, then invoice credit', () => {
    const invoice = invoiceOf([charge('plan_base', '29.00', 'plan_base'), charge('documents', '71.00', 'feature_usage')], {
      discounts: [percent('10')],
      taxOf: taxIn('DE'),
      credit: money('7.10'),
    })
    expect(amountsOf(invoice)).toEqual({
      plan_base: '29.00',
      documents: '71.00',
      'discount-1': '-10.00',
      'tax-plan_base': '4.96',
      'tax-documents': '12.14',
    })
    expect(sumsAsText(invoice)).toEqual({
      subtotal: '100.00',
      discount: '10.00',
      tax: '17.10',
      total: '107.10',
      creditApplied: '7.10',
    })
    expect(formatMoney(amountDue(invoice))).toBe('100.00')
  })

  test('with a tax that prices contain adds nothing: discounts come off the price, and the tax is of what is left', () => {
    const invoice = invoiceOf([charge('plan_base', '1100', 'plan_base', 'JPY')], {
      discounts: [percent('50')],
      taxOf: taxIn('JP'),
    })
    expect(amountsOf(invoice)).toEqual({ plan_base: '1100', 'discount-1': '-550', 'tax-plan_base': '50' })
    expect(sumsAsText(invoice)).toMatchObject({ discount: '550', tax: '0', total: '550' })
    expect(invoice.lines.at(-1)?.tax).toMatchObject({ treatment: 'inclusive', taxable: money('500', 'JPY') })
  })

  test('of nothing is an invoice of nothing, which is paid when it is final', () => {
    const invoice = invoiceOf([], { discounts: [percent('10'), off('5')], taxOf: taxIn('DE'), credit: money('3') })
    expect(invoice.lines).toEqual([])
    expect(sumsAsText(invoice)).toMatchObject({ total: '0.00', creditApplied: '0.00' })
    expect(finalize(invoice, 5)).toMatchObject({ status: 'paid', finalizedAt: 5, seal: null })
  })
})

describe('discounts', () => {
  test('follow one another: two of 10 % are 19 %', () => {
    const invoice = invoiceOf([charge('a', '100.00')], { discounts: [percent('10'), percent('10')] })
    expect(amountsOf(invoice)).toEqual({ a: '100.00', 'discount-1': '-10.00', 'discount-2': '-9.00' })
    expect(sumsAsText(invoice)).toMatchObject({ discount: '19.00', total: '81.00' })
  })

  test('never take more than there is, and one that finds nothing has no line', () => {
    const invoice = invoiceOf([charge('a', '12.00')], { discounts: [off('5'), off('20'), percent('50'), off('1')] })
    expect(amountsOf(invoice)).toEqual({ a: '12.00', 'discount-1': '-5.00', 'discount-2': '-7.00' })
  })

  test('are rounded once, half up, and say where they came from', () => {
    const invoice = invoiceOf([charge('a', '0.33'), charge('b', '0.33'), charge('c', '0.33')], { discounts: [percent('33.3')] })
    expect(invoice.lines.at(-1)).toMatchObject({
      description: '33.3 % off',
      amount: money('-0.33'),
      discount: {
        coupon: 'off_33.3',
        percent: '33.3',
        shares: [
          { of: 'a', amount: money('0.11') },
          { of: 'b', amount: money('0.11') },
          { of: 'c', amount: money('0.11') },
        ],
      },
    })
  })

  test('are shared by the largest remainder, ties by the order of the lines', () => {
    const invoice = invoiceOf([charge('a', '10.00'), charge('b', '10.00'), charge('c', '10.00')], { discounts: [off('0.05')] })
    expect(invoice.lines.at(-1)?.discount).toMatchObject({
      percent: null,
      shares: [
        { of: 'a', amount: money('0.02') },
        { of: 'b', amount: money('0.02') },
        { of: 'c', amount: money('0.01') },
      ],
    })
  })

  test.each<[LineType, boolean]>([
    ['plan_base', true],
    ['feature_usage', true],
    ['proration_charge', true],
    ['minimum_commitment', true],
    ['balance_overage', true],
    ['one_off', true],
    ['proration_credit', false],
    ['credit_pack', false],
    ['top_up', false],
    ['adjustment', false],
  ])('of a %s line: %s', (type, isDiscounted) => {
    const { discount } = invoiceOf([charge('a', '10', type)], { discounts: [percent('10')] })
    expect(formatMoney(discount)).toBe(isDiscounted ? '1.00' : '0.00')
  })

  test('leave what is given back alone', () => {
    const lines = [
      charge('old', '-20.00', 'proration_credit'),
      charge('new', '50.00', 'proration_charge'),
      charge('minus', '-5.00'),
    ]
    expect(amountsOf(invoiceOf(lines, { discounts: [percent('10')] }))['discount-1']).toBe('-5.00')
  })

  test('of another currency, over a hundred per cent or below nothing are refused', () => {
    const lines = [charge('a', '10', 'one_off', 'EUR')]
    expect(() => invoiceOf(lines, { discounts: [off('1')] })).toThrow('in the currency of the invoice')
    expect(() => invoiceOf(lines, { discounts: [percent('100.1')] })).toThrow('at most a hundred per cent')
    expect(() => invoiceOf(lines, { discounts: [percent('-1')] })).toThrow('at most a hundred per cent')
    const negative = { coupon: 'x', name: 'x', amount: money('-1', 'EUR') }
    expect(() => invoiceOf(lines, { discounts: [negative] })).toThrow('never negative')
  })
})

describe('taxes', () => {
  test('are negative where something is given back', () => {
    const lines = [charge('old', '-19.35', 'proration_credit'), charge('new', '48.39', 'proration_charge')]
    expect(amountsOf(invoiceOf(lines, { taxOf: taxIn('DE') }))).toMatchObject({ 'tax-old': '-3.68', 'tax-new': '9.19' })
  })

  test('are of the kind of thing that is sold', () => {
    const invoice = invoiceOf([charge('a', '100'), charge('b', '100')], { taxOf: taxIn('DE', { b: 'books' }) })
    expect(amountsOf(invoice)).toMatchObject({ 'tax-a': '19.00', 'tax-b': '7.00' })
    expect(invoice.lines.at(-1)).toMatchObject({ of: 'b', description: 'VAT DE 7 %' })
  })

  test.each<[string, string, TaxOfLine, string]>([
    ['of a line that is not there', 'x', { ...ONE_PERCENT, taxable: money('10') }, 'of a charge'],
    ['of a part of the line', 'a', { ...ONE_PERCENT, taxable: money('9') }, 'whole discounted amount'],
    ['that is due although exempt', 'a', { ...ONE_PERCENT, treatment: 'exempt', taxable: money('10') }, 'has no tax'],
  ])('%s are a broken invariant', (_, id, tax, message) => {
    expect(() => invoiceOf([charge('a', '10')], { taxOf: () => new Map([[id, tax]]) })).toThrow(message)
  })
})

describe('invoice credit', () => {
  test.each([
    ['pays a part', '100', '30', '30.00', '70.00', 'open'],
    ['pays all, and no more', '100', '130', '100.00', '0.00', 'paid'],
    ['pays nothing where nothing is owed', '-20', '30', '0.00', '0.00', 'paid'],
    ['may be none', '100', '0', '0.00', '100.00', 'open'],
  ])('%s', (_, amount, credit, applied, due, status) => {
    const invoice = invoiceOf([charge('a', amount)], { credit: money(credit) })
    expect([formatMoney(invoice.creditApplied), formatMoney(amountDue(invoice))]).toEqual([applied, due])
    expect(finalize(invoice, 0).status).toBe(status)
  })

  test('below nothing or of another currency is refused', () => {
    expect(() => invoiceOf([charge('a', '1')], { credit: money('-1') })).toThrow('never negative')
    expect(() => invoiceOf([charge('a', '1')], { credit: zero('EUR') })).toThrow('in the currency')
  })
})

describe('an invoice', () => {
  test('has no two lines of one id, and is given no discount and no tax', () => {
    expect(() => invoiceOf([charge('a', '1'), charge('a', '2')])).toThrow('has its own id')
    expect(() => invoiceOf([charge('a', '1', 'tax')])).toThrow('are made here')
  })

  test('comes back from a store as it was', () => {
    const lines = [charge('a', '10'), charge('b', '20')]
    const draft = invoiceOf(lines, { discounts: [percent('10')], taxOf: taxIn('DE'), credit: money('1'), corrects: 'sub_1-0' })
    const document = invoiceToDocument(draft)
    expect(invoiceFromStored({ status: 'draft', series: null, number: null, document })).toEqual(draft)
  })
})

describe('laws of an invoice', () => {
  const types: readonly LineType[] = ['plan_base', 'feature_usage', 'proration_credit', 'top_up', 'one_off']
  const lines = fc
    .array(fc.record({ type: fc.constantFrom(...types), minor: fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }) }), {
      maxLength: 8,
    })
    .map((all) =>
      all.map(({ type, minor }, index): InvoiceLine => ({
        ...charge(`line-${index}`, '0', type),
        amount: { minor, currency: 'USD' },
      })),
    )
  const discounts = fc.array(
    fc.oneof(
      fc
        .bigInt({ min: 1n, max: 100_000n })
        .map((rate): AppliedDiscount => ({ coupon: 'p', name: 'P', percent: toDecimal(rate, 3) })),
      fc
        .bigInt({ min: 1n, max: 10n ** 9n })
        .map((minor): AppliedDiscount => ({ coupon: 'a', name: 'A', amount: { minor, currency: 'USD' } })),
    ),
    { maxLength: 4 },
  )
  const countries = fc.constantFrom('DE', 'JP', 'US')
  const credits = fc.bigInt({ min: 0n, max: 10n ** 9n }).map((minor) => ({ minor, currency: 'USD' }))

  test('its lines add up, its shares are its discounts, and building it twice gives the same', () => {
    fc.assert(
      fc.property(lines, discounts, countries, credits, (charges, applied, country, credit) => {
        const build = (): ReturnType<typeof invoiceOf> =>
          invoiceOf(charges, { currency: 'USD', discounts: applied, taxOf: taxIn(country), credit })
        const invoice = build()
        expect(build()).toEqual(invoice)
        const sum = (of: readonly InvoiceLine[]): bigint => of.reduce((total, { amount }) => total + amount.minor, 0n)
        const added = invoice.lines.filter(({ tax }) => tax?.treatment !== 'inclusive')
        expect(invoice.total.minor).toBe(sum(added))
        expect(invoice.total.minor).toBe(invoice.subtotal.minor - invoice.discount.minor + invoice.tax.minor)
        expect(amountDue(invoice).minor).toBe(invoice.total.minor > 0n ? invoice.total.minor - invoice.creditApplied.minor : 0n)
        const left = new Map(charges.map(({ id, amount }) => [id, amount.minor]))
        for (const { amount, discount } of invoice.lines) {
          if (discount === undefined) continue
          expect(discount.shares.reduce((total, share) => total + share.amount.minor, 0n)).toBe(-amount.minor)
          for (const share of discount.shares) left.set(share.of, (left.get(share.of) ?? 0n) - share.amount.minor)
        }
        for (const { id, amount } of charges) {
          const rest = left.get(id) ?? 0n
          expect(amount.minor > 0n ? rest >= 0n && rest <= amount.minor : rest === amount.minor).toBe(true)
        }
        for (const { of, tax, amount } of invoice.lines) {
          if (tax === undefined) continue
          expect(tax.taxable.minor + (tax.treatment === 'inclusive' ? amount.minor : 0n)).toBe(left.get(of ?? ''))
        }
      }),
    )
  })

  test('a larger discount never makes it dearer', () => {
    fc.assert(
      fc.property(
        lines,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 51, max: 100 }),
        countries,
        (charges, low, high, country) => {
          const total = (rate: number): bigint =>
            invoiceOf(charges, { currency: 'USD', discounts: [percent(String(rate))], taxOf: taxIn(country) }).total.minor
          // Each line's tax is rounded by itself, so a cent of discount may move a cent of tax.
          expect(total(high) - total(low) <= BigInt(charges.length)).toBe(true)
        },
      ),
    )
  })
})
