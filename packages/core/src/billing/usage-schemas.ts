/** Usage, what may be used, its events, and why a line of it is what it is: the shapes of the answers. */

import { z } from '@hono/zod-openapi'
import type { EventProofCheck } from '../invoice/seal/seal.ts'
import type { ChargeJson } from '../records/charge.ts'
import type { ExplanationJson } from './explanations.ts'
import type { EntitlementJson, FeatureUsageJson, UnpricedUsageJson, UsageEventJson, UsageJson } from './json.ts'
import { customerId, instant, InvoiceLine, pageOf, period, units } from './schemas.ts'

const unit = z.string().nullable().openapi({
  description: "What is allowed and left: null: units of the feature; 'credits'; or the currency of a balance",
  example: 'USD',
})

export const FeatureUsage: z.ZodType<FeatureUsageJson> = z
  .object({
    feature: z.string().openapi({ example: 'api_calls' }),
    period,
    unit,
    included: units.nullable().openapi({ description: 'What the period allows, in `unit`; null where it is unlimited' }),
    used: units.openapi({ description: 'Units of the feature in the event log' }),
    reserved: units.openapi({ description: 'Units of the feature held by requests in flight' }),
    remaining: units.nullable().openapi({ description: 'What is left of it, in `unit`; null where it is unlimited' }),
  })
  .openapi('FeatureUsage')

export const Usage: z.ZodType<UsageJson> = z
  .object({
    customer: customerId,
    features: z.array(FeatureUsage).openapi({ description: 'The metered features of the plan' }),
    credits: z.object({ available: units }).openapi({ description: 'Credits that are left, those of packs included' }),
    balance: z
      .object({ currency: z.string(), available: z.string(), overdraft: z.string() })
      .openapi({ description: 'Prepaid money that is left, and what usage cost beyond it' }),
  })
  .openapi('Usage')

export const Entitlement: z.ZodType<EntitlementJson> = z
  .object({
    feature: z.string().openapi({ example: 'api_calls' }),
    allowed: z.boolean(),
    code: z
      .enum([
        'allowance_exhausted',
        'credits_exhausted',
        'balance_exhausted',
        'spend_limit_reached',
        'no_subscription',
        'payment_overdue',
        'feature_not_in_plan',
      ])
      .nullable()
      .openapi({ description: 'Why not: the code of the 402 or 403; null where it is allowed' }),
    plan: z.string().nullable(),
    unit,
    limit: units.nullable().openapi({ description: 'Null where it is unlimited, or nothing is counted' }),
    used: units,
    remaining: units.nullable().openapi({ description: 'Before it is used' }),
    period_end: instant.nullable().openapi({ description: 'When it renews; null where time does not help' }),
  })
  .openapi('Entitlement')

export const Entitlements: z.ZodType<{ entitlements: EntitlementJson[] }> = z
  .object({ entitlements: z.array(Entitlement) })
  .openapi('Entitlements')

const exact = z.string().openapi({ description: 'An exact decimal' })

const modelCharge = z.object({
  model: z.string(),
  provider: z.string(),
  catalog: z.string().openapi({ description: 'Name and version of the price list' }),
  margin: z.string().openapi({ description: 'Per cent' }),
  classes: z
    .array(z.tuple([z.enum(['input', 'output', 'cache_read', 'cache_write']), z.int(), exact]))
    .openapi({ description: 'Kind of token, how many, and the price of a million' }),
  provider_cost: exact,
  incomplete: z.literal(true).optional().openapi({ description: 'The answer broke off, and what was delivered is billed' }),
})

export const Charge: z.ZodType<ChargeJson> = z
  .object({
    unit: z.string().openapi({ example: 'USD' }),
    cost: exact,
    parts: z.array(z.tuple([z.string(), exact])).openapi({ description: 'Which grant paid how much' }),
    uncovered: exact.optional().openapi({ description: 'What no grant paid: billed when the period ends' }),
    waived: exact.optional().openapi({ description: 'What nobody pays' }),
    model: modelCharge.optional(),
  })
  .openapi('Charge') as z.ZodType<ChargeJson>

const properties = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).nullable()

const sealed = {
  key: z.string().openapi({ description: 'Counted once per customer under it, for ever' }),
  customer: customerId,
  feature: z.string(),
  quantity: units.openapi({ description: 'Negative only where a correction takes units back' }),
  timestamp: instant,
  route: z.string().nullable().openapi({ example: '/v1/users/:id' }),
  properties,
  charge: Charge.optional().openapi({ description: 'On plans of credits or a balance' }),
}

export const UsageEvent: z.ZodType<UsageEventJson> = z
  .object({
    seq: z.int().openapi({ description: 'Place in the log' }),
    ...sealed,
    corrects: z.int().optional().openapi({ description: 'Of a correction: the `seq` of the event that it corrects' }),
  })
  .openapi('UsageEvent') as z.ZodType<UsageEventJson>

export const UsageEvents: z.ZodType<{ items: UsageEventJson[]; next: string | null }> = pageOf('UsageEvents', UsageEvent)

export const Explanation: z.ZodType<ExplanationJson> = z
  .object({
    invoice: z.string(),
    line: InvoiceLine,
    sentences: z.array(z.string()).openapi({ description: 'How it came about, one step in each' }),
    rule: z.string().openapi({ description: 'The pricing model, or what else made the line', example: 'graduated' }),
    tier: z.int().nullable().openapi({ description: 'Place of the price tier, from 1' }),
    exact: exact
      .nullable()
      .openapi({ description: 'The amount before it was rounded once; null where it is a sum of rounded ones' }),
    grants: z
      .array(z.object({ grant: z.string(), amount: exact }))
      .openapi({ description: 'What paid for the events of this page' }),
    events: UsageEvents.openapi({ description: 'Newest first; the lines of one feature share them' }),
  })
  .openapi('Explanation')

export const Proof: z.ZodType<EventProofCheck> = z
  .object({
    event: z.object(sealed).openapi('SealedEvent') as z.ZodType<EventProofCheck['event']>,
    proof: z.object({ index: z.int(), path: z.array(z.string()).openapi({ description: 'Up to the root; hex of SHA-256' }) }),
    seal: z
      .object({ root: z.string(), events: z.int() })
      .openapi({ description: 'That of the invoice: compare it with your own' }),
  })
  .openapi('Proof', { description: 'docs/seal.md says how it is checked, with our code or without' })

const modelUsage = z.object({
  model: z.string(),
  provider: z.string().nullable(),
  input_tokens: z.int(),
  output_tokens: z.int(),
  cache_read_tokens: z.int(),
  cache_write_tokens: z.int(),
})

export const UnpricedUsage: z.ZodType<UnpricedUsageJson> = z
  .object({
    key: z.string(),
    customer: customerId,
    feature: z.string(),
    quantity: units,
    timestamp: instant,
    route: z.string().nullable(),
    properties,
    usage: modelUsage.nullable().openapi({ description: 'Null where nobody reported any' }),
    reason: z.string(),
  })
  .openapi('UnpricedUsage')

export const Retry: z.ZodType<{ priced: number; waiting: number }> = z
  .object({ priced: z.int().openapi({ description: 'Found a price, and are in the log' }), waiting: z.int() })
  .openapi('Retry')

export interface CorrectionJson {
  result: 'corrected' | 'repeat'
  key: string
  quantity: string
  corrects: number
}

export const Correction: z.ZodType<CorrectionJson> = z
  .object({
    result: z.enum(['corrected', 'repeat']),
    key: z.string().openapi({ description: 'Of the correcting event' }),
    quantity: units.openapi({ description: 'Units that it takes back: never positive' }),
    corrects: z.int().openapi({ description: 'The `seq` of the corrected event' }),
  })
  .openapi('Correction')
