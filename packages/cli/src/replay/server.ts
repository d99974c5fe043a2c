/** Serves the application on a loopback port and moves the clock to the time of each line before the application sees it. */

import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestClock } from '@farebox/core'
import { CommandError, codeOf } from '../command-error.ts'
import { LINE_HEADER, TIME_HEADER } from './headers.ts'

export interface ReplayServer {
  readonly port: number
  /** Announces a line. Requests that nobody announced are turned away: the port is open to every process of the machine. */
  expect(number: number): Expected
  stop(): Promise<void>
}

/** A line on its way. */
export interface Expected {
  /** Whether the request reached the application: HTTP's own parser may have refused it. */
  hasArrived(): boolean
  /** The feature that an adapter has marked on the request; null when there is none. */
  markedFeature(): string | null
  /** Resolves when the server has closed the answer, and so has settled it. */
  readonly closed: Promise<void>
  /** Ends the wait. */
  forget(): void
}

interface WaitingLine {
  /** Null until it arrives. */
  request: IncomingMessage | null
  readonly close: () => void
}

/** Heads of lines that another server accepted must pass here too. */
const MAX_HEADER_BYTES = 128 * 1024

/** `port` 0 takes any free one. */
export async function serveReplay(app: RequestListener, clock: TestClock, port: number): Promise<ReplayServer> {
  const waiting = new Map<string, WaitingLine>()

  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
    const line = waiting.get(String(request.headers[LINE_HEADER]))
    if (line === undefined) return turnAway(request, response)
    line.request = request
    response.once('close', line.close)
    // The meter reads the clock when its route matches. As long as nothing before it waits, no other request comes between.
    clock.set(Number(request.headers[TIME_HEADER]))
    app(request, response)
  })
  // Between two lines of a quiet customer a connection may idle for long; closing it would race with the next request.
  server.keepAliveTimeout = 0

  await listen(server, port)
  return {
    port: (server.address() as AddressInfo).port,
    expect(number) {
      const { promise: closed, resolve: close } = Promise.withResolvers<void>()
      const line: WaitingLine = { request: null, close }
      waiting.set(String(number), line)
      return {
        closed,
        hasArrived: () => line.request !== null,
        markedFeature: () => (line.request === null ? null : markOf(line.request)),
        forget: () => waiting.delete(String(number)),
      }
    },
    stop: async () => stop(server),
  }
}

/** `req.meter` of the Express adapter and its like. */
function markOf(request: IncomingMessage & { readonly meter?: { readonly feature?: unknown } }): string | null {
  return typeof request.meter?.feature === 'string' ? request.meter.feature : null
}

function turnAway(request: IncomingMessage, response: ServerResponse): void {
  request.resume()
  response.writeHead(403, { 'content-type': 'text/plain' }).end('This port serves a replay only\n')
}

/** Resolves when the server listens on the loopback address. Rejects with one sentence when the port is taken. */
export async function listen(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ port, host: '127.0.0.1' }, resolve)
  try {
    await promise
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE')
      throw new CommandError(`Port ${port} is in use: stop what listens there, or give another one with --port`)
    if (codeOf(error) === 'EACCES')
      throw new CommandError(`Port ${port} may not be used by this user: give one above 1023 with --port`)
    throw error
  } finally {
    server.off('error', reject)
  }
}

async function stop(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeAllConnections()
  await promise
}
