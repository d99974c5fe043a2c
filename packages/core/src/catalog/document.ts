/** The catalog's JSON document: the same content always gives the same text, however it was written. */

import { formatDecimal, isZero } from '../values/decimal.ts'
import { formatQuantity, type Quantity } from '../values/quantity.ts'
import type { Feature } from './feature.ts'
import type { Plan, PlanFeature } from './plan.ts'
import type { Price, Tier } from './price.ts'

/** The parts of a catalog that are its content. */
export interface CatalogContent {
  readonly currency: string
  readonly features: ReadonlyMap<string, Feature>
  readonly plans: ReadonlyMap<string, Plan>
}

/**
 * A definition that compiles to the same content, with defaults written out, decimals in their shortest form and options in
 * a fixed order. The order of features and of plans is content: price lists and invoices follow it.
 */
export function catalogDocument({ currency, features, plans }: CatalogContent): string {
  return JSON.stringify({
    currency,
    features: Object.fromEntries([...features].map(([code, feature]) => [code, featureJson(feature)])),
    plans: Object.fromEntries([...plans].map(([code, plan]) => [code, planJson(plan)])),
  })
}

/** JSON leaves undefined members out. */
function featureJson({ type, name, unit, isDefault }: Feature): object {
  return type === 'boolean' ? { type, name } : { type, name, unit: unit ?? undefined, default: isDefault }
}

function planJson({ name, price, interval, isDefault, features }: Plan): object {
  return {
    name,
    price: formatDecimal(price),
    interval,
    consumption: 'metered',
    default: isDefault,
    features: Object.fromEntries([...features].map(([code, terms]) => [code, termsJson(terms)])),
  }
}

function termsJson(terms: PlanFeature): object | true {
  if (terms.kind === 'boolean') return true
  return { included: includedJson(terms.included), overage: terms.overage === 'block' ? 'block' : priceJson(terms.overage) }
}

function includedJson(included: Quantity | 'unlimited'): string {
  return included === 'unlimited' ? included : formatQuantity(included)
}

function priceJson(price: Price): object {
  switch (price.model) {
    case 'per_unit':
      return { model: price.model, price: formatDecimal(price.unitPrice) }
    case 'graduated':
      return { model: price.model, tiers: price.tiers.map(tierJson) }
    case 'package':
      return { model: price.model, size: formatQuantity(price.size), price: formatDecimal(price.packagePrice) }
  }
}

function tierJson({ upTo, unitPrice, flat }: Tier): object {
  return {
    upTo: upTo === 'unbounded' ? undefined : formatQuantity(upTo),
    price: formatDecimal(unitPrice),
    flat: isZero(flat) ? undefined : formatDecimal(flat),
  }
}
