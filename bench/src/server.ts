/** One server under measurement, in a process of its own. Usage: node server.ts <framework> <variant> <database file> */

import type { AddressInfo } from 'node:net'
import { served } from './hosts/host.ts'
import { HOSTS } from './hosts/index.ts'

/** What the parent asks for at the start and the end of a measurement. */
export interface ServerUsage {
  /** Microseconds of CPU, user and system. */
  readonly cpuUs: number
  readonly requests: number
}

const [framework = '', name = '', file = ''] = process.argv.slice(2)
const make = HOSTS[framework]?.[name]
if (make === undefined) throw new Error(`Expected a framework and one of its variants, got ${framework} ${name}`)
const { server, stop } = await make(file)
server.keepAliveTimeout = 60_000
process.send?.({ port: (server.address() as AddressInfo).port })

process.on('message', (message) => {
  if (message !== 'usage') return
  const { user, system } = process.cpuUsage()
  process.send?.({ cpuUs: user + system, requests: served.requests } satisfies ServerUsage)
})
process.on('disconnect', () => {
  server.closeAllConnections()
  server.close(() => void stop().then(() => process.exit(0)))
})
