/** What the command line replays an access log against: an API on Express with an allowance of one call. */

import { defineCatalog } from '@farebox/core'
import { meter } from '@farebox/express'
import express from 'express'
import type { ReplayTarget } from 'farebox/replay'

const catalog = defineCatalog({
  currency: 'USD',
  features: { calls: { type: 'metered', default: true } },
  plans: { free: { price: '0', interval: 'month', features: { calls: { included: 1 } } } },
})

const target: ReplayTarget = {
  catalog,
  createApp({ farebox, identify }) {
    const app = express()
    app.use(meter({ farebox, identify }))
    app.get('/hello', (_req, res) => void res.send('hello'))
    return app
  },
  planFor: () => 'free',
}

export default target
