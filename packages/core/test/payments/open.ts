/** An engine with the sandbox for the length of one test. */

import { onTestFinished } from 'vitest'
import {
  createFarebox,
  defineCatalog,
  type Farebox,
  type FareboxOptions,
  type Store,
  testClock,
  type TestClock,
} from '../../src/index.ts'
import { type Sandbox, sandbox } from '../../src/providers/sandbox.ts'
import { sqlite } from '../../src/sqlite/store.ts'

export const START = Date.UTC(2026, 0, 1)

export const catalog = defineCatalog({
  currency: 'USD',
  features: { api_calls: { type: 'metered', default: true } },
  plans: {
    credits: { price: '20.00', interval: 'month', consumption: 'credits', credits: 2, features: { api_calls: { credits: 1 } } },
    prepaid: {
      price: '2.00',
      interval: 'month',
      consumption: 'balance',
      blockOnExhaustion: true,
      features: { api_calls: { price: { model: 'fixed', price: '1' } } },
    },
  },
  creditPacks: {
    starter: { price: '10.00', credits: 100 },
    gift: { price: '0', credits: 5 },
  },
})

export const inTwoCurrencies = defineCatalog({
  currency: 'USD',
  currencies: ['EUR'],
  features: { api_calls: { type: 'metered', default: true } },
  plans: { pro: { price: { USD: '29.00', EUR: '27.00' }, interval: 'month', features: { api_calls: { included: 1 } } } },
})

export interface Opened {
  readonly farebox: Farebox
  readonly clock: TestClock
  readonly store: Store
  readonly payments: Sandbox
  readonly errors: unknown[]
}

export function open(options: Partial<FareboxOptions> = {}): Opened {
  const clock = testClock(START)
  const store = sqlite({ path: ':memory:' })
  const payments = sandbox({ clock, baseUrl: 'https://api.example.com/sandbox/' })
  const errors: unknown[] = []
  const farebox = createFarebox({ catalog, store, clock, payments, onError: (error) => errors.push(error), ...options })
  onTestFinished(() => farebox.stop({ withinMs: 0 }))
  return { farebox, clock, store, payments, errors }
}
