/** This application as `farebox replay` takes it: `farebox replay access.log --app examples/express-api/src/target.ts`. */

import type { ReplayTarget } from 'farebox/replay'
import { createApp } from './app.ts'
import { catalog } from './catalog.ts'

const target: ReplayTarget = {
  catalog,
  createApp,
  planFor: ({ lines }) => (lines >= 100 ? 'pro' : lines >= 20 ? 'starter' : 'free'),
  upgradeUrl: 'https://example.com/plans',
}

export default target
