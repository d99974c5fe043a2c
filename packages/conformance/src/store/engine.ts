/** The engine on a store, where a promise of the store shows in what the engine says. */

import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Catalog, createFarebox, defineCatalog, type Farebox, testClock } from '@farebox/core'
import type { Store } from '@farebox/core/contracts'

const catalog: Catalog = defineCatalog({
  currency: 'USD',
  features: { api_calls: { type: 'metered', name: 'API calls', default: true } },
  plans: {
    pro: {
      name: 'Pro',
      price: '29.00',
      interval: 'month',
      default: true,
      features: { api_calls: { included: 10, overage: { model: 'per_unit', price: '0.25' } } },
    },
  },
})

/** An engine whose clock stands at an instant. */
export function engineOn(store: Store, now: number): Farebox {
  // Nothing of the application whose tests these are is delivered into the database of a check.
  const spool = path.join(tmpdir(), `farebox-conformance-${randomUUID()}`)
  return createFarebox({ catalog, store, clock: testClock(now), spool })
}
