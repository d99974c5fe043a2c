/** Plans: what a customer subscribes to. */

import { type Decimal, isZero } from '../values/decimal.ts'
import type { Quantity, QuantityInput } from '../values/quantity.ts'
import {
  type Field,
  listed,
  member,
  readEntries,
  readFlag,
  readName,
  readOptions,
  readPrice,
  readQuantity,
  readWord,
  refuse,
} from './definition.ts'
import type { Feature } from './feature.ts'
import { type Price, type PriceDefinition, readUsagePrice } from './price.ts'

/** What a plan grants of a metered feature. */
export interface MeteredTermsDefinition {
  /** Units of each period at no extra charge, or `'unlimited'`. Default 0. */
  readonly included?: QuantityInput | 'unlimited'
  /** What happens beyond `included`: usage is blocked (`'block'`, the default) or priced. */
  readonly overage?: 'block' | PriceDefinition
}

export interface PlanDefinition<F extends string = string> {
  /** Printed on invoices; the code when absent. */
  readonly name?: string
  /** Base price of an interval, paid in advance, as a decimal string in the currency's main unit. */
  readonly price: string
  /** How often the base price is due. Usage resets monthly on both. */
  readonly interval: 'month' | 'year'
  readonly consumption?: 'metered'
  /** A customer seen for the first time is subscribed to it; at most one plan. */
  readonly default?: boolean
  /** By feature code: terms for a metered feature, true or false for a boolean one. What is left out is not in the plan. */
  readonly features?: { readonly [Code in F]?: MeteredTermsDefinition | boolean }
}

/** What a plan grants of a metered feature, as the engine reads it. */
export interface MeteredTerms {
  readonly kind: 'metered'
  /** The feature's code. */
  readonly feature: string
  readonly included: Quantity | 'unlimited'
  /** Of the units beyond `included`. */
  readonly overage: 'block' | Price
}

/** A boolean feature that is on. One that is off is not in the plan. */
export interface BooleanTerms {
  readonly kind: 'boolean'
  readonly feature: string
}

export type PlanFeature = MeteredTerms | BooleanTerms

/** A plan as the engine reads it. */
export interface Plan {
  readonly code: string
  readonly name: string
  /** Base price of an interval, exact, in the currency's main unit. */
  readonly price: Decimal
  readonly interval: 'month' | 'year'
  /** Months between two base prices. */
  readonly intervalMonths: number
  /** Its base price is zero, so nothing is ever owed. */
  readonly isFree: boolean
  /** Customers seen for the first time are subscribed to it. */
  readonly isDefault: boolean
  /** By feature code, in the order of the catalog's features. */
  readonly features: ReadonlyMap<string, PlanFeature>
}

const INTERVAL_MONTHS = { month: 1, year: 12 } as const

/** Reads the plans in the order in which they were written. At most one is the default. */
export function readPlans(field: Field, features: ReadonlyMap<string, Feature>): Map<string, Plan> {
  const plans = new Map<string, Plan>()
  let defaultCode: string | null = null
  for (const [code, entry] of readEntries(field)) {
    const plan = readPlan(entry, { code, features })
    if (plan.isDefault && defaultCode !== null) {
      refuse(member(entry, 'default'), {
        expected: `only one default plan, which is plans.${defaultCode},`,
        fix: 'remove default from one of them',
      })
    }
    if (plan.isDefault) defaultCode = code
    plans.set(code, plan)
  }
  return plans
}

interface PlanContext {
  readonly code: string
  readonly features: ReadonlyMap<string, Feature>
}

function readPlan(field: Field, { code, features }: PlanContext): Plan {
  const option = readOptions(field, ['name', 'price', 'interval', 'consumption', 'default', 'features'])
  const price = readPrice(option('price'))
  const interval = readWord(
    option('interval'),
    ['month', 'year'],
    "week, quarter and one_time are not supported yet, so write 'month' or 'year'",
  )
  if (option('consumption').value !== undefined) {
    readWord(option('consumption'), ['metered'], "credits and balance are not supported yet, so write 'metered' or leave it out")
  }
  return {
    code,
    name: readName(option('name')) ?? code,
    price,
    interval,
    intervalMonths: INTERVAL_MONTHS[interval],
    isFree: isZero(price),
    isDefault: readFlag(option('default')) ?? false,
    features: readPlanFeatures(option('features'), { features, isFree: isZero(price) }),
  }
}

interface TermsContext {
  readonly features: ReadonlyMap<string, Feature>
  readonly isFree: boolean
}

function readPlanFeatures(field: Field, { features, isFree }: TermsContext): Map<string, PlanFeature> {
  const terms = new Map<string, PlanFeature>()
  if (field.value === undefined) return terms
  const option = readCodes(field, features)
  for (const feature of features.values()) {
    const entry = option(feature.code)
    if (entry.value === undefined) continue
    if (feature.type === 'metered') terms.set(feature.code, readMeteredTerms(entry, { feature: feature.code, isFree }))
    else if (readSwitch(entry)) terms.set(feature.code, { kind: 'boolean', feature: feature.code })
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

function readSwitch(field: Field): boolean {
  return readFlag(field) ?? false
}

function readMeteredTerms(
  field: Field,
  { feature, isFree }: { readonly feature: string; readonly isFree: boolean },
): MeteredTerms {
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
