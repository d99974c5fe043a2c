/** Catalog definitions of the tests: a sound one, the same with one value changed, and what it is refused with. */

import { type CatalogDefinition, defineCatalog } from '../src/catalog/define-catalog.ts'

/** A definition without fault. */
export function sound(): ReturnType<typeof JSON.parse> {
  return {
    currency: 'USD',
    features: { api_calls: { type: 'metered', default: true }, downloads: { type: 'metered' }, sso: { type: 'boolean' } },
    plans: {
      free: { price: '0', interval: 'month', default: true, features: { api_calls: { included: 10 } } },
      pro: {
        price: '29',
        interval: 'month',
        features: {
          downloads: { included: 5, overage: { model: 'graduated', tiers: [{ upTo: 20, price: '0.05' }, { price: '0.02' }] } },
        },
      },
    },
  }
}

/** The error that a definition is refused with. */
export function refusalOf(definition: CatalogDefinition): { readonly code: string; readonly message: string } {
  try {
    defineCatalog(definition)
  } catch (error) {
    return error as { readonly code: string; readonly message: string }
  }
  throw new Error('the definition was accepted')
}

/** A sound definition but for the value at a path such as `plans.pro.price`. */
export function withValue(path: string, value: unknown): CatalogDefinition {
  return withValues({ [path]: value })
}

/** The same with several, each copied. */
export function withValues(values: Readonly<Record<string, unknown>>): CatalogDefinition {
  const definition = sound()
  for (const [path, value] of Object.entries(values)) {
    const names = path.split('.')
    const last = names.pop() ?? ''
    names.reduce((at, name) => (at[name] ??= {}), definition)[last] = structuredClone(value)
  }
  return definition
}
