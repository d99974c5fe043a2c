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
  currency?: string | undefined
  country?: string | undefined
  tax_id?: string | undefined
  is_tax_exempt?: boolean | undefined
}

export interface ApiKeyBody {
  customer: string
  name?: string | undefined
}

/** What an AI model used, as it is reported. */
export interface ModelUsageBody {
  model?: string | undefined
  provider?: string | undefined
  input_tokens?: number | undefined
  output_tokens?: number | undefined
  cache_read_tokens?: number | undefined
  cache_write_tokens?: number | undefined
  incomplete?: boolean | undefined
}

export interface EventBody extends ModelUsageBody {
  customer: string
  feature: string
  value?: number | string | undefined
  idempotency_key?: string | undefined
  timestamp?: string | undefined
  properties?: Record<string, string | number | boolean> | undefined
}

export interface CorrectionBody {
  customer: string
  idempotency_key?: string | undefined
  seq?: number | undefined
  value?: number | string | undefined
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

const MAX_LEDGER_CURSOR = 12_288

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
export const UnpricedQuery: Query<PageShape & { customer: Maybe<string> }> = z.strictObject({
  customer: customerId.optional().openapi({ description: 'Only of this customer' }),
  cursor,
  limit,
})
export const PaymentsQuery: Query<PageShape & { customer: Maybe<string>; under_way: Maybe<boolean> }> = z.strictObject({
  customer: customerId.optional().openapi({ description: 'Only of this customer' }),
  under_way: z
    .enum(['true', 'false'])
    .transform((word) => word === 'true')
    .optional()
    .openapi({ type: 'boolean', description: 'Only those with something under way, or without' }),
  cursor,
  limit,
})
/** Where a ledger goes on is told in more than one place. */
export const LedgerQuery: Query<PageShape> = z.strictObject({
  cursor: z.string().max(MAX_LEDGER_CURSOR).optional().openapi({ description: 'The `next` of the page before' }),
  limit,
})
export const EntitlementQuery: Query<{ value: Maybe<string> }> = z.strictObject({
  value: z.string().max(64).optional().openapi({ description: 'Units that would be used. Default 1', example: '12.5' }),
})

const id = z.string().min(1).max(255)

export const IdPath: z.ZodObject<{ id: z.ZodString }> = z.object({ id })
export const LinePath: z.ZodObject<{ id: z.ZodString; line: z.ZodString }> = z.object({ id, line: id })
export const PackPath: z.ZodObject<{ pack: z.ZodString }> = z.object({ pack: z.string().min(1).max(64) })
export const FeaturePath: z.ZodObject<{ feature: z.ZodString }> = z.object({ feature: z.string().min(1).max(64) })
/** An event of an invoice. */
export const EventPath: z.ZodObject<{ id: z.ZodString; seq: z.ZodType<number> }> = z.object({
  id,
  seq: z
    .string()
    .regex(/^[1-9][0-9]{0,14}$/, 'the seq of an event')
    .transform(Number)
    .openapi({ type: 'integer', minimum: 1, description: "The event's place in the log" }),
})
/** Ids are checked by the engine, so that a wrong one has the same code wherever it comes in. */
export const CustomerPath: z.ZodObject<{ customer: z.ZodString }> = z.object({ customer: customerId })

export const CustomerInput: z.ZodType<CustomerBody> = z
  .strictObject({
    id: customerId,
    name: z.string().max(256).optional(),
    email: z.string().max(256).optional(),
    time_zone: z.string().max(64).optional().openapi({ description: 'IANA name. Default UTC' }),
    currency: z
      .string()
      .max(3)
      .optional()
      .openapi({ description: "One of the catalog's currencies. Default: its main one. It stays once there is a subscription" }),
    country: z.string().max(2).optional().openapi({ description: 'ISO 3166-1 alpha-2: where tax is due', example: 'DE' }),
    tax_id: z.string().max(64).optional().openapi({ description: 'As printed on invoices' }),
    is_tax_exempt: z.boolean().optional(),
  })
  .openapi('CustomerInput')

export const ApiKeyInput: z.ZodType<ApiKeyBody> = z
  .strictObject({ customer: customerId, name: z.string().max(256).optional() })
  .openapi('ApiKeyInput')

/** The engine says whether the counts are sound, so that a wrong one has the same code wherever it comes in. */
const tokens = z.number().optional()

/** Members of an event that tell what an AI model used. */
const modelUsage = {
  model: z.string().optional().openapi({ description: "An AI model, as the provider's answer names it", example: 'gpt-4o' }),
  provider: z.string().optional().openapi({ description: "Who ran it. Default: found by the model's name", example: 'openai' }),
  input_tokens: tokens.openapi({ type: 'integer', description: 'All that went in, cached ones included' }),
  output_tokens: tokens.openapi({ type: 'integer', description: 'All that came out, reasoning included' }),
  cache_read_tokens: tokens.openapi({ type: 'integer', description: "Of the input: read from the provider's cache" }),
  cache_write_tokens: tokens.openapi({ type: 'integer', description: "Of the input: written to the provider's cache" }),
  incomplete: z
    .boolean()
    .optional()
    .openapi({ description: 'The answer broke off, and the tokens are those that were delivered' }),
}

/** The same among the data of a CloudEvent, where other members may stand. */
export const ModelUsageData: z.ZodType<ModelUsageBody> = z.object(modelUsage)

const value = z
  .union([z.number(), z.string()])
  .optional()
  .openapi({ description: 'Units, up to six decimals. Default 1', example: '12.5' })

const properties = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
  .optional()
  .openapi({ description: 'At most 32 short values under snake_case names' })

export const EventInput: z.ZodType<EventBody> = z
  .strictObject({
    customer: customerId,
    feature: z.string().max(64),
    value,
    idempotency_key: z
      .string()
      .optional()
      .openapi({ description: 'Counted once per customer, for ever. Give the same one when you retry' }),
    timestamp: z.string().optional().openapi({ format: 'date-time', description: 'RFC 3339. Default: now' }),
    properties,
    ...modelUsage,
  })
  .openapi('EventInput')

export const CorrectionInput: z.ZodType<CorrectionBody> = z
  .strictObject({
    customer: customerId,
    idempotency_key: z
      .string()
      .optional()
      .openapi({ description: 'The key that the event was reported with. Either this or `seq`' }),
    seq: z.int().min(1).optional().openapi({ description: 'Its place in the log' }),
    value: value.openapi({ description: 'Units that it should have been. Default 0: all of it is taken back' }),
    properties,
  })
  .openapi('CorrectionInput')

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
      .openapi({
        description:
          '`value` is the units (default 1); other plain members become properties. `model` with `input_tokens` and `output_tokens` is also what an AI model used',
      }),
    // Passed over, it would count one unit whatever was meant.
    data_base64: z.undefined('Expected data as JSON, got bytes').optional().openapi({ type: 'null', description: 'Not taken' }),
  })
  .openapi('CloudEvent')
