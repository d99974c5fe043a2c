/** Records as the routes answer them: snake_case members, exact decimals as strings, instants in RFC 3339. */

import type { Customer } from '../account/customer.ts'
import type { ApiKey } from '../admin.ts'
import type { Entitlement } from '../entitlements.ts'
import { sealedEvent, type SealedEvent } from '../invoice/seal/leaf.ts'
import type { ModelUsage } from '../records/model-usage.ts'
import type { RefusalCode } from '../records/refusal.ts'
import type { UnpricedUsage } from '../records/unpriced-usage.ts'
import type { UsageEvent } from '../records/usage-event.ts'
import type { FeatureUsage } from '../usage.ts'
import { formatInstant } from '../values/instant.ts'
import { formatQuantity, type Quantity } from '../values/quantity.ts'

export function orNull(instant: number | null): string | null {
  return instant === null ? null : formatInstant(instant)
}

function unitsOrNull(quantity: Quantity | null): string | null {
  return quantity === null ? null : formatQuantity(quantity)
}

export interface CustomerJson {
  id: string
  name: string | null
  email: string | null
  time_zone: string
  currency: string | null
  country: string | null
  tax_id: string | null
  is_tax_exempt: boolean
  created_at: string
}

export function customerJson(customer: Customer): CustomerJson {
  const { id, name, email, timeZone, currency = null, country = null, taxId = null, isTaxExempt = false, createdAt } = customer
  return {
    id,
    name,
    email,
    time_zone: timeZone,
    currency,
    country,
    tax_id: taxId,
    is_tax_exempt: isTaxExempt,
    created_at: formatInstant(createdAt),
  }
}

export interface FeatureUsageJson {
  feature: string
  period: [string, string]
  unit: string | null
  included: string | null
  used: string
  reserved: string
  remaining: string | null
}

export function usageJson({ feature, period, unit, included, posted, reserved, remaining }: FeatureUsage): FeatureUsageJson {
  return {
    feature,
    period: [formatInstant(period[0]), formatInstant(period[1])],
    unit: unit ?? null,
    included: unitsOrNull(included),
    used: formatQuantity(posted),
    reserved: formatQuantity(reserved),
    remaining: unitsOrNull(remaining),
  }
}

export interface UsageJson {
  customer: string
  features: FeatureUsageJson[]
  credits: { available: string }
  balance: { currency: string; available: string; overdraft: string }
}

export interface EntitlementJson {
  feature: string
  allowed: boolean
  code: RefusalCode | null
  plan: string | null
  unit: string | null
  limit: string | null
  used: string
  remaining: string | null
  period_end: string | null
}

export function entitlementJson(entitlement: Entitlement): EntitlementJson {
  const { feature, allowed, code, plan, unit, limit, used, remaining, periodEnd } = entitlement
  return {
    feature,
    allowed,
    code,
    plan,
    unit: unit ?? null,
    limit: unitsOrNull(limit),
    used: formatQuantity(used),
    remaining: unitsOrNull(remaining),
    period_end: orNull(periodEnd),
  }
}

/** What is sealed of it, and its place: with its proof nothing else is needed to check it. */
export interface UsageEventJson extends SealedEvent {
  readonly seq: number
  readonly corrects?: number
}

export function eventJson(event: UsageEvent): UsageEventJson {
  const { seq, corrects } = event
  return { seq, ...sealedEvent(event), ...(corrects === undefined ? {} : { corrects }) }
}

export interface ModelUsageJson {
  model: string
  provider: string | null
  input_tokens: number
  output_tokens: number
  cache_read_tokens: number
  cache_write_tokens: number
}

function modelUsageJson({ model, provider, ...tokens }: ModelUsage): ModelUsageJson {
  const { inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 } = tokens
  return {
    model,
    provider: provider ?? null,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    cache_read_tokens: cacheReadTokens,
    cache_write_tokens: cacheWriteTokens,
  }
}

export interface UnpricedUsageJson {
  key: string
  customer: string
  feature: string
  quantity: string
  timestamp: string
  route: string | null
  properties: Record<string, string | number | boolean> | null
  usage: ModelUsageJson | null
  reason: string
}

export function unpricedJson({
  id,
  customerId,
  feature,
  quantity,
  at,
  route,
  properties,
  usage,
  reason,
}: UnpricedUsage): UnpricedUsageJson {
  return {
    key: id,
    customer: customerId,
    feature,
    quantity: formatQuantity(quantity),
    timestamp: formatInstant(at),
    route,
    properties: properties === null ? null : { ...properties },
    usage: usage === null ? null : modelUsageJson(usage),
    reason,
  }
}

export interface ApiKeyJson {
  id: string
  customer: string
  name: string | null
  created_at: string
  revoked_at: string | null
}

export function apiKeyJson({ id, customerId, name, createdAt, revokedAt }: ApiKey): ApiKeyJson {
  return { id, customer: customerId, name, created_at: formatInstant(createdAt), revoked_at: orNull(revokedAt) }
}
