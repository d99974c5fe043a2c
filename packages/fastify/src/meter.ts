/** `meter`: the plugin that meters the routes of an application, or of the part of it that it is registered in. */

import { defaultFarebox, type Farebox, type MeterContext } from '@farebox/core/http'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { admissionOf } from './admission.ts'
import { createGates, type RouteMeter, type RouteMeterOptions } from './route-meter.ts'

/** The options of the plugin: of every meter, where a route's `config.meter` says nothing else. */
export interface FastifyMeterOptions extends RouteMeterOptions {
  /** The Farebox that meters. Default: the one of the process; with none or several of them the start fails with `no_farebox`. */
  farebox?: Pick<Farebox, 'createGate'>
  /** Whether routes are metered that say nothing. Default true. */
  global?: boolean
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The request's own metering. Null where nothing meters the request. */
    meter: MeterContext | null
  }
  interface FastifyContextConfig {
    /** How this route is metered, or `false`. */
    meter?: RouteMeter
  }
}

/**
 * Meters the default feature of the catalog, one unit for each request that reaches a route, after the route's own
 * `preHandler` hooks: whom those turn away is not counted. A request beyond the allowance is answered 402 and its handler
 * does not run. Mistakes fail the start: `no_farebox`, `no_default_feature`, `unknown_feature`, `invalid_option`.
 *
 * @example await app.register(meter)
 */
export const meter: FastifyPluginAsync<FastifyMeterOptions> = fp(register, { fastify: '5.x', name: '@farebox/fastify' })

async function register(app: FastifyInstance, given: FastifyMeterOptions): Promise<void> {
  const { farebox = defaultFarebox(), global: isGlobal = true, ...options } = given
  const gateOf = createGates(farebox, isGlobal, options)
  const seen = new Set<string>()
  if (isGlobal) gateOf(true)
  if (!app.hasRequestDecorator('meter')) app.decorateRequest('meter', null)

  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) seen.add(`${method} ${route.url}`)
    const gate = gateOf(route.config?.meter)
    // A new array: routes may share the one they were given.
    if (gate !== null) route.preHandler = [...[route.preHandler ?? []].flat(), admissionOf(gate, route.url)]
  })
  if (app.printRoutes() === NO_ROUTES) return
  // Routes that were there before the plugin would be free, so they are metered in front of their own hooks.
  app.addHook('preHandler', (request, reply, next) => {
    const { config, url = null } = request.routeOptions
    const gate = request.is404 || seen.has(`${request.method} ${url}`) ? null : gateOf(config.meter)
    if (gate === null) return next()
    admissionOf(gate, url).call(app, request, reply, next)
  })
}

/** What Fastify prints of an application without routes. */
const NO_ROUTES = '(empty tree)'
