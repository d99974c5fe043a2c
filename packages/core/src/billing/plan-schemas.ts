/** What is sold: the shapes of the answers. */

import { z } from '@hono/zod-openapi'
import type { CreditPackJson, FeatureJson, PlanJson, PriceListJson } from './plan-json.ts'

const price = z.string().openapi({ description: 'In the main unit of the currency', example: '19' })
const currency = z.string().openapi({ description: 'ISO 4217', example: 'USD' })

export const Plan: z.ZodType<PlanJson> = z
  .object({
    code: z.string(),
    name: z.string(),
    price: price.openapi({ description: 'Base price of an interval, in the main unit of the currency', example: '19' }),
    currency,
    interval: z.enum(['week', 'month', 'quarter', 'year', 'one_time']),
    consumption: z.enum(['metered', 'credits', 'balance']).openapi({
      description: 'How usage is sold: units beyond an allowance, credits, or prepaid money',
    }),
    trial_days: z.int(),
    credits: z.string().nullable().openapi({ description: 'On a plan of credits: granted at each reset' }),
    included_balance: z
      .string()
      .nullable()
      .openapi({ description: 'On a plan of prepaid balance: what a period begins with; null: its share of the base price' }),
    blocks_on_exhaustion: z
      .boolean()
      .nullable()
      .openapi({ description: 'On a plan of prepaid balance: whether usage stops at zero' }),
    spend_limit: price.nullable().openapi({ description: 'Most that usage beyond the allowance may cost in a period' }),
    minimum: price.nullable().openapi({ description: 'Least that an interval costs' }),
    is_default: z.boolean(),
    features: z
      .record(z.string(), z.unknown())
      .openapi({ description: 'What the plan grants of each feature, and its prices, as the catalog says' }),
  })
  .openapi('Plan')

const feature: z.ZodType<FeatureJson> = z
  .object({ code: z.string(), name: z.string(), type: z.enum(['metered', 'boolean']), unit: z.string().nullable() })
  .openapi('Feature')

const creditPack: z.ZodType<CreditPackJson> = z
  .object({ code: z.string(), name: z.string(), price, currency, credits: z.string() })
  .openapi('CreditPack', { description: 'Credits that are bought at once and never expire' })

export const PriceList: z.ZodType<PriceListJson> = z
  .object({
    currency: currency.openapi({ description: 'The one in which the customer is billed' }),
    features: z.array(feature),
    plans: z.array(Plan),
    credit_packs: z.array(creditPack),
  })
  .openapi('PriceList')
