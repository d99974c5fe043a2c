/** The plan file: what this API sells, and for how much. */

import { defineCatalog } from '@farebox/core'

/** Each token at the price of its model on that day, and a quarter on top. */
const tokens = { model: 'ai_model', margin: '25' } as const

export const catalog = defineCatalog({
  currency: 'USD',
  features: { chat: { type: 'metered', name: 'Chat', unit: 'answer', default: true } },
  plans: {
    free: {
      name: 'Free',
      price: '0',
      interval: 'month',
      consumption: 'balance',
      includedBalance: '0.001',
      default: true,
      features: { chat: { price: tokens } },
    },
    // Its price is the balance that a month begins with. At zero it stops, rather than running up a debt.
    prepaid: {
      name: 'Prepaid',
      price: '5.00',
      interval: 'month',
      consumption: 'balance',
      blockOnExhaustion: true,
      features: { chat: { price: tokens } },
    },
  },
})

declare module '@farebox/core' {
  interface Register {
    catalog: typeof catalog
  }
}
