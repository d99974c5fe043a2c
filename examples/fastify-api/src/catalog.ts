/** The plan file: what this API sells, and for how much. */

import { defineCatalog } from '@farebox/core'

export const catalog = defineCatalog({
  currency: 'USD',
  features: { redirects: { type: 'metered', name: 'Redirects', default: true } },
  plans: {
    free: { name: 'Free', price: '0', interval: 'month', default: true, features: { redirects: { included: 100 } } },
    business: {
      name: 'Business',
      price: '5.00',
      interval: 'month',
      // Beyond the allowance each thousand that is begun costs two dollars.
      features: { redirects: { included: 10, overage: { model: 'package', size: 1000, price: '2.00' } } },
    },
  },
})

declare module '@farebox/core' {
  interface Register {
    catalog: typeof catalog
  }
}
