/** What the operator does: customers and their keys, closing, the audit, the catalog. */

import { createRoute } from '@hono/zod-openapi'
import { parseInstant } from '../values/instant.ts'
import { parsePlaceCursor, placeCursor } from './cursors.ts'
import { ApiKeyInput, ApiKeysQuery, CloseInput, CustomerInput, CustomerPath, IdPath, NoQuery, PageQuery } from './inputs.ts'
import { apiKeyJson, customerJson } from './json.ts'
import {
  answers,
  type BillingApp,
  given,
  jsonBody,
  noSuch,
  OPERATOR,
  optionalJsonBody,
  PROBLEM,
  type RouteParts,
} from './routes.ts'
import { ApiKey, ApiKeys, Audit, Catalog, Closing, Customer, NewApiKey, pageOf } from './schemas.ts'

const DEFAULT_PAGE = 100

function created<Schema>(schema: Schema, description: string) {
  const content = { 'application/json': { schema } }
  return { 201: { description, content }, 200: { description: 'It was there already', content }, default: PROBLEM }
}

const routes = {
  createCustomer: createRoute({
    ...OPERATOR,
    method: 'post',
    path: '/admin/customers',
    operationId: 'create_customer',
    summary: 'Make a customer; doing it again is the same customer, and members that are given replace those it has',
    request: { query: NoQuery, body: jsonBody(CustomerInput) },
    responses: created(Customer, 'The customer'),
  }),
  listCustomers: createRoute({
    ...OPERATOR,
    method: 'get',
    path: '/admin/customers',
    operationId: 'list_customers',
    summary: 'Customers, in the order in which they were first seen',
    request: { query: PageQuery },
    responses: answers(pageOf('Customers', Customer), 'A page of customers'),
  }),
  getCustomer: createRoute({
    ...OPERATOR,
    method: 'get',
    path: '/admin/customers/{customer}',
    operationId: 'get_customer',
    summary: 'A customer',
    request: { params: CustomerPath, query: NoQuery },
    responses: answers(Customer, 'The customer'),
  }),
  createKey: createRoute({
    ...OPERATOR,
    method: 'post',
    path: '/admin/api-keys',
    operationId: 'create_api_key',
    summary: 'Make an API key, shown this once',
    request: { query: NoQuery, body: jsonBody(ApiKeyInput) },
    responses: { 201: { description: 'The key', content: { 'application/json': { schema: NewApiKey } } }, default: PROBLEM },
  }),
  listKeys: createRoute({
    ...OPERATOR,
    method: 'get',
    path: '/admin/api-keys',
    operationId: 'list_api_keys',
    summary: "A customer's API keys, oldest first, revoked ones included",
    request: { query: ApiKeysQuery },
    responses: answers(ApiKeys, 'The keys without their secrets'),
  }),
  revokeKey: createRoute({
    ...OPERATOR,
    method: 'delete',
    path: '/admin/api-keys/{id}',
    operationId: 'revoke_api_key',
    summary: 'Revoke an API key by its id; again is the same',
    request: { params: IdPath, query: NoQuery },
    responses: answers(ApiKey, 'The key, revoked'),
  }),
  catalog: createRoute({
    ...OPERATOR,
    method: 'get',
    path: '/admin/catalog',
    operationId: 'get_catalog',
    summary: 'The catalog',
    request: { query: NoQuery },
    responses: answers(Catalog, 'The catalog and its version'),
  }),
  close: createRoute({
    ...OPERATOR,
    method: 'post',
    path: '/admin/close',
    operationId: 'close_periods',
    summary: 'Make the invoice of every period that ended; again makes nothing twice',
    request: { query: NoQuery, body: optionalJsonBody(CloseInput) },
    responses: answers(Closing, 'What was closed, and what was not'),
  }),
  audit: createRoute({
    ...OPERATOR,
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
  addKeys(app, parts)
  addBooks(app, parts)
}

function addCustomers(app: BillingApp, { farebox }: RouteParts): void {
  app.openapi(routes.createCustomer, async (c) => {
    const { id, time_zone: timeZone, tax_id: taxId, is_tax_exempt: isTaxExempt, ...others } = c.req.valid('json')
    const isNew = (await farebox.customers.get(id)) === null
    const customer = await farebox.customers.create({ id, ...given({ timeZone, taxId, isTaxExempt, ...others }) })
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
