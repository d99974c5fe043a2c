/** The plan file that the tests use. */

import { type Catalog, defineCatalog } from '@farebox/core'

export const catalog: Catalog = defineCatalog({
  currency: 'USD',
  features: {
    api_calls: { type: 'metered', name: 'API calls', default: true },
    downloads: { type: 'metered', name: 'Downloads', unit: 'MB' },
  },
  plans: {
    free: { name: 'Free', price: '0', interval: 'month', default: true, features: { api_calls: { included: 50 } } },
    pro: {
      name: 'Pro',
      price: '29.00',
      interval: 'month',
      features: {
        api_calls: { included: 100, overage: { model: 'per_unit', price: '0.10' } },
        downloads: { included: 5, overage: { model: 'per_unit', price: '0.05' } },
      },
    },
  },
})
