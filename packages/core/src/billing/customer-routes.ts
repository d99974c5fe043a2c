/** What a customer sees: the own usage, what may be used, events, the subscription, and what is sold. Reachable over every limit. */

import { createRoute } from '@hono/zod-openapi'
import { entitlementsOf } from './entitlement-listing.ts'
import { EntitlementQuery, EventsQuery, FeaturePath, NoQuery } from './inputs.ts'
import { entitlementJson } from './json.ts'
import { eventsPage, usageOf } from './listings.ts'
import { createPriceLists } from './plan-json.ts'
import { PriceList } from './plan-schemas.ts'
import { answers, type BillingApp, CUSTOMER, featureCode, given, noSuch, type RouteParts } from './routes.ts'
import { subscriptionJson } from './subscription-json.ts'
import { Subscription } from './subscription-schemas.ts'
import { Entitlement, Entitlements, Usage, UsageEvents } from './usage-schemas.ts'

const plans = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/plans',
  operationId: 'list_plans',
  summary: 'What is sold: plans, features and credit packs, in the currency of the customer',
  request: { query: NoQuery },
  responses: answers(PriceList, 'The plans that are offered, with their prices'),
})

const usage = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/usage',
  operationId: 'get_usage',
  summary: 'Usage of the running period, with allowance and what is left',
  request: { query: NoQuery },
  responses: answers(Usage, 'One entry for each metered feature of the plan'),
})

const entitlements = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/entitlements',
  operationId: 'list_entitlements',
  summary: 'What may be used now: every feature of the catalog, one unit of those that are counted',
  request: { query: NoQuery },
  responses: answers(Entitlements, 'One entry for each feature'),
})

const entitlement = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/entitlements/{feature}',
  operationId: 'get_entitlement',
  summary: 'Whether so many units of a feature may be used now; nothing is counted',
  request: { params: FeaturePath, query: EntitlementQuery },
  responses: answers(Entitlement, 'Whether it is allowed, and why not'),
})

const events = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/events',
  operationId: 'list_events',
  summary: 'Usage events of a period, newest first',
  request: { query: EventsQuery },
  responses: answers(UsageEvents, 'A page of events'),
})

const subscription = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/subscription',
  operationId: 'get_subscription',
  summary: 'The subscription: status, renewal, what is to come',
  request: { query: NoQuery },
  responses: answers(Subscription, 'The subscription'),
})

export function addCustomerRoutes(app: BillingApp, { farebox, offeredPlans }: RouteParts): void {
  const priceListOf = createPriceLists(farebox.catalog, offeredPlans)

  app.openapi(plans, async (c) => {
    const customerId = c.get('customerId')
    const [customer, subscribed] = await Promise.all([farebox.customers.get(customerId), farebox.subscriptions.get(customerId)])
    return c.json(priceListOf(subscribed?.currency ?? customer?.currency ?? farebox.catalog.currency), 200)
  })
  app.openapi(usage, async (c) => c.json(await usageOf(farebox, c.get('customerId')), 200))
  app.openapi(entitlements, async (c) => c.json(await entitlementsOf(farebox, c.get('customerId')), 200))
  app.openapi(entitlement, async (c) => {
    const feature = featureCode(c.req.valid('param').feature)
    const asked = { customerId: c.get('customerId'), feature, ...given(c.req.valid('query')) }
    return c.json(entitlementJson(await farebox.entitlements.check(asked)), 200)
  })
  app.openapi(events, async (c) => c.json(await eventsPage(farebox, c.get('customerId'), c.req.valid('query')), 200))
  app.openapi(subscription, async (c) => {
    const found = await farebox.subscriptions.get(c.get('customerId'))
    if (found === null) throw noSuch('subscription')
    return c.json(subscriptionJson(found), 200)
  })
}
