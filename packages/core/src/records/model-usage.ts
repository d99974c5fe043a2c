/** What an AI model used, and what each of its tokens costs. */

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
