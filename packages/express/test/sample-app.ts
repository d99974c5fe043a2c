/** The sample application of the conformance suite on a given Express. */

import http from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  ANSWERED,
  authAnswer,
  BRACE_DIALECT,
  COLON_DIALECT,
  type Listening,
  meterOptions,
  pathOf,
  type Sample,
  type SampleLayer,
  type SampleMeter,
  type SamplePart,
  type SampleRequest,
  type SampleResult,
  type SampleRoute,
} from '@farebox/conformance'
import type { ErrorRequestHandler, IRouter, NextFunction, Request, RequestHandler, Response } from 'express'
import { billing, meter } from '../src/index.ts'
import type { Version } from './versions.ts'

/** Builds the sample and listens. */
export async function listen(sample: Sample, version: Version): Promise<Listening> {
  const app = version.express()
  // Express prints no errors then.
  app.set('env', 'test')
  const builder = createBuilder(sample, version)
  builder.addRoutes(
    app,
    sample.routes.filter((route) => route.meter === false),
  )
  for (const layer of sample.layers) builder.addLayer(app, layer)
  builder.addRoutes(
    app,
    sample.routes.filter((route) => route.meter !== false),
  )
  for (const part of sample.parts) builder.addPart(app, part)
  const { onError } = sample
  if (onError !== null) app.use(((error, _req, res, _next) => void send(onError(error), res)) satisfies ErrorRequestHandler)

  const server = http.createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function createBuilder({ farebox }: Sample, { express, major }: Version) {
  const dialect = major === 4 ? COLON_DIALECT : BRACE_DIALECT

  return { addLayer, addRoutes, addPart }

  function addLayer(app: IRouter, layer: SampleLayer): void {
    switch (layer.kind) {
      case 'meter':
        return void app.use(meterOf(layer))
      case 'cors':
        return void app.use(cors)
      case 'auth':
        return void app.use((req, res, next) => void answerOr(authAnswer(requestOf(req)), res, next))
      case 'json':
        return void app.use(express.json())
      case 'billing':
        return void app.use(layer.path, billing({ farebox, adminKey: layer.adminKey }))
      case 'answered':
        return void app.use((_req, res, next) => {
          void send(ANSWERED, res)
          next()
        })
    }
  }

  function meterOf(layer: SampleMeter): RequestHandler {
    const options = { farebox, ...meterOptions(layer, requestOf) }
    return layer.feature === undefined ? meter(options) : meter(layer.feature, options)
  }

  function addRoutes(router: IRouter, routes: readonly SampleRoute[]): void {
    for (const route of routes) {
      const handlers = [handlerOf(route)]
      if (route.body === 'json') handlers.unshift(express.json())
      if (route.meter) handlers.unshift(meterOf(route.meter))
      router[route.method === 'GET' ? 'get' : 'post'](pathOf(route.path, dialect), ...handlers)
    }
  }

  function addPart(parent: IRouter, { kind, path, routes, parts }: SamplePart): void {
    const child = kind === 'app' ? express() : express.Router()
    addRoutes(child, routes)
    for (const part of parts) addPart(child, part)
    parent.use(pathOf(path, dialect), child)
  }

  function handlerOf({ handler }: SampleRoute): RequestHandler {
    return (req, res, next) => {
      const { method, params, body } = req
      const result = handler({ ...requestOf(req), method, params, body, meter: req.meter })
      // Express 4 does not see a promise that rejects.
      void sendOrFail(result, res, next)
    }
  }
}

function requestOf(req: Request): SampleRequest {
  return { header: (name) => req.get(name) }
}

const cors: RequestHandler = (req, res, next) => {
  res.set('access-control-allow-origin', '*')
  if (req.method === 'OPTIONS' && req.get('access-control-request-method')) res.sendStatus(204)
  else next()
}

function answerOr(answer: SampleResult | null, res: Response, next: () => void): void {
  if (answer === null) next()
  else void send(answer, res)
}

async function sendOrFail(result: SampleResult | Promise<SampleResult>, res: Response, next: NextFunction): Promise<void> {
  try {
    await send(await result, res)
  } catch (error) {
    next(error)
  }
}

async function send(result: SampleResult, res: Response): Promise<void> {
  switch (result.kind) {
    case 'answer':
      if (result.body === null) res.status(result.status).set(result.headers).end()
      else res.status(result.status).set(result.headers).send(result.body)
      return
    case 'raw':
      return void res.writeHead(result.status, result.headers).end(result.body)
    case 'stream':
      res.set(result.headers)
      for await (const chunk of result.chunks) res.write(chunk)
      return void res.end()
    case 'web':
      throw new Error('Express has no web responses')
  }
}
