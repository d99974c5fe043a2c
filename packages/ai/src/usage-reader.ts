/** Reads what a model used out of its stream, chunk by chunk, and says what is to be billed wherever the stream ends. */

import type { ModelUsage } from '@farebox/core/contracts'
import { type CountTokens, createDeliveredText, tokensOf } from './delivered-text.ts'
import { type Extracted, extract, type Form } from './extraction.ts'
import { type Fields, fieldsOf, isObject } from './fields.ts'
import type { StreamEnd } from './pass-on.ts'
import { readEventData } from './sse.ts'
import { readChunk } from './stream-chunks.ts'

/** What a stream used. */
export interface StreamUsage {
  readonly usage: ModelUsage
  /**
   * Whether the stream ended before its provider had said the last word on the counts. `usage` has what the provider had
   * said by then, and the rest by an estimate from the text.
   */
  readonly incomplete: boolean
}

export interface UsageReaderOptions {
  readonly model: string
  readonly provider: string | undefined
  readonly requestText: string
  readonly countTokens: CountTokens | undefined
}

export interface UsageReader {
  /** Takes a chunk as it goes by: a piece of server-sent events, or what an SDK made of an event. Never throws. */
  take(chunk: unknown): void
  /** Takes what came as whole, since nothing comes any more. */
  close(): void
  /** What is to be billed for a stream that ends here in this way. */
  result(end: StreamEnd): StreamUsage
}

export function createUsageReader({ model, provider, requestText, countTokens }: UsageReaderOptions): UsageReader {
  const events = readEventData((data) => see(parsed(data)))
  const delivered = createDeliveredText(countTokens)
  let form: Form | undefined
  let answering = model
  let counts: Fields | undefined
  let hasEnded = false
  let isFinal = false
  return { take, close: events.end, result }

  function take(chunk: unknown): void {
    try {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) events.feed(chunk)
      else see(chunk)
    } catch {
      // An object of an SDK that cannot be looked into is passed on like any other.
    }
  }

  function see(chunk: unknown): void {
    const sight = readChunk(fieldsOf(chunk))
    if (sight === null) return
    form = sight.form
    answering = sight.model ?? answering
    delivered.add(sight.text)
    hasEnded ||= sight.isEnd
    if (sight.counts === undefined) return
    counts = { ...counts, ...said(sight.counts) }
    isFinal = hasEnded
  }

  function result(end: StreamEnd): StreamUsage {
    const known = knownSoFar()
    if (known !== null && isFinal) return { usage: usageWith(known), incomplete: false }
    // A stream that broke before it began gave nobody anything. One that was left may have begun where nobody could see it.
    const isBegun = form !== undefined || end === 'left'
    const inputTokens = known?.inputTokens ?? (isBegun ? tokensOf(requestText, countTokens) : 0)
    const outputTokens = Math.max(known?.outputTokens ?? 0, delivered.tokens())
    return { usage: usageWith({ ...known, inputTokens, outputTokens }), incomplete: true }
  }

  /** The provider's counts up to now, read as if they stood in a whole answer. */
  function knownSoFar(): Extracted | null {
    if (form === undefined || counts === undefined) return null
    const answer = form === 'gemini' ? { modelVersion: answering, usageMetadata: counts } : { model: answering, usage: counts }
    return extract(answer, provider, form)
  }

  function usageWith(known: Omit<Extracted, 'model'>): ModelUsage {
    return { ...known, model: answering, ...(provider === undefined ? {} : { provider }) }
  }
}

/** The counts that a chunk has; where it says null it says nothing. */
function said(counts: Fields): Fields {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== null && count !== undefined))
}

/** The JSON of an event; of `[DONE]` and of half an event, nothing. */
function parsed(data: string): unknown {
  try {
    const value: unknown = JSON.parse(data)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
