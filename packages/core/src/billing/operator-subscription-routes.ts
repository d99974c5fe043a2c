/** What the operator does with a customer's subscription, and with the prices of all of them. */

import { createRoute } from '@hono/zod-openapi'
import type { CancelInput as Cancellation, PauseInput as Pausing, PlanChangeInput } from '../subscription-changes.ts'
import { CustomerPath, NoQuery } from './inputs.ts'
import { movePricesOfAll } from './price-moves.ts'
import { answers, type BillingApp, given, jsonBody, OPERATOR, optionalJsonBody, planCode, type RouteParts } from './routes.ts'
import {
  AllPricesInput,
  type CancelBody,
  CancelInput,
  type ChangeBody,
  ChangeInput,
  CouponInput,
  Nothing,
  type PauseBody,
  PauseInput,
  PricesInput,
  SubscriptionInput,
} from './subscription-inputs.ts'
import { subscriptionChangeJson, subscriptionJson } from './subscription-json.ts'
import { PriceMoves, Subscription, SubscriptionChange } from './subscription-schemas.ts'

const previewed = answers(SubscriptionChange, 'What it would be, by the same code; nothing is written')
const done = answers(SubscriptionChange, 'What it is now')
const shown = answers(Subscription, 'The subscription')
const OF_CUSTOMER = '/admin/customers/{customer}/subscription'
const ofCustomer = { ...OPERATOR, method: 'post' } as const
const named = { params: CustomerPath, query: NoQuery }

const routes = {
  create: createRoute({
    ...OPERATOR,
    method: 'post',
    path: '/admin/subscriptions',
    operationId: 'create_subscription',
    summary:
      'Subscribe a customer, who is made when unknown; doing it again with the same plan and start is the same subscription',
    request: { query: NoQuery, body: jsonBody(SubscriptionInput) },
    responses: shown,
  }),
  moveAll: createRoute({
    ...OPERATOR,
    method: 'post',
    path: '/admin/subscriptions/prices',
    operationId: 'move_all_prices',
    summary: "Move customers to this catalog's prices, page by page: ask again with `next` until there is none",
    request: { query: NoQuery, body: jsonBody(AllPricesInput) },
    responses: answers(PriceMoves, 'What became of each customer of the page'),
  }),
  previewChange: createRoute({
    ...ofCustomer,
    path: `${OF_CUSTOMER}/change/preview`,
    operationId: 'preview_customer_plan_change',
    summary: 'What another plan would cost a customer, and when it would begin',
    request: { ...named, body: jsonBody(ChangeInput) },
    responses: previewed,
  }),
  change: createRoute({
    ...ofCustomer,
    path: `${OF_CUSTOMER}/change`,
    operationId: 'change_customer_plan',
    summary: 'Give a customer another plan',
    request: { ...named, body: jsonBody(ChangeInput) },
    responses: done,
  }),
  previewCancel: createRoute({
    ...ofCustomer,
    path: `${OF_CUSTOMER}/cancel/preview`,
    operationId: 'preview_customer_cancellation',
    summary: "When a customer's subscription would end, and what would be billed",
    request: { ...named, body: optionalJsonBody(CancelInput) },
    responses: previewed,
  }),
  cancel: createRoute({
    ...ofCustomer,
    path: `${OF_CUSTOMER}/cancel`,
    operationId: 'cancel_customer_subscription',
    summary: "End a customer's subscription",
    request: { ...named, body: optionalJsonBody(CancelInput) },
    responses: done,
  }),
  reactivate: createRoute({
    ...ofCustomer,
    path: `${OF_CUSTOMER}/reactivate`,
    operationId: 'reactivate_customer_subscription',
    summary: 'Take back an end, a pause or another plan that has not come',
    request: { ...named, body: optionalJsonBody(Nothing) },
    responses: done,
  }),
  pause: createRoute({
    ...ofCustomer,
    path: `${OF_CUSTOMER}/pause`,
    operationId: 'pause_customer_subscription',
    summary: 'Pause it: no service and no base price until it is resumed',
    request: { ...named, body: optionalJsonBody(PauseInput) },
    responses: done,
  }),
  resume: createRoute({
    ...ofCustomer,
    path: `${OF_CUSTOMER}/resume`,
    operationId: 'resume_customer_subscription',
    summary: 'End a pause now; billing begins anew',
    request: { ...named, body: optionalJsonBody(Nothing) },
    responses: done,
  }),
  activate: createRoute({
    ...ofCustomer,
    path: `${OF_CUSTOMER}/activate`,
    operationId: 'activate_customer_subscription',
    summary: 'The first payment came: what waited for it is served',
    request: { ...named, body: optionalJsonBody(Nothing) },
    responses: shown,
  }),
  movePrices: createRoute({
    ...ofCustomer,
    path: `${OF_CUSTOMER}/prices`,
    operationId: 'move_customer_prices',
    summary: "Move a customer to this catalog's prices",
    request: { ...named, body: jsonBody(PricesInput) },
    responses: done,
  }),
  redeem: createRoute({
    ...ofCustomer,
    path: `${OF_CUSTOMER}/coupons`,
    operationId: 'redeem_customer_coupon',
    summary: 'Redeem a coupon for a customer; again is the same',
    request: { ...named, body: jsonBody(CouponInput) },
    responses: shown,
  }),
}

export function addOperatorSubscriptionRoutes(app: BillingApp, parts: RouteParts): void {
  addChanges(app, parts)
  const { subscriptions } = parts.farebox

  app.openapi(routes.create, async (c) => {
    const { customer: customerId, plan, starts_at: startsAt, awaits_payment: awaitsPayment } = c.req.valid('json')
    const created = await subscriptions.create({ customerId, plan: planCode(plan), ...given({ startsAt, awaitsPayment }) })
    return c.json(subscriptionJson(created), 200)
  })
  app.openapi(routes.moveAll, async (c) => c.json(await movePricesOfAll(parts.farebox, c.req.valid('json')), 200))
  app.openapi(routes.activate, async (c) =>
    c.json(subscriptionJson(await subscriptions.activate(c.req.valid('param').customer)), 200),
  )
  app.openapi(routes.redeem, async (c) => {
    const { customer: customerId } = c.req.valid('param')
    return c.json(subscriptionJson(await subscriptions.redeem({ customerId, coupon: c.req.valid('json').coupon })), 200)
  })
}

function addChanges(app: BillingApp, { farebox: { subscriptions } }: RouteParts): void {
  app.openapi(routes.previewChange, async (c) => {
    const input = changeOf(c.req.valid('param').customer, c.req.valid('json'))
    return c.json(subscriptionChangeJson(await subscriptions.previewChange(input)), 200)
  })
  app.openapi(routes.change, async (c) => {
    const input = changeOf(c.req.valid('param').customer, c.req.valid('json'))
    return c.json(subscriptionChangeJson(await subscriptions.change(input)), 200)
  })
  app.openapi(routes.previewCancel, async (c) => {
    const input = cancelOf(c.req.valid('param').customer, c.req.valid('json'))
    return c.json(subscriptionChangeJson(await subscriptions.previewCancel(input)), 200)
  })
  app.openapi(routes.cancel, async (c) => {
    const input = cancelOf(c.req.valid('param').customer, c.req.valid('json'))
    return c.json(subscriptionChangeJson(await subscriptions.cancel(input)), 200)
  })
  app.openapi(routes.reactivate, async (c) =>
    c.json(subscriptionChangeJson(await subscriptions.reactivate(c.req.valid('param').customer)), 200),
  )
  app.openapi(routes.pause, async (c) => {
    const input = pauseOf(c.req.valid('param').customer, c.req.valid('json'))
    return c.json(subscriptionChangeJson(await subscriptions.pause(input)), 200)
  })
  app.openapi(routes.resume, async (c) =>
    c.json(subscriptionChangeJson(await subscriptions.resume(c.req.valid('param').customer)), 200),
  )
  app.openapi(routes.movePrices, async (c) => {
    const { customer: customerId } = c.req.valid('param')
    return c.json(subscriptionChangeJson(await subscriptions.movePrices({ customerId, when: c.req.valid('json').when })), 200)
  })
}

function changeOf(customerId: string, { plan, when }: ChangeBody): PlanChangeInput {
  return { customerId, plan: planCode(plan), ...given({ when }) }
}

function cancelOf(customerId: string, { when, prorate }: CancelBody): Cancellation {
  return { customerId, ...given({ when, prorate }) }
}

function pauseOf(customerId: string, { when, resumes_at: resumesAt }: PauseBody): Pausing {
  return { customerId, ...given({ when, resumesAt }) }
}
