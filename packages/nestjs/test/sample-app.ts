/** The sample application of the conformance suite on Nest, on the platform that is asked for. */

import 'reflect-metadata'
import { Readable } from 'node:stream'
import {
  ANSWERED,
  authAnswer,
  BRACE_DIALECT,
  COLON_DIALECT,
  type Listening,
  meterOptions,
  type PathDialect,
  pathOf,
  type Protocol,
  type Sample,
  type SampleAnswer,
  type SampleLayer,
  type SampleMeter,
  type SamplePart,
  type SamplePath,
  type SampleRequest,
  type SampleResult,
  type SampleRoute,
} from '@farebox/conformance'
import {
  type ArgumentsHost,
  Body,
  type CanActivate,
  Catch,
  Controller,
  type DynamicModule,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  HttpException,
  type INestApplication,
  NotFoundException,
  Post,
  Req,
  Res,
  StreamableFile,
  type Type,
} from '@nestjs/common'
import { type AbstractHttpAdapter, BaseExceptionFilter, NestFactory, RouterModule } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import {
  billing,
  FareboxModule,
  type FareboxModuleOptions,
  Meter,
  Metered,
  type MeterContext,
  type NestRequest,
  SkipMeter,
} from '../src/index.ts'

/** What is used here of the responses of both platforms. */
interface PlatformResponse {
  readonly raw?: NodeResponse
  hijack?(): unknown
  status(code: number): unknown
  header(name: string, value: string): unknown
}

interface NodeResponse {
  writeHead(status: number, headers: Readonly<Record<string, string>>): { end(body: string | null): unknown }
  flushHeaders(): void
}

interface PlatformRequest extends NestRequest {
  readonly params: Readonly<Record<string, unknown>>
}

export type Server = 'Express' | 'Fastify' | 'Fastify with HTTP/2'

interface Serving {
  readonly protocol: Protocol
  readonly dialect: PathDialect
  readonly adapter: () => AbstractHttpAdapter
}

export const SERVERS: Readonly<Record<Server, Serving>> = {
  Express: { protocol: 'http1', dialect: BRACE_DIALECT, adapter: () => new ExpressAdapter() },
  Fastify: { protocol: 'http1', dialect: COLON_DIALECT, adapter: () => new FastifyAdapter() },
  'Fastify with HTTP/2': { protocol: 'http2', dialect: COLON_DIALECT, adapter: () => new FastifyAdapter({ http2: true }) },
}

/** Builds the sample and listens. */
export async function listen(sample: Sample, server: Server): Promise<Listening> {
  const { dialect, adapter } = SERVERS[server]
  const app = await NestFactory.create(rootOf(sample, dialect), adapter(), { logger: false, abortOnError: false })
  for (const layer of sample.layers) addLayer(app, layer, sample)
  const { onError } = sample
  if (onError !== null) app.useGlobalFilters(filterOf(app, onError))
  await app.listen(0, '127.0.0.1')
  return { url: await app.getUrl(), close: () => app.close() }
}

function addLayer(app: INestApplication, layer: SampleLayer, { farebox }: Sample): void {
  switch (layer.kind) {
    case 'meter':
      // Modules are there before the application is: see `rootOf`.
      return
    case 'cors':
      return app.enableCors()
    case 'auth':
      return void app.useGlobalGuards(auth)
    case 'json':
      // Nest has its own.
      return
    case 'billing':
      return void app.use(layer.path, billing({ farebox, adminKey: layer.adminKey }))
    case 'answered':
      return void app.use((_request: unknown, response: NodeResponse, next: () => void) => {
        response.writeHead(ANSWERED.status, ANSWERED.headers).end(ANSWERED.body)
        next()
      })
  }
}

const auth: CanActivate = {
  canActivate(context: ExecutionContext) {
    const answer = authAnswer(requestOf(context.switchToHttp().getRequest()))
    if (answer !== null) throw new HttpException(answer.body ?? '', answer.status)
    return true
  },
}

/** Modules for the meters and for the parts, and controllers for the routes. */
function rootOf({ farebox, layers, routes, parts }: Sample, dialect: PathDialect): DynamicModule {
  const meters = layers.flatMap((layer) => (layer.kind === 'meter' ? [moduleOptions(layer)] : []))
  const modules: { readonly path: string; readonly module: Type }[] = []
  const root = moduleOf(routes, parts, [])
  return {
    ...root,
    imports: [
      ...(root.imports ?? []),
      ...(meters.length > 0 ? meters : [{ global: false }]).map((options) => FareboxModule.forRoot({ farebox, ...options })),
      RouterModule.register(modules),
    ],
  }

  function moduleOf(own: readonly SampleRoute[], inner: readonly SamplePart[], path: SamplePath): DynamicModule {
    const module = class {}
    if (path.length > 0) modules.push({ path: pathOf(path, dialect), module })
    return {
      module,
      controllers: [controllerOf(own, []), ...inner.flatMap((part) => controllersOf(part, []))],
      imports: inner.flatMap((part) => modulesOf(part, path)),
    }
  }

  /** What Nest mounts for structure is the path of a controller. */
  function controllersOf({ kind, path, routes: own, parts: inner }: SamplePart, outer: SamplePath): Type[] {
    const whole = [...outer, ...path]
    return kind === 'app' ? [] : [controllerOf(own, whole), ...inner.flatMap((part) => controllersOf(part, whole))]
  }

  /** Its most separate kind of part is a module below a path. */
  function modulesOf({ kind, path, routes: own, parts: inner }: SamplePart, outer: SamplePath): DynamicModule[] {
    const whole = [...outer, ...path]
    return kind === 'app' ? [moduleOf(own, inner, whole)] : inner.flatMap((part) => modulesOf(part, whole))
  }

  function controllerOf(own: readonly SampleRoute[], path: SamplePath): Type {
    const controller = class {}
    Controller(path.length > 0 ? pathOf(path, dialect) : '')(controller)
    for (const [index, route] of own.entries()) addRoute(controller, `route${index}`, route, dialect)
    return controller
  }
}

function moduleOptions(layer: SampleMeter): FareboxModuleOptions {
  const options = meterOptions(layer, requestOf)
  return layer.feature === undefined ? options : { ...options, feature: layer.feature }
}

/** Adds a method to a controller, with the decorators that a developer would write. */
function addRoute(controller: Type, name: string, { method, path, meter, handler }: SampleRoute, dialect: PathDialect): void {
  const prototype: Record<string, unknown> = controller.prototype
  prototype[name] = (request: PlatformRequest, response: PlatformResponse, body: unknown, own: MeterContext | undefined) => {
    const context = { ...requestOf(request), method: request.method, params: request.params, body, meter: own }
    const result = handler(context)
    return result instanceof Promise ? result.then((value) => send(value, response)) : send(result, response)
  }
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name) ?? {}
  for (const [index, decorator] of [Req(), Res({ passthrough: true }), Body(), Meter()].entries())
    decorator(prototype, name, index)
  const verb = method === 'GET' ? Get : Post
  verb(pathOf(path, dialect))(prototype, name, descriptor)
  if (meter === false) SkipMeter()(prototype, name, descriptor)
  else if (meter !== undefined) meteredBy(meter)(prototype, name, descriptor)
}

function meteredBy(meter: SampleMeter): MethodDecorator {
  const options = meterOptions(meter, requestOf)
  return meter.feature === undefined ? Metered(options) : Metered(meter.feature, options)
}

function requestOf({ headers }: Pick<NestRequest, 'headers'>): SampleRequest {
  return { header: (name) => headers[name]?.toString() }
}

/** Sends, or gives what Nest is to send. */
function send(result: SampleResult, response: PlatformResponse): unknown {
  switch (result.kind) {
    case 'answer':
      setHead(result, response)
      return result.body ?? undefined
    case 'stream':
      setHead({ status: 200, headers: result.headers }, response)
      return new StreamableFile(Readable.from(encoded(result.chunks), { objectMode: false }))
    case 'raw':
      response.hijack?.()
      nodeOf(response).writeHead(result.status, result.headers).end(result.body)
      // Nest is to send nothing more.
      return new Promise(() => {})
    case 'web':
      return result.response
  }
}

async function* encoded(chunks: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield Buffer.from(chunk)
}

function setHead({ status, headers }: Pick<SampleAnswer, 'status' | 'headers'>, response: PlatformResponse): void {
  response.status(status)
  for (const [name, value] of Object.entries(headers)) response.header(name, value)
}

function nodeOf(response: PlatformResponse): NodeResponse {
  return response.raw ?? (response as PlatformResponse & NodeResponse)
}

/** To Nest an unknown path is an error too, which here stays what it is. */
function filterOf(app: INestApplication, onError: NonNullable<Sample['onError']>): ExceptionFilter {
  const adapter = app.getHttpAdapter()
  class Filter extends BaseExceptionFilter {
    override catch(error: unknown, host: ArgumentsHost): void {
      // oxlint-disable-next-line promise/valid-params -- the method of Nest's filter, not of a promise
      if (error instanceof NotFoundException) return super.catch(error, host)
      const { status, headers, body } = onError(error)
      const response: PlatformResponse = host.switchToHttp().getResponse()
      setHead({ status, headers }, response)
      adapter.reply(response, body ?? undefined, status)
    }
  }
  Catch()(Filter)
  return new Filter(adapter)
}
