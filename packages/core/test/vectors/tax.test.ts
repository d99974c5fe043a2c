/** How lines are discounted and taxed, as other billing systems and their documentation say. */

import { expect, test } from 'vitest'
import { fixedTaxRates } from '../../src/invoice/tax/fixed-rates.ts'
import { taxByRules } from '../../src/invoice/tax/tax-lines.ts'
import type { Invoice } from '../../src/records/invoice.ts'
import { decimal } from '../../src/values/decimal.ts'
import { formatMoney, partOfMoney } from '../../src/values/money.ts'
import { charge, invoiceOf, money, sumsAsText } from '../invoice/sample.ts'
import { plain, run, type Vector } from './table.ts'

type TaxedLine = readonly [amount: string, rate: string]

interface TaxVector extends Vector {
  readonly currency: string
  readonly lines: readonly TaxedLine[]
  readonly coupon?: string
  readonly expected: Readonly<Record<string, string | readonly string[]>>
}

run<TaxVector>('tax-on-lines', {
  ours: ({ lines, currency, coupon, expected }) => {
    const made = invoice(lines, { currency, ...(coupon === undefined ? {} : { coupon }) })
    const shares = made.lines.flatMap(({ discount }) => discount?.shares ?? [])
    const answer: Record<string, unknown> = {
      ...sumsAsText(made),
      taxes: taxesOf(made),
      shares: shares.map(({ amount }) => formatMoney(amount)),
    }
    return Object.fromEntries(Object.keys(expected).map((name) => [name, answer[name]]))
  },
  theirs: ({ expected }) => expected,
})

run<
  Vector & {
    readonly price: string
    readonly rate: string
    readonly inclusiveTotal: string
    readonly inclusiveTax: string
    readonly exclusiveTotal: string
  }
>('tax-inclusive', {
  ours: ({ price, rate }) => {
    const [inside, onTop] = [invoice([[price, rate]], { inclusive: true }), invoice([[price, rate]])]
    return [formatMoney(inside.total), ...taxesOf(inside), formatMoney(onTop.total)].map(plain)
  },
  theirs: ({ inclusiveTotal, inclusiveTax, exclusiveTotal }) => [inclusiveTotal, inclusiveTax, exclusiveTotal].map(plain),
})

run<
  Vector & {
    readonly price: string
    readonly rate: string
    readonly part: readonly [days: number, of: number]
    readonly expected: Readonly<Record<string, string>>
  }
>('tax-of-a-part', {
  ours: ({ price, rate, part: [days, of] }) => {
    const net = partOfMoney(money(price), { part: decimal(String(days)), whole: decimal(String(of)) }, 'half_up')
    const { subtotal, tax, total } = sumsAsText(invoice([[formatMoney(net), rate]]))
    return { subtotal, tax, total }
  },
  theirs: ({ expected }) => expected,
})

test.each([
  ['100', '8.875', 'USD', '8.88'],
  ['99.99', '20', 'EUR', '20.00'],
  ['123.45', '7.25', 'USD', '8.95'],
  ['100', '33.333', 'USD', '33.33'],
  ['100', '0.01', 'USD', '0.01'],
  ['1.00', '0.1', 'USD', '0.00'],
  ['99.99', '8.875', 'USD', '8.87'],
  ['99.99', '2.125', 'USD', '2.12'],
  ['99.99', '0.5', 'USD', '0.50'],
])(
  '%s at %s %% in %s is %s (flexprice/flexprice internal/ee/service/tax_rounding_test.go at e4b5303f)',
  (amount, rate, currency, tax) => {
    expect(taxesOf(invoice([[amount, rate]], { currency }))).toEqual([tax])
  },
)

interface Shape {
  readonly currency?: string
  readonly inclusive?: boolean
  readonly coupon?: string
}

function invoice(lines: readonly TaxedLine[], { currency = 'USD', inclusive = false, coupon }: Shape = {}): Invoice {
  const rates = [...new Set(lines.map(([, rate]) => rate))].map((rate) => ({ country: 'DE', category: rate, rate, inclusive }))
  const rules = fixedTaxRates({ seller: { country: 'DE' }, rates })
  const rateOf = new Map(lines.map(([, rate], index) => [String(index), rate]))
  return invoiceOf(
    lines.map(([amount], index) => charge(String(index), amount, 'one_off', currency)),
    {
      taxOf: taxByRules({ rules, buyer: {}, at: 0, categoryOf: ({ id }) => rateOf.get(id) ?? null }),
      discounts: coupon === undefined ? [] : [{ coupon: 'coupon', name: 'Coupon', amount: money(coupon, currency) }],
    },
  )
}

function taxesOf({ lines }: Invoice): string[] {
  return lines.flatMap(({ type, amount }) => (type === 'tax' ? [formatMoney(amount)] : []))
}
