/** The sample application of the conformance suite, on Fastify over HTTP/1 and HTTP/2. */

import { Readable } from 'node:stream'
import {
  ANSWERED,
  authAnswer,
  COLON_DIALECT,
  type Listen,
  type Listening,
  meterOptions,
  pathOf,
  type PathDialect,
  type Sample,
  type SampleAnswer,
  type SampleLayer,
  type SampleMeter,
  type SamplePart,
  type SampleRequest,
  type SampleResult,
  type SampleRoute,
} from '@farebox/conformance'
import cors from '@fastify/cors'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type FastifyServerOptions } from 'fastify'
import { billing, meter, type RouteMeter } from '../src/index.ts'

/** Over HTTP/1. */
export const listen: Listen = (sample) => listenOn(sample, fastify())

/** Over HTTP/2 without encryption. */
export const listenHttp2: Listen = (sample) => listenOn(sample, fastify({ http2: true } as FastifyServerOptions))

async function listenOn(sample: Sample, app: FastifyInstance): Promise<Listening> {
  const { onError } = sample
  if (onError !== null) app.setErrorHandler((error, _request, reply) => send(onError(error), reply))
  for (const layer of sample.layers) await addLayer(app, layer, sample)
  addRoutes(app, sample.routes, [])
  for (const part of sample.parts) await addPart(app, part, [])
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { url, close: () => app.close() }
}

async function addLayer(app: FastifyInstance, layer: SampleLayer, { farebox }: Sample): Promise<void> {
  switch (layer.kind) {
    case 'meter':
      return void (await app.register(meter, { farebox, ...saidOf(layer) }))
    case 'billing':
      return void (await app.register(billing, { prefix: layer.path, farebox, adminKey: layer.adminKey }))
    case 'cors':
      return void (await app.register(cors))
    case 'auth':
      return void app.addHook('onRequest', async (request, reply) => {
        const answer = authAnswer(requestOf(request))
        return answer === null ? undefined : send(answer, reply)
      })
    case 'json':
      // Fastify parses JSON by itself.
      return
    case 'answered':
      return void app.addHook('onRequest', async (_request, reply) => {
        reply.hijack()
        reply.raw.writeHead(ANSWERED.status).end(ANSWERED.body)
      })
  }
}

/** Fastify's own prefixes take no optional parameters or wildcards, and need none: a part's path is in front of its routes. */
async function addPart(app: FastifyInstance, part: SamplePart, above: readonly string[]): Promise<void> {
  if (part.kind === 'router') {
    const path = [...above, ...part.path]
    addRoutes(app, part.routes, path)
    for (const inner of part.parts) await addPart(app, inner, path)
    return
  }
  await app.register(
    async (scope) => {
      addRoutes(scope, part.routes, [])
      for (const inner of part.parts) await addPart(scope, inner, [])
    },
    { prefix: pathOf([...above, ...part.path], COLON_DIALECT) },
  )
}

function addRoutes(app: FastifyInstance, routes: readonly SampleRoute[], above: readonly string[]): void {
  for (const route of routes) {
    const said: RouteMeter | undefined = route.meter ? saidOf(route.meter) : route.meter
    app.route({
      method: route.method,
      url: pathOf([...above, ...route.path], DIALECT),
      config: said === undefined ? {} : { meter: said },
      handler: (request, reply) => handle(route, request, reply),
    })
  }
}

const DIALECT: PathDialect = COLON_DIALECT

function saidOf(layer: SampleMeter): Exclude<RouteMeter, boolean | string> {
  const options = meterOptions(layer, requestOf)
  return layer.feature === undefined ? options : { feature: layer.feature, ...options }
}

function handle({ handler }: SampleRoute, request: FastifyRequest, reply: FastifyReply): unknown {
  const { method, params, body, meter: metering } = request
  const context = { ...requestOf(request), method, params: params as Record<string, unknown>, body, meter: metering ?? undefined }
  const result = handler(context)
  return result instanceof Promise ? result.then((value) => send(value, reply)) : send(result, reply)
}

function send(result: SampleResult, reply: FastifyReply): unknown {
  switch (result.kind) {
    case 'answer':
      return sendWhole(result, reply)
    case 'stream':
      return reply.headers(result.headers).send(Readable.from(encoded(result.chunks), { objectMode: false }))
    case 'raw':
      reply.hijack()
      reply.raw.writeHead(result.status, result.headers).end(result.body)
      return reply
    case 'web':
      return reply.send(result.response)
  }
}

function sendWhole({ status, headers, body }: SampleAnswer, reply: FastifyReply): FastifyReply {
  return reply
    .code(status)
    .headers(headers)
    .send(body ?? undefined)
}

async function* encoded(chunks: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const chunk of chunks) yield encoder.encode(chunk)
}

function requestOf({ headers }: FastifyRequest): SampleRequest {
  return { header: (name) => headers[name]?.toString() }
}
