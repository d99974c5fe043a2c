/** The suite of all adapters, on every server of the Nest of this run. */

import { adapterSuite, type Check, type Listen, runCheck } from '@farebox/conformance'
import { expect, test } from 'vitest'
import { listen, type Server, SERVERS } from './sample-app.ts'

const nest = `Nest ${process.env['NEST_MAJOR']}`

const fastify = { C45: 'Fastify runs nothing of a route once middleware has answered, so nothing is metered' }

const SKIP: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'Nest 11 on Express': { C44: 'Nest 11 sends no web responses on Express' },
  'Nest 11 on Fastify': fastify,
  'Nest 12 on Fastify': fastify,
}

const http2 = {
  ...fastify,
  C40: 'Fastify resets an HTTP/2 stream that breaks off without an error code, so its client cannot tell; how it is settled is tested below',
}

for (const server of Object.keys(SERVERS) as Server[]) {
  const { protocol } = SERVERS[server]
  const name = `${nest} on ${server}`
  const skip = protocol === 'http2' ? http2 : (SKIP[name] ?? {})
  adapterSuite({ name, listen: (sample) => listen(sample, server), protocol, skip })
}

const brokenOff: Check['run'] = async (world) => {
  const statuses: number[] = []
  const app = await world.start({ options: { billWhen: ({ status }) => statuses.push(status) > 0, onAbort: 'void' } })
  const request = app.open('GET /broken')
  expect(await request.chunk()).toBe('first ')
  app.controls.release('rest')
  await request.answer()
  expect(await app.billed()).toEqual([])
  expect(statuses).toEqual([])
}

test('over HTTP/2 too, a stream that the server breaks off is settled once as not finished', async () => {
  const check: Check = { id: 'C40', situations: [40], level: 'MUST', title: 'broken off', run: brokenOff }
  const listenHttp2: Listen = (sample) => listen(sample, 'Fastify with HTTP/2')
  await expect(runCheck(check, { listen: listenHttp2, protocol: 'http2' })).resolves.toBeUndefined()
})
