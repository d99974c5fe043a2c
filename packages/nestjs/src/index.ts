/** Farebox for NestJS: the public interface of `@farebox/nestjs`. */

export { billing } from './billing.ts'
export { Meter, Metered, type NestMeterOptions, SkipMeter } from './decorators.ts'
export { FareboxModule } from './farebox-module.ts'
export type { FareboxModuleAsyncOptions, FareboxModuleOptions, FareboxOptionsFactory } from './farebox-module.ts'
export type { NestRequest } from './admission.ts'
export type { MeterContext } from '@farebox/core/http'
export type { BillingOptions } from '@farebox/core/billing'
