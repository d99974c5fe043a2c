/** What a source of AI model prices must do: say what each token of a request costs. It never multiplies; the engine does, exactly. */

import type { ModelUsage, TokenClass } from '../records/model-usage.ts'

export type { ModelUsage, TokenClass }

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
