/** The plan file: what this API sells, and for how much. */

import { defineCatalog } from '@farebox/core'

export const catalog = defineCatalog({
  currency: 'EUR',
  features: {
    api_calls: { type: 'metered', name: 'API calls', default: true },
    forecast_days: { type: 'metered', name: 'Forecast days', unit: 'day' },
  },
  plans: {
    free: {
      name: 'Free',
      price: '0',
      interval: 'month',
      default: true,
      features: { api_calls: { included: 20 }, forecast_days: { included: 5 } },
    },
    team: {
      name: 'Team',
      price: '19.00',
      interval: 'month',
      features: {
        api_calls: { included: 3, overage: { model: 'per_unit', price: '0.01' } },
        forecast_days: { included: 4, overage: { model: 'per_unit', price: '0.05' } },
      },
    },
  },
})

declare module '@farebox/core' {
  interface Register {
    catalog: typeof catalog
  }
}
