/** The plan file that the tests of the core use. */

import { defineCatalog } from '../src/catalog/define-catalog.ts'

export const catalog = defineCatalog({
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
    pro: {
      name: 'Pro',
      price: '29.00',
      interval: 'month',
      features: {
        api_calls: { included: 100, overage: { model: 'per_unit', price: '0.10' } },
        downloads: { included: 5, overage: { model: 'graduated', tiers: [{ upTo: 20, price: '0.05' }, { price: '0.02' }] } },
      },
    },
  },
})
