/** Reads token counts out of a provider's answer, by the extractors of `@pydantic/genai-prices`. */

import type { ModelUsage } from '@farebox/core/contracts'
import { extractUsage, findProvider, type Provider } from '@pydantic/genai-prices'
import { countOf, type Fields, fieldsOf, isObject, nameOf } from './fields.ts'

/** The forms that answers have. Many providers answer in the form of another one. */
export type Form = 'chat' | 'responses' | 'messages' | 'gemini'

/** What an answer says. The model is missing where the answer does not name it. */
export type Extracted = Omit<ModelUsage, 'model' | 'provider'> & { readonly model: string | undefined }

/** Who made a form up, and their extractor for it. Others who answer in it mean the same by it, chat completions aside. */
const HOMES: Readonly<Record<Form, readonly [provider: string, extractor: string]>> = {
  chat: ['openai', 'chat'],
  responses: ['openai', 'responses'],
  messages: ['anthropic', 'default'],
  gemini: ['google', 'default'],
}

/** What providers call their extractors for chat completions. Theirs know best: some count reasoning within the output, and some beside it. */
const FOR_CHAT = ['chat', 'default']

/** The counts of an answer; null when it has none that can be read. Without a provider the model's own one is asked first. */
export function extract(
  answer: object,
  provider: string | undefined,
  form: Form | undefined = formOf(fieldsOf(answer)),
): Extracted | null {
  const named = providerOf(answer, provider)
  for (const [owner, extractor] of attempts(named, form)) {
    const extracted = owner && tryExtractor(owner, answer, extractor)
    if (extracted) return extracted
  }
  return null
}

/** The form of an answer; undefined for what is in the form of one provider alone, and for what is no answer. */
function formOf({ type, object, choices, usageMetadata }: Fields): Form | undefined {
  if (type === 'message') return 'messages'
  if (object === 'response') return 'responses'
  if (isObject(usageMetadata)) return 'gemini'
  return Array.isArray(choices) ? 'chat' : undefined
}

function providerOf(answer: object, provider: string | undefined): Provider | undefined {
  if (provider !== undefined) return findProvider({ providerId: provider })
  const model = nameOf(fieldsOf(answer).model)
  return model === undefined ? undefined : findProvider({ modelId: model })
}

/** Which extractors to try, the best first. */
function attempts(named: Provider | undefined, form: Form | undefined): (readonly [Provider | undefined, string])[] {
  const own = named?.extractors?.map(({ api_flavor: name }) => name) ?? []
  if (form === undefined) return own.map((name) => [named, name])
  const [home, extractor] = HOMES[form]
  const fitting = form === 'chat' ? FOR_CHAT.filter((name) => own.includes(name)) : []
  return [...fitting.map((name) => [named, name] as const), [findProvider({ providerId: home }), extractor]]
}

function tryExtractor(owner: Provider, answer: object, extractor: string): Extracted | null {
  try {
    const { model, usage } = extractUsage(owner, answer, extractor)
    const inputTokens = countOf(usage.input_tokens ?? 0)
    const outputTokens = countOf(usage.output_tokens ?? 0)
    const isSaid = usage.input_tokens !== undefined || usage.output_tokens !== undefined
    if (!isSaid || inputTokens === undefined || outputTokens === undefined) return null
    return { model: nameOf(model), inputTokens, outputTokens, ...cached(usage) }
  } catch {
    // It is made for another form.
    return null
  }
}

function cached(usage: Fields): Pick<ModelUsage, 'cacheReadTokens' | 'cacheWriteTokens'> {
  const cacheReadTokens = countOf(usage.cache_read_tokens)
  const cacheWriteTokens = countOf(usage.cache_write_tokens)
  return {
    ...(cacheReadTokens === undefined ? {} : { cacheReadTokens }),
    ...(cacheWriteTokens === undefined ? {} : { cacheWriteTokens }),
  }
}
