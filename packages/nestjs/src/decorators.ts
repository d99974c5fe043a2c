/** What a controller says about its metering. */

import type { FeatureCode, MeterContext, MeterOptions } from '@farebox/core/http'
import { createParamDecorator, type CustomDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common'
import type { NestRequest } from './admission.ts'

/** The options of a meter on Nest: its functions get the request of the platform, an Express `Request` or a `FastifyRequest`. */
export type NestMeterOptions<Request = NestRequest> = MeterOptions<Request>

/** What `@Metered()` and `@SkipMeter()` say; null: not metered. */
export type Metering = { readonly feature: FeatureCode | undefined; readonly options: NestMeterOptions } | null

/** Where they keep it. */
export const METERING = 'farebox:metering'

/**
 * Meters the routes of a controller, or one route: that of the method counts. Without a feature that of the module is
 * meant. Options replace those of the module one by one. A mistake ends the start of the application.
 *
 * @example @Metered('documents', { units: 5 })
 */
export function Metered<Request = NestRequest>(options?: NestMeterOptions<Request>): CustomDecorator
export function Metered<Request = NestRequest>(feature: FeatureCode, options?: NestMeterOptions<Request>): CustomDecorator
export function Metered(first: FeatureCode | NestMeterOptions = {}, second: NestMeterOptions = {}): CustomDecorator {
  const [feature, options] = typeof first === 'string' ? [first, second] : [undefined, first]
  return SetMetadata<string, Metering>(METERING, { feature, options })
}

/** Serves the routes of a controller, or one route, without metering them. */
export function SkipMeter(): CustomDecorator {
  return SetMetadata<string, Metering>(METERING, null)
}

/** Gives a handler the request's own metering, a `MeterContext`; undefined where nothing meters the request. */
export const Meter: () => ParameterDecorator = createParamDecorator(
  (_data: unknown, context: ExecutionContext): MeterContext | undefined =>
    context.getType() === 'http' ? context.switchToHttp().getRequest<NestRequest>().meter : undefined,
)
