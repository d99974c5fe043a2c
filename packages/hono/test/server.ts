/** A real server of @hono/node-server on a real port for the length of one test, and clients that can hang up. */

import http from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import { onTestFinished } from 'vitest'

export interface Server {
  readonly port: number
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** Sends `METHOD /path` as it stands, to be destroyed by the test. */
  open(request: string): http.ClientRequest
}

interface ServerOptions {
  /** Whether node-server puts its own Request and Response in the place of the global ones, as it does by default. */
  readonly overrideGlobalObjects?: boolean
}

export async function start(app: Hono, { overrideGlobalObjects = false }: ServerOptions = {}): Promise<Server> {
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects })
  const port = await listening(server)
  onTestFinished(() => (server as http.Server).closeAllConnections())
  return {
    port,
    fetch: (path, init) => fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init }),
    open(request) {
      const [method = 'GET', path = '/'] = request.split(' ')
      // A client that hangs up sees its own hanging up as an error.
      return http.request({ host: '127.0.0.1', port, method, path }).on('error', () => {})
    },
  }
}

/** The same over HTTP/2 without encryption. */
export async function startHttp2(app: Hono): Promise<http2.ClientHttp2Session> {
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false, createServer: http2.createServer })
  const client = http2.connect(`http://127.0.0.1:${await listening(server)}`)
  onTestFinished(() => client.destroy())
  return client
}

async function listening(server: ReturnType<typeof createAdaptorServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}
