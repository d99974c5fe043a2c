/** Farebox for Express: the public interface of `@farebox/express`. */

export { billing } from './billing.ts'
export { type ExpressMeterOptions, meter, meter as default } from './meter.ts'
export type { BillingOptions } from '@farebox/core/billing'
export type { MeterContext } from '@farebox/core/http'
