/** Answers in the forms that providers give them, written after their references: whole, and as the events of a stream. */

import type { ModelUsage } from '@farebox/core/contracts'

export interface Sample {
  readonly name: string
  readonly usage: ModelUsage
  readonly answer: object
}

export interface StreamSample extends Omit<Sample, 'answer'> {
  /** The data of the events, in their order. */
  readonly events: readonly object[]
  /** Whether each event has a line with its name before its data. */
  readonly isNamed: boolean
  /** What follows the last event. */
  readonly last: string
  /** What the model writes in each event. */
  readonly writes: readonly string[]
  /** From which event on the counts are known for certain, counted from 1. */
  readonly finalAt: number
  /** What is known of the input after each event; where nothing is, an estimate has to do. */
  readonly inputs: readonly (number | undefined)[]
}

export const ANSWERS: readonly Sample[] = [
  {
    name: 'a chat completion of OpenAI',
    usage: { model: 'gpt-4o-2024-08-06', inputTokens: 1_117, outputTokens: 46, cacheReadTokens: 1_024 },
    answer: {
      id: 'chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG',
      object: 'chat.completion',
      model: 'gpt-4o-2024-08-06',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Good day.', refusal: null }, finish_reason: 'stop' }],
      usage: {
        prompt_tokens: 1_117,
        completion_tokens: 46,
        total_tokens: 1_163,
        prompt_tokens_details: { cached_tokens: 1_024, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
      },
    },
  },
  {
    name: 'a response of OpenAI',
    usage: { model: 'gpt-5-2025-08-07', inputTokens: 328, outputTokens: 152, cacheReadTokens: 256 },
    answer: {
      id: 'resp_67ccd3a9da748190baa7f1570fe91ac6',
      object: 'response',
      status: 'completed',
      model: 'gpt-5-2025-08-07',
      output: [{ type: 'message', content: [{ type: 'output_text', text: 'Good day.' }] }],
      usage: {
        input_tokens: 328,
        input_tokens_details: { cached_tokens: 256 },
        output_tokens: 152,
        output_tokens_details: { reasoning_tokens: 128 },
        total_tokens: 480,
      },
    },
  },
  {
    name: 'embeddings of OpenAI, of which nothing comes out',
    usage: { model: 'text-embedding-3-small', provider: 'openai', inputTokens: 8, outputTokens: 0 },
    answer: {
      object: 'list',
      model: 'text-embedding-3-small',
      data: [{ object: 'embedding', index: 0, embedding: [0.1] }],
      usage: { prompt_tokens: 8, total_tokens: 8 },
    },
  },
  {
    name: 'a message of Anthropic, whose own count leaves the cache out',
    usage: {
      model: 'claude-sonnet-4-5-20250929',
      inputTokens: 2_209,
      outputTokens: 393,
      cacheReadTokens: 2_000,
      cacheWriteTokens: 188,
    },
    answer: {
      id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-5-20250929',
      content: [{ type: 'text', text: 'Good day.' }],
      stop_reason: 'end_turn',
      usage: {
        input_tokens: 21,
        cache_creation_input_tokens: 188,
        cache_read_input_tokens: 2_000,
        cache_creation: { ephemeral_5m_input_tokens: 188, ephemeral_1h_input_tokens: 0 },
        output_tokens: 393,
      },
    },
  },
  {
    name: 'a message of Anthropic that Azure served',
    usage: { model: 'claude-sonnet-4-5', provider: 'azure', inputTokens: 110, outputTokens: 5, cacheReadTokens: 100 },
    answer: {
      type: 'message',
      model: 'claude-sonnet-4-5',
      content: [],
      usage: { input_tokens: 10, cache_creation_input_tokens: null, cache_read_input_tokens: 100, output_tokens: 5 },
    },
  },
  {
    name: 'an answer of Gemini that thought, with cached and spoken input',
    usage: { model: 'gemini-2.5-flash', inputTokens: 1_200, outputTokens: 100, cacheReadTokens: 1_000 },
    answer: {
      candidates: [{ content: { role: 'model', parts: [{ text: 'Good day.' }] }, finishReason: 'STOP' }],
      modelVersion: 'gemini-2.5-flash',
      usageMetadata: {
        promptTokenCount: 1_200,
        cachedContentTokenCount: 1_000,
        candidatesTokenCount: 30,
        thoughtsTokenCount: 70,
        totalTokenCount: 1_300,
        promptTokensDetails: [
          { modality: 'TEXT', tokenCount: 200 },
          { modality: 'AUDIO', tokenCount: 1_000 },
        ],
        cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 1_000 }],
      },
    },
  },
  {
    name: 'a chat completion of xAI, whose own count leaves the reasoning out',
    usage: { model: 'grok-4', provider: 'xai', inputTokens: 32, outputTokens: 109, cacheReadTokens: 6 },
    answer: {
      object: 'chat.completion',
      model: 'grok-4',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Good day.' }, finish_reason: 'stop' }],
      usage: {
        prompt_tokens: 32,
        completion_tokens: 9,
        total_tokens: 141,
        prompt_tokens_details: { cached_tokens: 6 },
        completion_tokens_details: { reasoning_tokens: 100 },
      },
    },
  },
  {
    name: 'a chat completion of somebody whom no price list knows',
    usage: { model: 'own-model', provider: 'own-proxy', inputTokens: 3, outputTokens: 2 },
    answer: {
      object: 'chat.completion',
      model: 'own-model',
      choices: [],
      usage: { prompt_tokens: 3, completion_tokens: 2, prompt_tokens_details: null },
    },
  },
]

const CHAT = { id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'gpt-4o-2024-08-06', usage: null }

const RESPONSE = { id: 'resp_1', object: 'response', model: 'gpt-5-2025-08-07', status: 'in_progress', usage: null }

const GEMINI = { modelVersion: 'gemini-2.5-flash', responseId: 'r1' }

export const STREAMS: readonly StreamSample[] = [
  {
    name: 'chat completions of OpenAI',
    usage: { model: 'gpt-4o-2024-08-06', inputTokens: 19, outputTokens: 10, cacheReadTokens: 0 },
    events: [
      { ...CHAT, choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] },
      { ...CHAT, choices: [{ index: 0, delta: { content: 'Grüße aus ' }, finish_reason: null }] },
      { ...CHAT, choices: [{ index: 0, delta: { content: 'Köln 👋' }, finish_reason: null }] },
      {
        ...CHAT,
        choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { name: 'send', arguments: '{"to":' } }] } }],
      },
      { ...CHAT, choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: '"ada"}' } }] } }] },
      { ...CHAT, choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
      {
        ...CHAT,
        choices: [],
        usage: { prompt_tokens: 19, completion_tokens: 10, total_tokens: 29, prompt_tokens_details: { cached_tokens: 0 } },
      },
    ],
    isNamed: false,
    last: 'data: [DONE]\n\n',
    writes: ['', 'Grüße aus ', 'Köln 👋', 'send{"to":', '"ada"}', '', ''],
    finalAt: 7,
    inputs: [undefined, undefined, undefined, undefined, undefined, undefined, 19],
  },
  {
    name: 'responses of OpenAI',
    usage: { model: 'gpt-5-2025-08-07', inputTokens: 37, outputTokens: 75, cacheReadTokens: 12 },
    events: [
      { type: 'response.created', response: RESPONSE },
      { type: 'response.output_item.added', item: { type: 'message' } },
      { type: 'response.output_text.delta', delta: 'Hello, ' },
      { type: 'response.output_text.delta', delta: 'Ada.' },
      { type: 'response.audio.delta', delta: 'UklGRiQAAABXQVZF' },
      { type: 'response.output_text.done', text: 'Hello, Ada.' },
      {
        type: 'response.completed',
        response: {
          ...RESPONSE,
          status: 'completed',
          usage: {
            input_tokens: 37,
            input_tokens_details: { cached_tokens: 12 },
            output_tokens: 75,
            output_tokens_details: { reasoning_tokens: 64 },
          },
        },
      },
    ],
    isNamed: true,
    last: '',
    writes: ['', '', 'Hello, ', 'Ada.', '', '', ''],
    finalAt: 7,
    inputs: [undefined, undefined, undefined, undefined, undefined, undefined, 37],
  },
  {
    name: 'messages of Anthropic',
    usage: {
      model: 'claude-sonnet-4-5-20250929',
      inputTokens: 125,
      outputTokens: 60,
      cacheReadTokens: 80,
      cacheWriteTokens: 20,
    },
    events: [
      {
        type: 'message_start',
        message: {
          id: 'msg_1',
          type: 'message',
          model: 'claude-sonnet-4-5-20250929',
          usage: { input_tokens: 25, cache_creation_input_tokens: 20, cache_read_input_tokens: 80, output_tokens: 1 },
        },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } },
      { type: 'ping' },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'She says hello. ' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'EqQBCgIYAhIM1gbcDa9GJwZA2b3h' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Hello!' } },
      { type: 'content_block_start', index: 2, content_block: { type: 'tool_use', id: 't', name: 'wave', input: {} } },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '{"to":"ada"}' } },
      { type: 'message_delta', delta: { stop_reason: null }, usage: { output_tokens: 31 } },
      {
        type: 'message_delta',
        delta: { stop_reason: 'tool_use', stop_sequence: null },
        usage: { output_tokens: 60, input_tokens: null },
      },
      { type: 'message_stop' },
    ],
    isNamed: true,
    last: '',
    writes: ['', '', '', 'She says hello. ', '', 'Hello!', 'wave', '{"to":"ada"}', '', '', ''],
    finalAt: 10,
    inputs: Array.from({ length: 11 }, () => 125),
  },
  {
    name: 'Gemini',
    usage: { model: 'gemini-2.5-flash', inputTokens: 64, outputTokens: 48, cacheReadTokens: 32 },
    events: [
      {
        ...GEMINI,
        candidates: [{ content: { parts: [{ text: 'Let me think. ', thought: true }] } }],
        usageMetadata: { promptTokenCount: 64, cachedContentTokenCount: 32, totalTokenCount: 64 },
      },
      {
        ...GEMINI,
        candidates: [{ content: { parts: [{ text: 'Hello!' }] } }],
        usageMetadata: { promptTokenCount: 64, cachedContentTokenCount: 32, candidatesTokenCount: 3, thoughtsTokenCount: 20 },
      },
      {
        ...GEMINI,
        candidates: [{ content: { parts: [{ functionCall: { name: 'wave', args: {} } }] }, finishReason: 'STOP' }],
        usageMetadata: { promptTokenCount: 64, cachedContentTokenCount: 32, candidatesTokenCount: 18, thoughtsTokenCount: 30 },
      },
    ],
    isNamed: false,
    last: '',
    writes: ['Let me think. ', 'Hello!', '{"name":"wave","args":{}}'],
    finalAt: 3,
    inputs: [64, 64, 64],
  },
]

/** The events as a server sends them, one text for each. */
export function sent({ events, isNamed, last }: StreamSample): string[] {
  const texts = events.map((event) => {
    const name = isNamed && 'type' in event ? `event: ${String(event.type)}\n` : ''
    return `${name}data: ${JSON.stringify(event)}\n\n`
  })
  return last === '' ? texts : [...texts, last]
}
