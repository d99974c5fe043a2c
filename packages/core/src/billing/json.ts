/** Records as the routes answer them: snake_case members, exact decimals as strings, instants in RFC 3339. */

import type { Customer } from '../account/customer.ts'
import type { SubscriptionView } from '../subscription-view.ts'
import type { ApiKey } from '../admin.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { UsageEvent } from '../records/usage-event.ts'
import type { FeatureUsage } from '../usage.ts'
import { formatInstant } from '../values/instant.ts'
import { formatQuantity, type Quantity } from '../values/quantity.ts'

const orNull = (instant: number | null): string | null => (instant === null ? null : formatInstant(instant))
const unitsOrNull = (quantity: Quantity | null): string | null => (quantity === null ? null : formatQuantity(quantity))

export interface CustomerJson {
  id: string
  name: string | null
  email: string | null
  time_zone: string
  created_at: string
}

export function customerJson({ id, name, email, timeZone, createdAt }: Customer): CustomerJson {
  return { id, name, email, time_zone: timeZone, created_at: formatInstant(createdAt) }
}

export interface SubscriptionJson {
  id: string
  customer: string
  plan: string
  status: SubscriptionView['status']
  anchor: string
  time_zone: string
  starts_at: string
  ends_at: string | null
}

export function subscriptionJson(subscription: SubscriptionView): SubscriptionJson {
  const { id, customerId, plan, status, anchor, timeZone, startsAt, endsAt } = subscription
  return {
    id,
    customer: customerId,
    plan,
    status,
    anchor: formatInstant(anchor),
    time_zone: timeZone,
    starts_at: formatInstant(startsAt),
    ends_at: orNull(endsAt),
  }
}

export interface FeatureUsageJson {
  feature: string
  period: [string, string]
  included: string | null
  used: string
  reserved: string
  remaining: string | null
}

export function usageJson({ feature, period, included, posted, reserved, remaining }: FeatureUsage): FeatureUsageJson {
  return {
    feature,
    period: [formatInstant(period[0]), formatInstant(period[1])],
    included: unitsOrNull(included),
    used: formatQuantity(posted),
    reserved: formatQuantity(reserved),
    remaining: unitsOrNull(remaining),
  }
}

export interface UsageJson {
  customer: string
  features: FeatureUsageJson[]
}

export interface UsageEventJson {
  seq: number
  key: string
  customer: string
  feature: string
  quantity: string
  timestamp: string
  route: string | null
  properties: Record<string, string | number | boolean> | null
}

export function eventJson({ seq, key, customerId, feature, quantity, at, route, properties }: UsageEvent): UsageEventJson {
  return {
    seq,
    key,
    customer: customerId,
    feature,
    quantity: formatQuantity(quantity),
    timestamp: formatInstant(at),
    route,
    properties: properties === null ? null : { ...properties },
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

export interface PlanJson {
  code: string
  name: string
  price: string
  currency: string
  interval: 'month' | 'year'
  is_default: boolean
  features: Record<string, unknown>
}

/** The plans as the catalog's own document has them. */
export function plansJson({ currency, document }: Pick<Catalog, 'currency' | 'document'>): PlanJson[] {
  const { plans } = JSON.parse(document) as { plans: Record<string, PlanDocument> }
  return Object.entries(plans).map(([code, { name, price, interval, default: isDefault, features }]) => ({
    code,
    name,
    price,
    currency,
    interval,
    is_default: isDefault,
    features,
  }))
}

interface PlanDocument {
  readonly name: string
  readonly price: string
  readonly interval: 'month' | 'year'
  readonly default: boolean
  readonly features: Record<string, unknown>
}
