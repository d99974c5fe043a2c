/** Puts engine and application together. */

import { createFarebox } from '@farebox/core'
import type { Farebox } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { createApp } from './app.ts'
import { catalog } from './catalog.ts'

export interface Running {
  readonly farebox: Farebox
  readonly url: string
  /** Resolves when the answers in flight are out and settled. */
  stop(): Promise<void>
}

export const CUSTOMER = 'demo'

/** Port 0 takes a free one. Rejects when the port is in use. */
export async function start(port: number): Promise<Running> {
  // A file in real life: what is counted is lost with the process here.
  const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }), upgradeUrl: 'https://example.com/plans' })
  await farebox.subscriptions.create({ customerId: CUSTOMER, plan: 'business' })
  // The first base price is due at once; from then on the next invoice has the usage. A service that stays calls this every hour.
  await farebox.closePeriods()
  const app = await createApp(farebox)
  const url = await app.listen({ port, host: '127.0.0.1' })

  async function stop(): Promise<void> {
    await app.close()
    await farebox.stop()
  }
  return { farebox, url, stop }
}
