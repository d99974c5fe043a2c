/** The catalog's JSON document: the same content always gives the same text, however it was written. */

import { type Decimal, formatDecimal, isZero } from '../values/decimal.ts'
import { formatQuantity, type Quantity } from '../values/quantity.ts'
import type { Offer } from './catalog.ts'
import type { Coupon } from './coupon.ts'
import type { CreditPack } from './credits.ts'
import type { Feature } from './feature.ts'
import type { Plan } from './plan.ts'
import type { PlanFeature } from './plan-feature.ts'
import type { Price, Tier } from './price.ts'

/** The parts of a catalog that are its content. */
export interface CatalogContent {
  readonly currency: string
  readonly features: ReadonlyMap<string, Feature>
  /** By currency, the catalog's own first. */
  readonly offers: ReadonlyMap<string, Offer>
}

/**
 * A definition that compiles to the same content, with defaults written out, decimals in their shortest form and options in
 * a fixed order. The order of features and of plans is content: price lists and invoices follow it. What is sold in further currencies
 * stands under `offers`, in the same form.
 */
export function catalogDocument({ currency, features, offers }: CatalogContent): string {
  const [main, ...others] = [...offers.values()].map(offerJson)
  return JSON.stringify({
    currency,
    features: Object.fromEntries([...features].map(([code, feature]) => [code, featureJson(feature)])),
    ...main,
    offers: others.length === 0 ? undefined : Object.fromEntries([...offers.keys()].slice(1).map((code, i) => [code, others[i]])),
  })
}

/** The definitions that a document is made of: that of its own currency, then those of the others. */
export function definitionsOf(document: unknown): unknown[] {
  if (typeof document !== 'object' || document === null || !('offers' in document)) return [document]
  const { offers, ...main } = document as { offers: Record<string, object>; features: object }
  return [main, ...Object.entries(offers).map(([currency, offer]) => ({ currency, features: main.features, ...offer }))]
}

function offerJson({ plans, creditPacks, coupons }: Offer): object {
  return {
    plans: entriesOf(plans, planJson),
    creditPacks: entriesOf(creditPacks, packJson),
    coupons: entriesOf(coupons, couponJson),
  }
}

/** JSON leaves undefined members out. */
function entriesOf<T>(entries: ReadonlyMap<string, T>, toJson: (entry: T) => object): object | undefined {
  return entries.size === 0 ? undefined : Object.fromEntries([...entries].map(([code, entry]) => [code, toJson(entry)]))
}

function featureJson({ type, name, unit, isDefault }: Feature): object {
  return type === 'boolean' ? { type, name } : { type, name, unit: unit ?? undefined, default: isDefault }
}

function planJson(plan: Plan): object {
  const { name, price, interval, consumption, features } = plan
  return {
    name,
    price: formatDecimal(price),
    interval,
    consumption,
    trialDays: plan.trialDays === 0 ? undefined : plan.trialDays,
    credits: plan.credits === null ? undefined : formatDecimal(plan.credits),
    includedBalance: orAbsent(plan.includedBalance),
    blockOnExhaustion: consumption === 'balance' ? plan.blocksOnExhaustion : undefined,
    spendLimit: orAbsent(plan.spendLimit),
    minimum: orAbsent(plan.minimum),
    proration: plan.proration === 'max_consumption' ? undefined : plan.proration,
    prorationUnit: plan.prorationUnit === 'day' ? undefined : plan.prorationUnit,
    taxCategory: plan.taxCategory ?? undefined,
    default: plan.isDefault,
    features: Object.fromEntries([...features].map(([code, terms]) => [code, termsJson(terms)])),
  }
}

function orAbsent(price: Decimal | null): string | undefined {
  return price === null ? undefined : formatDecimal(price)
}

function packJson({ name, price, credits, priority }: CreditPack): object {
  return { name, price: formatDecimal(price), credits: formatDecimal(credits), priority: priority === 0 ? undefined : priority }
}

function couponJson({ name, reduction, cycles, maxRedemptions, plans }: Coupon): object {
  return {
    name,
    percent: reduction.kind === 'percent' ? formatDecimal(reduction.percent) : undefined,
    amount: reduction.kind === 'amount' ? formatDecimal(reduction.amount) : undefined,
    cycles: cycles ?? undefined,
    maxRedemptions: maxRedemptions ?? undefined,
    plans: plans ?? undefined,
  }
}

function termsJson(terms: PlanFeature): object | true {
  switch (terms.kind) {
    case 'boolean':
      return true
    case 'credits':
      return { credits: formatDecimal(terms.credits) }
    case 'balance':
      return {
        price:
          terms.price.model === 'fixed'
            ? { model: 'fixed', price: formatDecimal(terms.price.unitPrice) }
            : { model: 'ai_model', margin: formatDecimal(terms.price.margin) },
      }
    case 'metered':
      return { included: includedJson(terms.included), overage: terms.overage === 'block' ? 'block' : priceJson(terms.overage) }
  }
}

function includedJson(included: Quantity | 'unlimited'): string {
  return included === 'unlimited' ? included : formatQuantity(included)
}

function priceJson(price: Price): object {
  switch (price.model) {
    case 'per_unit':
      return { model: price.model, price: formatDecimal(price.unitPrice) }
    case 'graduated':
    case 'volume':
      return { model: price.model, tiers: price.tiers.map(tierJson) }
    case 'package':
      return { model: price.model, size: formatQuantity(price.size), price: formatDecimal(price.packagePrice) }
    case 'flat':
      return { model: price.model, price: formatDecimal(price.fee) }
  }
}

function tierJson({ upTo, unitPrice, flat }: Tier): object {
  return {
    upTo: upTo === 'unbounded' ? undefined : formatQuantity(upTo),
    price: formatDecimal(unitPrice),
    flat: isZero(flat) ? undefined : formatDecimal(flat),
  }
}
