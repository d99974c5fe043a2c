/** `meter()`: the middleware that a developer puts on an app, a sub-app or a route. */

import { defaultFarebox, type Farebox, type FeatureCode, type MeterContext, type MeterOptions } from '@farebox/core/http'
import type { Context, MiddlewareHandler } from 'hono'
import { admit } from './admission.ts'
import { asMeter, routeToAdmit } from './match.ts'

/** The options of `meter()` on Hono. */
export interface HonoMeterOptions extends MeterOptions<Context> {
  /** The Farebox that meters. Default: the one of the process; with none or several of them `meter()` throws `no_farebox`. */
  farebox?: Pick<Farebox, 'createGate'>
}

/** What `meter()` sets on the context. */
export interface MeterVariables {
  /** The request's own metering. Undefined where nothing meters the request. */
  meter: MeterContext | undefined
}

declare module 'hono' {
  interface ContextVariableMap {
    meter: MeterVariables['meter']
  }
}

/**
 * Meters the default feature of the catalog, one unit for each request that reaches a route. A request beyond the
 * allowance is answered 402 and its handler does not run; an unknown path stays the application's own 404.
 * Throws a `FareboxError` at start-up: `no_farebox`, `no_default_feature`, `invalid_option`.
 *
 * @example app.use(meter())
 */
export function meter(options?: HonoMeterOptions): MiddlewareHandler
/**
 * Meters one feature: on an app or a sub-app for all its routes, on a route for that route alone. The finest meter wins,
 * and a request is counted once, however many meters it passes. Throws as above, and `unknown_feature`.
 *
 * @example app.get('/files/:id', meter('downloads', { units: 5 }), sendFile)
 */
export function meter(feature: FeatureCode, options?: HonoMeterOptions): MiddlewareHandler
export function meter(first: FeatureCode | HonoMeterOptions = {}, second: HonoMeterOptions = {}): MiddlewareHandler {
  const [feature, options] = typeof first === 'string' ? [first, second] : [undefined, first]
  const { farebox = defaultFarebox(), ...gateOptions } = options
  const gate = farebox.createGate<Context>(feature, gateOptions)
  return asMeter(function meterRequest(c, next) {
    const route = routeToAdmit(c)
    return route === undefined ? next() : admit(gate, c, route, next)
  })
}
