/** A subscription and what a change makes of it, as the routes answer them. */

import { type InvoiceJson, invoiceJson } from '../invoice/invoice-json.ts'
import type { ScheduledChange, SubscriptionView } from '../subscription-view.ts'
import type { SubscriptionChange } from '../subscriptions.ts'
import { formatInstant } from '../values/instant.ts'
import { orNull } from './json.ts'

export interface ScheduledChangeJson {
  kind: ScheduledChange['kind']
  at: string
  plan: string | null
}

export interface SubscriptionJson {
  id: string
  customer: string
  plan: string
  catalog_version: string
  status: SubscriptionView['status']
  is_paused: boolean
  currency: string
  time_zone: string
  anchor: string
  starts_at: string
  ends_at: string | null
  trial_ends_at: string | null
  usage_period: [start: string, end: string] | null
  renews_at: string | null
  next_invoice_at: string | null
  scheduled: ScheduledChangeJson[]
  discounts: { coupon: string; cycles_left: number | null }[]
  created_at: string
}

export function subscriptionJson(subscription: SubscriptionView): SubscriptionJson {
  const { id, customerId, plan, catalogVersion, status, isPaused, currency, timeZone, usagePeriod } = subscription
  return {
    id,
    customer: customerId,
    plan,
    catalog_version: catalogVersion,
    status,
    is_paused: isPaused,
    currency,
    time_zone: timeZone,
    anchor: formatInstant(subscription.anchor),
    starts_at: formatInstant(subscription.startsAt),
    ends_at: orNull(subscription.endsAt),
    trial_ends_at: orNull(subscription.trialEndsAt),
    usage_period: usagePeriod === null ? null : [formatInstant(usagePeriod[0]), formatInstant(usagePeriod[1])],
    renews_at: orNull(subscription.renewsAt),
    next_invoice_at: orNull(subscription.dueAt),
    scheduled: subscription.scheduled.map((change) => ({ kind: change.kind, at: formatInstant(change.at), plan: change.plan })),
    discounts: subscription.discounts.map(({ coupon, cyclesLeft }) => ({ coupon, cycles_left: cyclesLeft })),
    created_at: formatInstant(subscription.createdAt),
  }
}

export interface SubscriptionChangeJson {
  subscription: SubscriptionJson
  effective_at: string
  invoice: InvoiceJson | null
}

export function subscriptionChangeJson({ subscription, effectiveAt, invoice }: SubscriptionChange): SubscriptionChangeJson {
  return {
    subscription: subscriptionJson(subscription),
    effective_at: formatInstant(effectiveAt),
    invoice: invoice === null ? null : invoiceJson(invoice),
  }
}
