/** One chunk of a provider's stream: what it says of the usage, and the text in it. A function for each form of stream. */

import type { Form } from './extraction.ts'
import { type Fields, fieldsOf, isObject, listOf, nameOf, textOf } from './fields.ts'

export interface Sight {
  readonly form: Form
  readonly model: string | undefined
  /** The provider's counts up to this chunk, in its own words. Streams count up: later counts are in the place of earlier ones, never added. */
  readonly counts: Fields | undefined
  /** Whether the model has ended: counts that come with this chunk or after it are the last word. */
  readonly isEnd: boolean
  /** What the model wrote: text, reasoning that is shown, the arguments of tools. */
  readonly text: string
}

/** What a chunk says; null for one of no form that is known, such as a ping or an error. */
export function readChunk(chunk: Fields): Sight | null {
  const { object, type, choices, candidates, usageMetadata } = chunk
  if (Array.isArray(choices) || object === 'chat.completion.chunk') return readChat(chunk)
  if (textOf(type).startsWith('response.')) return readResponses(chunk)
  if (textOf(type).startsWith('message_') || textOf(type).startsWith('content_block_')) return readMessages(chunk)
  if (Array.isArray(candidates) || isObject(usageMetadata)) return readGemini(chunk)
  return null
}

/** OpenAI's chat completions, and those of the many who answer like it. With `include_usage` the last chunk has the counts and no choice. */
function readChat({ model, choices, usage }: Fields): Sight {
  const all = listOf(choices).map(fieldsOf)
  const isEnd = all.length === 0 ? isObject(usage) : all.every(({ finish_reason: reason }) => nameOf(reason) !== undefined)
  const text = all.map(({ delta }) => chatText(fieldsOf(delta))).join('')
  return { form: 'chat', model: nameOf(model), counts: countsIn(usage), isEnd, text }
}

function chatText({ content, refusal, reasoning, reasoning_content: shown, tool_calls: tools }: Fields): string {
  const calls = listOf(tools).map((tool) => fieldsOf(fieldsOf(tool).function))
  const called = calls.map((call) => textOf(call.name) + textOf(call.arguments))
  return [content, refusal, reasoning ?? shown, ...called].map(textOf).join('')
}

/** OpenAI's responses. The last event has the whole response, however it ended. */
function readResponses({ type, delta, response }: Fields): Sight {
  const { model, usage } = fieldsOf(response)
  // A delta of audio is no text.
  const isText = textOf(type).endsWith('.delta') && !textOf(type).includes('audio')
  const text = isText ? textOf(delta) : ''
  return { form: 'responses', model: nameOf(model), counts: countsIn(usage), isEnd: isObject(usage), text }
}

/** Anthropic's messages. The first event has the input, and each `message_delta` has what came out up to then. */
function readMessages({ message, delta, usage, content_block: block }: Fields): Sight {
  const { model, usage: first } = fieldsOf(message)
  const { text, thinking, partial_json: json, stop_reason: reason } = fieldsOf(delta)
  const written = [fieldsOf(block).name, fieldsOf(block).text, text, thinking, json].map(textOf).join('')
  const counts = countsIn(usage) ?? countsIn(first)
  return { form: 'messages', model: nameOf(model), counts, isEnd: nameOf(reason) !== undefined, text: written }
}

/** Gemini's `streamGenerateContent`. Each chunk counts up to itself; the last one says why it is the last. */
function readGemini({ modelVersion, usageMetadata, candidates, promptFeedback }: Fields): Sight {
  const all = listOf(candidates).map(fieldsOf)
  const isStopped = nameOf(fieldsOf(promptFeedback).blockReason) !== undefined
  const isEnd = isStopped || (all.length > 0 && all.every(({ finishReason: reason }) => nameOf(reason) !== undefined))
  const parts = all.flatMap(({ content }) => listOf(fieldsOf(content).parts)).map(fieldsOf)
  const text = parts.map(({ text: written, functionCall }) => textOf(written) + jsonOf(functionCall)).join('')
  return { form: 'gemini', model: nameOf(modelVersion), counts: countsIn(usageMetadata), isEnd, text }
}

function countsIn(usage: unknown): Fields | undefined {
  return isObject(usage) ? fieldsOf(usage) : undefined
}

function jsonOf(value: unknown): string {
  return isObject(value) ? (JSON.stringify(value) ?? '') : ''
}
