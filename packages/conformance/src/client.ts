/** A client over real sockets, HTTP/1 or HTTP/2, that sends paths as they are written and can go away at any point. */

import http from 'node:http'
import http2 from 'node:http2'
import type { Readable } from 'node:stream'

export type Protocol = 'http1' | 'http2'

export interface Answer {
  readonly status: number
  /** By their lower-case names. */
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

export interface Call {
  /** The customer, as the header `x-customer`. Default `ada`; null: nobody. */
  readonly as?: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** A request under way. */
export interface OpenRequest {
  /** Resolves with the status when the headers have come. */
  readonly status: Promise<number>
  /** The next chunk of the body, or null at its end. Rejects when it was broken off. */
  chunk(): Promise<string | null>
  /** What is left of the answer. Rejects when it is broken off. */
  answer(): Promise<Answer>
  /** Goes away, and resolves when this side has. */
  leave(): Promise<void>
}

export interface Client {
  /** Sends `METHOD /path` and reads the whole answer. */
  send(request: string, call?: Call): Promise<Answer>
  /** Sends `METHOD /path`. */
  open(request: string, call?: Call): OpenRequest
  /** Ends whatever is under way. */
  close(): void
}

export interface ClientOptions {
  readonly url: string
  readonly protocol: Protocol
  /** HTTP/1: whether all requests go over one socket. HTTP/2 has one session in any case. */
  readonly keepAlive?: boolean
}

/** One request of either protocol, with what they have in common. */
interface Exchange {
  readonly head: Promise<{ readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly body: Readable }>
  leave(): Promise<void>
}

type Exchanging = (method: string, path: string, call: Call) => Exchange

export function createClient({ url, protocol, keepAlive = false }: ClientOptions): Client {
  const { exchange, close } = protocol === 'http1' ? createHttp1(url, keepAlive) : createHttp2(url)

  // A check that failed before it awaited an answer has said what is wrong already.
  return { send: (request, call) => quiet(open(request, call).answer()), open, close }

  function open(request: string, call: Call = {}): OpenRequest {
    const at = request.indexOf(' ')
    const { head, leave } = exchange(request.slice(0, at), request.slice(at + 1), call)
    const chunks = head.then(({ body }) => body.setEncoding('utf8')[Symbol.asyncIterator]())
    // Whoever does not wait for an answer does not hear that there was none.
    chunks.catch(() => {})
    async function chunk(): Promise<string | null> {
      const { done, value } = await (await chunks).next()
      return done ? null : String(value)
    }
    return {
      status: quiet(head.then(({ status }) => status)),
      chunk,
      leave,
      async answer() {
        const { status, headers } = await head
        let body = ''
        for (let next = await chunk(); next !== null; next = await chunk()) body += next
        return { status, headers, body }
      },
    }
  }
}

function headersOf({ as = 'ada', headers = {} }: Call): Record<string, string> {
  return as === null ? headers : { 'x-customer': as, ...headers }
}

function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

function createHttp1(url: string, keepAlive: boolean): { exchange: Exchanging; close(): void } {
  const { hostname, port } = new URL(url)
  const agent = new http.Agent({ keepAlive, ...(keepAlive ? { maxSockets: 1 } : {}) })
  const open = new Set<http.ClientRequest>()
  return {
    exchange(method, path, call) {
      const request = http.request({ hostname, port, method, path, headers: headersOf(call), agent })
      open.add(request)
      const closed = new Promise<void>((resolve) => request.on('close', resolve))
      void closed.then(() => open.delete(request))
      const head = new Promise<http.IncomingMessage>((resolve, reject) => request.on('response', resolve).on('error', reject))
      request.end(call.body)
      return {
        head: quiet(head.then((body) => ({ status: body.statusCode ?? 0, headers: body.headers, body }))),
        async leave() {
          request.destroy()
          await closed
        },
      }
    },
    close() {
      for (const request of open) request.destroy()
      agent.destroy()
    },
  }
}

function createHttp2(url: string): { exchange: Exchanging; close(): void } {
  const session = http2.connect(url).on('error', () => {})
  return {
    exchange(method, path, call) {
      const request = session.request(
        { ...headersOf(call), [http2.constants.HTTP2_HEADER_METHOD]: method, [http2.constants.HTTP2_HEADER_PATH]: path },
        { endStream: call.body === undefined },
      )
      if (call.body !== undefined) request.end(call.body)
      const closed = new Promise<void>((resolve) => request.on('close', resolve))
      const head = new Promise<http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader>((resolve, reject) => {
        request.on('response', resolve).on('error', reject)
        request.on('close', () => reject(new Error('the stream was closed without an answer')))
      })
      return {
        head: quiet(head.then((headers) => ({ status: headers[':status'] ?? 0, headers, body: request }))),
        async leave() {
          request.close(http2.constants.NGHTTP2_CANCEL)
          await closed
        },
      }
    },
    close: () => session.destroy(),
  }
}
