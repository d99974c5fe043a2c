/** What the proofs sell: a plan with a hard limit, one without, and one that bills what goes beyond its allowance. */

import { type Catalog, defineCatalog } from '@farebox/core'

/** Included units of the plan `capped`, which blocks. */
export const CAPPED_UNITS = 100

/** Included units of the plan `large`, which blocks too, late enough for a loop of kills. */
export const LARGE_UNITS = 1_500

export const catalog: Catalog<'api_calls'> = defineCatalog({
  currency: 'USD',
  features: { api_calls: { type: 'metered', name: 'API calls', default: true } },
  plans: {
    capped: { name: 'Capped', price: '0', interval: 'month', features: { api_calls: { included: CAPPED_UNITS } } },
    large: { name: 'Large', price: '0', interval: 'month', features: { api_calls: { included: LARGE_UNITS } } },
    open: { name: 'Open', price: '0', interval: 'month', features: { api_calls: { included: 'unlimited' } } },
    billed: {
      name: 'Billed',
      price: '5.00',
      interval: 'month',
      features: { api_calls: { included: 10, overage: { model: 'per_unit', price: '0.10' } } },
    },
  },
})
