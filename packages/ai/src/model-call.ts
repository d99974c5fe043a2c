/** One call of a model through the AI SDK: who is to be billed for it, which model it was, and what it used. */

import { FareboxError, invalidOption, randomId, refuseUnknownOptions } from '@farebox/core/contracts'
import type { FeatureCode } from '@farebox/core'
import { type CountTokens, createDeliveredText, tokensOf } from './delivered-text.ts'
import { countOf, fieldsOf, isObject, listOf, nameOf, textOf } from './fields.ts'
import type { StreamEnd } from './pass-on.ts'
import { providerId } from './price-list.ts'

/** A call that was made, as `usage.track()` takes it. */
export interface ModelCall {
  readonly customerId: string
  readonly feature: FeatureCode
  /** As the provider's answer names it. */
  readonly model: string
  readonly provider: string
  /** All tokens that went in, those read from and written to a cache included. */
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly cacheWriteTokens: number
  /** Of the provider's own id of the answer where there is one, so that it is counted once however often it is recorded. */
  readonly idempotencyKey: string
  /** There when the provider had not said the last word on the counts: they are estimates, in part or as a whole. */
  readonly properties?: { readonly incomplete: true }
}

/** What is looked at in the parameters of a call. */
export interface CallParams {
  readonly prompt: unknown
  readonly providerOptions?: unknown
}

/** The model as the AI SDK has it. */
export interface CalledModel {
  readonly provider: string
  readonly modelId: string
}

export interface CallReaderOptions {
  readonly customerId: string
  readonly feature: FeatureCode
  /** Names the provider in place of the AI SDK. */
  readonly provider: string | undefined
  readonly called: CalledModel
  readonly prompt: unknown
  readonly countTokens: CountTokens | undefined
}

export interface CallReader {
  /** Takes a part of the answer as it goes by. */
  take(part: unknown): void
  /** What is to be recorded of a call that ended so; null when it broke before anything came. */
  result(end: StreamEnd): ModelCall | null
}

/** What `usage.track()` takes as a key. */
const KEY = /^[\x21-\x7e]{1,255}$/

/** Parts that the SDK makes, or that come from a provider which has not begun to answer. */
const BEFORE_THE_ANSWER = ['stream-start', 'ping', 'raw', 'error']

export function createCallReader(options: CallReaderOptions): CallReader {
  const { customerId, feature, called, prompt, countTokens } = options
  const delivered = createDeliveredText(countTokens)
  const streamedTools = new Set<string>()
  let answer: { readonly id?: unknown; readonly modelId?: unknown } = {}
  let usage: unknown
  let isBegun = false
  return { take, result }

  function take(part: unknown): void {
    const { type, id, delta, text, toolCallId, input, ...others } = fieldsOf(part)
    if (BEFORE_THE_ANSWER.includes(textOf(type))) return
    if (type === 'finish') usage = others.usage
    else isBegun = true
    if (type === 'response-metadata') answer = { id: id ?? answer.id, modelId: others.modelId ?? answer.modelId }
    if (type === 'tool-input-delta') streamedTools.add(textOf(id))
    delivered.add(textOf(delta) + textOf(text))
    // The whole input of a tool comes again after its pieces.
    if (type === 'tool-call' && !streamedTools.has(textOf(toolCallId))) delivered.add(textOf(input))
  }

  function result(end: StreamEnd): ModelCall | null {
    const { inputTokens, outputTokens } = fieldsOf(usage)
    const { total: input, cacheRead, cacheWrite } = fieldsOf(inputTokens)
    const known = { input: countOf(input), output: countOf(fieldsOf(outputTokens).total) }
    const isSaid = known.input !== undefined || known.output !== undefined
    if (!isBegun && !isSaid && end !== 'left') return null
    const isWhole = known.input !== undefined && known.output !== undefined
    return {
      customerId,
      feature,
      ...nameOfModel(called, options.provider, nameOf(answer.modelId)),
      inputTokens: known.input ?? tokensOf(promptText(prompt), countTokens),
      outputTokens: known.output ?? delivered.tokens(),
      cacheReadTokens: countOf(cacheRead) ?? 0,
      cacheWriteTokens: countOf(cacheWrite) ?? 0,
      idempotencyKey: keyOf(feature, nameOf(answer.id)),
      ...(isWhole ? {} : { properties: { incomplete: true } }),
    }
  }
}

/** The customer that a call names in `providerOptions.farebox`, and the parameters without it: no provider is told. */
export function takeCustomer<Params extends CallParams>(params: Params): { params: Params; customerId: unknown } {
  const { farebox, ...others } = fieldsOf(params.providerOptions)
  if (farebox === undefined) return { params, customerId: undefined }
  const where = 'providerOptions.farebox'
  if (!isObject(farebox)) throw invalidOption('the call', where, 'an object', farebox)
  // A misspelt name would bill the customer of the option.
  refuseUnknownOptions(where, farebox, ['customerId'])
  return { params: { ...params, providerOptions: others }, customerId: fieldsOf(farebox).customerId }
}

export function checkedCustomer(customerId: unknown): string {
  if (typeof customerId === 'string' && customerId !== '') return customerId
  throw new FareboxError(
    'invalid_customer',
    `Expected a customer for the call of a model, got ${String(customerId)}: give it as providerOptions: { farebox: { customerId } } or as the option customerId of fareboxMiddleware()`,
    { fields: { customerId } },
  )
}

/** The SDK writes a provider as `openai.responses`; its gateway is no provider, and writes a model as `openai/gpt-5`. */
function nameOfModel(
  { provider, modelId }: CalledModel,
  own: string | undefined,
  answered: string | undefined,
): { readonly model: string; readonly provider: string } {
  const [first = ''] = provider.split('.')
  const slash = modelId.indexOf('/')
  const model = answered ?? modelId
  if (first === 'gateway' && slash > 0) {
    const maker = modelId.slice(0, slash)
    return { model: model.startsWith(`${maker}/`) ? model.slice(slash + 1) : model, provider: own ?? providerId(maker) ?? maker }
  }
  return { model, provider: own ?? providerId(first) ?? providerId(provider) ?? first }
}

/** Of the feature too, because one call may be counted by several: as a call, say, and as tokens. */
function keyOf(feature: string, id: string | undefined): string {
  const key = `${feature}:${id ?? ''}`
  return id !== undefined && KEY.test(key) ? key : randomId('call')
}

/** The text of a prompt, what tools were given and gave included. */
function promptText(prompt: unknown): string {
  const contents = listOf(prompt).map((message) => fieldsOf(message).content)
  return contents.map((content) => (typeof content === 'string' ? content : listOf(content).map(partText).join(''))).join('\n')
}

function partText(part: unknown): string {
  const { text, input, output } = fieldsOf(part)
  return [text, input, output].map((value) => (isObject(value) ? (JSON.stringify(value) ?? '') : textOf(value))).join('')
}
