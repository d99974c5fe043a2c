/** Credits, balance, payments and what goes back: the shapes of the answers. */

import { z } from '@hono/zod-openapi'
import type {
  AutoTopUpJson,
  BalanceJson,
  CollectedJson,
  CollectionJson,
  CreditNoteJson,
  GrantJson,
  HoldingsJson,
  LedgerEntryJson,
  PaymentJson,
  RefundedJson,
  RefundJson,
} from './money-json.ts'
import { customerId, instant, Invoice, money, pageOf } from './schemas.ts'

const exact = z.string().openapi({ description: "An exact decimal: credits, or the main unit of the customer's currency" })
const source = z.enum(['plan', 'pack', 'top_up', 'credit_note', 'adjustment'])
const reason = z.string().nullable().optional().openapi({ description: 'For the operator only' })

export const Grant: z.ZodType<GrantJson> = z
  .object({
    id: z.string(),
    unit: z.enum(['credits', 'balance', 'invoice_credit']),
    source: source.openapi({ description: 'Where it comes from' }),
    priority: z.int().openapi({ description: 'The lower is used first' }),
    granted: exact,
    used: exact,
    held: exact.openapi({ description: 'Held by requests in flight' }),
    revoked: exact.openapi({ description: 'Taken back by refunds and by the operator' }),
    left: exact.openapi({ description: 'What it can still pay' }),
    starts_at: instant,
    expires_at: instant.nullable().openapi({ description: 'It pays for what happened before; null: it never expires' }),
    created_at: instant,
    reference: z.string().nullable().openapi({ description: 'The invoice that it was bought with, or that it comes from' }),
    reason,
  })
  .openapi('Grant')

const holdings = {
  available: exact.openapi({ description: 'What may be used now' }),
  held: exact.openapi({ description: 'What requests in flight hold besides' }),
  grants: z.array(Grant).openapi({ description: 'Those that pay now, in the order in which they pay' }),
}

export const Credits: z.ZodType<HoldingsJson> = z.object(holdings).openapi('Credits')

export const AutoTopUp: z.ZodType<AutoTopUpJson> = z
  .object({ threshold: money, amount: money, cool_down_minutes: z.int(), monthly_ceiling: money })
  .openapi('AutoTopUp')

export const Balance: z.ZodType<BalanceJson> = z
  .object({
    currency: z.string(),
    ...holdings,
    overdraft: exact.openapi({ description: 'What usage cost beyond the balance: billed when its period ends' }),
    auto_top_up: AutoTopUp.nullable().openapi({ description: 'Null where nothing is bought by itself' }),
  })
  .openapi('Balance')

const ledgerEntry: z.ZodType<LedgerEntryJson> = z
  .object({
    kind: z.enum(['grant', 'revoke', 'expiry', 'usage', 'correction', 'earlier']),
    at: instant,
    amount: exact.openapi({ description: 'Negative where something was used or went' }),
    balance: exact.openapi({ description: 'What there was after it' }),
    grant: z.string().optional(),
    source: source.optional(),
    reference: z.string().nullable().optional(),
    reason,
    feature: z.string().optional(),
    seq: z.int().optional().openapi({ description: 'The event that moved it' }),
    quantity: z.string().optional(),
    uncovered: exact.optional().openapi({ description: 'What the event cost beyond' }),
  })
  .openapi('LedgerEntry')

export const Ledger: z.ZodType<{ items: LedgerEntryJson[]; next: string | null }> = pageOf('Ledger', ledgerEntry)

const status = z.enum(['open', 'unknown', 'pending', 'succeeded', 'declined']).openapi({
  description: '`open` and `unknown`: the provider was not heard yet, and is asked again',
})

const refund: z.ZodType<RefundJson> = z
  .object({
    id: z.string(),
    amount: money,
    status,
    reference: z.string().nullable(),
    decline_code: z.string().nullable(),
    credit_note: z.string().nullable().openapi({ description: 'The credit note that it pays out' }),
    created_at: instant,
    ended_at: instant.nullable(),
  })
  .openapi('Refund')

export const Payment: z.ZodType<PaymentJson> = z
  .object({
    id: z.string(),
    customer: customerId,
    invoice: z.string().openapi({ description: 'Id of the invoice' }),
    amount: money,
    currency: z.string(),
    status,
    is_automatic: z.boolean().openapi({ description: 'Whether a threshold made it rather than a person' }),
    awaits: z.enum(['provider', 'operator']).openapi({ description: 'Who says how a pending one ends' }),
    provider: z.string(),
    payment_method: z.string().nullable(),
    reference: z.string().nullable().openapi({ description: "The provider's own name for it" }),
    decline_code: z.string().nullable(),
    refunded: money,
    refunds: z.array(refund),
    created_at: instant,
    ended_at: instant.nullable(),
  })
  .openapi('Payment')

export const Payments: z.ZodType<{ items: PaymentJson[]; next: string | null }> = pageOf('Payments', Payment)

export const Collected: z.ZodType<CollectedJson> = z
  .object({
    result: z.enum(['paid', 'pending', 'unknown']),
    invoice: Invoice,
    payment: Payment.nullable().openapi({ description: 'Null where nothing was left to pay' }),
    grant: Grant.nullable().openapi({ description: 'What was bought, once it is paid' }),
  })
  .openapi('Collected')

export const Refunded: z.ZodType<RefundedJson> = z
  .object({ result: z.enum(['succeeded', 'pending', 'unknown', 'declined']), refund, payment: Payment })
  .openapi('Refunded')

export const Collection: z.ZodType<CollectionJson> = z
  .object({
    invoice: Invoice,
    due: money.openapi({ description: 'What is left to pay' }),
    paid: money,
    refunded: money.openapi({ description: 'What went back, or is under way' }),
    credited: money.openapi({ description: 'What credit notes took back' }),
    kept: money.openapi({ description: 'Of it: what stays as invoice credit' }),
    payments: z.array(Payment),
    credit_notes: z.array(Invoice),
  })
  .openapi('Collection')

export const CreditNote: z.ZodType<CreditNoteJson> = z
  .object({
    credit_note: Invoice,
    kept: money.openapi({ description: 'What stays as invoice credit' }),
    refunds: z.array(refund).openapi({ description: 'What goes back, by payment' }),
    due: money.openapi({ description: 'What is left to pay of the invoice' }),
  })
  .openapi('CreditNote')

export const Checkout: z.ZodType<{ id: string; url: string }> = z.object({ id: z.string(), url: z.string() }).openapi('Checkout')

export const Asked: z.ZodType<{ asked: number }> = z
  .object({ asked: z.int().openapi({ description: 'How many payments were asked about' }) })
  .openapi('Asked')
