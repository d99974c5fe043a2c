/** One request at its gate: the gate is asked once and its answer acted on. The response settles by itself when it closes. */

import { enter, type Gate, type Passage, passageOf, type Reply } from '@farebox/core/http'
import type { FastifyReply, FastifyRequest, preHandlerHookHandler } from 'fastify'

/** The hook that admits a request in front of its handler. With a callback, because promises of hooks cost a request more. */
export function admissionOf(gate: Gate<FastifyRequest>, route: string | null): preHandlerHookHandler {
  return (request, reply, done) => {
    const { raw } = reply
    const asked = enter(gate, { method: request.method, route, header, raw: request }, raw)
    asked.then((verdict) => proceed(passageOf(verdict, raw), request, reply, done), done)
  }
}

function proceed(passage: Passage, request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  // Without `done`, nothing else of the route runs.
  if (passage.kind === 'refused') return refuse(passage.reply, reply)
  if (passage.kind === 'gone') return void reply.hijack()
  // On the reply: to headers that stand on Node's response already, Node merges the reply's one by one, which costs four times as much.
  for (const [name, value] of passage.headers) reply.header(name, value)
  reply.hijack = hijackTelling
  request.meter = passage.meter ?? null
  done()
}

/** A handler that answers past Fastify sends what is on Node's response. */
function hijackTelling(this: FastifyReply): FastifyReply {
  const told = Object.entries(this.getHeaders()).filter(([name]) => name.startsWith('ratelimit'))
  if (!this.raw.headersSent) for (const [name, value] of told) this.raw.setHeader(name, String(value))
  return Object.getPrototypeOf(this).hijack.call(this)
}

/** A method, so that no request makes a function. Node joins repeated headers, but for a few that nobody identifies by. */
function header(this: { readonly raw: FastifyRequest }, name: string): string | undefined {
  const value = this.raw.headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

/** Sent, not thrown, so that an error handler cannot make a 500 of it; as bytes, because to text Fastify adds a charset that JSON does not have. */
function refuse({ status, headers, body }: Reply, reply: FastifyReply): void {
  for (const [name, value] of headers) reply.header(name, value)
  reply.code(status).send(new TextEncoder().encode(body))
}
