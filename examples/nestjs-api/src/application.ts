/** Puts engine and application together. */

import 'reflect-metadata'
import { createFarebox } from '@farebox/core'
import type { Farebox } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { billing, FareboxModule } from '@farebox/nestjs'
import type { DynamicModule } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { catalog } from './catalog.ts'
import { WeatherController } from './weather-controller.ts'

export interface Running {
  readonly farebox: Farebox
  readonly url: string
  /** An API key of a customer on the Team plan. */
  readonly key: string
  /** Resolves when the answers in flight are out and settled. */
  stop(): Promise<void>
}

const CUSTOMER = 'demo'

class AppModule {}

/** Port 0 takes a free one. Rejects when the port is in use. */
export async function start(port: number): Promise<Running> {
  // A file in real life: what is counted is lost with the process here.
  const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }), upgradeUrl: 'https://example.com/plans' })
  await farebox.subscriptions.create({ customerId: CUSTOMER, plan: 'team' })
  // The first base price is due at once; from then on the next invoice has the usage. A service that stays calls this every hour.
  await farebox.closePeriods()
  const { key } = await farebox.apiKeys.create({ customerId: CUSTOMER, name: 'npm start' })

  const root: DynamicModule = {
    module: AppModule,
    imports: [FareboxModule.forRoot({ farebox })],
    controllers: [WeatherController],
  }
  const app = await NestFactory.create(root, { logger: ['error', 'warn'], abortOnError: false, forceCloseConnections: true })
  // Usage and invoices for the customer, by the same API key.
  app.use('/billing', billing({ farebox }))
  await app.listen(port, '127.0.0.1')

  async function stop(): Promise<void> {
    await app.close()
    await farebox.stop()
  }
  return { farebox, url: await app.getUrl(), key, stop }
}
