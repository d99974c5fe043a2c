/** The plan file of the scenarios. */

import { type Catalog, defineCatalog } from '@farebox/core'

export const catalog: Catalog = defineCatalog({
  currency: 'USD',
  features: {
    api_calls: { type: 'metered', name: 'API calls', default: true },
    downloads: { type: 'metered', name: 'Downloads', unit: 'MB' },
  },
  plans: {
    free: {
      name: 'Free',
      price: '0',
      interval: 'month',
      default: true,
      features: { api_calls: { included: 10 }, downloads: { included: 1 } },
    },
    starter: {
      name: 'Starter',
      price: '5.00',
      interval: 'month',
      features: {
        api_calls: { included: 20, overage: { model: 'per_unit', price: '0.25' } },
        downloads: { included: 1, overage: { model: 'package', size: 10, price: '0.50' } },
      },
    },
    pro: {
      name: 'Pro',
      price: '29.00',
      interval: 'month',
      features: {
        api_calls: { included: 100, overage: { model: 'per_unit', price: '0.10' } },
        downloads: { included: 5, overage: { model: 'graduated', tiers: [{ upTo: 20, price: '0.05' }, { price: '0.02' }] } },
      },
    },
    yearly: {
      name: 'Yearly',
      price: '120.00',
      interval: 'year',
      features: { api_calls: { included: 20, overage: { model: 'per_unit', price: '0.25' } } },
    },
  },
})
