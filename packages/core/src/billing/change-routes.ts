/** What a customer does with the own subscription: change the plan, cancel, come back, redeem a coupon; each looked at before. */

import { createRoute } from '@hono/zod-openapi'
import type { CancelInput, PlanChangeInput } from '../subscription-changes.ts'
import { NoQuery } from './inputs.ts'
import { Problem } from './problems.ts'
import { answers, type BillingApp, CUSTOMER, given, jsonBody, planCode, type RouteParts } from './routes.ts'
import {
  CouponInput,
  Nothing,
  type OwnCancelBody,
  OwnCancelInput,
  type OwnChangeBody,
  OwnChangeInput,
} from './subscription-inputs.ts'
import { subscriptionChangeJson, subscriptionJson } from './subscription-json.ts'
import { Subscription, SubscriptionChange } from './subscription-schemas.ts'

const previewed = answers(SubscriptionChange, 'What it would be, by the same code; nothing is written')
const done = answers(SubscriptionChange, 'What it is now')

const previewChange = createRoute({
  ...CUSTOMER,
  method: 'post',
  path: '/subscription/change/preview',
  operationId: 'preview_plan_change',
  summary: 'What another plan would cost, and when it would begin',
  request: { query: NoQuery, body: jsonBody(OwnChangeInput) },
  responses: previewed,
})

const change = createRoute({
  ...CUSTOMER,
  method: 'post',
  path: '/subscription/change',
  operationId: 'change_plan',
  summary: 'Another plan: an upgrade now and billed at once, a downgrade at the renewal',
  request: { query: NoQuery, body: jsonBody(OwnChangeInput) },
  responses: done,
})

const previewCancel = createRoute({
  ...CUSTOMER,
  method: 'post',
  path: '/subscription/cancel/preview',
  operationId: 'preview_cancellation',
  summary: 'When the subscription would end, and what would be billed',
  request: { query: NoQuery, body: jsonBody(OwnCancelInput) },
  responses: previewed,
})

const cancel = createRoute({
  ...CUSTOMER,
  method: 'post',
  path: '/subscription/cancel',
  operationId: 'cancel_subscription',
  summary: 'End the subscription, when what was paid for ends or now',
  request: { query: NoQuery, body: jsonBody(OwnCancelInput) },
  responses: done,
})

const reactivate = createRoute({
  ...CUSTOMER,
  method: 'post',
  path: '/subscription/reactivate',
  operationId: 'reactivate_subscription',
  summary: 'Take back an end, a pause or another plan that has not come',
  request: { query: NoQuery, body: jsonBody(Nothing) },
  responses: done,
})

const redeem = createRoute({
  ...CUSTOMER,
  method: 'post',
  path: '/subscription/coupons',
  operationId: 'redeem_coupon',
  summary: 'Redeem a coupon; again is the same',
  request: { query: NoQuery, body: jsonBody(CouponInput) },
  responses: answers(Subscription, 'The subscription, with the discount'),
})

export function addChangeRoutes(app: BillingApp, { farebox, offeredPlans }: RouteParts): void {
  const { subscriptions, catalog } = farebox

  app.openapi(previewChange, async (c) =>
    c.json(subscriptionChangeJson(await subscriptions.previewChange(changeOf(c.get('customerId'), c.req.valid('json')))), 200),
  )
  app.openapi(change, async (c) =>
    c.json(subscriptionChangeJson(await subscriptions.change(changeOf(c.get('customerId'), c.req.valid('json')))), 200),
  )
  app.openapi(previewCancel, async (c) =>
    c.json(subscriptionChangeJson(await subscriptions.previewCancel(cancelOf(c.get('customerId'), c.req.valid('json')))), 200),
  )
  app.openapi(cancel, async (c) =>
    c.json(subscriptionChangeJson(await subscriptions.cancel(cancelOf(c.get('customerId'), c.req.valid('json')))), 200),
  )
  app.openapi(reactivate, async (c) => c.json(subscriptionChangeJson(await subscriptions.reactivate(c.get('customerId'))), 200))
  app.openapi(redeem, async (c) =>
    c.json(
      subscriptionJson(await subscriptions.redeem({ customerId: c.get('customerId'), coupon: c.req.valid('json').coupon })),
      200,
    ),
  )

  /** A plan that is not offered is answered as one that does not exist. */
  function changeOf(customerId: string, { plan, when }: OwnChangeBody): PlanChangeInput {
    const offered = offeredPlans ?? catalog.plans
    if (!offered.has(plan))
      throw new Problem(
        'unknown_plan',
        `Expected one of the plans ${[...offered.keys()].join(', ')}, got another: fix its spelling.`,
      )
    return { customerId, plan: planCode(plan), ...given({ when }) }
  }
}

function cancelOf(customerId: string, { when }: OwnCancelBody): CancelInput {
  return { customerId, ...given({ when }) }
}
