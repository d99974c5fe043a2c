/** `readUsageStream()`: a provider's stream, passed through untouched, and what it used. */

import { invalidOption, refuseOtherThanFunction, refuseUnknownOptions } from '@farebox/core/contracts'
import type { CountTokens } from './delivered-text.ts'
import { passChunksOn, passStreamOn, type Watcher } from './pass-on.ts'
import { createUsageReader, type StreamUsage } from './usage-reader.ts'

/** How a stream is read. */
export interface UsageStreamOptions {
  /** The model that was asked for. The one that the stream itself names goes before it. */
  model: string
  /** Who runs the model, such as `openai` or `azure`. Default: found by the model's name. */
  provider?: string
  /** The text of the request, for an estimate of its tokens where the stream ends before the provider has counted them. Without it they count as none. */
  requestText?: string
  /** Counts the tokens of a text, for estimates. Default, also where it throws: a token for every four bytes, rounded up. */
  countTokens?: CountTokens
  /**
   * Told what was used, once, when the stream ends or is left, before whoever reads it learns of the end: a request is still
   * being metered then. What it throws, or rejects with, reaches them in the end's place.
   */
  onUsage?: (result: StreamUsage) => void | PromiseLike<void>
}

/** A stream on its way, and what it will have used. */
export interface UsageStream<Stream> {
  /** The same chunks as those of the stream that was given. It must be read or cancelled, or the usage is never known. */
  readonly stream: Stream
  /** Resolves when the stream has ended, in whatever way, and never rejects. */
  readonly usage: Promise<StreamUsage>
  /** What `usage` would be if the reader left now. */
  soFar(): StreamUsage
}

const OPTIONS = ['model', 'provider', 'requestText', 'countTokens', 'onUsage'] as const

/**
 * Reads what was used out of a provider's stream while it goes by: server-sent events as `fetch` gives them, of OpenAI chat
 * completions (send `stream_options: { include_usage: true }`) and responses, Anthropic messages and Gemini
 * (`streamGenerateContent?alt=sse`). No chunk is changed, held back or read ahead. Where the stream breaks or its reader leaves, what was
 * delivered is counted and `incomplete` says so. Throws `invalid_option`.
 *
 * @example return new Response(readUsageStream(upstream.body, { model, onUsage }).stream)
 */
export function readUsageStream<Chunk>(
  stream: ReadableStream<Chunk>,
  options: UsageStreamOptions,
): UsageStream<ReadableStream<Chunk>>
/** The same for the chunks that a provider's SDK has parsed. */
export function readUsageStream<Chunk>(
  stream: AsyncIterable<Chunk>,
  options: UsageStreamOptions,
): UsageStream<AsyncIterableIterator<Chunk>>
export function readUsageStream<Chunk>(
  stream: ReadableStream<Chunk> | AsyncIterable<Chunk>,
  options: UsageStreamOptions,
): UsageStream<ReadableStream<Chunk> | AsyncIterableIterator<Chunk>> {
  checkOptions(options)
  const { model, provider, requestText = '', countTokens, onUsage } = options
  const reader = createUsageReader({ model, provider, requestText, countTokens })
  const { promise, resolve } = Promise.withResolvers<StreamUsage>()
  const watcher: Watcher<Chunk> = {
    saw: reader.take,
    async ended(end) {
      reader.close()
      const result = reader.result(end)
      resolve(result)
      await onUsage?.(result)
    },
  }
  const passed = 'getReader' in stream ? passStreamOn(stream, watcher) : passChunksOn(stream, watcher)
  return { stream: passed, usage: promise, soFar: () => reader.result('left') }
}

function checkOptions(options: UsageStreamOptions): void {
  const where = 'readUsageStream()'
  refuseUnknownOptions(where, options, OPTIONS)
  const { model, provider, requestText, countTokens, onUsage } = options
  if (typeof model !== 'string' || model === '') throw invalidOption(where, 'model', 'the name of a model', model)
  for (const [name, text] of Object.entries({ provider, requestText })) {
    if (text !== undefined && typeof text !== 'string') throw invalidOption(where, name, 'a text', text)
  }
  refuseOtherThanFunction(where, 'countTokens', countTokens)
  refuseOtherThanFunction(where, 'onUsage', onUsage)
}
