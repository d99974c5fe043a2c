import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { buildCreditNote } from '../../src/invoice/credit-note.ts'
import { invoiceHtml } from '../../src/invoice/invoice-html.ts'
import { invoiceJson } from '../../src/invoice/invoice-json.ts'
import { type PrintedInvoice, printedInvoice } from '../../src/invoice/printed-invoice.ts'
import { fixedTaxRates } from '../../src/invoice/tax/fixed-rates.ts'
import { taxByRules } from '../../src/invoice/tax/tax-lines.ts'
import type { Invoice } from '../../src/records/invoice.ts'
import { charge, invoiceOf, JANUARY, money, richInvoice } from './sample.ts'

const rich = richInvoice()

const credited = buildCreditNote({
  id: 'cn-1',
  invoice: rich,
  earlier: [],
  lines: [{ lineId: 'plan_base', amount: money('10') }],
  reason: 'Two days of outage',
  at: JANUARY[1],
})

/** Spaces that ICU puts into figures, as plain ones. */
function plain(text: string): string {
  return text.replaceAll(/[\u00a0\u2009\u202f]/g, ' ')
}

function textsOf({ facts, lines, sums }: PrintedInvoice): unknown {
  return JSON.parse(
    plain(
      JSON.stringify({
        facts: facts.map(({ label, value }) => `${label}: ${value}`),
        lines: lines.map((line) =>
          Object.values(line)
            .flat()
            .filter((text) => text !== '')
            .join(' | '),
        ),
        sums: sums.map(({ label, amount, kind }) => `${label}: ${amount} (${kind})`),
      }),
    ),
  )
}

describe('an invoice in print', () => {
  test('says everything that a line and the sums hold', () => {
    const printed = printedInvoice(rich)
    expect([printed.title, printed.status, printed.seal?.label]).toEqual(['Invoice FB-000042', 'open', 'Seal of 1,204 events'])
    expect(textsOf(printed)).toEqual({
      facts: ['Customer: user_123', 'Issued: Feb 3, 2026', 'Period: Jan 1 – 31, 2026', 'For: Subscription and usage'],
      lines: [
        'Pro | Jan 1 – 31, 2026 | 1 | 0 | 1 | $29.00 | $4.96 | 19 % | $29.00',
        'Documents | Jan 1 – 31, 2026 | 1,234,567.318102 | 10 | 1,234,557.318102 | $0.0015 | $316.67 | 19 % | $1,851.84',
        'API calls | Jan 1 – 31, 2026 | 25 | 0 | 25 | $0.50 per 10 | $0.26 | 19 % | $1.50',
        'Images | Jan 1 – 31, 2026 | Paid with 12.5 credits | 1 | 0 | 1 | – | $0.00',
        'Tokens, beyond the balance | Jan 1 – 31, 2026 | Not covered: $3.19501 | 1 | 0 | 1 | $3.20 | $0.55 | 19 % | $3.20',
        'Documents, adjustment of an earlier invoice | Jan 1 – 31, 2026 | Corrects sub_1-0 | 1 | 0 | 1 | -$4.00 | -$0.76 | 19 % | -$4.00',
      ],
      sums: [
        'Subtotal: $1,881.54 (part)',
        'Launch offer, 10 %: -$188.55 (part)',
        'VAT DE 19 % on $1,692.99: $321.68 (part)',
        'Total USD: $2,014.67 (total)',
        'Paid with invoice credit: -$25.00 (part)',
        'Amount due USD: $1,989.67 (total)',
      ],
    })
  })

  test('of a credit note names the invoice and the reason, and asks for nothing', () => {
    const printed = printedInvoice(
      { ...credited, number: 'FB-000043' },
      { seller: 'Acme GmbH\n\nBerlin\r\nVAT DE1', buyer: 'Ada' },
    )
    expect(printed).toMatchObject({ title: 'Credit note FB-000043', seller: ['Acme GmbH', 'Berlin', 'VAT DE1'], buyer: ['Ada'] })
    expect(textsOf(printed)).toEqual({
      facts: [
        'Customer: user_123',
        'Issued: Feb 1, 2026',
        'Period: Jan 1 – 31, 2026',
        'Corrects: FB-000042',
        'Reason: Two days of outage',
      ],
      lines: ['Pro (FB-000042) | Jan 1 – 31, 2026 | -$1.90 | 19 % | -$10.00'],
      sums: ['Subtotal: -$10.00 (part)', 'VAT DE 19 % on -$10.00: -$1.90 (part)', 'Total USD: -$11.90 (total)'],
    })
  })

  test.each([
    [
      'DE',
      undefined,
      [
        'Subtotal: €119.00 (part)',
        'Total EUR: €119.00 (total)',
        'Contains VAT 19 % on €100.00: €19.00 (note)',
        'Amount due EUR: €119.00 (total)',
      ],
    ],
    [
      'FR',
      'FR1',
      [
        'Subtotal: €119.00 (part)',
        'Tax FR reverse charge on €119.00: €0.00 (part)',
        'Total EUR: €119.00 (total)',
        'Amount due EUR: €119.00 (total)',
      ],
    ],
  ])('says how a buyer in %s with the tax id %s is taxed', (country, taxId, sums) => {
    const rules = fixedTaxRates({
      seller: { country: 'DE' },
      rates: [{ country: 'DE', rate: '19', inclusive: true, name: 'VAT' }],
      reverseCharge: { countries: ['FR'] },
    })
    const buyer = { country, ...(taxId === undefined ? {} : { taxId }) }
    const invoice = invoiceOf([charge('a', '119', 'one_off', 'EUR')], {
      taxOf: taxByRules({ rules, buyer, at: 0, categoryOf: () => null }),
    })
    const printed = printedInvoice(invoice)
    expect(textsOf(printed)).toMatchObject({ sums })
    expect(printed.notes.some((note) => note.startsWith('Reverse charge'))).toBe(taxId !== undefined)
    expect(printed.title).toBe('Draft invoice')
  })

  test.each([
    ['paid', 'Paid USD'],
    ['open', 'Amount due USD'],
    ['uncollectible', 'Amount due USD'],
    ['void', 'Paid with invoice credit'],
  ] as const)('that is %s ends with %s', (status, label) => {
    expect(printedInvoice({ ...rich, status }).sums.at(-1)?.label).toBe(label)
  })

  test('tells days in the time zone and figures in the language that are asked for', () => {
    const printed = printedInvoice(rich, { locale: 'de-DE', timeZone: 'America/Los_Angeles' })
    expect(textsOf(printed)).toMatchObject({ facts: expect.arrayContaining(['Period: 31.12.2025 – 31.01.2026']) })
    expect(plain(printed.lines[1]?.unitPrice ?? '')).toBe('0,0015 $')
    expect(printed.notes.at(-1)).toContain('America/Los_Angeles')
  })

  test('of an amount below zero says what becomes of it', () => {
    const { notes, sums } = printedInvoice(invoiceOf([charge('a', '-5', 'proration_credit')]))
    expect(notes.join()).toContain('kept as invoice credit')
    expect(sums.at(-1)?.amount).toBe('$0.00')
  })
})

describe('the page', () => {
  test('has every text of the printed invoice, and both parties', () => {
    const options = { seller: 'Acme GmbH\nBerlin', buyer: 'Ada & Sons' }
    const html = invoiceHtml(rich, options)
    const { lines, sums, notes, facts } = printedInvoice(rich, options)
    const texts = [
      ...lines.flatMap((line) => Object.values(line).flat()),
      ...sums.flatMap(({ label, amount }) => [label, amount]),
      ...notes,
    ]
    for (const text of [...texts, ...facts.map(({ value }) => value)]) expect(html).toContain(text)
    expect(html).toContain('<address class="seller">Acme GmbH<br>Berlin</address>')
    expect(html).toContain('<address class="buyer">Ada &amp; Sons</address>')
    expect(html).toContain(rich.seal?.root)
    expect(invoiceHtml(rich, options)).toBe(html)
  })

  test('has a column for taxes where there are any', () => {
    expect(invoiceHtml(rich)).toContain('<th scope="col">Tax</th>')
    expect(invoiceHtml(invoiceOf([charge('a', '1')]))).not.toContain('<th scope="col">Tax</th>')
  })

  test('escapes every text, and runs and loads nothing', () => {
    const nasty = fc.string({ unit: fc.constantFrom(...'<>&"\'/ab') }).map((text) => `<script src=x>${text}</script>"'&`)
    fc.assert(
      fc.property(nasty, (text) => {
        const invoice: Invoice = {
          ...rich,
          number: text,
          customerId: text,
          corrects: text,
          reason: text,
          seal: { root: text, events: 1 },
          lines: rich.lines.map((line) => ({
            ...line,
            description: text,
            ...(line.corrects === undefined ? {} : { corrects: text }),
            ...(line.tax === undefined ? {} : { tax: { ...line.tax, name: text, rate: text } }),
          })),
        }
        const html = invoiceHtml(invoice, { seller: text, buyer: text })
        expect(html).not.toMatch(/<script|<[^>]*\bsrc=/)
        const tags = [...html.matchAll(/<\/?([a-z0-9]+)/g)].map((match) => match[1])
        const known =
          'html head meta title style body main header div h1 address br p section dl dt dd table thead tr th tbody td small footer code'
        expect(tags.filter((tag) => !known.split(' ').includes(tag ?? ''))).toEqual([])
      }),
      { numRuns: 50 },
    )
  })
})

describe('the JSON', () => {
  test('has every figure as text, and what is not there is left out', () => {
    const json = invoiceJson(rich)
    expect(json).toMatchObject({
      number: 'FB-000042',
      subscription: 'sub_1',
      subtotal: '1881.54',
      discount: '188.55',
      tax: '321.68',
      taxes: [{ name: 'VAT DE', rate: '19', treatment: 'exclusive', taxable: '1692.99', amount: '321.68' }],
      total: '2014.67',
      credit_applied: '25.00',
      amount_due: '1989.67',
      corrects: null,
      seal: rich.seal,
    })
    expect(json.lines.map(({ id }) => id)).toEqual(rich.lines.map(({ id }) => id))
    expect(json.lines[3]).toEqual({
      id: 'images',
      type: 'feature_usage',
      description: 'Images',
      plan: 'pro',
      feature: 'images',
      period: ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z'],
      quantity: '1',
      included: '0',
      billable: '1',
      unit_price: null,
      amount: '0.00',
      cost: { unit: 'credits', amount: '12.5' },
    })
    expect(json.lines.find(({ type }) => type === 'discount')).toMatchObject({
      discount: { coupon: 'launch', percent: '10', shares: expect.arrayContaining([{ of: 'plan_base', amount: '2.90' }]) },
    })
    expect(json.lines.at(-1)).toMatchObject({ of: 'late', tax: { taxable: '-4.00' }, amount: '-0.76' })
    expect(JSON.parse(JSON.stringify(json))).toEqual(json)
  })

  test('of a credit note says what it corrects, and why', () => {
    expect(invoiceJson(credited)).toMatchObject({
      corrects: 'sub_1-1',
      corrects_number: 'FB-000042',
      reason: 'Two days of outage',
      amount_due: '0.00',
    })
    expect(invoiceJson(credited).lines[0]).toMatchObject({ of: 'plan_base', corrects: 'sub_1-1' })
    expect(invoiceJson(rich)).not.toHaveProperty('reason')
  })
})
