/** Invoices to test with: lines of a type and an amount, and one way to put them together. */

import type { TaxOfLine } from '../../src/contracts/tax-rules.ts'
import { buildInvoice, type InvoiceInput } from '../../src/invoice/build-invoice.ts'
import { baseLine } from '../../src/invoice/lines.ts'
import { untaxed } from '../../src/invoice/tax/tax-lines.ts'
import type { Invoice, InvoiceLine, LineType } from '../../src/records/invoice.ts'
import { decimal } from '../../src/values/decimal.ts'
import { formatMoney, type Money, partOfMoney, toMoney, zero } from '../../src/values/money.ts'

export const JANUARY: readonly [start: number, end: number] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 1, 1)]

export function money(amount: string, currency = 'USD'): Money {
  return toMoney(decimal(amount), currency, 'half_up')
}

export function charge(id: string, amount: string, type: LineType = 'one_off', currency = 'USD'): InvoiceLine {
  const line = baseLine({ plan: { code: 'pro', name: `The ${id}`, price: decimal(amount) }, currency, period: JANUARY })
  return { ...line, id, type }
}

export function invoiceOf(lines: readonly InvoiceLine[], members: Partial<InvoiceInput> = {}): Invoice {
  const currency = members.currency ?? lines[0]?.amount.currency ?? 'USD'
  return buildInvoice({
    id: 'sub_1-1',
    type: 'recurring',
    customerId: 'user_123',
    subscriptionId: 'sub_1',
    currency,
    period: JANUARY,
    issuedAt: JANUARY[1],
    lines,
    discounts: [],
    taxOf: untaxed,
    credit: zero(currency),
    ...members,
  })
}

/** Amounts as texts, by the ids of their lines. */
export function amountsOf({ lines }: Pick<Invoice, 'lines'>): Record<string, string> {
  return Object.fromEntries(lines.map(({ id, amount }) => [id, formatMoney(amount)]))
}

export function sumsAsText({ subtotal, discount, tax, total, creditApplied }: Invoice): Record<string, string> {
  const sums = { subtotal, discount, tax, total, creditApplied }
  return Object.fromEntries(Object.entries(sums).map(([name, amount]) => [name, formatMoney(amount)]))
}

/** One of everything: tiers, a fee, credits, a balance, an adjustment, a discount, taxes of each kind, credit and a seal. */
export function richInvoice(): Invoice {
  const usage = (id: string, members: Partial<InvoiceLine>): InvoiceLine => ({
    ...charge(id, '0', 'feature_usage'),
    plan: 'pro',
    feature: id,
    ...members,
  })
  const lines: InvoiceLine[] = [
    { ...charge('plan_base', '29.00', 'plan_base'), description: 'Pro' },
    usage('documents-1', {
      description: 'Documents',
      quantity: 1_234_567_318_102n,
      included: 10_000_000n,
      billable: 1_234_557_318_102n,
      unitPrice: '0.0015',
      amount: money('1851.84'),
    }),
    usage('api_calls', {
      description: 'API calls',
      quantity: 25_000_000n,
      billable: 25_000_000n,
      unitPrice: '0.50',
      per: 10_000_000n,
      amount: money('1.50'),
    }),
    usage('images', { description: 'Images', unitPrice: null, cost: { unit: 'credits', amount: '12.5' } }),
    {
      ...charge('tokens', '3.20', 'balance_overage'),
      description: 'Tokens, beyond the balance',
      cost: { unit: 'USD', amount: '3.19501' },
    },
    { ...charge('late', '-4.00', 'adjustment'), description: 'Documents, adjustment of an earlier invoice', corrects: 'sub_1-0' },
  ]
  const draft = invoiceOf(lines, {
    discounts: [{ coupon: 'launch', name: 'Launch offer, 10 %', percent: decimal('10') }],
    taxOf: (taxed) =>
      new Map(
        taxed.flatMap(({ line, amount }): [string, TaxOfLine][] => {
          if (amount.minor === 0n) return []
          const tax = partOfMoney(amount, { part: decimal('19'), whole: decimal('100') }, 'half_up')
          return [[line.id, { name: 'VAT DE', rate: '19', treatment: 'exclusive', taxable: amount, amount: tax }]]
        }),
      ),
    credit: money('25.00'),
  })
  return {
    ...draft,
    number: 'FB-000042',
    status: 'open',
    finalizedAt: Date.UTC(2026, 1, 3),
    seal: { root: 'aed46798efe5af1495e3e8dee29abcf861932c4ea181062792621d66ee686ae3', events: 1204 },
  }
}
