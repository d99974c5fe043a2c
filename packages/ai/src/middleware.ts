/** `fareboxMiddleware()`: records what the models of the Vercel AI SDK use. */

import type { FeatureCode } from '@farebox/core'
import {
  FareboxError,
  invalidOption,
  refuseOtherThanFunction,
  refuseOtherWords,
  refuseUnknownOptions,
} from '@farebox/core/contracts'
import type { CountTokens } from './delivered-text.ts'
import { fieldsOf, listOf } from './fields.ts'
import {
  type CalledModel,
  type CallParams,
  type CallReader,
  checkedCustomer,
  createCallReader,
  type ModelCall,
  takeCustomer,
} from './model-call.ts'
import { passStreamOn, type StreamEnd } from './pass-on.ts'

/** Records a call, durably when its promise resolves: `usage.track` of a Farebox. */
export type TrackCall = (call: ModelCall) => PromiseLike<unknown>

export interface FareboxMiddlewareOptions {
  /** The Farebox whose `usage.track()` records the calls. Give this or `track`. */
  farebox?: { readonly usage: { track(call: ModelCall): PromiseLike<unknown> } }
  /** Records a call in another way. An answer whose `kind` is `refused` or `conflict` means that nothing was written. */
  track?: TrackCall
  /** The feature that the calls are usage of. */
  feature: FeatureCode
  /** Who pays for calls that do not say it in `providerOptions.farebox.customerId`. */
  customerId?: string
  /** Who runs the model, as the price list names it. Default: what the AI SDK says, so it is needed for a proxy with a name of its own. */
  provider?: string
  /** Counts the tokens of a text, for calls whose provider never says them. Default, also where it throws: a token for every four bytes, rounded up. */
  countTokens?: CountTokens
  /**
   * What a call that could not be recorded gives: the model's answer all the same (`keep`, the default), or the error
   * (`throw`), which comes in the place of the answer, or at the end of a stream.
   */
  onTrackError?: 'keep' | 'throw'
  /**
   * Gets the error and the call that was not recorded; track the same call again later. Needed with `keep`, because
   * otherwise nobody would know. What it throws is thrown to the caller.
   */
  onError?: (error: unknown, call: ModelCall) => void | PromiseLike<void>
}

/** A middleware of the AI SDK 7, for `wrapLanguageModel({ model, middleware })`. */
export interface FareboxMiddleware {
  readonly specificationVersion: 'v4'
  wrapGenerate<Params extends CallParams, Result>(call: GenerateCall<Params, Result>): Promise<Result>
  wrapStream<Params extends CallParams, Part, Result extends { stream: ReadableStream<Part> }>(
    call: StreamCall<Params, Result>,
  ): Promise<Result>
}

/** What the AI SDK hands a middleware, as far as it is looked at. */
export interface GenerateCall<Params, Result> {
  readonly params: Params
  readonly model: CalledModel & { doGenerate(params: Params): PromiseLike<Result> }
}

export interface StreamCall<Params, Result> {
  readonly params: Params
  readonly model: CalledModel & { doStream(params: Params): PromiseLike<Result> }
}

const WHERE = 'fareboxMiddleware()'

const OPTIONS = ['farebox', 'track', 'feature', 'customerId', 'provider', 'countTokens', 'onTrackError', 'onError'] as const

/**
 * Records one event for each call of a model: the customer of `providerOptions.farebox.customerId`, the model, and the
 * tokens as the provider counted them. A stream that is cut is recorded for what was delivered, with the property
 * `incomplete`. A call without a customer is refused before the model is asked (`invalid_customer`). Throws `invalid_option`.
 *
 * @example wrapLanguageModel({ model: openai('gpt-4o'), middleware: fareboxMiddleware({ farebox, feature: 'chat', onError }) })
 */
export function fareboxMiddleware(options: FareboxMiddlewareOptions): FareboxMiddleware {
  const track = checkedTrack(options)
  const { feature, provider, countTokens, onTrackError = 'keep', onError } = options
  return { specificationVersion: 'v4', wrapGenerate, wrapStream }

  async function wrapGenerate<Params extends CallParams, Result>(call: GenerateCall<Params, Result>): Promise<Result> {
    const { params, model } = call
    const opened = open(params, model)
    const result = await model.doGenerate(opened.params)
    const { content, response, usage } = fieldsOf(result)
    for (const part of [{ ...fieldsOf(response), type: 'response-metadata' }, ...listOf(content), { type: 'finish', usage }])
      opened.reader.take(part)
    await record(opened.reader, 'finished')
    return result
  }

  async function wrapStream<Params extends CallParams, Part, Result extends { stream: ReadableStream<Part> }>(
    call: StreamCall<Params, Result>,
  ): Promise<Result> {
    const { params, model } = call
    const opened = open(params, model)
    const result = await model.doStream(opened.params)
    const ended = (end: StreamEnd): Promise<void> => record(opened.reader, end)
    return { ...result, stream: passStreamOn(result.stream, { saw: opened.reader.take, ended }) }
  }

  /** Before the model is called, so that no call is made that nobody would pay for. */
  function open<Params extends CallParams>(given: Params, called: CalledModel): { params: Params; reader: CallReader } {
    const { params, customerId: named } = takeCustomer(given)
    const customerId = checkedCustomer(named ?? options.customerId)
    return { params, reader: createCallReader({ customerId, feature, provider, called, prompt: params.prompt, countTokens }) }
  }

  async function record(reader: CallReader, end: StreamEnd): Promise<void> {
    const call = reader.result(end)
    if (call === null) return
    const problem = await problemOf(call)
    if (problem === null) return
    await onError?.(problem.error, call)
    if (onTrackError === 'throw') throw problem.error
  }

  async function problemOf(call: ModelCall): Promise<{ readonly error: unknown } | null> {
    try {
      const result = await track(call)
      const { kind } = fieldsOf(result)
      return kind === 'refused' || kind === 'conflict' ? { error: untracked(kind, result, call) } : null
    } catch (error) {
      return { error }
    }
  }
}

function untracked(kind: 'refused' | 'conflict', result: unknown, call: ModelCall): FareboxError {
  const why =
    kind === 'refused' ? 'the plan does not allow it' : `the log holds another event under the key ${call.idempotencyKey}`
  return new FareboxError(
    'usage_untracked',
    `Expected the call of ${call.model} for ${call.customerId} to be recorded, got ${kind}: ${why}, and the model has been called already`,
    { fields: { result, call } },
  )
}

function checkedTrack(options: FareboxMiddlewareOptions): TrackCall {
  refuseUnknownOptions(WHERE, options, OPTIONS)
  const { farebox, track, feature, customerId, provider, countTokens, onTrackError = 'keep', onError } = options
  for (const [name, text] of Object.entries({ feature, customerId, provider })) {
    const isGiven = name === 'feature' || text !== undefined
    if (isGiven && (typeof text !== 'string' || text === '')) throw invalidOption(WHERE, name, 'a text', text)
  }
  for (const [name, given] of Object.entries({ track, countTokens, onError })) refuseOtherThanFunction(WHERE, name, given)
  refuseOtherWords(WHERE, 'onTrackError', onTrackError, ['keep', 'throw'])
  if (onTrackError === 'keep' && onError === undefined)
    throw invalidOption(
      WHERE,
      'onError',
      `a function, so that somebody learns of a call that was not recorded; or onTrackError 'throw'`,
      onError,
    )
  if (track !== undefined && farebox === undefined) return track
  if (farebox !== undefined && track === undefined) return (call) => farebox.usage.track(call)
  throw invalidOption(WHERE, 'farebox', 'given, or track, and not both', farebox)
}
