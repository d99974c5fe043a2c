/** A real Fastify application on a real port for the length of one test, with an engine of its own. */

import http2 from 'node:http2'
import { type Catalog, createFarebox, defineCatalog, type Farebox } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { onTestFinished } from 'vitest'
import { type FastifyMeterOptions, meter } from '../src/index.ts'

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

export interface Served {
  readonly app: FastifyInstance
  readonly farebox: Farebox
  /** What the plugin is given. */
  readonly options: FastifyMeterOptions
  /** Starts to listen, and gives the port. */
  listen(): Promise<number>
  /** Sends `METHOD /path` as a customer, without a socket. */
  send(
    request: string,
    headers?: Record<string, string>,
  ): Promise<{ status: number; headers: Record<string, unknown>; body: string }>
  /** What was billed, as the log holds it. */
  billed(): Promise<string[]>
}

export const identify = ({ headers }: FastifyRequest): string | undefined => headers['x-customer']?.toString()

/** An application that nothing is registered on yet. */
export function prepare(
  given: FastifyMeterOptions = {},
  app: FastifyInstance = fastify({ forceCloseConnections: true }),
): Served {
  const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }) })
  onTestFinished(async () => {
    await app.close()
    await farebox.stop({ withinMs: 0 })
  })
  return {
    app,
    farebox,
    options: { farebox, identify, ...given },
    async listen() {
      await app.listen({ port: 0, host: '127.0.0.1' })
      return (app.server.address() as { port: number }).port
    },
    async send(request, headers = { 'x-customer': 'ada' }) {
      const [method = 'GET', url = '/'] = request.split(' ')
      const response = await app.inject({ method: method as 'GET', url, headers })
      return { status: response.statusCode, headers: response.headers, body: response.body }
    },
    async billed() {
      await farebox.flush()
      const { items } = await farebox.events.list()
      return items.map(({ feature, quantity, route }) => `${feature} ${quantity / 1_000_000n} ${route}`)
    },
  }
}

/** An application that is metered. */
export async function start(given: FastifyMeterOptions = {}): Promise<Served> {
  const served = prepare(given)
  await served.app.register(meter, served.options)
  return served
}

/** A client of one HTTP/2 session. */
export function connect(port: number): http2.ClientHttp2Session {
  const session = http2.connect(`http://127.0.0.1:${port}`)
  onTestFinished(() => session.destroy())
  return session.on('error', () => {})
}
