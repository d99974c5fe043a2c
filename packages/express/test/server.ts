/** A real server on a real port for the length of one test, and a client that can send what `fetch` would not. */

import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RequestListener } from 'node:http'
import { onTestFinished } from 'vitest'

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

export interface Server {
  readonly port: number
  /** Sends `METHOD /path` and reads the whole answer. */
  send(request: string, options?: { headers?: http.OutgoingHttpHeaders }): Promise<Answer>
  /** Sends `METHOD /path`, to be destroyed by the test. */
  open(request: string): http.ClientRequest
}

/** Starts a server, which the test's end closes. */
export async function start(app: RequestListener): Promise<Server> {
  const server = http.createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo

  function open(request: string, options: http.RequestOptions = {}): http.ClientRequest {
    const [method = 'GET', path = '/'] = request.split(' ')
    const client = http.request({ host: '127.0.0.1', port, method, path, ...options })
    // A client that hangs up sees its own hanging up as an error.
    return client.on('error', () => {})
  }

  return {
    port,
    open: (request) => open(request),
    send: (request, options) =>
      new Promise((resolve, reject) => {
        const client = open(request, options).on('error', reject)
        client.on('response', (response) => {
          let body = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (body += chunk))
          response.on('error', reject)
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
        })
        client.end()
      }),
  }
}

/** Waits until something holds, for what a server does after its client has what it wants. */
export async function until(holds: () => boolean): Promise<void> {
  for (let waitedMs = 0; !holds(); waitedMs += 5) {
    if (waitedMs > 3000) throw new Error('what was waited for did not happen within 3 seconds')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Gives a server the time to do what it must not do. */
export function pause(durationMs = 40): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}
