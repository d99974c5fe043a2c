/** The plan file: what this API sells, and for how much. */

import { defineCatalog } from '@farebox/core'

export const catalog = defineCatalog({
  currency: 'EUR',
  features: { checks: { type: 'metered', name: 'IBAN checks', default: true } },
  plans: {
    free: { name: 'Free', price: '0', interval: 'month', default: true, features: { checks: { included: 10 } } },
    pro: {
      name: 'Pro',
      price: '9.00',
      interval: 'month',
      features: {
        checks: {
          included: 5,
          // The first ten checks beyond the allowance cost ten cents each, the next hundred five, and any more two.
          overage: { model: 'graduated', tiers: [{ upTo: 10, price: '0.10' }, { upTo: 110, price: '0.05' }, { price: '0.02' }] },
        },
      },
    },
  },
})

declare module '@farebox/core' {
  interface Register {
    catalog: typeof catalog
  }
}
