/** Taxes and the seal, from a customer's country to what the customer can check. */

import { expect, onTestFinished, test } from 'vitest'
import {
  createFarebox,
  defineCatalog,
  type EventProofCheck,
  type Farebox,
  fixedTaxRates,
  formatMoney,
  invoiceHtml,
  invoiceJson,
  testClock,
  type UsageEvent,
  verifyEventProof,
} from '../../src/index.ts'
import { sealedEvent } from '../../src/invoice/seal/leaf.ts'
import { createProving } from '../../src/invoice/seal/seal.ts'
import { sqlite } from '../../src/sqlite/store.ts'

const catalog = defineCatalog({
  currency: 'EUR',
  features: { documents: { type: 'metered', name: 'Documents' } },
  plans: {
    pro: {
      name: 'Pro',
      price: '30.00',
      interval: 'month',
      features: { documents: { included: 1, overage: { model: 'per_unit', price: '0.25' } } },
    },
  },
})

const tax = fixedTaxRates({
  seller: { country: 'DE' },
  rates: [{ country: 'DE', rate: '19', name: 'USt.' }],
  reverseCharge: { countries: ['DE', 'FR'] },
})

const CUSTOMERS = [
  { id: 'home', country: 'DE' },
  { id: 'abroad', country: 'FR', taxId: 'FR40303265045' },
  { id: 'elsewhere', country: 'US' },
]

async function february(): Promise<Farebox> {
  const clock = testClock(Date.UTC(2026, 0, 1))
  const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }), clock, tax })
  onTestFinished(() => farebox.stop())
  for (const customer of CUSTOMERS) {
    await farebox.customers.create(customer)
    await farebox.subscriptions.create({ customerId: customer.id, plan: 'pro', startsAt: '2026-01-01T00:00:00Z' })
    for (let n = 0; n < 5; n += 1)
      await farebox.usage.track({
        customerId: customer.id,
        feature: 'documents',
        value: n + 1,
        idempotencyKey: `${n}`,
        properties: { n },
      })
  }
  clock.set(Date.UTC(2026, 1, 1))
  await farebox.closePeriods()
  return farebox
}

test('each buyer is taxed as the rules say, and the page says how', async () => {
  const farebox = await february()
  const { items } = await farebox.invoices.list()
  const second = items.filter(({ seal }) => seal !== null)
  expect(
    second.map(({ customerId, subtotal, tax: added, total }) => [customerId, ...[subtotal, added, total].map(formatMoney)]),
  ).toEqual([
    ['home', '33.50', '6.37', '39.87'],
    ['abroad', '33.50', '0.00', '33.50'],
    ['elsewhere', '33.50', '0.00', '33.50'],
  ])
  expect(
    second.map((invoice) => invoiceJson(invoice).taxes.map(({ name, treatment, rate }) => `${name} ${treatment} ${rate}`)),
  ).toEqual([['USt. exclusive 19'], ['Tax FR reverse_charge 0'], []])
  expect(second.map((invoice) => invoiceHtml(invoice).includes('Reverse charge:'))).toEqual([false, true, false])
})

test('a customer checks with the invoice and a proof alone that a call is in the bill', async () => {
  const farebox = await february()
  const { items } = await farebox.invoices.list()
  const [kept] = items.filter(({ customerId, seal }) => customerId === 'home' && seal !== null).map(invoiceJson)
  const events: UsageEvent[] = (await farebox.events.list()).items.filter(({ customerId }) => customerId === 'home')
  // An invoice is sealed with the newest event of a feature first.
  const sealed = events.toSorted((a, b) => b.seq - a.seq)
  expect(kept?.seal?.events).toBe(5)
  for (const event of sealed) {
    const proving = createProving(event.seq)
    for (const one of sealed) proving.add(one)
    // As it comes over the wire.
    const answer = JSON.parse(
      JSON.stringify({ event: sealedEvent(event), proof: proving.proof(), seal: kept?.seal }),
    ) as EventProofCheck
    expect(verifyEventProof(answer)).toBe(true)
    expect(verifyEventProof({ ...answer, event: { ...answer.event, quantity: '1000' } })).toBe(false)
  }
})
