/** The adapter with the real engine behind it, where Express has ways of its own. The rest is the conformance suite's. */

import { createFarebox, defineCatalog, formatQuantity } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import type { Request } from 'express'
import { describe, expect, onTestFinished, test } from 'vitest'
import { meter } from '../src/index.ts'
import { start } from './server.ts'
import { VERSIONS } from './versions.ts'

const catalog = defineCatalog({
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
      features: { api_calls: { included: 3 }, downloads: { included: 10 } },
    },
  },
})

const identify = (req: Request): string | undefined => req.get('x-customer')

const ADA = { headers: { 'x-customer': 'ada' } }

describe.each(VERSIONS)('the engine behind $name', ({ express }) => {
  test('OPTIONS is never counted, also where the application has a route for it, or one for every method with a meter', async () => {
    const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }) })
    onTestFinished(() => farebox.stop())
    const app = express().use(meter({ farebox, identify }))
    app.options('/preflight', (_req, res) => void res.sendStatus(204))
    app.all('/all', meter('downloads', { farebox, identify, units: 4 }), (_req, res) => void res.sendStatus(204))
    const server = await start(app)

    expect(await server.send('OPTIONS /preflight', ADA)).toMatchObject({ status: 204 })
    expect(await server.send('OPTIONS /all', ADA)).toMatchObject({ status: 204 })
    expect(await server.send('PUT /all', ADA)).toMatchObject({ status: 204 })
    await farebox.flush()
    const { items } = await farebox.events.list()
    expect(items.map(({ feature, quantity, route }) => `${feature} ${formatQuantity(quantity)} ${route}`)).toEqual([
      'downloads 4 /all',
    ])
  })
})
