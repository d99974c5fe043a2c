/** Which route a meter stands before. Hono knows all that a request will pass before the first of it runs. */

import type { Context, MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import { findTargetHandler, isMiddleware } from 'hono/utils/handler'

// Symbols of the registry, so that the ESM and the CommonJS copy of this package in one process act as one.
const METER: unique symbol = Symbol.for('farebox.hono.meter')
const UNMETERED: unique symbol = Symbol.for('farebox.hono.unmetered')

type Marked = { readonly [METER]?: true; readonly [UNMETERED]?: true }

/** Marks the middleware of a meter, so that a meter before it leaves the request to it. */
export function asMeter(handler: MiddlewareHandler): MiddlewareHandler {
  return Object.assign(handler, { [METER]: true })
}

/** Marks a handler that no meter counts. */
export function asUnmetered<Handler extends object>(handler: Handler): Handler {
  return Object.assign(handler, { [UNMETERED]: true })
}

/** The pattern of the route that the running meter is to admit for; undefined where nothing or another meter admits. */
export function routeToAdmit(c: Context): string | undefined {
  const routes = matchedRoutes(c)
  // Where an app with an error handler of its own was mounted, Hono has wrapped its handlers.
  const handlers: (ReturnType<typeof findTargetHandler> & Marked)[] = routes.map(({ handler }) => findTargetHandler(handler))
  const own = c.req.routeIndex
  // Hono's own measure: what takes `next` is middleware. Where nothing else matched, it is a route if it is for some methods only.
  let at = handlers.findIndex((handler, index) => index > own && !isMiddleware(handler))
  if (at === -1) at = routes.findLastIndex(({ method }, index) => index > own && method !== 'ALL')
  if (at === -1 || handlers[at]?.[UNMETERED]) return undefined
  const isLeft = handlers.some((handler, index) => index > own && index <= at && handler[METER])
  return isLeft ? undefined : routes[at]?.path
}
