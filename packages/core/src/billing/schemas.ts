/** The shapes of what goes out: the OpenAPI document is made of them. */

import { z } from '@hono/zod-openapi'
import type { InvoiceJson, InvoiceLineJson } from '../invoice/invoice-json.ts'
import type { ApiKeyJson, CustomerJson } from './json.ts'

export interface ProblemJson {
  type: string
  title: string
  status: number
  detail: string
  code: string
  [member: string]: unknown
}

export interface EventResultJson {
  result: 'recorded' | 'repeat' | 'refused' | 'queued'
  key?: string | undefined
  problem?: ProblemJson | undefined
}

export interface ClosingJson {
  invoices: string[]
  held: string[]
  waiting: string[]
}

export interface AuditJson {
  ok: boolean
  events: number
  differences: Record<string, unknown>[]
}

export interface CatalogJson {
  version: string
  catalog: Record<string, unknown>
}

export const instant: z.ZodString = z.string().openapi({ format: 'date-time', example: '2026-11-01T00:00:00Z' })
export const period: z.ZodTuple<[z.ZodString, z.ZodString], null> = z
  .tuple([instant, instant])
  .openapi({ description: 'First instant, and the first one after it: [start, end)' })
export const units: z.ZodString = z.string().openapi({ description: 'Units as an exact decimal', example: '12.5' })
export const money: z.ZodString = z
  .string()
  .openapi({ description: "An amount in the currency's main unit, with its places", example: '19.00' })
export const customerId: z.ZodString = z
  .string()
  .openapi({ description: "The application's own id of the customer", example: 'user_123' })

export const Problem: z.ZodType<ProblemJson> = z
  .object({
    type: z.string().openapi({ example: 'urn:farebox:problem:invalid_request' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().openapi({ description: 'Stable: switch on it', example: 'invalid_request' }),
  })
  .loose()
  .openapi('Problem', { description: 'RFC 9457, with a stable code' })

const lineTax = z.object({
  name: z.string().openapi({ example: 'VAT DE' }),
  rate: z.string().openapi({ description: 'Per cent', example: '19' }),
  treatment: z.enum(['exclusive', 'inclusive', 'reverse_charge', 'exempt']),
  taxable: money,
})

const lineDiscount = z.object({
  coupon: z.string(),
  percent: z.string().nullable(),
  shares: z.array(z.object({ of: z.string(), amount: money })).openapi({ description: 'What each line gets of it' }),
})

export const InvoiceLine: z.ZodType<InvoiceLineJson> = z
  .object({
    id: z.string().openapi({ description: 'Unique within the invoice' }),
    type: z.string().openapi({ example: 'feature_usage' }),
    description: z.string(),
    plan: z.string().optional(),
    feature: z.string().optional(),
    period,
    quantity: units,
    included: units,
    billable: units,
    unit_price: z.string().nullable(),
    per: units.optional(),
    amount: money,
    of: z.string().optional().openapi({ description: 'Of a tax or a credit: the line that it is about' }),
    corrects: z.string().optional().openapi({ description: 'The final invoice that the line corrects' }),
    tax: lineTax.optional(),
    discount: lineDiscount.optional(),
    cost: z.object({ unit: z.string(), amount: z.string() }).optional().openapi({ description: 'In credits or of a balance' }),
  })
  .openapi('InvoiceLine') as z.ZodType<InvoiceLineJson>

export const Invoice: z.ZodType<InvoiceJson> = z
  .object({
    id: z.string(),
    number: z.string().nullable().openapi({ example: 'FB-000001' }),
    status: z.string().openapi({ example: 'open' }),
    type: z.string(),
    customer: customerId,
    subscription: z.string().nullable(),
    currency: z.string(),
    period,
    issued_at: instant,
    finalized_at: instant.nullable(),
    lines: z.array(InvoiceLine),
    subtotal: money,
    discount: money,
    tax: money.openapi({ description: 'Taxes that are added to the prices' }),
    taxes: z.array(lineTax.extend({ amount: money })).openapi({ description: 'By name, rate and treatment' }),
    total: money,
    credit_applied: money,
    amount_due: money,
    corrects: z.string().nullable().openapi({ description: 'The final invoice that a credit note is about' }),
    corrects_number: z.string().optional(),
    reason: z.string().optional(),
    seal: z.object({ root: z.string(), events: z.int() }).nullable().openapi({ description: 'A hash over the events' }),
  })
  .openapi('Invoice') as z.ZodType<InvoiceJson>

export const Preview: z.ZodType<{ invoice: InvoiceJson | null }> = z
  .object({ invoice: Invoice.nullable().openapi({ description: 'Null when the next invoice would have no line' }) })
  .openapi('Preview')

export const Customer: z.ZodType<CustomerJson> = z
  .object({
    id: customerId,
    name: z.string().nullable(),
    email: z.string().nullable(),
    time_zone: z.string(),
    currency: z.string().nullable().openapi({ description: "ISO 4217; null: the catalog's main one" }),
    country: z.string().nullable().openapi({ description: 'ISO 3166-1 alpha-2: where tax is due' }),
    tax_id: z.string().nullable(),
    is_tax_exempt: z.boolean(),
    created_at: instant,
  })
  .openapi('Customer')

const apiKey = z
  .object({
    id: z.string(),
    customer: customerId,
    name: z.string().nullable(),
    created_at: instant,
    revoked_at: instant.nullable(),
  })
  .openapi('ApiKey')

export const ApiKey: z.ZodType<ApiKeyJson> = apiKey
export const NewApiKey: z.ZodType<ApiKeyJson & { key: string }> = apiKey
  .extend({ key: z.string().openapi({ description: 'Shown this once' }) })
  .openapi('NewApiKey')
export const ApiKeys: z.ZodType<{ api_keys: ApiKeyJson[] }> = z.object({ api_keys: z.array(apiKey) }).openapi('ApiKeys')

export const EventResult: z.ZodType<EventResultJson> = z
  .object({
    result: z
      .enum(['recorded', 'repeat', 'refused', 'queued'])
      .openapi({ description: 'A repeat was counted before, and is not counted again. What is queued waits for a price' }),
    key: z.string().optional(),
    problem: Problem.optional(),
  })
  .openapi('EventResult')

export const EventResults: z.ZodType<{ results: EventResultJson[] }> = z
  .object({ results: z.array(EventResult) })
  .openapi('EventResults')

export const Closing: z.ZodType<ClosingJson> = z
  .object({
    invoices: z.array(z.string()).openapi({ description: 'Numbers of the invoices that became final' }),
    held: z.array(customerId).openapi({ description: 'Customers whose draft is held back, because a total is not its events' }),
    waiting: z.array(customerId).openapi({ description: 'Customers with requests in flight: close again' }),
  })
  .openapi('Closing')

export const Audit: z.ZodType<AuditJson> = z
  .object({
    ok: z.boolean(),
    events: z.int(),
    differences: z.array(z.record(z.string(), z.unknown())),
  })
  .openapi('Audit')

export const Catalog: z.ZodType<CatalogJson> = z
  .object({ version: z.string(), catalog: z.record(z.string(), z.unknown()) })
  .openapi('Catalog', { description: "The catalog's own document, and the version that its content gives it" })

/** A page of something; `next` is the cursor of the page after it, null on the last. */
export function pageOf<Item extends z.ZodType>(
  name: string,
  item: Item,
): z.ZodType<{ items: z.output<Item>[]; next: string | null }> {
  return z.object({ items: z.array(item), next: z.string().nullable() }).openapi(name)
}
