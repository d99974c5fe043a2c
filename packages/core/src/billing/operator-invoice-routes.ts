/** Every customer's invoices, for the operator: lists them, shows one, tells why a line is what it is, and proves an event. */

import { createRoute } from '@hono/zod-openapi'
import type { Invoice as InvoiceRecord } from '../records/invoice.ts'
import { explanationOf } from './explanations.ts'
import { EventPath, IdPath, LinePath, NoQuery, PageQuery } from './inputs.ts'
import { invoiceAnswer } from './invoice-answer.ts'
import { invoicesPage } from './listings.ts'
import { answers, type BillingApp, noSuch, OPERATOR, type RouteParts } from './routes.ts'
import { Invoice, pageOf } from './schemas.ts'
import { Explanation, Proof } from './usage-schemas.ts'

const invoices = createRoute({
  ...OPERATOR,
  method: 'get',
  path: '/admin/invoices',
  operationId: 'list_all_invoices',
  summary: 'Invoices of all customers, oldest first',
  request: { query: PageQuery },
  responses: answers(pageOf('Invoices', Invoice), 'A page of invoices'),
})

const invoice = createRoute({
  ...OPERATOR,
  method: 'get',
  path: '/admin/invoices/{id}',
  operationId: 'get_any_invoice',
  summary: 'An invoice by its id or number; as a page for readers who prefer text/html',
  request: { params: IdPath, query: NoQuery },
  responses: answers(Invoice, 'The invoice'),
})

const line = createRoute({
  ...OPERATOR,
  method: 'get',
  path: '/admin/invoices/{id}/lines/{line}',
  operationId: 'explain_any_line',
  summary: 'Why a line of a final invoice is what it is, in words and down to its events',
  request: { params: LinePath, query: PageQuery },
  responses: answers(Explanation, 'The explanation, with a page of events'),
})

const proof = createRoute({
  ...OPERATOR,
  method: 'get',
  path: '/admin/invoices/{id}/events/{seq}/proof',
  operationId: 'prove_any_event',
  summary: 'Proves that an event is in a final invoice, to whoever kept the invoice',
  request: { params: EventPath, query: NoQuery },
  responses: answers(Proof, 'The event, its place under the seal, and the seal'),
})

export function addOperatorInvoiceRoutes(app: BillingApp, { farebox, prove }: RouteParts): void {
  app.openapi(invoices, async (c) => c.json(await invoicesPage(farebox, undefined, c.req.valid('query')), 200))
  app.openapi(invoice, async (c) => invoiceAnswer(c, await invoiceOf(c.req.valid('param').id)))
  app.openapi(line, async (c) => {
    const { id: name, line: lineId } = c.req.valid('param')
    const { id } = await invoiceOf(name)
    return c.json(await explanationOf(farebox, { id, line: lineId }, c.req.valid('query')), 200)
  })
  app.openapi(proof, async (c) => {
    const { id, seq } = c.req.valid('param')
    return c.json(await prove(await invoiceOf(id), seq), 200)
  })

  async function invoiceOf(idOrNumber: string): Promise<InvoiceRecord> {
    const found = await farebox.invoices.get(idOrNumber)
    if (found === null) throw noSuch('invoice')
    return found
  }
}
