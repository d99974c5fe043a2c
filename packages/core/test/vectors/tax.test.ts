/** Taxes and discounts that other billing systems and their documentation assert, run against ours. Each row names its source. */

import { describe, expect, test } from 'vitest'
import { fixedTaxRates } from '../../src/invoice/tax/fixed-rates.ts'
import { taxByRules } from '../../src/invoice/tax/tax-lines.ts'
import type { Invoice } from '../../src/records/invoice.ts'
import { decimal } from '../../src/values/decimal.ts'
import { formatMoney, partOfMoney } from '../../src/values/money.ts'
import { amountsOf, charge, invoiceOf, money, sumsAsText } from '../invoice/sample.ts'

const LAGO = 'getlago/lago-api spec/scenarios'
const FLEXPRICE = 'flexprice/flexprice internal/ee/service/tax_rounding_test.go at e4b5303f'

describe('tax on top, rounded once', () => {
  test.each([
    ['rounding-019', '999', '10.5', 'JPY', '105', FLEXPRICE],
    ['rounding-034', '49', '20', 'USD', '9.80', 'recurly/recurly-js PR #198, #199: a float gave 9.81'],
    ['reliability 2.8', '100', '8.875', 'USD', '8.88', FLEXPRICE],
    ['reliability 2.8', '99.99', '20', 'EUR', '20.00', FLEXPRICE],
    ['reliability 2.8', '123.45', '7.25', 'USD', '8.95', FLEXPRICE],
    ['reliability 2.8', '100', '33.333', 'USD', '33.33', FLEXPRICE],
    ['reliability 2.8', '100', '0.01', 'USD', '0.01', FLEXPRICE],
    ['reliability 2.8', '1.00', '0.1', 'USD', '0.00', FLEXPRICE],
    ['reliability 2.8', '99.99', '8.875', 'USD', '8.87', FLEXPRICE],
    ['reliability 2.8', '99.99', '2.125', 'USD', '2.12', FLEXPRICE],
    ['reliability 2.8', '99.99', '0.5', 'USD', '0.50', FLEXPRICE],
  ])('%s: %s at %s %% in %s is %s (%s)', (_, taxable, rate, currency, tax) => {
    expect(amountsOf(invoice([taxable], [rate], currency))).toMatchObject({ 'tax-0': tax })
  })

  test('rounding-012: 0.43 and 4.84 at 15 % (support.stripe.com/questions/rounding-rules-for-stripe-fees)', () => {
    const both = invoice(['0.43', '4.84'], ['15', '15'])
    expect(amountsOf(both)).toMatchObject({ 'tax-0': '0.06', 'tax-1': '0.73' })
    expect(sumsAsText(both)).toMatchObject({ tax: '0.79', total: '6.06' })
  })

  test('rounding-010 is not applicable: four lines of 17.50 at 7 % are rounded half up line by line, to 4.92 (support.staxbill.com: 4.88 half even, 4.90 on the subtotal)', () => {
    expect(sumsAsText(invoice(Array(4).fill('17.50'), Array(4).fill('7'))).tax).toBe('4.92')
  })
})

test('rounding-014: 600 with 10 % in it or on top (support.stripe.com/questions/inclusive-and-exclusive-tax-options)', () => {
  const inside = invoice(['600'], ['10'], 'USD', true)
  expect(amountsOf(inside)).toEqual({ '0': '600.00', 'tax-0': '54.55' })
  expect(sumsAsText(inside)).toMatchObject({ tax: '0.00', total: '600.00' })
  expect(sumsAsText(invoice(['600'], ['10']))).toMatchObject({ tax: '60.00', total: '660.00' })
})

describe('a part of a price, and its tax', () => {
  test.each([
    ['rounding-023', '200.00', '25', 29, 30, '193.33', '48.33', '241.66', `${LAGO}/credit_notes/credit_note_rounding_spec.rb`],
    ['reliability 2.8', '160.00', '25', 29, 30, '154.67', '38.67', '193.34', `${LAGO}/credit_notes/credit_note_rounding_spec.rb`],
    ['rounding-025', '29.99', '23.33', 6, 7, '25.71', '6.00', '31.71', `${LAGO}/credit_notes/credit_note_rounding_spec.rb`],
    ['rounding-030', '50.00', '20', 24, 31, '38.71', '7.74', '46.45', `${LAGO}/spending_minimum_spec.rb`],
  ])('%s: of %s at %s %%, %s of %s days: %s and %s are %s (%s)', (_, price, rate, days, of, net, tax, total) => {
    const part = partOfMoney(money(price), { part: decimal(String(days)), whole: decimal(String(of)) }, 'half_up')
    const prorated = invoice([formatMoney(part)], [rate])
    expect(sumsAsText(prorated)).toMatchObject({ subtotal: net, tax, total })
  })
})

test(`rounding-029: a coupon of 10.00 over 100, 50, 30 and 20 at 10, 0, 20 and 20 % (${LAGO}/taxes_on_invoice_spec.rb)`, () => {
  const discounts = [{ coupon: 'ten', name: 'Ten off', amount: money('10.00') }]
  const made = invoice(['100.00', '50.00', '30.00', '20.00'], ['10', '0', '20', '20'], 'USD', false, discounts)
  const shares = made.lines.flatMap(({ discount }) => discount?.shares ?? [])
  expect(shares.map(({ amount }) => formatMoney(amount))).toEqual(['5.00', '2.50', '1.50', '1.00'])
  expect(amountsOf(made)).toMatchObject({ 'tax-0': '9.50', 'tax-1': '0.00', 'tax-2': '5.70', 'tax-3': '3.80' })
  expect(sumsAsText(made)).toMatchObject({ tax: '19.00', total: '209.00' })
})

/** Line n costs the n-th amount and is taxed at the n-th rate. */
function invoice(
  amounts: readonly string[],
  rates: readonly string[],
  currency = 'USD',
  inclusive = false,
  discounts: NonNullable<Parameters<typeof invoiceOf>[1]>['discounts'] = [],
): Invoice {
  const rules = fixedTaxRates({
    seller: { country: 'DE' },
    rates: [...new Set(rates)].map((rate) => ({ country: 'DE', category: rate, rate, inclusive })),
  })
  const taxOf = taxByRules({
    rules,
    buyer: {},
    at: 0,
    categoryOf: ({ id }) => rates.find((_, index) => String(index) === id) ?? null,
  })
  const lines = amounts.map((amount, index) => charge(String(index), amount, 'one_off', currency))
  return invoiceOf(lines, { taxOf, discounts })
}
