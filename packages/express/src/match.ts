/** The middleware of a gate. Outside of a route it marks the request, which is admitted at the router's own match. */

import type { Gate } from '@farebox/core/http'
import type { NextFunction, Request, Response } from 'express'
import { admit } from './admission.ts'

// Symbols of the registry, so that the ESM and the CommonJS copy of this package in one process act as one.
const METER: unique symbol = Symbol.for('farebox.express.meter')
const MARK: unique symbol = Symbol.for('farebox.express.mark')
const ROUTE: unique symbol = Symbol.for('farebox.express.route')
const ADMISSION: unique symbol = Symbol.for('farebox.express.admission')

/** A meter that the request has passed, and the `next` of the router that it stands in. */
type Mark = { readonly gate: Gate<Request>; readonly next: unknown; readonly outer: Mark | undefined }

/** What this file relies on of Express's undocumented `Route`; the tests pin it on the oldest and the newest versions. */
interface Route {
  stack: { readonly handle: { readonly [METER]?: true }; readonly method?: string }[]
  methods: Readonly<Record<string, unknown>>
  all(handler: typeof admitMarked): unknown
  /** The layer that admits, once it is there. */
  [ADMISSION]?: unknown
}

type RoutedRequest = Request & { [MARK]?: Mark; [ROUTE]?: Route | undefined }

/** Middleware for any path parameters, so that the handlers beside it keep the parameters of their path. */
export type MeterHandler = <Params>(req: Request<Params>, res: Response, next: NextFunction) => void

/** Makes the middleware of a gate. */
export function createHandler(gate: Gate<Request>): MeterHandler {
  function handler(req: RoutedRequest, res: Response, next: NextFunction): void {
    // A route has a `next` of its own while `req.next` stays the router's. So a `req.route` that an earlier route left
    // behind is not mistaken for the present one, and middleware around a meter in a route does not hide the route.
    if (req.route !== undefined && req.next !== next) return admit(gate, req, res, next)
    if (!(ROUTE in req)) observeMatches(Object.getPrototypeOf(req))
    // A route that matched before the first meter of this app left a property of its own, which would hide the accessor.
    if (req.route !== req[ROUTE]) delete req.route
    req[MARK] = { gate, next: req.next, outer: req[MARK] }
    next()
  }
  // No parameter is ever looked at, so the middleware for some is the middleware for any.
  return Object.assign(handler, { [METER]: true }) as MeterHandler
}

/**
 * Express assigns `req.route` after the match and before the route's handlers. The accessor that sees it stands on the
 * prototype that all requests of an app have, and its sub-apps inherit, so that no request pays for installing it.
 */
function observeMatches(prototype: object): void {
  Object.defineProperty(prototype, ROUTE, { value: undefined, writable: true })
  Object.defineProperty(prototype, 'route', {
    configurable: true,
    get(this: RoutedRequest) {
      return this[ROUTE]
    },
    set(this: RoutedRequest, route: Route | undefined) {
      this[ROUTE] = route
      if (this[MARK] && route?.stack && !route[ADMISSION]) insertAdmission(route)
    },
  })
}

/** Puts the admission in front of the stack of a route that is seen for the first time. */
function insertAdmission(route: Route): void {
  const { stack, methods } = route
  // `all` makes the layer, and would make the route answer every method: so it works on a stack and methods of its own.
  Object.assign(route, { stack: [], methods: {} }).all(admitMarked)
  // A new array, because a dispatch in flight holds the old one and its place in it.
  Object.assign(route, { stack: [...route.stack, ...stack], methods, [ADMISSION]: route.stack[0] })
}

/** Admits with the last meter in the matching router itself, which the request may be back in, or else the last one passed. */
function admitMarked(req: RoutedRequest, res: Response, next: NextFunction): void {
  let mark = req[MARK]
  while (mark && mark.next !== req.next) mark = mark.outer
  const gate = (mark ?? req[MARK])?.gate
  return gate && isHandledUnmetered(req) ? admit(gate, req, res, next) : next()
}

/** Whether the route handles the method, for Express dispatches every HEAD, and does so without a meter of its own. */
function isHandledUnmetered(req: RoutedRequest): boolean {
  const { [ADMISSION]: admission, methods, stack } = req.route as Route
  const method = req.method === 'HEAD' && !methods['head'] ? 'get' : req.method.toLowerCase()
  let isHandled = false
  for (const layer of stack) {
    if (layer === admission || (layer.method ?? method) !== method) continue
    if (layer.handle[METER]) return false
    isHandled = true
  }
  return isHandled
}
