/** The sample application of the conformance suite, on Hono behind @hono/node-server. */

import type { ServerResponse } from 'node:http'
import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import {
  ANSWERED,
  authAnswer,
  COLON_DIALECT,
  type Listen,
  type Listening,
  meterOptions,
  pathOf,
  type Sample,
  type SampleContext,
  type SampleLayer,
  type SampleMeter,
  type SamplePart,
  type SampleRequest,
  type SampleResult,
  type SampleRoute,
} from '@farebox/conformance'
import type { Farebox } from '@farebox/core'
import { createAdaptorServer, type ServerType } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { HTTPException } from 'hono/http-exception'
import { validator } from 'hono/validator'
import { billing, meter } from '../src/index.ts'

/** Over HTTP/1. */
export const listen: Listen = (sample) =>
  listenOn(sample, ({ fetch }) => createAdaptorServer({ fetch, overrideGlobalObjects: false }))

/** Over HTTP/2 without encryption. */
export const listenHttp2: Listen = (sample) =>
  listenOn(sample, ({ fetch }) => createAdaptorServer({ fetch, overrideGlobalObjects: false, createServer }))

async function listenOn(sample: Sample, serverOf: (app: Hono) => ServerType): Promise<Listening> {
  const app = new Hono()
  const build = builderOf(sample)
  // Hono has no word for a route that is not metered: it stands in front of the meter.
  build.add(app, sample.routes, sample.parts, false)
  for (const layer of sample.layers) addLayer(app, layer, sample.farebox)
  build.add(app, sample.routes, sample.parts, true)
  app.onError(build.onError)

  const server = serverOf(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => new Promise((resolve) => server.close(() => resolve())) }
}

function addLayer(app: Hono, layer: SampleLayer, farebox: Farebox): void {
  switch (layer.kind) {
    case 'meter':
      return void app.use(meterOf(layer, farebox))
    case 'billing':
      return void app.route(layer.path, billing({ farebox, adminKey: layer.adminKey }))
    case 'cors':
      return void app.use(cors())
    case 'auth':
      return void app.use(async (c, next) => {
        const answer = authAnswer(requestOf(c))
        return answer === null ? next() : send(c, answer)
      })
    case 'json':
      // A route that takes JSON has a validator for it.
      return
    case 'answered':
      return void app.use(async (c, next) => {
        outgoingOf(c).writeHead(ANSWERED.status).end(ANSWERED.body)
        await next()
        c.res = undefined
        c.res = RESPONSE_ALREADY_SENT
      })
  }
}

/** Registers routes, with the parts below their paths; either those that are metered or those that are not. */
function builderOf({ farebox, onError: answerTo }: Sample) {
  function onError(error: unknown, c: Context): Response {
    if (answerTo !== null) return send(c, answerTo(error))
    // What Hono does by itself, without its logging.
    return error instanceof HTTPException ? error.getResponse() : c.text('Internal Server Error', 500)
  }

  function add(app: Hono, routes: readonly SampleRoute[], parts: readonly SamplePart[], isMetered: boolean): void {
    for (const route of routes) {
      if ((route.meter !== false) !== isMetered) continue
      const handlers: MiddlewareHandler[] = []
      if (route.body === 'json') handlers.push(validator('json', (value) => value))
      if (route.meter) handlers.push(meterOf(route.meter, farebox))
      app.on(route.method, [pathOf(route.path, COLON_DIALECT)], ...handlers, (c) => handle(c, route))
    }
    for (const part of parts) {
      const sub = new Hono()
      // Hono wraps the handlers of a sub-app that answers its errors itself.
      if (part.kind === 'app') sub.onError(onError)
      add(sub, part.routes, part.parts, isMetered)
      app.route(pathOf(part.path, COLON_DIALECT), sub)
    }
  }

  return { add, onError }
}

function meterOf(layer: SampleMeter, farebox: Farebox): MiddlewareHandler {
  const options = { ...meterOptions<Context>(layer, requestOf), farebox }
  // The suite's catalog is its own, so that no code of it is known here.
  return layer.feature === undefined ? meter(options) : meter(layer.feature as never, options)
}

function handle(c: Context, route: SampleRoute): Response | Promise<Response> {
  const context: SampleContext = {
    ...requestOf(c),
    method: c.req.method,
    params: c.req.param(),
    body: route.body === 'json' ? c.req.valid('json' as never) : undefined,
    meter: c.get('meter'),
  }
  const result = route.handler(context)
  return result instanceof Promise ? result.then((value) => send(c, value)) : send(c, result)
}

function send(c: Context, result: SampleResult): Response {
  switch (result.kind) {
    case 'answer':
      return c.newResponse(result.body, result.status as 200, { ...result.headers })
    case 'stream':
      return c.newResponse(ReadableStream.from(encoded(result.chunks)), 200, { ...result.headers })
    case 'raw':
      outgoingOf(c)
        .writeHead(result.status, { ...result.headers })
        .end(result.body)
      return RESPONSE_ALREADY_SENT
    case 'web':
      return result.response
  }
}

async function* encoded(chunks: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const chunk of chunks) yield encoder.encode(chunk)
}

function requestOf(c: Context): SampleRequest {
  return { header: (name) => c.req.header(name) }
}

function outgoingOf(c: Context): ServerResponse {
  return (c.env as { outgoing: ServerResponse }).outgoing
}
