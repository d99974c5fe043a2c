/** An API with its billing routes on a real port, as an application mounts them. */

import type { AddressInfo } from 'node:net'
import { createFarebox, defineCatalog, type Farebox } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { billing, meter } from '@farebox/express'
import express from 'express'
import { onTestFinished } from 'vitest'

export const ADMIN = 'an-admin-key-of-more-than-32-characters'

const catalog = defineCatalog({
  currency: 'USD',
  features: {
    api_calls: { type: 'metered', name: 'API calls', default: true },
    tokens: { type: 'metered', name: 'Tokens' },
  },
  plans: {
    free: {
      name: 'Free',
      price: '0',
      interval: 'month',
      default: true,
      features: { api_calls: { included: 3 }, tokens: { included: 1_000 } },
    },
    pro: {
      name: 'Pro',
      price: '20.00',
      interval: 'month',
      features: {
        api_calls: { included: 100, overage: { model: 'per_unit', price: '0.01' } },
        tokens: { included: 'unlimited' },
      },
    },
    team: {
      name: 'Team',
      price: '80.00',
      interval: 'month',
      features: { api_calls: { included: 1_000 }, tokens: { included: 'unlimited' } },
    },
  },
})

export async function serve(): Promise<{ farebox: Farebox; url: string }> {
  const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }) })
  const app = express()
  app.use(meter({ farebox }))
  app.use('/billing', billing({ farebox, adminKey: ADMIN }))
  app.get('/hello', (_req, res) => void res.json({ hello: 'world' }))
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await farebox.stop({ withinMs: 0 })
  })
  return { farebox, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
