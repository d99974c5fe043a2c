/** The behaviours that every adapter of Farebox has, on Fastify over HTTP/1 and HTTP/2. */

import { adapterSuite } from '@farebox/conformance'
import { listen, listenHttp2 } from './sample-app.ts'

const skip = {
  C45: 'a hook that has answered ends a request in Fastify: nothing of its route runs, and nothing is metered',
}

const http2 = {
  C40: 'Fastify resets an HTTP/2 stream that breaks off without an error code, so its client cannot tell; how it is settled is tested in settlement.test.ts',
}

adapterSuite({ name: 'Fastify', listen, skip })
adapterSuite({ name: 'Fastify over HTTP/2', listen: listenHttp2, protocol: 'http2', skip: { ...skip, ...http2 } })
