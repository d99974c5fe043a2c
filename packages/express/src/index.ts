/** Farebox for Express: the public interface of `@farebox/express`. */

export { type ExpressMeterOptions, meter, meter as default } from './meter.ts'
export type { MeterContext } from '@farebox/core/http'
