/** What the operator and customers want of a subscription: the shapes of what comes in. */

import { z } from '@hono/zod-openapi'
import { customerId, instant } from './schemas.ts'

export interface SubscriptionBody {
  customer: string
  plan: string
  starts_at?: string | undefined
  awaits_payment?: boolean | undefined
}

/** At once, when the paid interval ends, or at an instant to come. */
export type TimeBody = 'now' | 'renewal' | { at: string }

export interface ChangeBody {
  plan: string
  when?: TimeBody | undefined
}

export interface CancelBody {
  when?: TimeBody | undefined
  prorate?: boolean | undefined
}

export interface PauseBody {
  when?: TimeBody | undefined
  resumes_at?: string | undefined
}

export interface PricesBody {
  when: 'now' | 'renewal' | 'never'
}

export interface AllPricesBody {
  when: 'now' | 'renewal'
  cursor?: string | undefined
  limit?: number | undefined
}

export interface CouponBody {
  coupon: string
}

/** What a customer may say of the time: an operator decides whether somebody leaves a paid plan early for another one. */
export interface OwnChangeBody {
  plan: string
  when?: 'renewal' | undefined
}

export interface OwnCancelBody {
  when?: 'now' | 'renewal' | undefined
}

const plan = z.string().max(64)
const MOST_AT_ONCE = 1_000

const when = z
  .union([z.enum(['now', 'renewal']), z.strictObject({ at: instant })])
  .optional()
  .openapi({ description: 'At once, when the paid interval ends, or at an instant to come' })

export const SubscriptionInput: z.ZodType<SubscriptionBody> = z
  .strictObject({
    customer: customerId,
    plan,
    starts_at: instant.optional().openapi({ description: 'Default: now' }),
    awaits_payment: z.boolean().optional().openapi({ description: 'Nothing is served before it is activated. Default false' }),
  })
  .openapi('SubscriptionInput')

export const ChangeInput: z.ZodType<ChangeBody> = z
  .strictObject({
    plan,
    when: when.openapi({ description: 'Default: an upgrade now, a downgrade at the renewal' }),
  })
  .openapi('ChangeInput')

export const CancelInput: z.ZodType<CancelBody> = z
  .strictObject({
    when: when.openapi({ description: 'Default: renewal' }),
    prorate: z
      .boolean()
      .optional()
      .openapi({ description: "Whether what was paid for the time after it is given back, by the plan's rule. Default false" }),
  })
  .openapi('CancelInput')

export const PauseInput: z.ZodType<PauseBody> = z
  .strictObject({
    when: when.openapi({ description: 'Default: renewal' }),
    resumes_at: instant.optional().openapi({ description: 'Default: when somebody resumes it' }),
  })
  .openapi('PauseInput')

export const PricesInput: z.ZodType<PricesBody> = z
  .strictObject({ when: z.enum(['now', 'renewal', 'never']) })
  .openapi('PricesInput')

export const AllPricesInput: z.ZodType<AllPricesBody> = z
  .strictObject({
    when: z.enum(['now', 'renewal']),
    cursor: z.string().max(4_096).optional().openapi({ description: 'The `next` of the answer before' }),
    limit: z.int().min(1).max(MOST_AT_ONCE).optional().openapi({ description: 'Customers of one request. Default 100' }),
  })
  .openapi('AllPricesInput')

export const CouponInput: z.ZodType<CouponBody> = z.strictObject({ coupon: z.string().min(1).max(64) }).openapi('CouponInput')

export const OwnChangeInput: z.ZodType<OwnChangeBody> = z
  .strictObject({
    plan,
    when: z.literal('renewal').optional().openapi({ description: 'Default: an upgrade now, a downgrade at the renewal' }),
  })
  .openapi('OwnChangeInput')

export const OwnCancelInput: z.ZodType<OwnCancelBody> = z
  .strictObject({
    when: z
      .enum(['now', 'renewal'])
      .optional()
      .openapi({ description: 'Default: renewal, when what was paid for ends. Nothing is given back' }),
  })
  .openapi('OwnCancelInput')

/** For what needs nothing said. */
export const Nothing: z.ZodType<Record<string, never>> = z.strictObject({}).openapi('Nothing')
