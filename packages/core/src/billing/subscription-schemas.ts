/** A subscription, and what a change makes of it: the shapes of the answers. */

import { z } from '@hono/zod-openapi'
import { customerId, instant, Invoice, period } from './schemas.ts'
import type { ScheduledChangeJson, SubscriptionChangeJson, SubscriptionJson } from './subscription-json.ts'

const scheduledChange: z.ZodType<ScheduledChangeJson> = z
  .object({
    kind: z.enum(['plan', 'prices', 'end', 'pause', 'resumption', 'trial_end']),
    at: instant,
    plan: z.string().nullable().openapi({ description: 'The plan from then on; null where there is none' }),
  })
  .openapi('ScheduledChange')

export const Subscription: z.ZodType<SubscriptionJson> = z
  .object({
    id: z.string(),
    customer: customerId,
    plan: z.string(),
    catalog_version: z.string().openapi({ description: 'The catalog version whose prices are in force' }),
    status: z.enum(['pending_payment', 'trialing', 'active', 'past_due', 'canceled']),
    is_paused: z.boolean(),
    currency: z.string(),
    time_zone: z.string().openapi({ example: 'Europe/Lisbon' }),
    anchor: instant.openapi({ description: 'Periods are counted from it' }),
    starts_at: instant,
    ends_at: instant.nullable(),
    trial_ends_at: instant.nullable(),
    usage_period: period.nullable().openapi({ description: 'The running one; null when none runs' }),
    renews_at: instant.nullable().openapi({ description: 'When the base price is due again' }),
    next_invoice_at: instant.nullable().openapi({ description: 'When the next invoice is due to be made' }),
    scheduled: z.array(scheduledChange).openapi({ description: 'What is to come, in order' }),
    discounts: z
      .array(z.object({ coupon: z.string(), cycles_left: z.int().nullable() }))
      .openapi({ description: 'Coupons; `cycles_left` is null for all intervals to come' }),
    created_at: instant,
  })
  .openapi('Subscription')

export const SubscriptionChange: z.ZodType<SubscriptionChangeJson> = z
  .object({
    subscription: Subscription.openapi({ description: 'As it is after the change' }),
    effective_at: instant.openapi({ description: 'When the change counts' }),
    invoice: Invoice.nullable().openapi({
      description:
        'What the change bills at once; null when it bills nothing, or requests in flight hold it up until the next closing',
    }),
  })
  .openapi('SubscriptionChange')

export interface PriceMoveJson {
  customer: string
  result: 'moved' | 'current' | 'no_subscription' | 'refused'
  effective_at: string | null
  problem?: { code: string; detail: string } | undefined
}

const priceMove: z.ZodType<PriceMoveJson> = z
  .object({
    customer: customerId,
    result: z.enum(['moved', 'current', 'no_subscription', 'refused']).openapi({
      description: '`current`: has the prices of this catalog already, or was to be left',
    }),
    effective_at: instant.nullable(),
    problem: z.object({ code: z.string(), detail: z.string() }).optional().openapi({ description: 'Why it was refused' }),
  })
  .openapi('PriceMove')

export const PriceMoves: z.ZodType<{ items: PriceMoveJson[]; next: string | null }> = z
  .object({
    items: z.array(priceMove),
    next: z.string().nullable().openapi({ description: 'Ask again with it; null: all are done' }),
  })
  .openapi('PriceMoves')
