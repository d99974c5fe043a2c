/** A customer's own credits and balance: what is there, every movement, packs and top-ups, also by themselves. */

import { createRoute } from '@hono/zod-openapi'
import { COLLECTED, collectedAnswer } from './collected-answer.ts'
import { LedgerQuery, NoQuery, PackPath } from './inputs.ts'
import { ledgerPage } from './listings.ts'
import { AutoTopUpInput, PackInput, TopUpInput } from './money-inputs.ts'
import { balanceJson, holdingsJson } from './money-json.ts'
import { Balance, Credits, Ledger } from './money-schemas.ts'
import { answers, type BillingApp, CUSTOMER, given, jsonBody, type RouteParts } from './routes.ts'

const credits = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/credits',
  operationId: 'get_credits',
  summary: 'Credits that are left, by grant, in the order in which they pay',
  request: { query: NoQuery },
  responses: answers(Credits, 'The credits'),
})

const creditLedger = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/credits/ledger',
  operationId: 'list_credit_movements',
  summary: 'Every movement of credits, newest first',
  request: { query: LedgerQuery },
  responses: answers(Ledger, 'A page of movements'),
})

const buyPack = createRoute({
  ...CUSTOMER,
  method: 'post',
  path: '/credits/packs/{pack}/purchases',
  operationId: 'buy_pack',
  summary: 'Buy a pack of credits with the way to pay that is on file',
  request: { params: PackPath, query: NoQuery, body: jsonBody(PackInput) },
  responses: COLLECTED,
})

const balance = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/balance',
  operationId: 'get_balance',
  summary: 'Prepaid money that is left, by grant, in the order in which it pays',
  request: { query: NoQuery },
  responses: answers(Balance, 'The balance'),
})

const balanceLedger = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/balance/ledger',
  operationId: 'list_balance_movements',
  summary: 'Every movement of the balance, newest first',
  request: { query: LedgerQuery },
  responses: answers(Ledger, 'A page of movements'),
})

const topUp = createRoute({
  ...CUSTOMER,
  method: 'post',
  path: '/balance/top-ups',
  operationId: 'top_up',
  summary: 'Buy balance with the way to pay that is on file',
  request: { query: NoQuery, body: jsonBody(TopUpInput) },
  responses: COLLECTED,
})

const setAutoTopUp = createRoute({
  ...CUSTOMER,
  method: 'put',
  path: '/balance/auto-top-up',
  operationId: 'set_auto_top_up',
  summary: 'Have balance bought by itself when little is left',
  request: { query: NoQuery, body: jsonBody(AutoTopUpInput) },
  responses: answers(Balance, 'The balance, with the settings'),
})

const endAutoTopUp = createRoute({
  ...CUSTOMER,
  method: 'delete',
  path: '/balance/auto-top-up',
  operationId: 'end_auto_top_up',
  summary: 'Have nothing bought by itself any more',
  request: { query: NoQuery },
  responses: answers(Balance, 'The balance'),
})

export function addPrepaidRoutes(app: BillingApp, { farebox }: RouteParts): void {
  app.openapi(credits, async (c) => c.json(holdingsJson(await farebox.credits.get(c.get('customerId')), 'customer'), 200))
  app.openapi(creditLedger, async (c) =>
    c.json(await ledgerPage(farebox.credits, c.get('customerId'), c.req.valid('query'), 'customer'), 200),
  )
  app.openapi(buyPack, async (c) => {
    const { pack } = c.req.valid('param')
    const { idempotency_key: idempotencyKey } = c.req.valid('json')
    return collectedAnswer(
      c,
      await farebox.credits.buyPack({ customerId: c.get('customerId'), pack, idempotencyKey }),
      'customer',
    )
  })
  app.openapi(balance, async (c) => c.json(balanceJson(await farebox.balance.get(c.get('customerId')), 'customer'), 200))
  app.openapi(balanceLedger, async (c) =>
    c.json(await ledgerPage(farebox.balance, c.get('customerId'), c.req.valid('query'), 'customer'), 200),
  )
  app.openapi(topUp, async (c) => {
    const { amount, idempotency_key: idempotencyKey } = c.req.valid('json')
    return collectedAnswer(
      c,
      await farebox.balance.topUp({ customerId: c.get('customerId'), amount, idempotencyKey }),
      'customer',
    )
  })
  app.openapi(setAutoTopUp, async (c) => {
    const customerId = c.get('customerId')
    const { threshold, amount, monthly_ceiling: monthlyCeiling, cool_down_minutes: coolDownMinutes } = c.req.valid('json')
    await farebox.balance.setAutoTopUp(customerId, { threshold, amount, monthlyCeiling, ...given({ coolDownMinutes }) })
    return c.json(balanceJson(await farebox.balance.get(customerId), 'customer'), 200)
  })
  app.openapi(endAutoTopUp, async (c) => {
    const customerId = c.get('customerId')
    await farebox.balance.setAutoTopUp(customerId, null)
    return c.json(balanceJson(await farebox.balance.get(customerId), 'customer'), 200)
  })
}
