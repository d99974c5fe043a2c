/** What a route says about its metering, and the gate that follows from it. */

import type { Farebox, FeatureCode, Gate, MeterOptions } from '@farebox/core/http'
import type { FastifyRequest } from 'fastify'

/** The options of a meter of one route. */
export interface RouteMeterOptions extends MeterOptions<FastifyRequest> {
  /** The metered feature. Default: that of the plugin. */
  feature?: FeatureCode
}

/** `config.meter` of a route: a feature, its own options, the plugin's (`true`), or not metered at all (`false`). */
export type RouteMeter = boolean | FeatureCode | RouteMeterOptions

/** Makes gates for what routes say; routes that say the same share one. */
export function createGates(
  farebox: Pick<Farebox, 'createGate'>,
  isGlobal: boolean,
  { feature, ...options }: RouteMeterOptions,
): (said: RouteMeter | undefined) => Gate<FastifyRequest> | null {
  const gates = new Map<RouteMeter, Gate<FastifyRequest>>()
  return (said = isGlobal) => {
    if (said === false) return null
    let gate = gates.get(said)
    if (gate === undefined) {
      const { feature: own = feature, ...ownOptions } = typeof said === 'string' ? { feature: said } : said === true ? {} : said
      gate = farebox.createGate<FastifyRequest>(own, { ...options, ...ownOptions })
      gates.set(said, gate)
    }
    return gate
  }
}
