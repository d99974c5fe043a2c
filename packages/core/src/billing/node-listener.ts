/** The router on Node's own http, with the bodies that other middleware may have read already. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { getRequestListener } from '@hono/node-server'
import type { BillingRouter } from './billing.ts'
import { Problem, problemResponse } from './problems.ts'

type NodeRequest = (IncomingMessage | Http2ServerRequest) & { body?: unknown; rawBody?: unknown }

/**
 * A listener for `http.createServer` and for middleware that is mounted on a path (`app.use('/billing', listener)`), which
 * takes its own prefix off the URL. Global objects stay as they are. Where a body parser was first, its raw bytes are used
 * (`rawBody`, or `body` as bytes), or what it made of JSON; where nothing is left to read, the answer is 400 `body_consumed`.
 */
export function nodeListener(
  router: BillingRouter,
): (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse) => void {
  const listen = getRequestListener((request) => router.fetch(request), { overrideGlobalObjects: false })
  const refuse = getRequestListener(() => problemResponse(CONSUMED), { overrideGlobalObjects: false })
  return (request, response) => {
    void (restoreBody(request) ? listen : refuse)(request, response)
  }
}

const CONSUMED = new Problem(
  'body_consumed',
  'Expected a body to read, but middleware before this route has read it and kept nothing: mount billing() before it.',
)

/** Gives the bytes back that a body parser took. Whether there is something to read. */
function restoreBody(request: NodeRequest): boolean {
  const { method, body } = request
  if (method === 'GET' || method === 'HEAD' || method === 'DELETE' || !isRead(request)) return true
  if (Buffer.isBuffer(request.rawBody)) return true
  const bytes = bytesOf(body, request.headers['content-type']) ?? (isBodyless(request) ? Buffer.alloc(0) : null)
  if (bytes === null) return false
  request.rawBody = bytes
  return true
}

function isBodyless({ headers }: NodeRequest): boolean {
  return Number(headers['content-length'] ?? 0) === 0 && headers['transfer-encoding'] === undefined
}

function isRead(request: NodeRequest): boolean {
  return request.readableEnded || request.readableDidRead
}

function bytesOf(body: unknown, contentType: string | undefined): Buffer | null {
  if (Buffer.isBuffer(body)) return body
  if (body instanceof Uint8Array) return Buffer.from(body)
  if (typeof body === 'string') return Buffer.from(body)
  const isJson = /^application\/([\w.-]+\+)?json\b/i.test(contentType ?? '')
  return isJson && typeof body === 'object' && body !== null ? Buffer.from(JSON.stringify(body)) : null
}
