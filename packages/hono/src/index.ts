/** Farebox for Hono: the public interface of `@farebox/hono`. */

export { billing } from './billing.ts'
export { type HonoMeterOptions, meter, type MeterVariables } from './meter.ts'
export type { BillingOptions } from '@farebox/core/billing'
export type { MeterContext } from '@farebox/core/http'
