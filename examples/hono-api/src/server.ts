/** Puts engine, application and server together. */

import { createFarebox } from '@farebox/core'
import type { Farebox } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { serve } from '@hono/node-server'
import { createApp } from './app.ts'
import { catalog } from './catalog.ts'

export interface Running {
  readonly farebox: Farebox
  readonly url: string
  /** An API key of a customer on the Pro plan. */
  readonly key: string
  /** Resolves when the answers in flight are out and settled. */
  stop(): Promise<void>
}

const CUSTOMER = 'demo'

/** Port 0 takes a free one. Rejects when the port is in use. */
export async function start(port: number): Promise<Running> {
  // A file in real life: what is counted is lost with the process here.
  const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }), upgradeUrl: 'https://example.com/plans' })
  await farebox.subscriptions.create({ customerId: CUSTOMER, plan: 'pro' })
  // The first base price is due at once; from then on the next invoice has the usage. A service that stays calls this every hour.
  await farebox.closePeriods()
  const { key } = await farebox.apiKeys.create({ customerId: CUSTOMER, name: 'npm start' })

  const app = createApp(farebox)
  const { server, listening } = await new Promise<{ server: ReturnType<typeof serve>; listening: number }>((resolve, reject) => {
    const starting = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, (info) =>
      resolve({ server: starting, listening: info.port }),
    )
    starting.once('error', reject)
  })

  async function stop(): Promise<void> {
    await new Promise((resolve) => server.close(resolve))
    await farebox.stop()
  }
  return { farebox, url: `http://127.0.0.1:${listening}`, key, stop }
}
