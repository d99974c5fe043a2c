/** The suite of all adapters, on both platforms of the Nest of this run. */

import { adapterSuite } from '@farebox/conformance'
import { listen, type Server, SERVERS } from './sample-app.ts'

const nest = `Nest ${process.env['NEST_MAJOR']}`

for (const server of Object.keys(SERVERS) as Server[])
  adapterSuite({
    name: `${nest} on ${server}`,
    listen: (sample) => listen(sample, server),
    protocol: SERVERS[server].protocol,
  })
