/** An API on Hono with an allowance of one call. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createFarebox, defineCatalog } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { meter } from '@farebox/hono'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const catalog = defineCatalog({
  currency: 'USD',
  features: { calls: { type: 'metered', default: true } },
  plans: { free: { price: '0', interval: 'month', default: true, features: { calls: { included: 1 } } } },
})
const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }) })

const app = new Hono()
app.use(meter({ identify: (c) => c.req.header('x-user') ?? null }))
app.get('/hello/:name', (c) => c.json({ hello: c.req.param('name'), left: c.get('meter')?.remaining }))

async function main() {
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const call = () => fetch(`http://127.0.0.1:${port}/hello/ada`, { headers: { 'x-user': 'ada' } })
  console.log((await call()).status, (await call()).status)
  server.close()
  await farebox.stop()
}

void main()
