/** What a customer sees: the own usage, events and invoices, and what is sold. Reachable over every limit. */

import { createRoute } from '@hono/zod-openapi'
import { invoiceJson } from '../invoice/invoice-json.ts'
import { EventsQuery, IdPath, NoQuery, PageQuery } from './inputs.ts'
import { invoiceAnswer } from './invoice-answer.ts'
import { plansJson, subscriptionJson } from './json.ts'
import { eventsPage, invoicesPage, usageOf } from './listings.ts'
import { Problem } from './problems.ts'
import { answers, type BillingApp, type RouteParts } from './routes.ts'
import { Invoice, pageOf, Plans, Preview, Subscription, Usage, UsageEvent } from './schemas.ts'

const security = [{ customer_key: [] }, { customer_bearer: [] }]
const tags = ['customer']

const plans = createRoute({
  method: 'get',
  path: '/plans',
  operationId: 'list_plans',
  summary: 'What is sold',
  tags,
  security,
  request: { query: NoQuery },
  responses: answers(Plans, 'Every plan of the catalog'),
})

const usage = createRoute({
  method: 'get',
  path: '/usage',
  operationId: 'get_usage',
  summary: 'Usage of the running period, with allowance and what is left',
  tags,
  security,
  request: { query: NoQuery },
  responses: answers(Usage, 'One entry for each metered feature of the plan'),
})

const events = createRoute({
  method: 'get',
  path: '/events',
  operationId: 'list_events',
  summary: 'Usage events of a period, newest first',
  tags,
  security,
  request: { query: EventsQuery },
  responses: answers(pageOf('UsageEvents', UsageEvent), 'A page of events'),
})

const invoices = createRoute({
  method: 'get',
  path: '/invoices',
  operationId: 'list_invoices',
  summary: 'Invoices, oldest first',
  tags,
  security,
  request: { query: PageQuery },
  responses: answers(pageOf('Invoices', Invoice), 'A page of invoices'),
})

const preview = createRoute({
  method: 'get',
  path: '/invoices/preview',
  operationId: 'preview_invoice',
  summary: 'What the next invoice would be if its period ended now',
  tags,
  security,
  request: { query: NoQuery },
  responses: answers(Preview, 'Made by the code that makes invoices'),
})

const invoice = createRoute({
  method: 'get',
  path: '/invoices/{id}',
  operationId: 'get_invoice',
  summary: 'An invoice by its id or number; as a page for readers who prefer text/html',
  tags,
  security,
  request: { params: IdPath, query: NoQuery },
  responses: answers(Invoice, 'The invoice'),
})

const subscription = createRoute({
  method: 'get',
  path: '/subscription',
  operationId: 'get_subscription',
  summary: 'The subscription in force',
  tags,
  security,
  request: { query: NoQuery },
  responses: answers(Subscription, 'The subscription'),
})

export function addCustomerRoutes(app: BillingApp, { farebox }: RouteParts): void {
  app.openapi(plans, (c) => c.json({ plans: plansJson(farebox.catalog) }, 200))
  app.openapi(usage, async (c) => c.json(await usageOf(farebox, c.get('customerId')), 200))
  app.openapi(events, async (c) => c.json(await eventsPage(farebox, c.get('customerId'), c.req.valid('query')), 200))
  app.openapi(invoices, async (c) => c.json(await invoicesPage(farebox, c.get('customerId'), c.req.valid('query')), 200))
  app.openapi(preview, async (c) => {
    const next = await farebox.invoices.preview(c.get('customerId'))
    return c.json({ invoice: next === null ? null : invoiceJson(next) }, 200)
  })
  app.openapi(invoice, async (c) => {
    const found = await farebox.invoices.get(c.req.valid('param').id)
    // The same answer whether it does not exist or is another customer's.
    if (found === null || found.customerId !== c.get('customerId')) throw noSuch('invoice')
    return invoiceAnswer(c, found)
  })
  app.openapi(subscription, async (c) => {
    const found = await farebox.subscriptions.get(c.get('customerId'))
    if (found === null) throw noSuch('subscription')
    return c.json(subscriptionJson(found), 200)
  })
}

export function noSuch(what: string): Problem {
  return new Problem('not_found', `Expected a ${what} that exists, got none: look it up in the list.`)
}
