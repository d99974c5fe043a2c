/** One server under measurement, in a process of its own. Usage: node server.ts <variant> <database file> */

import type { AddressInfo } from 'node:net'
import express from 'express'
import { VARIANTS } from './variants.ts'

/** What the parent asks for at the start and the end of a measurement. */
export interface ServerUsage {
  /** Microseconds of CPU, user and system. */
  readonly cpuUs: number
  readonly requests: number
}

const [name = '', file = ''] = process.argv.slice(2)
const make = VARIANTS[name]
if (make === undefined) throw new Error(`Expected one of ${Object.keys(VARIANTS).join('; ')}, got ${name}`)
const variant = await make(file)

let requests = 0
const app = express()
app.disable('x-powered-by')
app.disable('etag')
for (const handler of variant.handlers) app.use(handler)
app.get('/v1/items/:id', (req, res) => {
  requests += 1
  res.json({ id: req.params.id, name: 'item' })
})

const server = app.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
server.keepAliveTimeout = 60_000

process.on('message', (message) => {
  if (message !== 'usage') return
  const { user, system } = process.cpuUsage()
  process.send?.({ cpuUs: user + system, requests } satisfies ServerUsage)
})
process.on('disconnect', () => {
  server.closeAllConnections()
  server.close(() => void variant.stop().then(() => process.exit(0)))
})
