/** One request at its gate, on either platform: the gate is asked once and its answer acted on. */

import { enter, type Gate, type MeterContext, type NodeResponse, passageOf, type Reply } from '@farebox/core/http'
import type { ExecutionContext } from '@nestjs/common'

/** What a meter's functions can rely on of the request of either platform. */
export interface NestRequest {
  readonly method: string
  readonly originalUrl: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The request's own metering; undefined where nothing meters it. */
  meter?: MeterContext
  /** The route's pattern: on Fastify, and on Express. */
  readonly routeOptions?: { readonly url?: string }
  readonly route?: { readonly path: string }
  /** What guards and middleware put there. */
  readonly [name: string]: unknown
}

/** What the responses of Express and Fastify have in common. That of Express is Node's own; Fastify's has it as `raw`. */
interface NestResponse extends NodeResponse {
  readonly raw?: NodeResponse & { end(): unknown }
  hijack?(): unknown
  status(code: number): unknown
  header(name: string, value: string): unknown
  send(body: Uint8Array): unknown
  end(): unknown
}

/** True when the gate admits the request. Never resolves when it was answered here or its client is gone, for then nothing is to run. */
export async function admit(gate: Gate<NestRequest>, context: ExecutionContext): Promise<true> {
  const raw = context.switchToHttp().getRequest<NestRequest>()
  const response = context.switchToHttp().getResponse<NestResponse>()
  const { method, routeOptions, route } = raw
  const request = { method, route: routeOptions?.url ?? route?.path ?? null, header, raw }
  const node = response.raw ?? response
  const passage = passageOf(await enter(gate, request, node), node)
  switch (passage.kind) {
    case 'proceed':
      for (const [name, value] of passage.headers) node.setHeader(name, value)
      if (passage.meter !== undefined) raw.meter = passage.meter
      return true
    case 'refused':
      refuse(passage.reply, response)
      return never()
    case 'gone':
      response.hijack?.()
      return never()
  }
}

/** A method, so that no request makes a function. Node joins repeated headers, but for a few that nobody identifies by. */
function header(this: { readonly raw: NestRequest }, name: string): string | undefined {
  const value = this.raw.headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

/**
 * Sent, not thrown, so that an application's filter cannot make a 500 of it; as bytes, because to text both platforms add a
 * charset that JSON does not have.
 */
function refuse({ status, headers, body }: Reply, response: NestResponse): void {
  const node = response.raw ?? response
  if (node.headersSent) {
    response.hijack?.()
    return void node.end()
  }
  response.status(status)
  for (const [name, value] of headers) response.header(name, value)
  response.send(new TextEncoder().encode(body))
}

/** A promise for each, because one for all would keep what waits for it. */
function never(): Promise<never> {
  return new Promise(() => {})
}
