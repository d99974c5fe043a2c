/**
 * The sample application, described as data. An adapter's test builds it with its framework and listens; the suite does
 * the rest.
 *
 * How to write `listen(sample)` for a framework (`packages/express/test/sample-app.ts` is an example):
 *
 * 1. Make an application and go through `sample.layers` in their order, registering each as the framework registers what
 *    is for all routes:
 *    - `meter`: the adapter's own `meter`, with `sample.farebox`, the layer's feature, and `meterOptions(layer, requestOf)`,
 *      where `requestOf` makes a `SampleRequest` of the framework's request.
 *    - `cors`: the framework's own CORS layer, which answers preflights.
 *    - `auth`: the framework's own kind of authentication. It answers with `authAnswer(request)`, or goes on where that is null.
 *    - `json`: the parser of JSON bodies. Leave it out where the framework parses by itself.
 *    - `billing`: the adapter's own `billing`, at `layer.path`, with `sample.farebox` and `layer.adminKey`.
 *    - `answered`: sends a whole answer, `ANSWERED`, and lets the request go on all the same. Skip its check where that
 *      cannot be written.
 * 2. Register `sample.routes`, and `sample.parts` below their paths, parts in parts included. `pathOf` writes a path in the
 *    framework's dialect. A route with a `meter` gets the adapter's own route meter; `meter: false` gets what the adapter has
 *    for routes that are not metered (without such a word: register the route in front of the meter).
 * 3. A route calls `route.handler(context)` and sends what it returns; what it throws, or rejects with, is left to the
 *    framework. Call it without an `await` in front, because some handlers throw synchronously.
 * 4. With `sample.onError`, the application's own error handling sends what it returns, for whatever error. Without it, the
 *    framework's is in force; turn its logging off.
 * 5. Listen on port 0 of 127.0.0.1. `close()` stops listening and resolves when what is under way has been answered.
 */

import type { Farebox } from '@farebox/core'
import type { MeterContext, MeterOptions } from '@farebox/core/http'

/** An application to build. Everything about the sample that a test steers is in here already. */
export interface Sample {
  readonly farebox: Farebox
  /** What is registered for all routes, in this order, in front of them. */
  readonly layers: readonly SampleLayer[]
  readonly routes: readonly SampleRoute[]
  readonly parts: readonly SamplePart[]
  /** The application's own error handling, or null for the framework's. */
  readonly onError: ((error: unknown) => SampleAnswer) | null
}

/** A listening application. */
export interface Listening {
  /** Such as `http://127.0.0.1:34567`. */
  readonly url: string
  /** Stops listening, lets what is under way be answered, and resolves then. */
  close(): Promise<void>
}

/** What an adapter's test gives to the suite. Called once for each check. */
export type Listen = (sample: Sample) => Promise<Listening>

export type SampleLayer =
  | SampleMeterLayer
  | SampleBillingLayer
  | { readonly kind: 'cors' }
  | { readonly kind: 'auth' }
  | { readonly kind: 'json' }
  | { readonly kind: 'answered' }

/** A meter for the whole application. */
export interface SampleMeterLayer extends SampleMeter {
  readonly kind: 'meter'
}

/** The billing routes below a path. */
export interface SampleBillingLayer {
  readonly kind: 'billing'
  /** Such as `/billing`. */
  readonly path: string
  readonly adminKey: string
}

/** A meter as the adapter is to be given it. */
export interface SampleMeter {
  /** Undefined: the catalog's default feature. */
  readonly feature: string | undefined
  readonly options: MeterOptions<SampleRequest>
}

/** Segments: `plain` as it stands, `:id` a parameter, `:id?` an optional parameter, `*rest` all that is left. */
export type SamplePath = readonly string[]

/** A router, sub-app, encapsulated plugin or controller below a path. */
export interface SamplePart {
  /** `router`: what the framework mounts for structure. `app`: its most separate kind, such as a sub-app, a plugin, a module. */
  readonly kind: 'router' | 'app'
  readonly path: SamplePath
  readonly routes: readonly SampleRoute[]
  readonly parts: readonly SamplePart[]
}

export interface SampleRoute {
  readonly method: 'GET' | 'POST'
  readonly path: SamplePath
  /** Undefined: metered as the application's meter has it. False: not metered. */
  readonly meter?: SampleMeter | false
  /** The body is JSON, and the framework answers 400 where it is not, before the handler runs. */
  readonly body?: 'json'
  /** May throw, synchronously too. */
  readonly handler: (context: SampleContext) => SampleResult | Promise<SampleResult>
}

/** What the functions of a meter see of a request. */
export interface SampleRequest {
  /** The value of a header by its lower-case name. */
  header(name: string): string | undefined
}

/** What a handler sees: the framework's own request, and the adapter's meter in the way that it offers it to handlers. */
export interface SampleContext extends SampleRequest {
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
  /** The parsed body of a route with `body: 'json'`. */
  readonly body: unknown
  /** Undefined where nothing meters the request. */
  readonly meter: MeterContext | undefined
}

/** What to send. */
export type SampleResult = SampleAnswer | SampleStream | SampleRawReply | SampleWebResponse

/** A whole answer, sent in the framework's usual way. An absent body is an empty one. */
export interface SampleAnswer {
  readonly kind: 'answer'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

/** A body that comes in chunks, each sent as it comes, with status 200. What `chunks` throws breaks the answer off as the framework does it. */
export interface SampleStream {
  readonly kind: 'stream'
  readonly headers: Readonly<Record<string, string>>
  readonly chunks: AsyncIterable<string>
}

/** An answer that the handler writes past the framework, on Node's own response: `res.writeHead`, `reply.hijack()` and their like. */
export interface SampleRawReply {
  readonly kind: 'raw'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A web `Response`, where the framework takes one. */
export interface SampleWebResponse {
  readonly kind: 'web'
  readonly response: Response
}

/** How a framework writes what frameworks write differently: the segment with the slash in front of it. */
export interface PathDialect {
  optional(name: string): string
  wildcard(name: string): string
}

/** Express 4, Fastify, Hono: `/:id?` and `/*`. */
export const COLON_DIALECT: PathDialect = { optional: (name) => `/:${name}?`, wildcard: () => '/*' }

/** Express 5, and Nest on it: `{/:id}` and `/*rest`. */
export const BRACE_DIALECT: PathDialect = { optional: (name) => `{/:${name}}`, wildcard: (name) => `/*${name}` }

/** Writes a path in a dialect: `['plain', ':id']` is `/plain/:id` in all of them, and `[]` is `/`. */
export function pathOf(path: SamplePath, dialect: PathDialect): string {
  return path.map((segment) => segmentOf(segment, dialect)).join('') || '/'
}

function segmentOf(segment: string, dialect: PathDialect): string {
  if (segment.startsWith('*')) return dialect.wildcard(segment.slice(1))
  if (segment.startsWith(':') && segment.endsWith('?')) return dialect.optional(segment.slice(1, -1))
  return `/${segment}`
}

/** The options of a meter for the adapter's framework: its functions are given what `requestOf` makes of the raw request. */
export function meterOptions<Raw>({ options }: SampleMeter, requestOf: (raw: Raw) => SampleRequest): MeterOptions<Raw> {
  const { units, estimate, identify, skip, onRefused, ...plain } = options
  const translated: MeterOptions<Raw> = { ...plain }
  if (typeof units === 'function') translated.units = (raw, outcome) => units(requestOf(raw), outcome)
  else if (units !== undefined) translated.units = units
  if (estimate !== undefined) translated.estimate = (raw) => estimate(requestOf(raw))
  if (identify !== undefined) translated.identify = (raw) => identify(requestOf(raw))
  if (skip !== undefined) translated.skip = (raw) => skip(requestOf(raw))
  if (onRefused !== undefined) translated.onRefused = (reply, raw) => onRefused(reply, requestOf(raw))
  return translated
}

/** Who the layer `auth` turns away: whoever says `x-auth: unknown` (401) or `x-auth: forbidden` (403). */
export function authAnswer(request: SampleRequest): SampleAnswer | null {
  const said = request.header('x-auth')
  if (said === 'unknown') return { kind: 'answer', status: 401, headers: {}, body: 'unauthenticated' }
  if (said === 'forbidden') return { kind: 'answer', status: 403, headers: {}, body: 'forbidden' }
  return null
}

/** What the layer `answered` sends. */
export const ANSWERED: SampleAnswer = { kind: 'answer', status: 202, headers: {}, body: 'answered before' }
