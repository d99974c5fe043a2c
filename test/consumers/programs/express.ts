/** An API on Express with an allowance of one call. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createFarebox, defineCatalog } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { meter } from '@farebox/express'
import express from 'express'

const catalog = defineCatalog({
  currency: 'USD',
  features: { calls: { type: 'metered', default: true } },
  plans: { free: { price: '0', interval: 'month', default: true, features: { calls: { included: 1 } } } },
})
const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }) })

const app = express()
app.use(meter({ identify: (req) => req.get('x-user') ?? null }))
app.get('/hello/:name', (req, res) => {
  res.json({ hello: req.params.name, left: req.meter?.remaining })
})

async function main() {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const call = () => fetch(`http://127.0.0.1:${port}/hello/ada`, { headers: { 'x-user': 'ada' } })
  console.log((await call()).status, (await call()).status)
  server.close()
  server.closeAllConnections()
  await farebox.stop()
}

void main()
