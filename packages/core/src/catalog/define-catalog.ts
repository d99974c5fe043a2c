/** Plans as code: checks a catalog's definition and compiles it. */

import { createHash } from 'node:crypto'
import { FareboxError } from '../errors.ts'
import { isCurrency } from '../values/currency.ts'
import type { Catalog } from './catalog.ts'
import { type Field, readOptions, refuse } from './definition.ts'
import { type CatalogContent, catalogDocument } from './document.ts'
import { type FeatureDefinition, readFeatures } from './feature.ts'
import { type PlanDefinition, readPlans } from './plan.ts'

/** A catalog as a developer writes it. */
export interface CatalogDefinition<F extends string = string, P extends string = string> {
  /** ISO 4217, in capitals. */
  readonly currency: string
  /** What is sold, by code. */
  readonly features: { readonly [Code in F]: FeatureDefinition }
  /** What customers subscribe to, by code. */
  readonly plans: { readonly [Code in P]: PlanDefinition<NoInfer<F>> }
}

/**
 * Checks and compiles a catalog. A misspelt feature code is a compile error. Throws `invalid_catalog`, `unknown_feature` or
 * `invalid_price` with one sentence that names the field, its value, what was expected and the fix.
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
  return compiled(readCatalog(parsed(document)), document)
}

function readCatalog(definition: unknown): CatalogContent {
  const option = readOptions({ path: '', value: definition }, ['currency', 'features', 'plans'])
  const currency = readCurrency(option('currency'))
  const features = readFeatures(option('features'))
  return { currency, features, plans: readPlans(option('plans'), features) }
}

function readCurrency(field: Field): string {
  const { value } = field
  if (typeof value === 'string' && isCurrency(value)) return value
  return refuse(field, { expected: 'an ISO 4217 currency code in capitals', fix: "write it such as 'USD' or 'EUR'" })
}

function compiled<F extends string, P extends string>(
  { currency, features, plans }: CatalogContent,
  document: string,
): Catalog<F, P> {
  return {
    version: contentHash(document),
    document,
    currency,
    // The keys of the definition are its codes: what was read has no others.
    features: features as CatalogContent['features'] & Catalog<F, P>['features'],
    plans: plans as CatalogContent['plans'] & Catalog<F, P>['plans'],
    defaultFeature: defaultCode(features) as F | null,
    defaultPlan: defaultCode(plans) as P | null,
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
