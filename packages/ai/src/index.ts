/** AI model prices and usage for Farebox: the public interface of `@farebox/ai`. */

export { modelPrices } from './model-prices.ts'
