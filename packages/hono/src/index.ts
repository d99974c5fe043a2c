/** Farebox for Hono: the public interface of `@farebox/hono`. */

export { type HonoMeterOptions, meter, type MeterVariables } from './meter.ts'
export type { MeterContext } from '@farebox/core/http'
