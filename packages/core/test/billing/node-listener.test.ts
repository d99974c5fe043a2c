/** The router behind middleware of Node frameworks: what it can still read, and what it leaves alone. */

import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished, expect, test } from 'vitest'
import { nodeListener } from '../../src/billing/index.ts'
import { ADMIN, start } from './start.ts'

type Prepared = http.IncomingMessage & { body?: unknown; rawBody?: unknown }

/** Serves the router behind something that has had the request before. */
async function behind(prepare: (request: Prepared) => Promise<void>) {
  const { router, farebox } = await start()
  const listen = nodeListener(router)
  const server = http.createServer((request, response) => void prepare(request).then(() => listen(request, response)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const report = (body: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}/admin/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json', ...headers },
      body,
      signal: AbortSignal.timeout(3_000),
    })
  return { farebox, report, port }
}

async function read(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const ODD = ' {\n\t"customer" : "ada", "feature":"api_calls" ,"properties":{"name":"Zo\u00eb \u2603"} } '

test.each<[string, (request: Prepared) => Promise<void>]>([
  ['nothing', async () => {}],
  ['a parser that keeps the raw bytes', async (request) => void (request.rawBody = await read(request))],
  ['a parser that gives the bytes', async (request) => void (request.body = await read(request))],
  ['a parser that gives text', async (request) => void (request.body = (await read(request)).toString())],
  ['a JSON parser', async (request) => void (request.body = JSON.parse((await read(request)).toString()) as unknown)],
])('after %s a body is read as it was sent', async (_what, prepare) => {
  const { farebox, report } = await behind(prepare)
  expect((await report(ODD)).status).toBe(201)
  expect((await farebox.events.list()).items).toMatchObject([{ customerId: 'ada', properties: { name: 'Zo\u00eb \u2603' } }])
})

test('where the bytes are gone the answer says so at once', async () => {
  const { report } = await behind(async (request) => void (await read(request)))
  const response = await report(ODD)
  expect([response.status, await response.json()]).toMatchObject([400, { code: 'body_consumed', detail: /before it/ }])
})

test('a request without a body is not missed one', async () => {
  const { port } = await behind(async (request) => void (await read(request)))
  const ask = (path: string, method: string) =>
    fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { authorization: `Bearer ${ADMIN}` } })
  expect((await ask('/admin/customers?limit=1', 'GET')).status).toBe(200)
  expect((await ask('/admin/close', 'POST')).status).toBe(200)
})

test('global objects stay as they are', async () => {
  const before = [globalThis.Request, globalThis.Response, globalThis.fetch]
  const { report } = await behind(async () => {})
  await report(ODD)
  expect([globalThis.Request, globalThis.Response, globalThis.fetch]).toEqual(before)
})
