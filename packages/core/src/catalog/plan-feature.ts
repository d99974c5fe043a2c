/** What a plan grants of a feature, by the plan's consumption model. */

import type { Decimal } from '../values/decimal.ts'
import type { Quantity, QuantityInput } from '../values/quantity.ts'
import { type Field, listed, member, readFlag, readOptions, readQuantity, refuse } from './definition.ts'
import type { Feature } from './feature.ts'
import { readCredits } from './credits.ts'
import type { Consumption } from './plan.ts'
import { type Price, type PriceDefinition, readUsagePrice } from './price.ts'
import { readUnitCost, type UnitCost, type UnitCostDefinition } from './unit-cost.ts'

/** What a metered plan grants of a metered feature. */
export interface MeteredTermsDefinition {
  /** Units of each period at no extra charge, or `'unlimited'`. Default 0. */
  readonly included?: QuantityInput | 'unlimited'
  /** What happens beyond `included`: usage is blocked (`'block'`, the default) or priced. */
  readonly overage?: 'block' | PriceDefinition
}

/** What a unit takes on a plan of credits. */
export interface CreditTermsDefinition {
  /** Credits for one unit, up to six decimal places. */
  readonly credits: QuantityInput
}

/** What a unit takes on a plan of prepaid balance. */
export interface BalanceTermsDefinition {
  readonly price: UnitCostDefinition
}

export type FeatureTermsDefinition = MeteredTermsDefinition | CreditTermsDefinition | BalanceTermsDefinition

/** What a metered plan grants of a metered feature, as the engine reads it. */
export interface MeteredTerms {
  readonly kind: 'metered'
  /** The feature's code. */
  readonly feature: string
  readonly included: Quantity | 'unlimited'
  /** Of the units beyond `included`. */
  readonly overage: 'block' | Price
}

/** On a plan of credits. */
export interface CreditTerms {
  readonly kind: 'credits'
  readonly feature: string
  /** Of one unit. */
  readonly credits: Decimal
}

/** On a plan of prepaid balance. */
export interface BalanceTerms {
  readonly kind: 'balance'
  readonly feature: string
  readonly price: UnitCost
}

/** A boolean feature that is on. One that is off is not in the plan. */
export interface BooleanTerms {
  readonly kind: 'boolean'
  readonly feature: string
}

export type PlanFeature = MeteredTerms | CreditTerms | BalanceTerms | BooleanTerms

export interface TermsContext {
  readonly features: ReadonlyMap<string, Feature>
  readonly isFree: boolean
  readonly consumption: Consumption
}

export function readPlanFeatures(field: Field, context: TermsContext): Map<string, PlanFeature> {
  const terms = new Map<string, PlanFeature>()
  if (field.value === undefined) return terms
  const option = readCodes(field, context.features)
  for (const { code, type } of context.features.values()) {
    const entry = option(code)
    if (entry.value === undefined) continue
    if (type === 'metered') terms.set(code, readTerms(entry, code, context))
    else if (readFlag(entry) ?? false) terms.set(code, { kind: 'boolean', feature: code })
  }
  return terms
}

/** Takes an object whose names are codes of features. Refuses another name with `unknown_feature`. */
function readCodes(field: Field, features: ReadonlyMap<string, Feature>): (code: string) => Field {
  const codes = [...features.keys()]
  const { value } = field
  const names = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : []
  for (const name of names) {
    if (features.has(name)) continue
    refuse(member(field, name), {
      expected: `one of the features ${listed(codes)}`,
      fix: `fix the spelling of '${name}' or add it to features`,
      code: 'unknown_feature',
    })
  }
  return readOptions(field, codes)
}

function readTerms(field: Field, feature: string, { consumption, isFree }: TermsContext): PlanFeature {
  switch (consumption) {
    case 'metered':
      return readMeteredTerms(field, feature, isFree)
    case 'credits':
      return { kind: 'credits', feature, credits: readCredits(readOptions(field, ['credits'])('credits')) }
    case 'balance':
      return { kind: 'balance', feature, price: readUnitCost(readOptions(field, ['price'])('price')) }
  }
}

function readMeteredTerms(field: Field, feature: string, isFree: boolean): MeteredTerms {
  const option = readOptions(field, ['included', 'overage'])
  const included = readIncluded(option('included'))
  const overageField = option('overage')
  if (overageField.value === undefined || overageField.value === 'block')
    return { kind: 'metered', feature, included, overage: 'block' }

  const overage = readUsagePrice(overageField)
  if (isFree) {
    refuse(overageField, {
      expected: "'block' on a plan whose price is 0",
      fix: 'remove the overage price, or give the plan a base price',
    })
  }
  if (included === 'unlimited') {
    refuse(overageField, { expected: "no price beyond 'unlimited'", fix: 'remove the overage price, or make included a number' })
  }
  return { kind: 'metered', feature, included, overage }
}

function readIncluded(field: Field): Quantity | 'unlimited' {
  if (field.value === undefined) return 0n
  return field.value === 'unlimited' ? 'unlimited' : readQuantity(field, "a number of units or 'unlimited'")
}
