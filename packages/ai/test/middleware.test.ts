/** Calls of models through the AI SDK itself: who is billed for what, and what becomes of a call that cannot be recorded. */

import { createFarebox, defineCatalog, type Farebox } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { generateText, type LanguageModelMiddleware, streamText, wrapLanguageModel } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { countTokens } from 'gpt-tokenizer'
import { afterEach, describe, expect, expectTypeOf, test } from 'vitest'
import { fareboxMiddleware, type FareboxMiddlewareOptions, type ModelCall } from '../src/index.ts'
import { drain, sourceOf } from './sources.ts'

type Generated = Awaited<ReturnType<MockLanguageModelV4['doGenerate']>>
type Part = Awaited<ReturnType<MockLanguageModelV4['doStream']>>['stream'] extends ReadableStream<infer Each> ? Each : never

const USAGE = {
  inputTokens: { total: 120, noCache: 20, cacheRead: 70, cacheWrite: 30 },
  outputTokens: { total: 15, text: 5, reasoning: 10 },
}

const UNKNOWN = {
  inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
}

const STOP = { unified: 'stop', raw: 'stop' } as const

const GENERATED: Generated = {
  content: [{ type: 'text', text: 'Good day.' }],
  finishReason: STOP,
  usage: USAGE,
  warnings: [],
  response: { id: 'resp_1', modelId: 'gpt-4o-2024-08-06' },
}

const PARTS: readonly Part[] = [
  { type: 'stream-start', warnings: [] },
  { type: 'response-metadata', id: 'resp_1', modelId: 'gpt-4o-2024-08-06' },
  { type: 'reasoning-start', id: '0' },
  { type: 'reasoning-delta', id: '0', delta: 'She says hello. ' },
  { type: 'reasoning-end', id: '0' },
  { type: 'text-start', id: '1' },
  { type: 'text-delta', id: '1', delta: 'Hello, ' },
  { type: 'text-delta', id: '1', delta: 'Ada!' },
  { type: 'text-end', id: '1' },
  { type: 'tool-input-start', id: 't', toolName: 'wave' },
  { type: 'tool-input-delta', id: 't', delta: '{"to":' },
  { type: 'tool-input-delta', id: 't', delta: '"ada"}' },
  { type: 'tool-input-end', id: 't' },
  { type: 'tool-call', toolCallId: 't', toolName: 'wave', input: '{"to":"ada"}' },
  { type: 'tool-call', toolCallId: 'u', toolName: 'bow', input: '{}' },
  { type: 'finish', finishReason: STOP, usage: USAGE },
]

const WRITTEN = ['', '', '', 'She says hello. ', '', '', 'Hello, ', 'Ada!', '', '', '{"to":', '"ada"}', '', '', '{}', '']

/** Forty bytes: ten tokens by the rule of thumb. */
const PROMPT = 'What is the weather like in Wien today? '

const WHOLE: Omit<ModelCall, 'idempotencyKey'> & { idempotencyKey: unknown } = {
  customerId: 'user_1',
  feature: 'chat',
  model: 'gpt-4o-2024-08-06',
  provider: 'openai',
  inputTokens: 120,
  outputTokens: 15,
  cacheReadTokens: 70,
  cacheWriteTokens: 30,
  idempotencyKey: 'chat:resp_1',
}

const BROKEN = new Error('the connection was reset')

const fareboxes: Farebox[] = []
afterEach(() => Promise.all(fareboxes.splice(0).map((farebox) => farebox.stop())))

test('the middleware is one of the AI SDK', () => {
  expectTypeOf(fareboxMiddleware).returns.toExtend<LanguageModelMiddleware>()
})

describe('a call', () => {
  test('is recorded with its customer, its model and its tokens, and gives what the model gave', async () => {
    const { model, calls } = wrapped({ model: openai({ doGenerate: GENERATED }) })
    expect((await generateText({ model, prompt: PROMPT })).text).toBe('Good day.')
    expect(calls).toEqual([WHOLE])
  })

  test('is recorded when it streams, before the end of the stream is told', async () => {
    const { model, calls } = wrapped({ model: openai({ doStream: { stream: sourceOf(PARTS).stream } }) })
    expect(await streamText({ model, prompt: PROMPT }).text).toBe('Hello, Ada!')
    expect(calls).toEqual([WHOLE])
  })

  test('is billed to the customer that it names, and no provider is told', async () => {
    const inner = openai({ doGenerate: GENERATED })
    const { model, calls } = wrapped({ model: inner })
    const openaiOptions = { reasoningEffort: 'low' }
    await generateText({ model, prompt: PROMPT, providerOptions: { farebox: { customerId: 'user_2' }, openai: openaiOptions } })
    expect(calls).toMatchObject([{ customerId: 'user_2' }])
    expect(inner.doGenerateCalls[0]?.providerOptions).toEqual({ openai: openaiOptions })

    const streaming = openai({ doStream: { stream: sourceOf(PARTS).stream } })
    const streamed = wrapped({ model: streaming })
    await streamText({ model: streamed.model, prompt: PROMPT, providerOptions: { farebox: { customerId: 'user_3' } } }).text
    expect(streamed.calls).toMatchObject([{ customerId: 'user_3' }])
    expect(streaming.doStreamCalls[0]?.providerOptions).toEqual({})
  })

  test.each([
    ['no customer', undefined, 'invalid_customer'],
    ['an empty customer', { customerId: '' }, 'invalid_customer'],
    ['a customer that is no text', { customerId: 7 }, 'invalid_customer'],
    ['a misspelt customer', { customerID: 'user_2' }, 'invalid_option'],
  ])('with %s is refused before the model is asked', async (_, farebox, code) => {
    const inner = openai({ doGenerate: GENERATED, doStream: { stream: sourceOf(PARTS).stream } })
    const options = farebox === undefined ? {} : { providerOptions: { farebox } }
    const { model, calls } = wrapped({ model: inner, ...(farebox === undefined ? { isNobodys: true } : {}) })
    await expect(generateText({ model, prompt: PROMPT, maxRetries: 0, ...options })).rejects.toMatchObject({ code })
    await expect(model.doStream({ prompt: [], ...options })).rejects.toMatchObject({ code })
    expect([inner.doGenerateCalls, inner.doStreamCalls, calls]).toEqual([[], [], []])
  })

  test('that the model refuses is not recorded', async () => {
    const fail = (): never => {
      throw BROKEN
    }
    const { model, calls } = wrapped({ model: openai({ doGenerate: fail, doStream: fail }) })
    await expect(generateText({ model, prompt: PROMPT, maxRetries: 0 })).rejects.toThrow(BROKEN.message)
    await expect(model.doStream({ prompt: [] })).rejects.toBe(BROKEN)
    expect(calls).toEqual([])
  })

  test('whose provider counts nothing is estimated, in words of its own tokenizer too', async () => {
    const uncounted = { ...GENERATED, usage: UNKNOWN }
    const rough = wrapped({ model: openai({ doGenerate: uncounted }) })
    await generateText({ model: rough.model, prompt: PROMPT })
    expect(rough.calls).toMatchObject([
      { inputTokens: 10, outputTokens: 3, cacheReadTokens: 0, properties: { incomplete: true } },
    ])

    const exact = wrapped({ model: openai({ doGenerate: uncounted }), countTokens })
    await generateText({ model: exact.model, prompt: PROMPT })
    expect(exact.calls).toMatchObject([{ inputTokens: countTokens(PROMPT), outputTokens: countTokens('Good day.') }])
  })

  test('without an id of the provider has a key of its own each time', async () => {
    const { response: _, ...nameless } = GENERATED
    const { model, calls } = wrapped({ model: openai({ doGenerate: nameless }) })
    await generateText({ model, prompt: PROMPT })
    await generateText({ model, prompt: PROMPT })
    expect(calls).toMatchObject([{ model: 'gpt-4o' }, { model: 'gpt-4o' }])
    expect(new Set(calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(2)
    expect(calls[0]?.idempotencyKey).toMatch(/^call_[0-9a-f]{32}$/)
  })

  test.each([
    ['openai.responses', 'gpt-4o', undefined, undefined, 'openai', 'gpt-4o'],
    ['azure.chat', 'my-deployment', 'gpt-4o', undefined, 'azure', 'gpt-4o'],
    ['google.vertex.chat', 'gemini-2.5-flash', undefined, undefined, 'google', 'gemini-2.5-flash'],
    ['amazon-bedrock', 'anthropic.claude-sonnet-4-5', undefined, undefined, 'aws', 'anthropic.claude-sonnet-4-5'],
    ['xai.chat', 'grok-4', undefined, undefined, 'x-ai', 'grok-4'],
    ['my-proxy.chat', 'gpt-4o', undefined, undefined, 'my-proxy', 'gpt-4o'],
    ['my-proxy.chat', 'gpt-4o', undefined, 'openai', 'openai', 'gpt-4o'],
    ['gateway', 'openai/gpt-5', undefined, undefined, 'openai', 'gpt-5'],
    ['gateway', 'openai/gpt-5', 'gpt-5-2025-08-07', undefined, 'openai', 'gpt-5-2025-08-07'],
    ['gateway', 'xai/grok-4', 'xai/grok-4', undefined, 'x-ai', 'grok-4'],
  ])(
    'of %s %s (answered by %s, option %s) is one of %s/%s',
    async (provider, modelId, answered, own, expectedProvider, expectedModel) => {
      const response = { id: 'a', ...(answered === undefined ? {} : { modelId: answered }) }
      const inner = new MockLanguageModelV4({ provider, modelId, doGenerate: { ...GENERATED, response } })
      const { model, calls } = wrapped({ model: inner, ...(own === undefined ? {} : { provider: own }) })
      await generateText({ model, prompt: PROMPT })
      expect(calls).toMatchObject([{ provider: expectedProvider, model: expectedModel }])
    },
  )
})

describe('a stream that is cut', () => {
  const counts = PARTS.map((_, i) => i + 1)

  test.each(counts)('by its reader after part %i is recorded for what was delivered', async (count) => {
    const source = sourceOf([...PARTS, { type: 'ping' } as const])
    const { chunks, calls } = await streamed(source.stream, count)
    expect(chunks).toEqual(PARTS.slice(0, count))
    expect(calls).toEqual([deliveredAfter(count)])
    expect(source.cancelled()).toBe('left')
  })

  test.each(counts)('by an error after part %i is recorded for what was delivered', async (count) => {
    const { chunks, error, calls } = await streamed(sourceOf(PARTS.slice(0, count), BROKEN).stream)
    expect([chunks, error]).toEqual([PARTS.slice(0, count), BROKEN])
    // Nothing but the SDK's own first part: the provider gave nothing.
    expect(calls).toEqual(count === 1 ? [] : [deliveredAfter(count)])
  })

  test.each(counts)('by an abort after part %i is recorded for what was delivered', async (count) => {
    const aborted = new DOMException('This operation was aborted', 'AbortError')
    const { calls } = await streamed(sourceOf(PARTS.slice(0, count), aborted).stream)
    expect(calls).toEqual([deliveredAfter(count)])
  })

  test('by an error that the provider tells of, and counts nothing for, costs nothing when nothing came before it', async () => {
    const failing: Part[] = [
      { type: 'stream-start', warnings: [] },
      { type: 'error', error: BROKEN },
      { type: 'finish', finishReason: { unified: 'error', raw: undefined }, usage: UNKNOWN },
    ]
    expect((await streamed(sourceOf(failing).stream)).calls).toEqual([])
    const later = [failing[0], PARTS[6], ...failing.slice(1)].filter((part) => part !== undefined)
    expect((await streamed(sourceOf(later).stream)).calls).toMatchObject([
      { inputTokens: 10, outputTokens: 2, properties: { incomplete: true } },
    ])
  })

  test('by the abort signal of the AI SDK is recorded', async () => {
    const stopping = new AbortController()
    const { model, calls } = wrapped({
      model: openai({ doStream: async ({ abortSignal }) => ({ stream: endless(abortSignal) }) }),
    })
    const { textStream } = streamText({ model, prompt: PROMPT, abortSignal: stopping.signal, onError: () => {} })
    let seen = 0
    for await (const _ of textStream) {
      seen += 1
      if (seen === 3) stopping.abort()
    }
    // The SDK tells of its abort before the model's stream has noticed.
    await expect.poll(() => calls).toMatchObject([{ customerId: 'user_1', inputTokens: 10, properties: { incomplete: true } }])
    expect(calls[0]?.outputTokens).toBeGreaterThanOrEqual(Math.ceil((3 * 'Hello, '.length) / 4))
  })

  /** As a provider's own stream, it breaks when it is aborted, and only then. */
  function endless(signal: AbortSignal | undefined): ReadableStream<Part> {
    const first: Part[] = [{ type: 'text-start', id: '1' }]
    return new ReadableStream<Part>(
      {
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 1))
          if (signal?.aborted === true) controller.error(signal.reason)
          else controller.enqueue(first.pop() ?? { type: 'text-delta', id: '1', delta: 'Hello, ' })
        },
      },
      { highWaterMark: 0 },
    )
  }

  async function streamed(
    stream: ReadableStream<Part>,
    most?: number,
  ): Promise<{ chunks: Part[]; error: unknown; calls: ModelCall[] }> {
    const { model, calls } = wrapped({ model: openai({ doStream: { stream } }) })
    const result = await model.doStream({ prompt: [{ role: 'user', content: [{ type: 'text', text: PROMPT }] }] })
    return { ...(await drain(result.stream, most)), calls }
  }

  function deliveredAfter(count: number): object {
    if (count === PARTS.length) return WHOLE
    const outputTokens = Math.ceil(Buffer.byteLength(WRITTEN.slice(0, count).join('')) / 4)
    const named = count === 1 ? { model: 'gpt-4o', idempotencyKey: expect.stringMatching(/^call_/) } : {}
    const estimated = { inputTokens: 10, outputTokens, cacheReadTokens: 0, cacheWriteTokens: 0 }
    return { ...WHOLE, ...estimated, ...named, properties: { incomplete: true } }
  }
})

test('the estimate of a prompt has all texts of it, and what tools were given and gave', async () => {
  const texts: string[] = []
  const counting = (text: string): number => texts.push(text)
  const { model } = wrapped({ model: openai({ doGenerate: { ...GENERATED, usage: UNKNOWN } }), countTokens: counting })
  await model.doGenerate({
    prompt: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
      { role: 'assistant', content: [{ type: 'tool-call', toolCallId: 't', toolName: 'weather', input: { city: 'Wien' } }] },
      {
        role: 'tool',
        content: [{ type: 'tool-result', toolCallId: 't', toolName: 'weather', output: { type: 'text', value: 'Sun' } }],
      },
    ],
  })
  expect(texts[0]).toBe('Be brief.\nWeather?\n{"city":"Wien"}\n{"type":"text","value":"Sun"}')
})

describe('a call that cannot be recorded', () => {
  const failing = { track: () => Promise.reject(BROKEN) }

  test('gives its answer all the same, and onError gets the error and the call', async () => {
    const told: unknown[] = []
    const onError = (error: unknown, call: ModelCall): void => void told.push(error, call)
    const generating = wrapped({ model: openai({ doGenerate: GENERATED }), ...failing, onError })
    expect((await generateText({ model: generating.model, prompt: PROMPT })).text).toBe('Good day.')
    const streaming = wrapped({ model: openai({ doStream: { stream: sourceOf(PARTS).stream } }), ...failing, onError })
    expect(await streamText({ model: streaming.model, prompt: PROMPT }).text).toBe('Hello, Ada!')
    expect(told).toEqual([BROKEN, WHOLE, BROKEN, WHOLE])
  })

  test('fails where that is asked for: in the place of the answer, or at the end of the stream', async () => {
    const told: unknown[] = []
    const strict = { ...failing, onTrackError: 'throw', onError: (error: unknown) => void told.push(error) } as const
    const generating = wrapped({ model: openai({ doGenerate: GENERATED }), ...strict })
    await expect(generating.model.doGenerate({ prompt: [] })).rejects.toBe(BROKEN)
    const streaming = wrapped({ model: openai({ doStream: { stream: sourceOf(PARTS).stream } }), ...strict })
    expect(await drain((await streaming.model.doStream({ prompt: [] })).stream)).toEqual({ chunks: PARTS, error: BROKEN })
    expect(told).toEqual([BROKEN, BROKEN])
  })

  test('fails with what onError throws', async () => {
    const thrown = new Error('the alarm is broken')
    const onError = (): never => {
      throw thrown
    }
    const { model } = wrapped({ model: openai({ doGenerate: GENERATED }), ...failing, onError })
    await expect(model.doGenerate({ prompt: [] })).rejects.toBe(thrown)
  })

  test.each(['refused', 'conflict'])('is one that was answered %s: nothing was written', async (kind) => {
    const told: unknown[] = []
    const track = async (): Promise<object> => ({ kind })
    const { model } = wrapped({ model: openai({ doGenerate: GENERATED }), track, onError: (error) => void told.push(error) })
    await generateText({ model, prompt: PROMPT })
    expect(told).toMatchObject([{ code: 'usage_untracked', fields: { result: { kind }, call: WHOLE } }])
  })

  test.each(['recorded', 'repeat'])('is none that was answered %s', async (kind) => {
    const told: unknown[] = []
    const track = async (): Promise<object> => ({ kind })
    const { model } = wrapped({ model: openai({ doGenerate: GENERATED }), track, onError: (error) => void told.push(error) })
    await generateText({ model, prompt: PROMPT })
    expect(told).toEqual([])
  })
})

describe('with a Farebox', () => {
  test('a call is an event, once, however many middlewares it passes', async () => {
    const farebox = newFarebox(10)
    const onError = failTest
    const middleware = [1, 2].map(() => fareboxMiddleware({ farebox, feature: 'chat', customerId: 'user_1', onError }))
    const cut = wrapLanguageModel({ model: openai({ doStream: { stream: sourceOf(PARTS).stream } }), middleware })
    await drain((await cut.doStream({ prompt: [] })).stream, 8)
    const { items } = await farebox.events.list()
    expect(items.map(({ customerId, feature, key, properties }) => ({ customerId, feature, key, properties }))).toEqual([
      { customerId: 'user_1', feature: 'chat', key: 'chat:resp_1', properties: { incomplete: true } },
    ])
  })

  test('a call that the plan does not allow is not lost in silence', async () => {
    const farebox = newFarebox(0)
    const told: unknown[] = []
    const middleware = fareboxMiddleware({
      farebox,
      feature: 'chat',
      customerId: 'user_1',
      onError: (error) => void told.push(error),
    })
    await generateText({ model: wrapLanguageModel({ model: openai({ doGenerate: GENERATED }), middleware }), prompt: PROMPT })
    expect(told).toMatchObject([
      { code: 'usage_untracked', fields: { result: { kind: 'refused', refusal: { code: 'allowance_exhausted' } } } },
    ])
  })

  test('that was stopped a call is told to onError', async () => {
    const farebox = newFarebox(10)
    await farebox.stop()
    const told: unknown[] = []
    const middleware = fareboxMiddleware({
      farebox,
      feature: 'chat',
      customerId: 'user_1',
      onError: (error) => void told.push(error),
    })
    await generateText({ model: wrapLanguageModel({ model: openai({ doGenerate: GENERATED }), middleware }), prompt: PROMPT })
    expect(told).toMatchObject([{ code: 'stopped' }])
  })
})

test.each([
  ['an unknown option', { track: async () => {}, feature: 'chat', onError: () => {}, customer: 'user_1' }],
  ['no feature', { track: async () => {}, onError: () => {} }],
  ['a customer that is no text', { track: async () => {}, feature: 'chat', onError: () => {}, customerId: 7 }],
  ['nothing that records', { feature: 'chat', onError: () => {} }],
  [
    'two that record',
    { farebox: { usage: { track: async () => {} } }, track: async () => {}, feature: 'chat', onError: () => {} },
  ],
  ['nobody who learns of what is not recorded', { track: async () => {}, feature: 'chat' }],
  ['an unknown word', { track: async () => {}, feature: 'chat', onError: () => {}, onTrackError: 'ignore' }],
  ['a track that is no function', { track: 'chat', feature: 'chat', onError: () => {} }],
])('refuses %s', (_, options) => {
  expect(() => fareboxMiddleware(options as FareboxMiddlewareOptions)).toThrow(
    expect.objectContaining({ code: 'invalid_option' }),
  )
})

type Wrapping = Partial<FareboxMiddlewareOptions> & {
  readonly model: MockLanguageModelV4
  /** Without a customer of its own. */
  readonly isNobodys?: boolean
}

/** A model of the AI SDK with the middleware, and the calls that it records. */
function wrapped({ model, isNobodys = false, ...given }: Wrapping): {
  readonly model: ReturnType<typeof wrapLanguageModel>
  readonly calls: ModelCall[]
} {
  const calls: ModelCall[] = []
  const track = async (call: ModelCall): Promise<void> => void calls.push(call)
  const customerId = isNobodys ? {} : { customerId: 'user_1' }
  const options = { track, feature: 'chat', onError: failTest, ...customerId, ...given }
  return { model: wrapLanguageModel({ model, middleware: fareboxMiddleware(options) }), calls }
}

function openai(
  answers: Pick<NonNullable<ConstructorParameters<typeof MockLanguageModelV4>[0]>, 'doGenerate' | 'doStream'>,
): MockLanguageModelV4 {
  return new MockLanguageModelV4({ provider: 'openai.responses', modelId: 'gpt-4o', ...answers })
}

function failTest(error: unknown): never {
  throw error
}

function newFarebox(included: number): Farebox {
  const catalog = defineCatalog({
    currency: 'USD',
    features: { chat: { type: 'metered', name: 'Chat' } },
    plans: { free: { name: 'Free', price: '0', interval: 'month', default: true, features: { chat: { included } } } },
  })
  const farebox = createFarebox({ catalog, store: sqlite({ path: ':memory:' }) })
  fareboxes.push(farebox)
  return farebox
}
