/** The shapes of what comes in: checked before anything is done, and part of the OpenAPI document. */

import { z } from '@hono/zod-openapi'
import { customerId, instant } from './schemas.ts'

const MAX_PAGE = 1_000
const DEFAULT_PAGE = 100

/** At most this many events at once. */
export const MAX_EVENTS: number = 1_000

export interface PageQueryInput {
  cursor?: string | undefined
  limit?: number | undefined
}

export interface EventsQueryInput extends PageQueryInput {
  feature?: string | undefined
  period?: string | undefined
}

export interface CustomerBody {
  id: string
  name?: string | undefined
  email?: string | undefined
  time_zone?: string | undefined
}

export interface SubscriptionBody {
  customer: string
  plan: string
  starts_at?: string | undefined
}

export interface ApiKeyBody {
  customer: string
  name?: string | undefined
}

export interface EventBody {
  customer: string
  feature: string
  value?: number | string | undefined
  idempotency_key?: string | undefined
  timestamp?: string | undefined
  properties?: Record<string, string | number | boolean> | undefined
}

export interface CloseBody {
  until?: string | undefined
}

export interface CloudEventBody {
  specversion: '1.0'
  id: string
  source: string
  type: string
  subject: string
  time?: string | null | undefined
  datacontenttype?: string | null | undefined
  data?: Record<string, unknown> | null | undefined
}

/** Members that are not named are refused: a misspelt filter must not answer everything. */
type Query<Shape extends z.core.$ZodLooseShape> = z.ZodObject<Shape, z.core.$strict>
type Maybe<Value> = z.ZodType<Value | undefined>
type PageShape = { cursor: Maybe<string>; limit: Maybe<number> }

const cursor = z.string().max(4_096).optional().openapi({ description: 'The `next` of the page before' })
const limit = z
  .string()
  .regex(/^[1-9][0-9]{0,3}$/, `a whole number from 1 to ${MAX_PAGE}`)
  .transform(Number)
  .refine((value) => value <= MAX_PAGE, `a whole number from 1 to ${MAX_PAGE}`)
  .optional()
  .openapi({ type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE })

export const NoQuery: Query<Record<string, never>> = z.strictObject({})
export const PageQuery: Query<PageShape> = z.strictObject({ cursor, limit })
export const EventsQuery: Query<PageShape & { feature: Maybe<string>; period: Maybe<string> }> = z.strictObject({
  feature: z.string().max(64).optional().openapi({ description: 'Only of this feature' }),
  period: instant.optional().openapi({ description: 'An instant of the usage period. Default: now' }),
  cursor,
  limit,
})
export const ApiKeysQuery: Query<{ customer: z.ZodString }> = z.strictObject({ customer: customerId })

export const IdPath: z.ZodObject<{ id: z.ZodString }> = z.object({ id: z.string().min(1).max(255) })
/** Ids are checked by the engine, so that a wrong one has the same code wherever it comes in. */
export const CustomerPath: z.ZodObject<{ customer: z.ZodString }> = z.object({ customer: customerId })

export const CustomerInput: z.ZodType<CustomerBody> = z
  .strictObject({
    id: customerId,
    name: z.string().max(256).optional(),
    email: z.string().max(256).optional(),
    time_zone: z.string().max(64).optional().openapi({ description: 'IANA name. Default UTC' }),
  })
  .openapi('CustomerInput')

export const SubscriptionInput: z.ZodType<SubscriptionBody> = z
  .strictObject({
    customer: customerId,
    plan: z.string().max(64),
    starts_at: instant.optional().openapi({ description: 'Default: now' }),
  })
  .openapi('SubscriptionInput')

export const ApiKeyInput: z.ZodType<ApiKeyBody> = z
  .strictObject({ customer: customerId, name: z.string().max(256).optional() })
  .openapi('ApiKeyInput')

export const EventInput: z.ZodType<EventBody> = z
  .strictObject({
    customer: customerId,
    feature: z.string().max(64),
    value: z
      .union([z.number(), z.string()])
      .optional()
      .openapi({ description: 'Units, up to six decimals. Default 1', example: '12.5' }),
    idempotency_key: z
      .string()
      .optional()
      .openapi({ description: 'Counted once per customer, for ever. Give the same one when you retry' }),
    timestamp: z.string().optional().openapi({ format: 'date-time', description: 'RFC 3339. Default: now' }),
    properties: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .optional()
      .openapi({ description: 'At most 32 short values under snake_case names' }),
  })
  .openapi('EventInput')

export const EventsInput: z.ZodType<{ events: unknown[] }> = z
  .strictObject({
    // Each is checked by itself, so that one that is wrong leaves the others as they are.
    events: z
      .array(z.unknown())
      .min(1)
      .max(MAX_EVENTS)
      .openapi({ type: 'array', items: { $ref: '#/components/schemas/EventInput' } }),
  })
  .openapi('EventsInput')

export const CloseInput: z.ZodType<CloseBody> = z
  .strictObject({ until: instant.optional().openapi({ description: 'Periods that ended by then. Default: now' }) })
  .openapi('CloseInput')

/** CloudEvents 1.0: the attributes that are read; others are kept by nobody. */
export const CloudEvent: z.ZodType<CloudEventBody> = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string().min(1).max(1_024),
    source: z.string().min(1).max(1_024),
    type: z.string().min(1).max(64).openapi({ description: 'The feature' }),
    subject: z.string().min(1).openapi({ description: 'The customer' }),
    time: z.string().nullish().openapi({ format: 'date-time', description: 'When it happened. Default: now' }),
    datacontenttype: z.string().nullish(),
    data: z
      .union([z.record(z.string(), z.unknown()), z.null()])
      .optional()
      .openapi({ description: '`value` is the units (default 1); other plain members become properties' }),
    // Passed over, it would count one unit whatever was meant.
    data_base64: z.undefined('Expected data as JSON, got bytes').optional().openapi({ type: 'null', description: 'Not taken' }),
  })
  .openapi('CloudEvent')
