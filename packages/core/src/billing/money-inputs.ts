/** What moves credits and money: the shapes of what comes in. */

import { z } from '@hono/zod-openapi'
import { customerId, instant } from './schemas.ts'

export interface PackBody {
  idempotency_key: string
}

export interface TopUpBody {
  amount: string
  idempotency_key: string
}

export interface AutoTopUpBody {
  threshold: string
  amount: string
  cool_down_minutes?: number | undefined
  monthly_ceiling: string
}

export interface CheckoutBody {
  success_url: string
  cancel_url?: string | undefined
  idempotency_key?: string | undefined
}

interface GrantTermsBody {
  expires_at?: string | undefined
  priority?: number | undefined
  reason?: string | undefined
  idempotency_key?: string | undefined
}

export interface CreditGrantBody extends GrantTermsBody {
  credits: number | string
}

export interface BalanceGrantBody extends GrantTermsBody {
  amount: string
}

export interface CreditRevokeBody {
  credits?: number | string | undefined
  reason?: string | undefined
  idempotency_key?: string | undefined
}

export interface BalanceRevokeBody {
  amount?: string | undefined
  reason?: string | undefined
  idempotency_key?: string | undefined
}

export interface RefundBody {
  amount?: string | undefined
  idempotency_key: string
}

export interface OneOffBody {
  customer: string
  lines: { description: string; amount: string }[]
  idempotency_key: string
}

export interface MarkPaidBody {
  reference?: string | undefined
}

export interface CreditNoteBody {
  amount?: string | undefined
  lines?: { line: string; amount: string }[] | undefined
  reason: string
  refund?: 'credit' | 'provider' | undefined
  idempotency_key: string
}

export interface PaymentMethodBody {
  payment_method: string | null
}

/** The engine reads amounts and keys, so that a wrong one has the same code wherever it comes in. */
const amount = z
  .string()
  .max(64)
  .openapi({ description: "In the main unit of the customer's currency, in quotes", example: '25.00' })
const credits = z.union([z.number(), z.string().max(64)]).openapi({ description: 'Up to six decimal places', example: '100' })
const key = z.string().openapi({ description: 'Once for each key. Give the same one when you retry' })
const reason = z.string().max(500).optional().openapi({ description: 'For people' })
const MOST_LINES = 1_000

export const PackInput: z.ZodType<PackBody> = z.strictObject({ idempotency_key: key }).openapi('PackInput')

export const TopUpInput: z.ZodType<TopUpBody> = z.strictObject({ amount, idempotency_key: key }).openapi('TopUpInput')

export const AutoTopUpInput: z.ZodType<AutoTopUpBody> = z
  .strictObject({
    threshold: amount.openapi({ description: 'Balance is bought when less than this is left' }),
    amount: amount.openapi({ description: 'What is bought each time' }),
    cool_down_minutes: z.int().optional().openapi({ description: 'Between two attempts at least. Default 60' }),
    monthly_ceiling: amount.openapi({ description: 'Most that is bought by itself in a calendar month' }),
  })
  .openapi('AutoTopUpInput')

export const CheckoutInput: z.ZodType<CheckoutBody> = z
  .strictObject({
    success_url: z.string().max(2_048).openapi({ description: 'Where the customer is sent when a way to pay is on file' }),
    cancel_url: z.string().max(2_048).optional().openapi({ description: 'Where otherwise. Default: the same' }),
    idempotency_key: key.optional(),
  })
  .openapi('CheckoutInput')

const terms = {
  expires_at: instant.optional().openapi({ description: 'Default: it never expires' }),
  priority: z.int().optional().openapi({ description: 'From 0 (the default) to 1,000: the lower is used first' }),
  reason,
  idempotency_key: key.optional(),
}

export const CreditGrantInput: z.ZodType<CreditGrantBody> = z.strictObject({ credits, ...terms }).openapi('CreditGrantInput')

export const BalanceGrantInput: z.ZodType<BalanceGrantBody> = z.strictObject({ amount, ...terms }).openapi('BalanceGrantInput')

export const CreditRevokeInput: z.ZodType<CreditRevokeBody> = z
  .strictObject({
    credits: credits.optional().openapi({ description: 'Default: all that is left of the grant' }),
    reason,
    idempotency_key: key.optional(),
  })
  .openapi('CreditRevokeInput')

export const BalanceRevokeInput: z.ZodType<BalanceRevokeBody> = z
  .strictObject({
    amount: amount.optional().openapi({ description: 'Default: all that is left of the grant' }),
    reason,
    idempotency_key: key.optional(),
  })
  .openapi('BalanceRevokeInput')

export const RefundInput: z.ZodType<RefundBody> = z
  .strictObject({
    amount: amount.optional().openapi({ description: 'Default: all that may go back' }),
    idempotency_key: key,
  })
  .openapi('RefundInput')

export const OneOffInput: z.ZodType<OneOffBody> = z
  .strictObject({
    customer: customerId,
    lines: z
      .array(z.strictObject({ description: z.string().max(500), amount }))
      .min(1)
      .max(100)
      .openapi({ description: 'In the order in which they are printed; amounts without taxes that come on top' }),
    idempotency_key: key,
  })
  .openapi('OneOffInput')

export const MarkPaidInput: z.ZodType<MarkPaidBody> = z
  .strictObject({ reference: z.string().max(255).optional().openapi({ description: 'Names the transfer' }) })
  .openapi('MarkPaidInput')

export const CreditNoteInput: z.ZodType<CreditNoteBody> = z
  .strictObject({
    amount: amount.optional().openapi({ description: 'Taken back of every line in proportion. Either this or `lines`' }),
    lines: z
      .array(z.strictObject({ line: z.string().max(255), amount }))
      .min(1)
      .max(MOST_LINES)
      .optional()
      .openapi({ description: 'Taken back of single lines, without a tax that was added' }),
    reason: z.string().min(1).max(500).openapi({ description: 'As printed' }),
    refund: z
      .enum(['credit', 'provider'])
      .optional()
      .openapi({ description: 'Whether what was paid stays as invoice credit (the default) or goes back' }),
    idempotency_key: key,
  })
  .openapi('CreditNoteInput')

export const PaymentMethodInput: z.ZodType<PaymentMethodBody> = z
  .strictObject({
    payment_method: z
      .string()
      .min(1)
      .max(255)
      .nullable()
      .openapi({ description: "The provider's own name for it; null takes it off" }),
  })
  .openapi('PaymentMethodInput')
