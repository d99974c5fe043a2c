/** What the operator sees of a customer: what that customer sees. */

import { createRoute, z } from '@hono/zod-openapi'
import { invoiceJson } from '../invoice/invoice-json.ts'
import { entitlementsOf } from './entitlement-listing.ts'
import { CustomerPath, EntitlementQuery, EventsQuery, FeaturePath, NoQuery, PageQuery } from './inputs.ts'
import { entitlementJson } from './json.ts'
import { eventsPage, invoicesPage, usageOf } from './listings.ts'
import { answers, type BillingApp, featureCode, given, noSuch, OPERATOR, type RouteParts } from './routes.ts'
import { Invoice, pageOf, Preview } from './schemas.ts'
import { subscriptionJson } from './subscription-json.ts'
import { Subscription } from './subscription-schemas.ts'
import { Entitlement, Entitlements, Usage, UsageEvents } from './usage-schemas.ts'

const routes = {
  usage: createRoute({
    ...OPERATOR,
    method: 'get',
    path: '/admin/customers/{customer}/usage',
    operationId: 'get_customer_usage',
    summary: "A customer's usage of the running period",
    request: { params: CustomerPath, query: NoQuery },
    responses: answers(Usage, 'One entry for each metered feature of the plan'),
  }),
  entitlements: createRoute({
    ...OPERATOR,
    method: 'get',
    path: '/admin/customers/{customer}/entitlements',
    operationId: 'list_customer_entitlements',
    summary: 'What a customer may use now: every feature of the catalog',
    request: { params: CustomerPath, query: NoQuery },
    responses: answers(Entitlements, 'One entry for each feature'),
  }),
  entitlement: createRoute({
    ...OPERATOR,
    method: 'get',
    path: '/admin/customers/{customer}/entitlements/{feature}',
    operationId: 'get_customer_entitlement',
    summary: 'Whether a customer may use so many units of a feature now; nothing is counted',
    request: { params: z.object({ ...CustomerPath.shape, ...FeaturePath.shape }), query: EntitlementQuery },
    responses: answers(Entitlement, 'Whether it is allowed, and why not'),
  }),
  events: createRoute({
    ...OPERATOR,
    method: 'get',
    path: '/admin/customers/{customer}/events',
    operationId: 'list_customer_events',
    summary: "A customer's usage events of a period, newest first",
    request: { params: CustomerPath, query: EventsQuery },
    responses: answers(UsageEvents, 'A page of events'),
  }),
  invoices: createRoute({
    ...OPERATOR,
    method: 'get',
    path: '/admin/customers/{customer}/invoices',
    operationId: 'list_customer_invoices',
    summary: "A customer's invoices, oldest first",
    request: { params: CustomerPath, query: PageQuery },
    responses: answers(pageOf('Invoices', Invoice), 'A page of invoices'),
  }),
  preview: createRoute({
    ...OPERATOR,
    method: 'get',
    path: '/admin/customers/{customer}/preview',
    operationId: 'preview_customer_invoice',
    summary: "What a customer's next invoice would be if its period ended now",
    request: { params: CustomerPath, query: NoQuery },
    responses: answers(Preview, 'Made by the code that makes invoices'),
  }),
  subscription: createRoute({
    ...OPERATOR,
    method: 'get',
    path: '/admin/customers/{customer}/subscription',
    operationId: 'get_customer_subscription',
    summary: "A customer's subscription",
    request: { params: CustomerPath, query: NoQuery },
    responses: answers(Subscription, 'The subscription'),
  }),
}

export function addOperatorCustomerRoutes(app: BillingApp, { farebox }: RouteParts): void {
  app.openapi(routes.usage, async (c) => c.json(await usageOf(farebox, c.req.valid('param').customer), 200))
  app.openapi(routes.entitlements, async (c) => c.json(await entitlementsOf(farebox, c.req.valid('param').customer), 200))
  app.openapi(routes.entitlement, async (c) => {
    const { customer: customerId, feature } = c.req.valid('param')
    const asked = { customerId, feature: featureCode(feature), ...given(c.req.valid('query')) }
    return c.json(entitlementJson(await farebox.entitlements.check(asked)), 200)
  })
  app.openapi(routes.events, async (c) =>
    c.json(await eventsPage(farebox, c.req.valid('param').customer, c.req.valid('query')), 200),
  )
  app.openapi(routes.invoices, async (c) =>
    c.json(await invoicesPage(farebox, c.req.valid('param').customer, c.req.valid('query')), 200),
  )
  app.openapi(routes.preview, async (c) => {
    const next = await farebox.invoices.preview(c.req.valid('param').customer)
    return c.json({ invoice: next === null ? null : invoiceJson(next) }, 200)
  })
  app.openapi(routes.subscription, async (c) => {
    const found = await farebox.subscriptions.get(c.req.valid('param').customer)
    if (found === null) throw noSuch('subscription')
    return c.json(subscriptionJson(found), 200)
  })
}
