/** `meter()`: the middleware that a developer mounts on an app, a router or a route. */

import { defaultFarebox, type Farebox, type FeatureCode, type MeterContext, type MeterOptions } from '@farebox/core/http'
import type { Request } from 'express'
import { createHandler, type MeterHandler } from './match.ts'

/** The options of `meter()` on Express. */
export interface ExpressMeterOptions extends MeterOptions<Request> {
  /** The Farebox that meters. Default: the one of the process; with none or several of them `meter()` throws `no_farebox`. */
  farebox?: Pick<Farebox, 'createGate'>
}

declare global {
  namespace Express {
    interface Request {
      /** The request's own metering. Undefined where nothing meters the request. */
      meter?: MeterContext
    }
  }
}

/**
 * Meters the default feature of the catalog, one unit for each request that reaches a route. A request beyond the
 * allowance is answered 402 and its handler does not run; an unknown path stays the application's own 404.
 * Throws a `FareboxError` at start-up: `no_farebox`, `no_default_feature`, `invalid_option`.
 *
 * @example app.use(meter())
 */
export function meter(options?: ExpressMeterOptions): MeterHandler
/**
 * Meters one feature: on an app or a router for all its routes, on a route for that route alone. The finest meter wins,
 * and a request is counted once, however many meters it passes. Throws as above, and `unknown_feature`.
 *
 * @example app.get('/files/:id', meter('downloads', { units: 5 }), sendFile)
 */
export function meter(feature: FeatureCode, options?: ExpressMeterOptions): MeterHandler
export function meter(first: FeatureCode | ExpressMeterOptions = {}, second: ExpressMeterOptions = {}): MeterHandler {
  const [feature, options] = typeof first === 'string' ? [first, second] : [undefined, first]
  const { farebox = defaultFarebox(), ...gateOptions } = options
  return createHandler(farebox.createGate<Request>(feature, gateOptions))
}
