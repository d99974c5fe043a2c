/** One request at its gate, on either platform: the gate is asked once and its answer acted on. */

import { enter, type Gate, type MeterContext, type NodeResponse, type Reply } from '@farebox/core/http'
import type { CallHandler, ExecutionContext } from '@nestjs/common'
import { NEVER, type Observable } from 'rxjs'

/** What a meter's functions can rely on of the request of either platform. */
export interface NestRequest {
  readonly method: string
  readonly originalUrl: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The request's own metering; undefined where nothing meters it. */
  meter?: MeterContext
  /** The route's pattern: on Fastify, and on Express. */
  readonly routeOptions?: { readonly url?: string }
  readonly route?: { readonly path: string | RegExp | readonly string[] }
  /** What guards and middleware put there. */
  readonly [name: string]: unknown
}

/** The response of Fastify. */
interface FastifyReply {
  readonly raw: NodeResponse & { end(): unknown }
  hijack(): unknown
  code(status: number): FastifyReply
  header(name: string, value: string): FastifyReply
  send(body: Uint8Array): unknown
}

/** The response of Express. */
type ExpressResponse = NodeResponse & { end(body?: string): unknown }

/** Runs what follows when the gate admits the request. A request that is answered here runs nothing: no pipe, no handler, no filter. */
export async function admit(gate: Gate<NestRequest>, context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
  const http = context.switchToHttp()
  const raw = http.getRequest<NestRequest>()
  const response = http.getResponse<FastifyReply | ExpressResponse>()
  const { method, originalUrl: path } = raw
  const passage = await enter(
    gate,
    { method, path, route: routeOf(raw), header, raw },
    'raw' in response ? response.raw : response,
  )
  switch (passage.kind) {
    case 'proceed':
      if (passage.meter !== undefined) raw.meter = passage.meter
      return next.handle()
    case 'refused':
      if ('raw' in response) sendFastify(passage.reply, response)
      else sendExpress(passage.reply, response)
      return NEVER
    case 'gone':
      if ('raw' in response) response.hijack()
      return NEVER
  }
}

function routeOf({ routeOptions, route }: NestRequest): string | null {
  const pattern = routeOptions?.url ?? route?.path
  return pattern === undefined ? null : String(pattern)
}

/** A method, so that no request makes a function. Node joins repeated headers, but for a few that nobody identifies by. */
function header(this: { readonly raw: NestRequest }, name: string): string | undefined {
  const value = this.raw.headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

/** Sent, not thrown, so that an application's filter cannot make a 500 of it; as bytes, because to text Fastify adds a charset that JSON does not have. */
function sendFastify({ status, headers, body }: Reply, reply: FastifyReply): void {
  for (const [name, value] of headers) reply.header(name, value)
  reply.code(status).send(new TextEncoder().encode(body))
}

function sendExpress({ status, headers, body }: Reply, response: ExpressResponse): void {
  if (response.headersSent) return void response.end()
  response.statusCode = status
  for (const [name, value] of headers) response.setHeader(name, value)
  response.end(body)
}
