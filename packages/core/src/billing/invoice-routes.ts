/** A customer's own invoices: lists them, shows one, tells why a line is what it is, and proves an event. */

import { createRoute } from '@hono/zod-openapi'
import { invoiceJson } from '../invoice/invoice-json.ts'
import type { Invoice as InvoiceRecord } from '../records/invoice.ts'
import { explanationOf } from './explanations.ts'
import { EventPath, IdPath, LinePath, NoQuery, PageQuery } from './inputs.ts'
import { invoiceAnswer } from './invoice-answer.ts'
import { invoicesPage } from './listings.ts'
import { answers, type BillingApp, CUSTOMER, noSuch, type RouteParts } from './routes.ts'
import { Invoice, pageOf, Preview } from './schemas.ts'
import { Explanation, Proof } from './usage-schemas.ts'

const invoices = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/invoices',
  operationId: 'list_invoices',
  summary: 'Invoices, oldest first',
  request: { query: PageQuery },
  responses: answers(pageOf('Invoices', Invoice), 'A page of invoices'),
})

const preview = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/invoices/preview',
  operationId: 'preview_invoice',
  summary: 'What the next invoice would be if its period ended now',
  request: { query: NoQuery },
  responses: answers(Preview, 'Made by the code that makes invoices'),
})

const invoice = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/invoices/{id}',
  operationId: 'get_invoice',
  summary: 'An invoice by its id or number; as a page for readers who prefer text/html',
  request: { params: IdPath, query: NoQuery },
  responses: answers(Invoice, 'The invoice'),
})

const line = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/invoices/{id}/lines/{line}',
  operationId: 'explain_line',
  summary: 'Why a line of a final invoice is what it is, in words and down to its events',
  request: { params: LinePath, query: PageQuery },
  responses: answers(Explanation, 'The explanation, with a page of events'),
})

const proof = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/invoices/{id}/events/{seq}/proof',
  operationId: 'prove_event',
  summary: 'Proves that an event is in a final invoice, to whoever kept the invoice',
  request: { params: EventPath, query: NoQuery },
  responses: answers(Proof, 'The event, its place under the seal, and the seal'),
})

export function addInvoiceRoutes(app: BillingApp, { farebox, prove }: RouteParts): void {
  app.openapi(invoices, async (c) => c.json(await invoicesPage(farebox, c.get('customerId'), c.req.valid('query')), 200))
  app.openapi(preview, async (c) => {
    const next = await farebox.invoices.preview(c.get('customerId'))
    return c.json({ invoice: next === null ? null : invoiceJson(next) }, 200)
  })
  app.openapi(invoice, async (c) => invoiceAnswer(c, await ownInvoice(c.req.valid('param').id, c.get('customerId'))))
  app.openapi(line, async (c) => {
    const { id: name, line: lineId } = c.req.valid('param')
    const { id } = await ownInvoice(name, c.get('customerId'))
    return c.json(await explanationOf(farebox, { id, line: lineId }, c.req.valid('query')), 200)
  })
  app.openapi(proof, async (c) => {
    const { id, seq } = c.req.valid('param')
    return c.json(await prove(await ownInvoice(id, c.get('customerId')), seq), 200)
  })

  /** The same answer whether it does not exist or is another customer's. */
  async function ownInvoice(idOrNumber: string, customerId: string): Promise<InvoiceRecord> {
    const found = await farebox.invoices.get(idOrNumber)
    if (found === null || found.customerId !== customerId) throw noSuch('invoice')
    return found
  }
}
