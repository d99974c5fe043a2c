/** Plans as code: checks a catalog's definition and compiles it. */

import { createHash } from 'node:crypto'
import { FareboxError } from '../errors.ts'
import { isCurrency } from '../values/currency.ts'
import type { Catalog, Offer } from './catalog.ts'
import { type CouponDefinition, readCoupons } from './coupon.ts'
import { type CreditPackDefinition, readCreditPacks } from './credits.ts'
import { type Field, type FieldCurrency, readList, readOptions, refuse } from './definition.ts'
import { catalogDocument, type CatalogContent, definitionsOf } from './document.ts'
import { type FeatureDefinition, readFeatures } from './feature.ts'
import { type PlanDefinition, readPlans } from './plan.ts'

/** A catalog as a developer writes it. */
export interface CatalogDefinition<F extends string = string, P extends string = string> {
  /** ISO 4217, in capitals. */
  readonly currency: string
  /**
   * Further currencies. Then each price is written for all of them, such as `{ USD: '29.00', EUR: '27.00' }`, and a customer is billed
   * in one of them.
   */
  readonly currencies?: readonly string[]
  /** What is sold, by code. */
  readonly features: { readonly [Code in F]: FeatureDefinition }
  /** What customers subscribe to, by code. */
  readonly plans: { readonly [Code in P]: PlanDefinition<NoInfer<F>> }
  /** Credits that are bought at once and never expire, by code. */
  readonly creditPacks?: { readonly [code: string]: CreditPackDefinition }
  /** Reductions that customers redeem, by code. */
  readonly coupons?: { readonly [code: string]: CouponDefinition }
}

/**
 * Checks and compiles a catalog. A misspelt feature code is a compile error. Throws `invalid_catalog`, `unknown_feature`,
 * `unknown_plan` or `invalid_price` with one sentence that names the field, its value, what was expected and the fix.
 *
 * @example
 * const catalog = defineCatalog({
 *   currency: 'USD',
 *   features: { api_calls: { type: 'metered', name: 'API calls' } },
 *   plans: {
 *     free: { price: '0', interval: 'month', features: { api_calls: { included: 10 } } },
 *     pro: { price: '29.00', interval: 'month', features: { api_calls: { included: 100, overage: { model: 'per_unit', price: '0.10' } } } },
 *   },
 * })
 */
export function defineCatalog<const F extends string, const P extends string>(
  definition: CatalogDefinition<F, P>,
): Catalog<F, P> {
  const content = readCatalog(definition)
  return compiled<F, P>(content, catalogDocument(content))
}

/** Makes a catalog from the `document` of an earlier one; its version is the same. Throws `invalid_catalog`. */
export function parseCatalog(document: string): Catalog {
  // The version is that of the text: a later Farebox that writes documents differently still knows it by its old name.
  const [main, ...others] = definitionsOf(parsed(document)).map((definition) => readCatalog(definition))
  if (main === undefined) return refuse({ path: '', value: undefined }, { expected: 'a catalog', fix: 'give its document' })
  const offers = new Map(main.offers)
  for (const { currency, offers: own } of others) {
    const offer = own.get(currency)
    if (offer !== undefined) offers.set(currency, offer)
  }
  return compiled({ ...main, offers }, document)
}

const OPTIONS = ['currency', 'currencies', 'features', 'plans', 'creditPacks', 'coupons']

function readCatalog(definition: unknown): CatalogContent {
  const option = readOptions({ path: '', value: definition }, OPTIONS)
  const currency = readCurrency(option('currency'))
  const features = readFeatures(option('features'))
  const all = [currency, ...readFurther(option('currencies'), currency)]
  const offers = new Map<string, Offer>()
  for (const code of all) {
    const reading: FieldCurrency = { code, all }
    const plans = readPlans({ ...option('plans'), currency: reading }, features)
    const creditPacks = readCreditPacks({ ...option('creditPacks'), currency: reading })
    offers.set(code, {
      currency: code,
      plans,
      creditPacks,
      coupons: readCoupons({ ...option('coupons'), currency: reading }, plans),
    })
  }
  return { currency, features, offers }
}

function readCurrency(field: Field): string {
  const { value } = field
  if (typeof value === 'string' && isCurrency(value)) return value
  return refuse(field, { expected: 'an ISO 4217 currency code in capitals', fix: "write it such as 'USD' or 'EUR'" })
}

/** There are fewer in use. */
const MAX_CURRENCIES = 200

function readFurther(field: Field, main: string): string[] {
  if (field.value === undefined) return []
  const seen = new Set([main])
  return readList(field, MAX_CURRENCIES).map((entry) => {
    const code = readCurrency(entry)
    if (seen.has(code)) refuse(entry, { expected: 'each currency once', fix: 'remove it' })
    seen.add(code)
    return code
  })
}

function compiled<F extends string, P extends string>(
  { currency, features, offers }: CatalogContent,
  document: string,
): Catalog<F, P> {
  const main = offers.get(currency)
  if (main === undefined)
    return refuse({ path: 'currency', value: currency }, { expected: 'a currency with plans', fix: 'fix it' })
  return {
    version: contentHash(document),
    document,
    currency,
    // The keys of the definition are its codes: what was read has no others.
    features: features as CatalogContent['features'] & Catalog<F, P>['features'],
    plans: main.plans as Offer['plans'] & Catalog<F, P>['plans'],
    offers,
    defaultFeature: defaultCode(features) as F | null,
    defaultPlan: defaultCode(main.plans) as P | null,
  }
}

function defaultCode(entries: ReadonlyMap<string, { readonly isDefault: boolean }>): string | null {
  for (const [code, { isDefault }] of entries) if (isDefault) return code
  return null
}

/** 64 bits tell the versions of one catalog apart. */
const VERSION_LENGTH = 16

function contentHash(document: string): string {
  return createHash('sha256').update(document).digest('hex').slice(0, VERSION_LENGTH)
}

function parsed(document: string): unknown {
  try {
    return JSON.parse(document)
  } catch (cause) {
    throw new FareboxError(
      'invalid_catalog',
      'Expected the JSON document of a catalog, got other text: give what catalog.document holds',
      { cause },
    )
  }
}
