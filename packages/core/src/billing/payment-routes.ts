/** A customer's own payments: the attempts, paying an invoice, and a page on which to leave a way to pay. */

import { createRoute } from '@hono/zod-openapi'
import { COLLECTED, collectedAnswer } from './collected-answer.ts'
import { IdPath, NoQuery, PageQuery } from './inputs.ts'
import { paymentsPage } from './listings.ts'
import { CheckoutInput } from './money-inputs.ts'
import { paymentJson } from './money-json.ts'
import { Checkout, Payment, Payments } from './money-schemas.ts'
import { answers, type BillingApp, CUSTOMER, given, jsonBody, noSuch, type RouteParts } from './routes.ts'
import { Nothing } from './subscription-inputs.ts'

const payments = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/payments',
  operationId: 'list_payments',
  summary: 'Attempts to pay, oldest first, with what went back of each',
  request: { query: PageQuery },
  responses: answers(Payments, 'A page of payments'),
})

const payment = createRoute({
  ...CUSTOMER,
  method: 'get',
  path: '/payments/{id}',
  operationId: 'get_payment',
  summary: 'An attempt to pay, and how it ended',
  request: { params: IdPath, query: NoQuery },
  responses: answers(Payment, 'The payment'),
})

const pay = createRoute({
  ...CUSTOMER,
  method: 'post',
  path: '/invoices/{id}/pay',
  operationId: 'pay_invoice',
  summary: 'Pay an open invoice with the way to pay that is on file; again is the same',
  request: { params: IdPath, query: NoQuery, body: jsonBody(Nothing) },
  responses: COLLECTED,
})

const checkout = createRoute({
  ...CUSTOMER,
  method: 'post',
  path: '/checkout',
  operationId: 'create_checkout',
  summary: 'A page of the payment provider on which to leave a way to pay',
  request: { query: NoQuery, body: jsonBody(CheckoutInput) },
  responses: answers(Checkout, 'Where the page is'),
})

export function addPaymentRoutes(app: BillingApp, { farebox }: RouteParts): void {
  app.openapi(payments, async (c) =>
    c.json(await paymentsPage(farebox, { customerId: c.get('customerId') }, c.req.valid('query')), 200),
  )
  app.openapi(payment, async (c) => {
    const found = await farebox.payments.get(c.req.valid('param').id)
    // The same answer whether it does not exist or is another customer's.
    if (found === null || found.customerId !== c.get('customerId')) throw noSuch('payment')
    return c.json(paymentJson(found), 200)
  })
  app.openapi(pay, async (c) => {
    const found = await farebox.invoices.get(c.req.valid('param').id)
    if (found === null || found.customerId !== c.get('customerId')) throw noSuch('invoice')
    return collectedAnswer(c, await farebox.invoices.pay(found.id), 'customer')
  })
  app.openapi(checkout, async (c) => {
    const { success_url: successUrl, cancel_url: cancelUrl, idempotency_key: idempotencyKey } = c.req.valid('json')
    const request = { customerId: c.get('customerId'), successUrl, ...given({ cancelUrl, idempotencyKey }) }
    const { id, url } = await farebox.payments.createCheckout(request)
    return c.json({ id, url }, 200)
  })
}
