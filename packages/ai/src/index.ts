/** AI model prices and usage for Farebox: the public interface of `@farebox/ai`. */

export { modelPrices } from './model-prices.ts'
export { usageOf } from './usage-of.ts'
export { readUsageStream, type UsageStream, type UsageStreamOptions } from './read-usage-stream.ts'
export type { StreamUsage } from './usage-reader.ts'
export type { CountTokens } from './delivered-text.ts'
export { fareboxMiddleware, type FareboxMiddleware, type FareboxMiddlewareOptions, type TrackCall } from './middleware.ts'
export type { ModelCall } from './model-call.ts'
export type { ModelPrices, ModelUsage } from '@farebox/core/contracts'
