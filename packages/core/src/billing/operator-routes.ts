/** What the operator does: customers, their subscriptions and keys, closing, the audit, the catalog. */

import { createRoute } from '@hono/zod-openapi'
import { invoiceJson } from '../invoice/invoice-json.ts'
import { parseInstant } from '../values/instant.ts'
import { parsePlaceCursor, placeCursor } from './cursors.ts'
import { noSuch } from './customer-routes.ts'
import {
  ApiKeyInput,
  ApiKeysQuery,
  CloseInput,
  CustomerInput,
  CustomerPath,
  EventsQuery,
  IdPath,
  NoQuery,
  PageQuery,
  SubscriptionInput,
} from './inputs.ts'
import { invoiceAnswer } from './invoice-answer.ts'
import { apiKeyJson, customerJson, subscriptionJson } from './json.ts'
import { eventsPage, invoicesPage, usageOf } from './listings.ts'
import { answers, type BillingApp, jsonBody, optionalJsonBody, planCode, PROBLEM, type RouteParts } from './routes.ts'
import {
  ApiKey,
  ApiKeys,
  Audit,
  Catalog,
  Closing,
  Customer,
  Invoice,
  NewApiKey,
  pageOf,
  Preview,
  Subscription,
  Usage,
  UsageEvent,
} from './schemas.ts'

const common = { tags: ['operator'], security: [{ admin_key: [] }] }
const DEFAULT_PAGE = 100

function created<Schema>(schema: Schema, description: string) {
  const content = { 'application/json': { schema } }
  return { 201: { description, content }, 200: { description: 'It was there already', content }, default: PROBLEM }
}

const routes = {
  createCustomer: createRoute({
    ...common,
    method: 'post',
    path: '/admin/customers',
    operationId: 'create_customer',
    summary: 'Make a customer; doing it again is the same customer, and members that are given replace those it has',
    request: { query: NoQuery, body: jsonBody(CustomerInput) },
    responses: created(Customer, 'The customer'),
  }),
  listCustomers: createRoute({
    ...common,
    method: 'get',
    path: '/admin/customers',
    operationId: 'list_customers',
    summary: 'Customers, in the order in which they were first seen',
    request: { query: PageQuery },
    responses: answers(pageOf('Customers', Customer), 'A page of customers'),
  }),
  getCustomer: createRoute({
    ...common,
    method: 'get',
    path: '/admin/customers/{customer}',
    operationId: 'get_customer',
    summary: 'A customer',
    request: { params: CustomerPath, query: NoQuery },
    responses: answers(Customer, 'The customer'),
  }),
  customerUsage: createRoute({
    ...common,
    method: 'get',
    path: '/admin/customers/{customer}/usage',
    operationId: 'get_customer_usage',
    summary: "A customer's usage of the running period",
    request: { params: CustomerPath, query: NoQuery },
    responses: answers(Usage, 'One entry for each metered feature of the plan'),
  }),
  customerEvents: createRoute({
    ...common,
    method: 'get',
    path: '/admin/customers/{customer}/events',
    operationId: 'list_customer_events',
    summary: "A customer's usage events of a period, newest first",
    request: { params: CustomerPath, query: EventsQuery },
    responses: answers(pageOf('UsageEvents', UsageEvent), 'A page of events'),
  }),
  customerInvoices: createRoute({
    ...common,
    method: 'get',
    path: '/admin/customers/{customer}/invoices',
    operationId: 'list_customer_invoices',
    summary: "A customer's invoices, oldest first",
    request: { params: CustomerPath, query: PageQuery },
    responses: answers(pageOf('Invoices', Invoice), 'A page of invoices'),
  }),
  customerPreview: createRoute({
    ...common,
    method: 'get',
    path: '/admin/customers/{customer}/preview',
    operationId: 'preview_customer_invoice',
    summary: "What a customer's next invoice would be if its period ended now",
    request: { params: CustomerPath, query: NoQuery },
    responses: answers(Preview, 'Made by the code that makes invoices'),
  }),
  customerSubscription: createRoute({
    ...common,
    method: 'get',
    path: '/admin/customers/{customer}/subscription',
    operationId: 'get_customer_subscription',
    summary: "A customer's subscription",
    request: { params: CustomerPath, query: NoQuery },
    responses: answers(Subscription, 'The subscription'),
  }),
  subscribe: createRoute({
    ...common,
    method: 'post',
    path: '/admin/subscriptions',
    operationId: 'create_subscription',
    summary:
      'Subscribe a customer, who is made when unknown; doing it again with the same plan and start is the same subscription',
    request: { query: NoQuery, body: jsonBody(SubscriptionInput) },
    responses: answers(Subscription, 'The subscription'),
  }),
  createKey: createRoute({
    ...common,
    method: 'post',
    path: '/admin/api-keys',
    operationId: 'create_api_key',
    summary: 'Make an API key, shown this once',
    request: { query: NoQuery, body: jsonBody(ApiKeyInput) },
    responses: { 201: { description: 'The key', content: { 'application/json': { schema: NewApiKey } } }, default: PROBLEM },
  }),
  listKeys: createRoute({
    ...common,
    method: 'get',
    path: '/admin/api-keys',
    operationId: 'list_api_keys',
    summary: "A customer's API keys, oldest first, revoked ones included",
    request: { query: ApiKeysQuery },
    responses: answers(ApiKeys, 'The keys without their secrets'),
  }),
  revokeKey: createRoute({
    ...common,
    method: 'delete',
    path: '/admin/api-keys/{id}',
    operationId: 'revoke_api_key',
    summary: 'Revoke an API key by its id; again is the same',
    request: { params: IdPath, query: NoQuery },
    responses: answers(ApiKey, 'The key, revoked'),
  }),
  listInvoices: createRoute({
    ...common,
    method: 'get',
    path: '/admin/invoices',
    operationId: 'list_all_invoices',
    summary: 'Invoices of all customers, oldest first',
    request: { query: PageQuery },
    responses: answers(pageOf('Invoices', Invoice), 'A page of invoices'),
  }),
  getInvoice: createRoute({
    ...common,
    method: 'get',
    path: '/admin/invoices/{id}',
    operationId: 'get_any_invoice',
    summary: 'An invoice by its id or number; as a page for readers who prefer text/html',
    request: { params: IdPath, query: NoQuery },
    responses: answers(Invoice, 'The invoice'),
  }),
  catalog: createRoute({
    ...common,
    method: 'get',
    path: '/admin/catalog',
    operationId: 'get_catalog',
    summary: 'The catalog',
    request: { query: NoQuery },
    responses: answers(Catalog, 'The catalog and its version'),
  }),
  close: createRoute({
    ...common,
    method: 'post',
    path: '/admin/close',
    operationId: 'close_periods',
    summary: 'Make the invoice of every period that ended; again makes nothing twice',
    request: { query: NoQuery, body: optionalJsonBody(CloseInput) },
    responses: answers(Closing, 'What was closed, and what was not'),
  }),
  audit: createRoute({
    ...common,
    method: 'get',
    path: '/admin/audit',
    operationId: 'audit',
    summary: 'Compute every total and invoice from the log again; reads all of it',
    request: { query: NoQuery },
    responses: answers(Audit, 'What disagrees'),
  }),
}

export function addOperatorRoutes(app: BillingApp, parts: RouteParts): void {
  addCustomers(app, parts)
  addOfCustomer(app, parts)
  addKeys(app, parts)
  addBooks(app, parts)
}

function addCustomers(app: BillingApp, { farebox }: RouteParts): void {
  app.openapi(routes.createCustomer, async (c) => {
    const { id, name, email, time_zone: timeZone } = c.req.valid('json')
    const isNew = (await farebox.customers.get(id)) === null
    const customer = await farebox.customers.create({
      id,
      ...(name === undefined ? {} : { name }),
      ...(email === undefined ? {} : { email }),
      ...(timeZone === undefined ? {} : { timeZone }),
    })
    return c.json(customerJson(customer), isNew ? 201 : 200)
  })
  app.openapi(routes.listCustomers, async (c) => {
    const { cursor, limit = DEFAULT_PAGE } = c.req.valid('query')
    const { items, next } = await farebox.customers.list({ after: parsePlaceCursor(cursor), limit })
    return c.json({ items: items.map(customerJson), next: placeCursor(next) }, 200)
  })
  app.openapi(routes.getCustomer, async (c) => {
    const customer = await farebox.customers.get(c.req.valid('param').customer)
    if (customer === null) throw noSuch('customer')
    return c.json(customerJson(customer), 200)
  })
  app.openapi(routes.subscribe, async (c) => {
    const { customer: customerId, plan, starts_at: startsAt } = c.req.valid('json')
    const start = startsAt === undefined ? {} : { startsAt }
    return c.json(subscriptionJson(await farebox.subscriptions.create({ customerId, plan: planCode(plan), ...start })), 200)
  })
}

function addOfCustomer(app: BillingApp, { farebox }: RouteParts): void {
  app.openapi(routes.customerUsage, async (c) => c.json(await usageOf(farebox, c.req.valid('param').customer), 200))
  app.openapi(routes.customerEvents, async (c) =>
    c.json(await eventsPage(farebox, c.req.valid('param').customer, c.req.valid('query')), 200),
  )
  app.openapi(routes.customerInvoices, async (c) =>
    c.json(await invoicesPage(farebox, c.req.valid('param').customer, c.req.valid('query')), 200),
  )
  app.openapi(routes.customerPreview, async (c) => {
    const next = await farebox.invoices.preview(c.req.valid('param').customer)
    return c.json({ invoice: next === null ? null : invoiceJson(next) }, 200)
  })
  app.openapi(routes.customerSubscription, async (c) => {
    const found = await farebox.subscriptions.get(c.req.valid('param').customer)
    if (found === null) throw noSuch('subscription')
    return c.json(subscriptionJson(found), 200)
  })
}

function addKeys(app: BillingApp, { farebox }: RouteParts): void {
  app.openapi(routes.createKey, async (c) => {
    const { customer: customerId, name } = c.req.valid('json')
    const made = await farebox.apiKeys.create({ customerId, ...(name === undefined ? {} : { name }) })
    return c.json({ ...apiKeyJson(made), key: made.key }, 201)
  })
  app.openapi(routes.listKeys, async (c) => {
    const keys = await farebox.apiKeys.list(c.req.valid('query').customer)
    return c.json({ api_keys: keys.map(apiKeyJson) }, 200)
  })
  app.openapi(routes.revokeKey, async (c) => c.json(apiKeyJson(await farebox.apiKeys.revoke(c.req.valid('param').id)), 200))
}

function addBooks(app: BillingApp, { farebox }: RouteParts): void {
  app.openapi(routes.listInvoices, async (c) => c.json(await invoicesPage(farebox, undefined, c.req.valid('query')), 200))
  app.openapi(routes.getInvoice, async (c) => {
    const found = await farebox.invoices.get(c.req.valid('param').id)
    if (found === null) throw noSuch('invoice')
    return invoiceAnswer(c, found)
  })
  app.openapi(routes.catalog, (c) => {
    const { version, document } = farebox.catalog
    return c.json({ version, catalog: JSON.parse(document) as Record<string, unknown> }, 200)
  })
  app.openapi(routes.close, async (c) => {
    const { until } = c.req.valid('json')
    const { invoices, held, waiting } = await farebox.closePeriods(
      until === undefined ? {} : { until: parseInstant(until, 'until') },
    )
    const numbers = invoices.map(({ number }) => number ?? '')
    return c.json({ invoices: numbers, held: held.map(({ customerId }) => customerId), waiting: [...waiting] }, 200)
  })
  app.openapi(routes.audit, async (c) => {
    const { ok, events, differences } = await farebox.verify()
    const shown = differences.map(({ kind, customerId, message, events: seqs }) => ({
      kind,
      customer: customerId,
      message,
      events: [...seqs],
    }))
    return c.json({ ok, events, differences: shown }, 200)
  })
}
