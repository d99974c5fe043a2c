/** An API on Fastify with an allowance of one call. */

import { createFarebox, defineCatalog } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { meter } from '@farebox/fastify'
import fastify from 'fastify'

const catalog = defineCatalog({
  currency: 'USD',
  features: { calls: { type: 'metered', default: true } },
  plans: { free: { price: '0', interval: 'month', default: true, features: { calls: { included: 1 } } } },
})
const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }) })

async function main() {
  const app = fastify({ forceCloseConnections: true })
  await app.register(meter, { identify: (request) => request.headers['x-user']?.toString() ?? null })
  app.get<{ Params: { name: string } }>('/hello/:name', (request) => ({
    hello: request.params.name,
    left: request.meter?.remaining,
  }))

  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const call = () => fetch(`${url}/hello/ada`, { headers: { 'x-user': 'ada' } })
  console.log((await call()).status, (await call()).status)
  await app.close()
  await farebox.stop()
}

void main()
