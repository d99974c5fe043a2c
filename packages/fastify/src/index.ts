/** Farebox for Fastify: the public interface of `@farebox/fastify`. */

export { billing } from './billing.ts'
export { type FastifyMeterOptions, meter, meter as default } from './meter.ts'
export type { RouteMeter, RouteMeterOptions } from './route-meter.ts'
export type { BillingOptions } from '@farebox/core/billing'
export type { MeterContext } from '@farebox/core/http'
