/** One request at its gate: the gate is asked once and its answer acted on. The response settles by itself when it ends. */

import {
  enter,
  enterFetch,
  type Gate,
  type MeterContext,
  type MeteredRequest,
  type NodeResponse,
  passageOf,
  responseOf,
} from '@farebox/core/http'
import type { Context, Next } from 'hono'

/** Asks the gate and goes on as it says. A refusal is returned, so that an application's error handler cannot make a 500 of it. */
export async function admit(gate: Gate<Context>, c: Context, route: string, next: Next): Promise<Response | void> {
  const { req } = c
  const request: MeteredRequest<Context> = { method: req.method, route, header, raw: c }
  const outgoing = outgoingOf(c)
  if (outgoing === undefined) return admitFetch(gate, request, next)
  // On Node the headers are set, and the end is seen, on Node's own response: what Hono answers with is not touched.
  const passage = passageOf(await enter(gate, request, outgoing), outgoing)
  if (passage.kind === 'gone') return c.body(null)
  if (passage.kind === 'refused') return c.newResponse(passage.reply.body, responseOf(passage.reply, req.method))
  for (const [name, value] of passage.headers) outgoing.setHeader(name, value)
  // Awaited, because a promise that is returned is waited for three times as long.
  await goOn(c, passage.meter, next)
}

async function admitFetch(gate: Gate<Context>, request: MeteredRequest<Context>, next: Next): Promise<Response | void> {
  const { raw: c } = request
  const run = async (meter: MeterContext | undefined): Promise<Response> => {
    await goOn(c, meter, next)
    return c.res
  }
  const response = await enterFetch(gate, request, run, c.req.raw.signal)
  // Hono adds the headers that earlier middleware prepared, such as those of CORS.
  if (!c.finalized) return c.newResponse(response.body, response)
  // Assigned to undefined first, because Hono would merge the headers of the answer before into this one.
  c.res = undefined
  c.res = response
}

function goOn(c: Context, meter: MeterContext | undefined, next: Next): Promise<void> {
  if (meter !== undefined) c.set('meter', meter)
  return next()
}

/** A method, so that no request makes a function. */
function header(this: { readonly raw: Context }, name: string): string | undefined {
  return this.raw.req.header(name)
}

/** Node's response where @hono/node-server serves the app. A binding of another runtime may have the same name, and no headers. */
function outgoingOf(c: Context): NodeResponse | undefined {
  const { outgoing } = (c.env ?? {}) as { outgoing?: NodeResponse }
  return typeof outgoing?.headersSent === 'boolean' ? outgoing : undefined
}
