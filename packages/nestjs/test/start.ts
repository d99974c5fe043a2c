/** A real Nest application on a real port for the length of one test, on the platform that is asked for. */

import 'reflect-metadata'
import { type Catalog, createFarebox, defineCatalog, type Farebox } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import type { DynamicModule, INestApplication, Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { onTestFinished } from 'vitest'
import { FareboxModule, type FareboxModuleOptions, type NestRequest } from '../src/index.ts'

export type Platform = 'express' | 'fastify'

export const PLATFORMS: readonly Platform[] = ['express', 'fastify']

export const LIMIT = 3

export const catalog: Catalog = defineCatalog({
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
      features: { api_calls: { included: LIMIT }, downloads: { included: 10 } },
    },
  },
})

/** An engine of its own for a test, which is not the one of the process. */
export function startFarebox(): Farebox {
  const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }) })
  onTestFinished(() => farebox.stop({ withinMs: 0 }))
  return farebox
}

export const identify = ({ headers }: NestRequest): string | undefined => headers['x-customer']?.toString()

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

export interface Served {
  readonly app: INestApplication
  readonly port: number
  /** Sends `METHOD /path` as a customer. */
  send(request: string, headers?: Record<string, string>): Promise<Answer>
}

export interface Serving {
  readonly platform: Platform
  readonly controllers: readonly Type[]
  readonly module: DynamicModule
  readonly imports?: readonly DynamicModule[]
  readonly prepare?: (app: INestApplication) => void
}

export async function serve({ platform, controllers, module, imports = [], prepare }: Serving): Promise<Served> {
  class AppModule {}
  const root: DynamicModule = { module: AppModule, imports: [module, ...imports], controllers: [...controllers] }
  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter()
  const app = await NestFactory.create(root, adapter, { logger: false, abortOnError: false })
  prepare?.(app)
  await app.listen(0, '127.0.0.1')
  onTestFinished(async () => {
    app.getHttpServer().closeAllConnections()
    await app.close()
  })
  const { port } = app.getHttpServer().address() as { port: number }
  return {
    app,
    port,
    async send(request, headers = { 'x-customer': 'ada' }) {
      const [method = 'GET', path = '/'] = request.split(' ')
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, redirect: 'manual' })
      return { status: response.status, headers: response.headers, body: await response.text() }
    },
  }
}

/** The module with the engine of the test. */
export function metered(farebox: Farebox, options: FareboxModuleOptions = {}): DynamicModule {
  return FareboxModule.forRoot({ farebox, identify, ...options })
}

/** What was billed, by route, as the log holds it. */
export async function billed(farebox: Farebox): Promise<string[]> {
  await farebox.flush()
  return (await farebox.events.list()).items.map(({ feature, quantity, route }) => `${feature} ${quantity / 1_000_000n} ${route}`)
}
