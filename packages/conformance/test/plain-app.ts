/**
 * An adapter and its host in one file, on nothing but Node: the smallest thing that passes the suite. Its parts can be
 * replaced one by one, so that a test can break it on purpose.
 */

import http from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { billing, nodeListener } from '@farebox/core/billing'
import { enter, type Gate, type MeterContext, type MeterOptions, type Passage, passageOf, type Reply } from '@farebox/core/http'
import {
  ANSWERED,
  authAnswer,
  type Listen,
  type Listening,
  type Protocol,
  type Sample,
  type SampleLayer,
  type SampleMeter,
  type SamplePart,
  type SampleRequest,
  type SampleResult,
  type SampleRoute,
} from '../src/index.ts'

/** One request on its way through the host. */
export interface Exchange extends SampleRequest {
  readonly req: http.IncomingMessage
  readonly res: http.ServerResponse
  /** Without the query. */
  readonly path: string
  meter: MeterContext | undefined
  body: unknown
}

type PlainGate = Gate<Exchange>
type Server = http.Server | http2.Http2Server

/** A route with the pattern that it has with everything it is mounted under. */
export interface PlainRoute {
  readonly route: SampleRoute
  readonly segments: readonly string[]
  readonly label: string
  readonly gate: PlainGate | null
}

/** What an adapter does, and what of the host has a say in it. */
export interface PlainParts {
  options(options: MeterOptions<SampleRequest>): MeterOptions<SampleRequest>
  createGate(sample: Sample, meter: SampleMeter, options: MeterOptions<Exchange>): PlainGate
  /** The gates that a request visits. Undefined: no route matched. */
  gatesFor(route: PlainRoute | undefined, gates: readonly PlainGate[], exchange: Exchange): readonly PlainGate[]
  /** Whether a request visits them in front of everything else, or where it has matched. */
  readonly isFirst: boolean
  visit(gate: PlainGate, exchange: Exchange, label: string | null): Promise<Passage>
  refuse(reply: Reply, exchange: Exchange): void
  send(result: SampleResult, exchange: Exchange): Promise<void>
  mountBilling(listener: http.RequestListener, exchange: Exchange, mount: string): void
  stop(server: Server): Promise<void>
}

export const PLAIN: PlainParts = {
  options: (options) => options,
  createGate: ({ farebox }, { feature }, options) => farebox.createGate<Exchange>(feature, options),
  gatesFor(found, gates) {
    if (found === undefined || found.route.meter === false) return []
    return found.gate === null ? gates : [found.gate]
  },
  isFirst: false,
  visit: async (gate, exchange, route) => {
    const { req, res, header } = exchange
    return passageOf(await enter(gate, { method: String(req.method), route, header, raw: exchange }, res), res)
  },
  refuse({ status, headers, body }, { res }) {
    res.writeHead(status, Object.fromEntries(headers)).end(body)
  },
  send,
  mountBilling(listener, { req, res }, mount) {
    req.url = String(req.url).slice(mount.length) || '/'
    listener(req, res)
  },
  stop: (server) => new Promise((resolve) => server.close(() => resolve())),
}

/** Listens for the suite; `changes` are what is broken. */
export function plainListen(protocol: Protocol, changes: Partial<PlainParts> = {}): Listen {
  const parts: PlainParts = { ...PLAIN, ...changes }
  return async (sample): Promise<Listening> => {
    const answer = createHost(sample, parts)
    // A request of HTTP/2 is one of HTTP/1 to all that is used here.
    const listener = (req: unknown, res: unknown): void => void answer(req as http.IncomingMessage, res as http.ServerResponse)
    const server = protocol === 'http1' ? http.createServer(listener) : http2.createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => parts.stop(server) }
  }
}

type Answering = (req: http.IncomingMessage, res: http.ServerResponse) => Promise<void>

function createHost(sample: Sample, parts: PlainParts): Answering {
  const gateOf = (meter: SampleMeter): PlainGate => parts.createGate(sample, meter, parts.options(meter.options))
  const gates = sample.layers.flatMap((layer) => (layer.kind === 'meter' ? [gateOf(layer)] : []))
  const routes = [...routesOf(sample.routes, []), ...sample.parts.flatMap((part) => routesOfPart(part, []))]
  const listeners = new Map<SampleLayer, http.RequestListener>()
  for (const layer of sample.layers)
    if (layer.kind === 'billing')
      listeners.set(layer, nodeListener(billing({ farebox: sample.farebox, adminKey: layer.adminKey })))

  return async (req, res) => {
    const [path = '/'] = String(req.url).split('?')
    const header = (name: string): string | undefined => req.headers[name]?.toString()
    const exchange: Exchange = { req, res, path, header, meter: undefined, body: undefined }
    try {
      await run(exchange)
    } catch (error) {
      fail(error, exchange)
    }
  }

  function routesOf(list: readonly SampleRoute[], mount: readonly string[]): PlainRoute[] {
    return list.map((route) => {
      const segments = [...mount, ...route.path]
      return { route, segments, label: `/${segments.join('/')}`, gate: route.meter ? gateOf(route.meter) : null }
    })
  }

  function routesOfPart(part: SamplePart, mount: readonly string[]): PlainRoute[] {
    const below = [...mount, ...part.path]
    return [...routesOf(part.routes, below), ...part.parts.flatMap((inner) => routesOfPart(inner, below))]
  }

  async function run(exchange: Exchange): Promise<void> {
    const { req, path } = exchange
    const method = req.method === 'HEAD' ? 'GET' : req.method
    const found = routes.find(({ route, segments }) => route.method === method && parametersOf(segments, path) !== null)
    if (parts.isFirst && !(await admit(exchange, found))) return
    for (const layer of sample.layers) if (!(await pass(layer, exchange))) return
    if (!parts.isFirst && !(await admit(exchange, found))) return
    if (found === undefined) return PLAIN.send({ kind: 'answer', status: 404, headers: {}, body: 'nothing here' }, exchange)
    if (found.route.body === 'json') exchange.body ??= JSON.parse(await text(req))
    const params = parametersOf(found.segments, path) ?? {}
    const { header, body } = exchange
    const context = {
      header,
      method: String(req.method),
      params,
      body,
      get meter() {
        return exchange.meter
      },
    }
    await parts.send(await found.route.handler(context), exchange)
  }

  /** Whether the request goes on. */
  async function admit(exchange: Exchange, found: PlainRoute | undefined): Promise<boolean> {
    for (const gate of parts.gatesFor(found, gates, exchange)) {
      const passage = await parts.visit(gate, exchange, found?.label ?? null)
      if (passage.kind === 'refused') parts.refuse(passage.reply, exchange)
      if (passage.kind !== 'proceed') return false
      for (const [name, value] of passage.headers) exchange.res.setHeader(name, value)
      exchange.meter ??= passage.meter
    }
    return true
  }

  async function pass(layer: SampleLayer, exchange: Exchange): Promise<boolean> {
    const { req, res, path } = exchange
    switch (layer.kind) {
      case 'meter':
        return true
      case 'cors':
        res.setHeader('access-control-allow-origin', '*')
        if (req.method !== 'OPTIONS') return true
        res.writeHead(204).end()
        return false
      case 'auth': {
        const turnedAway = authAnswer(exchange)
        if (turnedAway !== null) await PLAIN.send(turnedAway, exchange)
        return turnedAway === null
      }
      case 'json':
        if (req.method === 'POST') Object.assign(req, { body: (exchange.body = JSON.parse(await text(req))) })
        return true
      case 'answered':
        await PLAIN.send(ANSWERED, exchange)
        return true
      case 'billing': {
        const listener = listeners.get(layer)
        if (listener === undefined || !path.startsWith(`${layer.path}/`)) return true
        parts.mountBilling(listener, exchange, layer.path)
        return false
      }
    }
  }

  function fail(error: unknown, exchange: Exchange): void {
    const { res } = exchange
    const status = error instanceof SyntaxError ? 400 : 500
    if (res.headersSent) breakOff(res)
    else void PLAIN.send(sample.onError?.(error) ?? { kind: 'answer', status, headers: {}, body: 'broken' }, exchange)
  }
}

function breakOff(res: http.ServerResponse & { stream?: http2.Http2Stream }): void {
  if (res.stream === undefined) res.destroy()
  else res.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)
}

/** As lenient as hosts are: any case, any number of slashes, and what cannot be decoded stays as it is. Null: no match. */
function parametersOf(segments: readonly string[], path: string): Record<string, string> | null {
  const given = path.split('/').filter((part) => part !== '')
  const params: Record<string, string> = {}
  for (const [index, segment] of segments.entries()) {
    const value = decoded(given[index] ?? '')
    if (segment.startsWith('*')) return value === '' ? null : params
    if (segment.startsWith(':')) {
      if (value === '' && !segment.endsWith('?')) return null
      params[segment.replaceAll(/[:?]/g, '')] = value
    } else if (segment.toLowerCase() !== value.toLowerCase()) return null
  }
  return given.length > segments.length ? null : params
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

async function send(result: SampleResult, { res }: Exchange): Promise<void> {
  switch (result.kind) {
    case 'answer':
    case 'raw':
      res.writeHead(result.status, result.headers).end(result.body)
      return
    case 'stream':
      res.writeHead(200, result.headers)
      for await (const chunk of result.chunks) res.write(chunk)
      res.end()
      return
    case 'web':
      res.writeHead(result.response.status, Object.fromEntries(result.response.headers)).end(await result.response.text())
  }
}
