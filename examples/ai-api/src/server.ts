/** Puts engine, price list, application and server together. */

import { modelPrices } from '@farebox/ai'
import { createFarebox, type Farebox } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { serve } from '@hono/node-server'
import { createApp } from './app.ts'
import { catalog } from './catalog.ts'
import { createParrot } from './parrot.ts'

export interface Running {
  readonly farebox: Farebox
  readonly url: string
  /** An API key of a customer on the Prepaid plan. */
  readonly key: string
  /** Resolves when the answers in flight are out and settled. */
  stop(): Promise<void>
}

const CUSTOMER = 'demo'

export interface StartOptions {
  /** Of the routes of the operator. */
  readonly adminKey?: string
  readonly wordEveryMs?: number
}

/** Port 0 takes a free one. Rejects when the port is in use. */
export async function start(port: number, { adminKey, wordEveryMs }: StartOptions = {}): Promise<Running> {
  const farebox = createFarebox({
    catalog,
    // A file in real life: what is counted is lost with the process here.
    store: sqlite({ path: ':memory:' }),
    // Prices of over 1,600 models, without a network.
    models: modelPrices(),
    upgradeUrl: 'https://example.com/plans',
  })
  await farebox.subscriptions.create({ customerId: CUSTOMER, plan: 'prepaid' })
  // The base price is due at once. A service that stays calls this every hour.
  await farebox.closePeriods()
  const { key } = await farebox.apiKeys.create({ customerId: CUSTOMER, name: 'npm start' })

  const app = createApp({ farebox, parrot: createParrot(wordEveryMs), ...(adminKey === undefined ? {} : { adminKey }) })
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
