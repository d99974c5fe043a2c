/** Money in and out, for the operator: payments and refunds, what becomes of invoices, one-off invoices and credit notes. */

import { createRoute, z } from '@hono/zod-openapi'
import { invoiceJson } from '../invoice/invoice-json.ts'
import { COLLECTED, collectedAnswer } from './collected-answer.ts'
import { CustomerPath, IdPath, NoQuery, PaymentsQuery } from './inputs.ts'
import { paymentsPage } from './listings.ts'
import { CreditNoteInput, MarkPaidInput, OneOffInput, PaymentMethodInput, RefundInput } from './money-inputs.ts'
import { collectionJson, creditNoteJson, paymentJson, refundedJson } from './money-json.ts'
import { Asked, Collection, CreditNote, Payment, Payments, Refunded } from './money-schemas.ts'
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
import { customerId, Invoice } from './schemas.ts'
import { Nothing } from './subscription-inputs.ts'

const named = { params: IdPath, query: NoQuery }
const PaymentMethod = z
  .object({ customer: customerId, payment_method: z.string().nullable() })
  .openapi('PaymentMethod', { description: 'The way to pay that is on file' })

const routes = {
  payments: createRoute({
    ...OPERATOR,
    method: 'get',
    path: '/admin/payments',
    operationId: 'list_all_payments',
    summary: 'Attempts to collect money, oldest first',
    request: { query: PaymentsQuery },
    responses: answers(Payments, 'A page of payments'),
  }),
  payment: createRoute({
    ...OPERATOR,
    method: 'get',
    path: '/admin/payments/{id}',
    operationId: 'get_any_payment',
    summary: 'An attempt to collect money, and how it ended',
    request: named,
    responses: answers(Payment, 'The payment'),
  }),
  refund: createRoute({
    ...OPERATOR,
    method: 'post',
    path: '/admin/payments/{id}/refunds',
    operationId: 'refund_payment',
    summary: 'Give money back, never more than came in and has not gone back',
    request: { ...named, body: jsonBody(RefundInput) },
    responses: answers(Refunded, 'What became of it'),
  }),
  ask: createRoute({
    ...OPERATOR,
    method: 'post',
    path: '/admin/payments/ask',
    operationId: 'ask_about_payments',
    summary: 'Ask the provider about everything that is under way',
    request: { query: NoQuery, body: optionalJsonBody(Nothing) },
    responses: answers(Asked, 'How many were asked about'),
  }),
  paymentMethod: createRoute({
    ...OPERATOR,
    method: 'put',
    path: '/admin/customers/{customer}/payment-method',
    operationId: 'set_payment_method',
    summary: "Put a customer's way to pay on file, or take it off",
    request: { params: CustomerPath, query: NoQuery, body: jsonBody(PaymentMethodInput) },
    responses: answers(PaymentMethod, 'What is on file now'),
  }),
  createInvoice: createRoute({
    ...OPERATOR,
    method: 'post',
    path: '/admin/invoices',
    operationId: 'create_invoice',
    summary: 'Make an invoice of anything; again with the same key is the same invoice',
    request: { query: NoQuery, body: jsonBody(OneOffInput) },
    responses: answers(Invoice, 'The invoice'),
  }),
  collection: createRoute({
    ...OPERATOR,
    method: 'get',
    path: '/admin/invoices/{id}/collection',
    operationId: 'get_collection',
    summary: 'What became of an invoice: payments, refunds, credit notes, and what is due',
    request: named,
    responses: answers(Collection, 'All of it'),
  }),
  pay: createRoute({
    ...OPERATOR,
    method: 'post',
    path: '/admin/invoices/{id}/pay',
    operationId: 'collect_invoice',
    summary: 'Charge what is due to the way to pay that is on file; again is the same',
    request: { ...named, body: optionalJsonBody(Nothing) },
    responses: COLLECTED,
  }),
  markPaid: createRoute({
    ...OPERATOR,
    method: 'post',
    path: '/admin/invoices/{id}/mark-paid',
    operationId: 'mark_invoice_paid',
    summary: 'The money came, by bank transfer say',
    request: { ...named, body: optionalJsonBody(MarkPaidInput) },
    responses: COLLECTED,
  }),
  void: createRoute({
    ...OPERATOR,
    method: 'post',
    path: '/admin/invoices/{id}/void',
    operationId: 'void_invoice',
    summary: 'Withdraw an open or uncollectible invoice',
    request: { ...named, body: optionalJsonBody(Nothing) },
    responses: answers(Invoice, 'The invoice'),
  }),
  markUncollectible: createRoute({
    ...OPERATOR,
    method: 'post',
    path: '/admin/invoices/{id}/mark-uncollectible',
    operationId: 'mark_invoice_uncollectible',
    summary: 'Give up an open invoice',
    request: { ...named, body: optionalJsonBody(Nothing) },
    responses: answers(Invoice, 'The invoice'),
  }),
  creditNote: createRoute({
    ...OPERATOR,
    method: 'post',
    path: '/admin/invoices/{id}/credit-notes',
    operationId: 'create_credit_note',
    summary: 'Take back lines or an amount of a final invoice',
    request: { ...named, body: jsonBody(CreditNoteInput) },
    responses: {
      201: { description: 'The credit note, and where the money goes', content: { 'application/json': { schema: CreditNote } } },
      default: PROBLEM,
    },
  }),
}

export function addOperatorPaymentRoutes(app: BillingApp, parts: RouteParts): void {
  addPayments(app, parts)
  addCollecting(app, parts)
}

function addPayments(app: BillingApp, { farebox }: RouteParts): void {
  app.openapi(routes.payments, async (c) => {
    const { customer, under_way: isOpen, ...page } = c.req.valid('query')
    return c.json(await paymentsPage(farebox, { customerId: customer, isOpen }, page), 200)
  })
  app.openapi(routes.payment, async (c) => {
    const found = await farebox.payments.get(c.req.valid('param').id)
    if (found === null) throw noSuch('payment')
    return c.json(paymentJson(found), 200)
  })
  app.openapi(routes.refund, async (c) => {
    const { amount, idempotency_key: idempotencyKey } = c.req.valid('json')
    const refunded = await farebox.payments.refund({ payment: c.req.valid('param').id, idempotencyKey, ...given({ amount }) })
    return c.json(refundedJson(refunded), 200)
  })
  app.openapi(routes.ask, async (c) => c.json({ asked: await farebox.payments.askAgain() }, 200))
  app.openapi(routes.paymentMethod, async (c) => {
    const { customer } = c.req.valid('param')
    const { payment_method: paymentMethod } = c.req.valid('json')
    await farebox.payments.attach({ customerId: customer, paymentMethod })
    return c.json({ customer, payment_method: paymentMethod }, 200)
  })
}

function addCollecting(app: BillingApp, { farebox: { invoices, creditNotes } }: RouteParts): void {
  app.openapi(routes.createInvoice, async (c) => {
    const { customer, lines, idempotency_key: idempotencyKey } = c.req.valid('json')
    return c.json(invoiceJson(await invoices.createOneOff({ customerId: customer, lines, idempotencyKey })), 200)
  })
  app.openapi(routes.collection, async (c) => c.json(collectionJson(await invoices.collection(c.req.valid('param').id)), 200))
  app.openapi(routes.pay, async (c) => collectedAnswer(c, await invoices.pay(c.req.valid('param').id), 'operator'))
  app.openapi(routes.markPaid, async (c) => {
    const { id } = c.req.valid('param')
    return collectedAnswer(c, await invoices.markPaid(id, given(c.req.valid('json'))), 'operator')
  })
  app.openapi(routes.void, async (c) => c.json(invoiceJson(await invoices.void(c.req.valid('param').id)), 200))
  app.openapi(routes.markUncollectible, async (c) =>
    c.json(invoiceJson(await invoices.markUncollectible(c.req.valid('param').id)), 200),
  )
  app.openapi(routes.creditNote, async (c) => {
    const { idempotency_key: idempotencyKey, reason, ...others } = c.req.valid('json')
    const request = { invoice: c.req.valid('param').id, reason, idempotencyKey, ...given(others) }
    return c.json(creditNoteJson(await creditNotes.create(request)), 201)
  })
}
