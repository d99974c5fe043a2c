/** What a source of AI model prices must do: say what each token of a request costs. It never multiplies; the engine does, exactly. */

import type { Decimal } from '../values/decimal.ts'

/** What an AI model used in one request. Counts are whole numbers. */
export interface ModelUsage {
  /** The model as the provider names it in its answer, such as `gpt-4o` or `claude-sonnet-4-5-20250929`. */
  readonly model: string
  /** Who ran it, such as `openai`; found by the model's name when absent. */
  readonly provider?: string
  /** All tokens that went in, those read from and written to a cache included. */
  readonly inputTokens: number
  /** All tokens that came out, reasoning included. */
  readonly outputTokens: number
  /** Of `inputTokens`: read from the provider's cache. Default 0. */
  readonly cacheReadTokens?: number
  /** Of `inputTokens`: written to the provider's cache. Default 0. */
  readonly cacheWriteTokens?: number
}

/** Tokens that cost the same, and what a million of them costs. Each token of a request is in exactly one class. */
export interface TokenClass {
  readonly name: 'input' | 'output' | 'cache_read' | 'cache_write'
  readonly tokens: number
  /** Price of a million of them in `currency`'s main unit, exact. */
  readonly perMillion: Decimal
}

export type ModelQuote =
  /** `model` and `provider` are those of the price list. The classes' tokens sum to all tokens of the usage. */
  | { readonly kind: 'priced'; readonly model: string; readonly provider: string; readonly classes: readonly TokenClass[] }
  /** No price list has the model. */
  | { readonly kind: 'unknown_model' }
  /** The model is known, and this usage of it has no price; `reason` says why in one sentence. */
  | { readonly kind: 'unpriceable'; readonly reason: string }

/** Given to `createFarebox({ models })`; `modelPrices()` of `@farebox/ai` makes one. */
export interface ModelPrices {
  /** Name and version of the price list, stored with each event: the same one always gives the same prices. */
  readonly catalog: string
  /** ISO 4217; what the prices are in. */
  readonly currency: string
  /** The price in force at `at` (epoch milliseconds). Deterministic, and without a network. */
  quote(usage: ModelUsage, at: number): ModelQuote
}
