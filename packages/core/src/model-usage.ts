/** Checks the token counts that a caller reports. */

import { FareboxError } from './errors.ts'
import type { ModelUsage } from './records/model-usage.ts'

/** More tokens than any request has. */
const MAX_TOKENS = 1_000_000_000

const MAX_NAME_LENGTH = 200

/** The usage with its members alone. Throws `invalid_model_usage`. */
export function checkedUsage(usage: ModelUsage): ModelUsage {
  const { model, provider, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage
  if (typeof model !== 'string' || model === '' || model.length > MAX_NAME_LENGTH)
    throw invalid('model', 'the name of a model', model)
  if (provider !== undefined && (typeof provider !== 'string' || provider === '' || provider.length > MAX_NAME_LENGTH))
    throw invalid('provider', 'the name of a provider', provider)
  const checked: ModelUsage = {
    model,
    ...(provider === undefined ? {} : { provider }),
    inputTokens: tokens('inputTokens', inputTokens),
    outputTokens: tokens('outputTokens', outputTokens),
    ...(cacheReadTokens === undefined ? {} : { cacheReadTokens: tokens('cacheReadTokens', cacheReadTokens) }),
    ...(cacheWriteTokens === undefined ? {} : { cacheWriteTokens: tokens('cacheWriteTokens', cacheWriteTokens) }),
  }
  return checked
}

function tokens(name: string, count: unknown): number {
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 && count <= MAX_TOKENS) return count
  throw invalid(name, `a whole number of tokens from 0 to ${MAX_TOKENS}`, count)
}

function invalid(name: string, expected: string, got: unknown): FareboxError {
  const shown = typeof got === 'string' ? JSON.stringify(got.slice(0, 40)) : String(got)
  return new FareboxError(
    'invalid_model_usage',
    `Expected ${name} to be ${expected}, got ${shown}: give what the provider's answer says`,
    {
      fields: { name },
    },
  )
}
