import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TaxParty } from '../../src/contracts/tax-rules.ts'
import { type FixedTaxOptions, type FixedTaxRate, fixedTaxRates } from '../../src/invoice/tax/fixed-rates.ts'
import type { LineType } from '../../src/records/invoice.ts'
import { formatMoney } from '../../src/values/money.ts'
import { money } from './sample.ts'

const EU: FixedTaxOptions = {
  seller: { country: 'DE' },
  rates: [
    { country: 'DE', rate: '19', name: 'USt.' },
    { country: 'DE', category: 'ebooks', rate: '7', name: 'USt.' },
    { country: 'FR', rate: '20', inclusive: true },
    { country: 'FR', category: 'vouchers', rate: '5.5' },
  ],
  reverseCharge: { countries: ['DE', 'FR', 'AT'] },
}

interface TaxedLine {
  readonly type?: LineType
  readonly category?: string
  readonly amount?: string
}

/** The tax of one line as text: rate, treatment, name, taxable and tax. */
function taxed(buyer: TaxParty, { type = 'one_off', category, amount = '100' }: TaxedLine): string {
  const tax = fixedTaxRates(EU)
    .taxOf({ lines: [{ id: 'a', type, amount: money(amount, 'EUR'), category: category ?? null }], buyer, at: 0 })
    .get('a')
  if (tax === undefined) return 'untaxed'
  return `${tax.name} ${tax.rate} % ${tax.treatment} on ${formatMoney(tax.taxable)}: ${formatMoney(tax.amount)}`
}

describe('who and what is taxed', () => {
  test.each<[string, TaxParty, TaxedLine, string]>([
    ['at home', { country: 'DE' }, {}, 'USt. 19 % exclusive on 100.00: 19.00'],
    ['nobody knows where, as at home', {}, {}, 'USt. 19 % exclusive on 100.00: 19.00'],
    ['of a kind with a rate of its own', { country: 'DE' }, { category: 'ebooks' }, 'USt. 7 % exclusive on 100.00: 7.00'],
    [
      'of a kind that only others have a rate for',
      { country: 'DE' },
      { category: 'vouchers' },
      'USt. 19 % exclusive on 100.00: 19.00',
    ],
    ['abroad, in the price', { country: 'FR' }, {}, 'Tax FR 20 % inclusive on 83.33: 16.67'],
    ['where there is no rate', { country: 'US' }, {}, 'untaxed'],
    ['a business abroad', { country: 'FR', taxId: 'FR40303265045' }, {}, 'Tax FR 0 % reverse_charge on 100.00: 0.00'],
    [
      'a business abroad, where there is no rate',
      { country: 'AT', taxId: 'U1' },
      {},
      'Tax AT 0 % reverse_charge on 100.00: 0.00',
    ],
    ['a business abroad, outside of the group', { country: 'US', taxId: '1' }, {}, 'untaxed'],
    ['a business at home', { country: 'DE', taxId: 'DE136695976' }, {}, 'USt. 19 % exclusive on 100.00: 19.00'],
    ['abroad, with an empty tax id', { country: 'FR', taxId: '' }, {}, 'Tax FR 20 % inclusive on 83.33: 16.67'],
    ['exempt', { country: 'DE', isTaxExempt: true }, {}, 'USt. 0 % exempt on 100.00: 0.00'],
    ['exempt where there is no rate', { country: 'US', isTaxExempt: true }, {}, 'untaxed'],
    [
      'what is given back',
      { country: 'DE' },
      { type: 'proration_credit', amount: '-10' },
      'USt. 19 % exclusive on -10.00: -1.90',
    ],
    ['nothing', { country: 'DE' }, { amount: '0' }, 'untaxed'],
    ['a top-up', { country: 'DE' }, { type: 'top_up' }, 'untaxed'],
    ['a pack of credits', { country: 'DE' }, { type: 'credit_pack' }, 'untaxed'],
    [
      'a pack of a kind that a rate names',
      { country: 'DE' },
      { type: 'credit_pack', category: 'ebooks' },
      'USt. 7 % exclusive on 100.00: 7.00',
    ],
    ['a top-up of a kind that another country names', { country: 'DE' }, { type: 'top_up', category: 'vouchers' }, 'untaxed'],
    ['a top-up by a business abroad', { country: 'FR', taxId: 'FR1' }, { type: 'top_up' }, 'untaxed'],
    [
      'a named top-up by a business abroad',
      { country: 'FR', taxId: 'FR1' },
      { type: 'top_up', category: 'vouchers' },
      'Tax FR 0 % reverse_charge on 100.00: 0.00',
    ],
  ])('%s', (_, buyer, line, expected) => {
    expect(taxed(buyer, line)).toBe(expected)
  })
})

describe('options that contradict themselves', () => {
  const rate: FixedTaxRate = { country: 'DE', rate: '19' }
  test.each<[string, object, string]>([
    ['an unknown option', { ...EU, reversecharge: {} }, 'got reversecharge'],
    ['no seller', { rates: [] }, 'seller of fixedTaxRates() to be an object of country'],
    [
      'a seller of no country',
      { seller: { country: 'UK' }, rates: [] },
      "seller.country of fixedTaxRates() to be an ISO 3166-1 code in capitals, such as 'DE' or 'GB', got 'UK'",
    ],
    ['a seller with more', { seller: { country: 'DE', name: 'x' }, rates: [] }, 'got name'],
    ['no rates', { seller: { country: 'DE' } }, 'rates of fixedTaxRates() to be a list of rates, got undefined'],
    ['a rate that is none', { ...EU, rates: [null] }, 'rates[0] of fixedTaxRates()'],
    ['a rate of no country', { ...EU, rates: [{ rate: '19' }] }, 'rates[0].country'],
    ['an unknown member', { ...EU, rates: [{ ...rate, percent: '19' }] }, 'got percent'],
    [
      'a number',
      { ...EU, rates: [{ ...rate, rate: 19 }] },
      "rates[0].rate of fixedTaxRates() to be per cent from '0' to '100', in quotes, got 19",
    ],
    ['a sign', { ...EU, rates: [{ ...rate, rate: '-1' }] }, 'rates[0].rate'],
    ['more than all', { ...EU, rates: [{ ...rate, rate: '100.01' }] }, 'rates[0].rate'],
    ['a text', { ...EU, rates: [{ ...rate, rate: '19%' }] }, 'rates[0].rate'],
    ['too many places', { ...EU, rates: [{ ...rate, rate: '1.1234567' }] }, 'rates[0].rate'],
    ['an empty name', { ...EU, rates: [{ ...rate, name: '' }] }, 'rates[0].name'],
    ['a category that is none', { ...EU, rates: [{ ...rate, category: 5 }] }, 'rates[0].category'],
    ['neither yes nor no', { ...EU, rates: [{ ...rate, inclusive: 'yes' }] }, 'rates[0].inclusive'],
    ['the same twice', { ...EU, rates: [rate, rate] }, 'rates[1] of fixedTaxRates() to be the only rate'],
    ['a group that is none', { ...EU, reverseCharge: true }, 'reverseCharge of fixedTaxRates()'],
    ['a group of no list', { ...EU, reverseCharge: { countries: 'DE' } }, 'reverseCharge.countries'],
    ['a group of no countries', { ...EU, reverseCharge: { countries: ['EU'] } }, 'reverseCharge.countries[0]'],
  ])('%s', (_, options, message) => {
    expect(() => fixedTaxRates(options as never)).toThrow(expect.objectContaining({ code: 'invalid_option' }))
    expect(() => fixedTaxRates(options as never)).toThrow(message)
  })
})

test('a tax that a price contains is the one that its net amount would get, within half of the smallest unit and its rate', () => {
  const rates = fc.bigInt({ min: 0n, max: 100n })
  fc.assert(
    fc.property(rates, fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), (percent, minor) => {
      const amount = { minor, currency: 'EUR' }
      const of = (inclusive: boolean, taxable: typeof amount) =>
        fixedTaxRates({ seller: { country: 'DE' }, rates: [{ country: 'DE', rate: String(percent), inclusive }] })
          .taxOf({ lines: [{ id: 'a', type: 'one_off', amount: taxable, category: null }], buyer: {}, at: 0 })
          .get('a')
      const inside = of(true, amount)
      if (inside === undefined) return void expect(minor).toBe(0n)
      expect(inside.taxable.minor + inside.amount.minor).toBe(minor)
      const onTop = of(false, inside.taxable)?.amount.minor ?? 0n
      expect(inside.amount.minor - onTop <= 1n && onTop - inside.amount.minor <= 1n).toBe(true)
    }),
  )
})
