/** `usageOf()`: what a model used, as its provider's answer says it. */

import { FareboxError, type ModelUsage } from '@farebox/core/contracts'
import { extract } from './extraction.ts'
import { isObject } from './fields.ts'

/**
 * What a model used, from the whole answer of its provider: chat completions, responses and embeddings of OpenAI and of
 * those who answer like it, messages of Anthropic, `generateContent` of Gemini. `inputTokens` includes the cached ones,
 * whether or not the provider counts them so. `provider` says who ran the model, such as `openai` or `azure`; without it,
 * the provider is found by the model's name. Throws `usage_unreadable` when the answer has no counts or names no model.
 *
 * @example farebox.usage.track({ customerId, feature: 'chat', ...usageOf(completion) })
 */
export function usageOf(response: unknown, provider?: string): ModelUsage {
  const extracted = isObject(response) ? extract(response, provider) : null
  if (extracted === null) {
    throw unreadable('to have the token counts of a provider', isObject(response) ? Object.keys(response) : typeof response)
  }
  const { model } = extracted
  if (model === undefined) throw unreadable('to name its model', Object.keys(response as object))
  return { ...extracted, model, ...(provider === undefined ? {} : { provider }) }
}

function unreadable(expected: string, got: string | readonly string[]): FareboxError {
  const shown = typeof got === 'string' ? got : `an object with ${got.slice(0, MOST_SHOWN).join(', ') || 'no members'}`
  return new FareboxError(
    'usage_unreadable',
    `Expected the response given to usageOf() ${expected}, got ${shown}: give it the whole answer, as the provider's API or SDK returned it`,
    { fields: { expected } },
  )
}

/** Members of an answer that an error message names. */
const MOST_SHOWN = 10
