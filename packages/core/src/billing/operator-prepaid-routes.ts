/** A customer's credits and balance, for the operator: what that customer sees, and what is granted and taken back by hand. */

import { createRoute, z } from '@hono/zod-openapi'
import { CustomerPath, IdPath, LedgerQuery, NoQuery } from './inputs.ts'
import { ledgerPage } from './listings.ts'
import { BalanceGrantInput, BalanceRevokeInput, CreditGrantInput, CreditRevokeInput } from './money-inputs.ts'
import { balanceJson, grantJson, holdingsJson } from './money-json.ts'
import { Balance, Credits, Grant, Ledger } from './money-schemas.ts'
import { answers, type BillingApp, given, jsonBody, OPERATOR, optionalJsonBody, PROBLEM, type RouteParts } from './routes.ts'

const OF_CUSTOMER = '/admin/customers/{customer}'
const GrantPath = z.object({ ...CustomerPath.shape, ...IdPath.shape })
const granted = { 201: { description: 'The grant', content: { 'application/json': { schema: Grant } } }, default: PROBLEM }
const shown = { params: CustomerPath, query: NoQuery }

const routes = {
  credits: createRoute({
    ...OPERATOR,
    method: 'get',
    path: `${OF_CUSTOMER}/credits`,
    operationId: 'get_customer_credits',
    summary: "A customer's credits, by grant",
    request: shown,
    responses: answers(Credits, 'The credits'),
  }),
  creditLedger: createRoute({
    ...OPERATOR,
    method: 'get',
    path: `${OF_CUSTOMER}/credits/ledger`,
    operationId: 'list_customer_credit_movements',
    summary: "Every movement of a customer's credits, newest first",
    request: { params: CustomerPath, query: LedgerQuery },
    responses: answers(Ledger, 'A page of movements'),
  }),
  grantCredits: createRoute({
    ...OPERATOR,
    method: 'post',
    path: `${OF_CUSTOMER}/credits/grants`,
    operationId: 'grant_credits',
    summary: 'Grant credits that were not bought',
    request: { ...shown, body: jsonBody(CreditGrantInput) },
    responses: granted,
  }),
  revokeCredits: createRoute({
    ...OPERATOR,
    method: 'post',
    path: `${OF_CUSTOMER}/credits/grants/{id}/revoke`,
    operationId: 'revoke_credits',
    summary: 'Take back what is left of a grant of credits, or part of it',
    request: { params: GrantPath, query: NoQuery, body: optionalJsonBody(CreditRevokeInput) },
    responses: answers(Grant, 'The grant'),
  }),
  balance: createRoute({
    ...OPERATOR,
    method: 'get',
    path: `${OF_CUSTOMER}/balance`,
    operationId: 'get_customer_balance',
    summary: "A customer's balance, by grant",
    request: shown,
    responses: answers(Balance, 'The balance'),
  }),
  balanceLedger: createRoute({
    ...OPERATOR,
    method: 'get',
    path: `${OF_CUSTOMER}/balance/ledger`,
    operationId: 'list_customer_balance_movements',
    summary: "Every movement of a customer's balance, newest first",
    request: { params: CustomerPath, query: LedgerQuery },
    responses: answers(Ledger, 'A page of movements'),
  }),
  grantBalance: createRoute({
    ...OPERATOR,
    method: 'post',
    path: `${OF_CUSTOMER}/balance/grants`,
    operationId: 'grant_balance',
    summary: 'Grant balance that was not bought',
    request: { ...shown, body: jsonBody(BalanceGrantInput) },
    responses: granted,
  }),
  revokeBalance: createRoute({
    ...OPERATOR,
    method: 'post',
    path: `${OF_CUSTOMER}/balance/grants/{id}/revoke`,
    operationId: 'revoke_balance',
    summary: 'Take back what is left of a grant of balance, or part of it',
    request: { params: GrantPath, query: NoQuery, body: optionalJsonBody(BalanceRevokeInput) },
    responses: answers(Grant, 'The grant'),
  }),
}

export function addOperatorPrepaidRoutes(app: BillingApp, { farebox }: RouteParts): void {
  app.openapi(routes.credits, async (c) =>
    c.json(holdingsJson(await farebox.credits.get(c.req.valid('param').customer), 'operator'), 200),
  )
  app.openapi(routes.creditLedger, async (c) =>
    c.json(await ledgerPage(farebox.credits, c.req.valid('param').customer, c.req.valid('query'), 'operator'), 200),
  )
  app.openapi(routes.grantCredits, async (c) => {
    const { credits, ...terms } = c.req.valid('json')
    const grant = await farebox.credits.grant({ customerId: c.req.valid('param').customer, credits, ...termsOf(terms) })
    return c.json(grantJson(grant, 'operator'), 201)
  })
  app.openapi(routes.revokeCredits, async (c) => {
    const { customer: customerId, id: grant } = c.req.valid('param')
    const { idempotency_key: idempotencyKey, ...others } = c.req.valid('json')
    const revoked = await farebox.credits.revoke({ customerId, grant, ...given({ idempotencyKey, ...others }) })
    return c.json(grantJson(revoked, 'operator'), 200)
  })
  app.openapi(routes.balance, async (c) =>
    c.json(balanceJson(await farebox.balance.get(c.req.valid('param').customer), 'operator'), 200),
  )
  app.openapi(routes.balanceLedger, async (c) =>
    c.json(await ledgerPage(farebox.balance, c.req.valid('param').customer, c.req.valid('query'), 'operator'), 200),
  )
  app.openapi(routes.grantBalance, async (c) => {
    const { amount, ...terms } = c.req.valid('json')
    const grant = await farebox.balance.grant({ customerId: c.req.valid('param').customer, amount, ...termsOf(terms) })
    return c.json(grantJson(grant, 'operator'), 201)
  })
  app.openapi(routes.revokeBalance, async (c) => {
    const { customer: customerId, id: grant } = c.req.valid('param')
    const { idempotency_key: idempotencyKey, ...others } = c.req.valid('json')
    const revoked = await farebox.balance.revoke({ customerId, grant, ...given({ idempotencyKey, ...others }) })
    return c.json(grantJson(revoked, 'operator'), 200)
  })
}

interface Terms {
  readonly expires_at?: string | undefined
  readonly priority?: number | undefined
  readonly reason?: string | undefined
  readonly idempotency_key?: string | undefined
}

function termsOf({ expires_at: expiresAt, priority, reason, idempotency_key: idempotencyKey }: Terms) {
  return given({ expiresAt, priority, reason, idempotencyKey })
}
