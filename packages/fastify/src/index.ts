/** Farebox for Fastify: the public interface of `@farebox/fastify`. */

export { type FastifyMeterOptions, meter, meter as default } from './meter.ts'
export type { RouteMeter, RouteMeterOptions } from './route-meter.ts'
export type { MeterContext } from '@farebox/core/http'
