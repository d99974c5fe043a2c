/** Streams of every form, whole and cut at every place: what passes is untouched, and what was used is known or estimated. */

import fc from 'fast-check'
import { countTokens } from 'gpt-tokenizer'
import { describe, expect, test } from 'vitest'
import { readUsageStream, type StreamUsage, type UsageStreamOptions } from '../src/index.ts'
import { sent, STREAMS, type StreamSample } from './answers.ts'
import { bytesOf, chunksOf, cut, drain, sourceOf } from './sources.ts'

const BROKEN = new Error('the connection was reset')

/** Forty bytes: ten tokens by the rule of thumb. */
const REQUEST = { requestText: 'What is the weather like in Wien today? ' }

const ENDS = ['broken', 'ended early', 'left', 'aborted'] as const

type End = (typeof ENDS)[number]

describe.each(STREAMS)('a stream of $name', (sample) => {
  const options = { model: 'asked-for', ...REQUEST }
  const pieces = sent(sample).map(bytesOf)

  test('is passed on chunk for chunk, and its usage is what the provider said last', async () => {
    const { stream, usage } = readUsageStream(sourceOf(pieces).stream, options)
    const { chunks } = await drain(stream)
    expect(chunks.length).toBe(pieces.length)
    expect(chunks.every((chunk, i) => chunk === pieces[i])).toBe(true)
    expect(await usage).toEqual({ usage: sample.usage, incomplete: false })
  })

  test('gives the same usage however the network cuts it', async () => {
    const whole = Buffer.concat(pieces)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(whole.length), { maxLength: 60 }), async (places) => {
        const { stream, usage } = readUsageStream(sourceOf(cut(whole, places)).stream, options)
        expect(Buffer.concat((await drain(stream)).chunks).equals(whole)).toBe(true)
        expect(await usage).toEqual({ usage: sample.usage, incomplete: false })
      }),
      { numRuns: 30 },
    )
  })

  test('gives the same usage byte by byte, with the line ends of other servers, and without a last empty line', async () => {
    const text = sent(sample).join('')
    for (const sse of [text, text.replaceAll('\n', '\r\n'), text.replaceAll('\n', '\r'), text.trimEnd()]) {
      const { stream, usage } = readUsageStream(sourceOf(Array.from(bytesOf(sse), (byte) => Uint8Array.of(byte))).stream, options)
      await drain(stream)
      expect(await usage).toEqual({ usage: sample.usage, incomplete: false })
    }
  })

  test('gives the same usage as chunks that an SDK has parsed, in an iterator or in a stream', async () => {
    const iterated = readUsageStream(chunksOf(sample.events), options)
    const passed: object[] = []
    for await (const chunk of iterated.stream) passed.push(chunk)
    expect(passed).toEqual(sample.events)
    expect(await iterated.usage).toEqual({ usage: sample.usage, incomplete: false })

    const streamed = readUsageStream(sourceOf(sample.events).stream, options)
    await drain(streamed.stream)
    expect(await streamed.usage).toEqual({ usage: sample.usage, incomplete: false })
  })

  describe.each(ENDS)('that is %s', (end) => {
    test.each(sample.events.map((_, i) => i + 1))('after event %i is billed for what was delivered', async (count) => {
      expect(await cutAfter(sample, count, end, options)).toEqual(expectedAfter(sample, count, rough))
      const counting = { ...options, countTokens }
      expect(await cutAfter(sample, count, end, counting)).toEqual(expectedAfter(sample, count, countTokens))
    })

    test('within an event is billed for the events before it', async () => {
      for (const [i, piece] of pieces.entries()) {
        const half = piece.subarray(0, piece.length / 2)
        const before = await endedAfter(pieces.slice(0, i), end, options)
        expect(await endedAfter([...pieces.slice(0, i), half], end, options)).toEqual(before)
      }
    })
  })

  test('can be asked for its usage on the way, which changes nothing', async () => {
    const { stream, usage, soFar } = readUsageStream(sourceOf(pieces.flatMap((piece) => cut(piece, [9]))).stream, options)
    const reader = stream.getReader()
    for (const [i] of sample.events.entries()) {
      const before = soFar()
      await reader.read()
      // Half an event says nothing yet.
      expect(soFar()).toEqual(before)
      await reader.read()
      expect(soFar()).toEqual(expectedAfter(sample, i + 1, rough))
    }
    reader.releaseLock()
    await drain(stream)
    expect(await usage).toEqual({ usage: sample.usage, incomplete: false })
  })

  test('never bills less for more of it', async () => {
    const billed: number[] = []
    for (const count of sample.events.keys()) {
      const { usage } = await cutAfter(sample, count, 'broken', options)
      billed.push(usage.inputTokens * 1e6 + usage.outputTokens)
    }
    expect(billed.slice(0, sample.finalAt)).toEqual(billed.slice(0, sample.finalAt).toSorted((a, b) => a - b))
  })
})

describe('a stream that ends before it began', () => {
  const options = { model: 'gpt-4o', provider: 'openai', ...REQUEST }
  const nothing = { usage: { model: 'gpt-4o', provider: 'openai', inputTokens: 0, outputTokens: 0 }, incomplete: true }

  test.each([
    ['because the provider broke', [], BROKEN],
    ['because the provider said nothing', [], undefined],
    ['because the provider refused', [`event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n`], undefined],
    ['because the answer is no stream', ['{"error":{"message":"Rate limit reached"}}'], undefined],
  ])('%s costs nothing', async (_, texts, error) => {
    const { stream, usage } = readUsageStream(sourceOf(texts.map(bytesOf), error).stream, options)
    await drain(stream)
    expect(await usage).toEqual(nothing)
  })

  test('because its reader left costs its input: the provider has it', async () => {
    const { stream, usage } = readUsageStream(sourceOf([bytesOf('data: {}\n\n')]).stream, options)
    await stream.cancel()
    expect(await usage).toEqual({ ...nothing, usage: { ...nothing.usage, inputTokens: 10 } })
  })
})

describe('passing on', () => {
  const options = { model: 'gpt-4o' }

  test('reads nothing ahead', async () => {
    const source = sourceOf([1, 2, 3])
    const reader = readUsageStream(source.stream, options).stream.getReader()
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(source.pulls()).toBe(0)
    await reader.read()
    expect(source.pulls()).toBe(1)
  })

  test('gives the error of the source to whoever reads, and the reason of whoever leaves to the source', async () => {
    const broken = readUsageStream(sourceOf([1], BROKEN).stream, options)
    expect(await drain(broken.stream)).toEqual({ chunks: [1], error: BROKEN })
    await expect(async () => {
      for await (const _ of readUsageStream(chunksOf([1], BROKEN), options).stream);
    }).rejects.toBe(BROKEN)

    const source = sourceOf([1, 2])
    await drain(readUsageStream(source.stream, options).stream, 1)
    expect(source.cancelled()).toBe('left')
  })

  test('does not wait for a source that is silent when its reader leaves', async () => {
    let reason: unknown
    const silent = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}), cancel: (given) => void (reason = given) })
    const { stream, usage } = readUsageStream(silent, { ...options, ...REQUEST })
    const reader = stream.getReader()
    const read = reader.read()
    await reader.cancel('gone')
    expect(await read).toEqual({ done: true, value: undefined })
    expect(reason).toBe('gone')
    expect(await usage).toMatchObject({ usage: { inputTokens: 10 }, incomplete: true })
  })

  test('closes an iterator whose reader leaves, before the first chunk too', async () => {
    for (const most of [0, 1]) {
      let isClosed = false
      const source = closing(() => (isClosed = true))
      const { stream, usage } = readUsageStream(source, options)
      for (let i = 0; i < most; i += 1) await stream.next()
      expect(await stream.return?.()).toEqual({ done: true, value: undefined })
      expect(isClosed).toBe(most === 1)
      expect((await usage).incomplete).toBe(true)
    }

    async function* closing(onClose: () => void): AsyncGenerator<number> {
      try {
        yield 1
        yield 2
      } finally {
        onClose()
      }
    }
  })

  test('is not disturbed by a chunk of any kind', async () => {
    const events = ['data: [1]\n\n', 'data: null\n\n', bytesOf('data: {"choices":7}\n\n'), bytesOf('\n\n: \ndata')]
    for (const chunk of [
      null,
      undefined,
      7,
      ...events,
      { choices: [null] },
      { choices: [{ delta: 7 }] },
      { type: 7 },
      hostile(),
    ]) {
      const { stream, usage } = readUsageStream(chunksOf([chunk]), options)
      expect((await stream.next()).value).toBe(chunk)
      expect((await stream.next()).done).toBe(true)
      expect(await usage).toMatchObject({ usage: { inputTokens: 0, outputTokens: 0 }, incomplete: true })
    }
  })

  test('lets an event that is too large to hold counts go by, and reads those after it', async () => {
    const picture = Array.from({ length: 17 }, () => bytesOf('A'.repeat(1024 * 1024)))
    const events = STREAMS[0] === undefined ? [] : sent(STREAMS[0]).map(bytesOf)
    const { stream, usage } = readUsageStream(
      sourceOf([bytesOf('data: {"b64":"'), ...picture, bytesOf('"}\n\n'), ...events]).stream,
      options,
    )
    await drain(stream)
    expect(await usage).toEqual({ usage: STREAMS[0]?.usage, incomplete: false })
  })

  test('keeps no long text, and counts it all the same', async () => {
    const chunk = { object: 'chat.completion.chunk', choices: [{ delta: { content: 'abcd'.repeat(1_000) } }] }
    let longest = 0
    const counting = (text: string): number => {
      longest = Math.max(longest, text.length)
      return text.length / 4
    }
    const { stream, usage } = readUsageStream(chunksOf(Array.from({ length: 100 }, () => chunk)), {
      ...options,
      countTokens: counting,
    })
    for await (const _ of stream);
    expect(await usage).toMatchObject({ usage: { outputTokens: 100_000 }, incomplete: true })
    expect(longest).toBeLessThan(70_000)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('Disallowed special token found')
      },
    ],
    ['gives NaN', () => Number.NaN],
    ['gives less than nothing', () => -1],
  ])('estimates by length where the own counting %s', async (...[, own]) => {
    const chunk = { object: 'chat.completion.chunk', choices: [{ delta: { content: '<|endoftext|>' } }] }
    const { stream, usage } = readUsageStream(chunksOf([chunk]), { ...options, countTokens: own })
    for await (const _ of stream);
    expect(await usage).toMatchObject({ usage: { outputTokens: 4 } })
  })
})

describe('the counts of those who answer like OpenAI', () => {
  const chunk = (more: object): object => ({ object: 'chat.completion.chunk', model: 'grok-4', ...more })

  test('are final with the last choice, and after it, and not before', async () => {
    const usage = { prompt_tokens: 5, completion_tokens: 2, completion_tokens_details: { reasoning_tokens: 40 } }
    const said = { usage: { model: 'grok-4', provider: 'xai', inputTokens: 5, outputTokens: 42 }, incomplete: false }
    const open = chunk({ choices: [{ delta: { content: 'hi' }, finish_reason: null }] })
    const closed = chunk({ choices: [{ delta: {}, finish_reason: 'stop' }] })
    expect(await usageOfChunks([open, { ...closed, usage }])).toEqual(said)
    expect(await usageOfChunks([open, closed, { ...open, usage }])).toEqual(said)
    expect(await usageOfChunks([{ ...open, usage }, open])).toEqual({ ...said, incomplete: true })
  })

  test('are not taken from the filter results that Azure sends first', async () => {
    const filters = chunk({ choices: [], prompt_filter_results: [], usage: null })
    expect(await usageOfChunks([filters, chunk({ choices: [{ delta: { content: 'four' } }] })])).toMatchObject({
      usage: { inputTokens: 0, outputTokens: 1 },
      incomplete: true,
    })
  })

  async function usageOfChunks(chunks: readonly object[]): Promise<StreamUsage> {
    const { stream, usage } = readUsageStream(chunksOf(chunks), { model: 'x', provider: 'xai' })
    for await (const _ of stream);
    return usage
  }
})

describe('onUsage', () => {
  const sample = STREAMS[0] as StreamSample

  test('is told once, before whoever reads learns of the end', async () => {
    const order: string[] = []
    const { stream } = readUsageStream(sourceOf(sent(sample).map(bytesOf)).stream, {
      model: 'gpt-4o',
      async onUsage(result) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        order.push(`${result.usage.inputTokens} in`)
      },
    })
    await drain(stream)
    order.push('end')
    await stream.cancel().catch(() => {})
    expect(order).toEqual(['19 in', 'end'])
  })

  test('is told at once when the reader leaves, and once', async () => {
    const told: StreamUsage[] = []
    const { stream } = readUsageStream(sourceOf(sent(sample).map(bytesOf)).stream, {
      model: 'gpt-4o',
      onUsage: (result) => void told.push(result),
    })
    const reader = stream.getReader()
    await reader.read()
    const cancelling = reader.cancel()
    expect(told).toHaveLength(1)
    await cancelling
    expect(told).toHaveLength(1)
  })

  test('reaches whoever reads with what it throws, and the usage is known all the same', async () => {
    const error = new Error('no price')
    const onUsage = (): void => {
      throw error
    }
    const finished = readUsageStream(sourceOf(sent(sample).map(bytesOf)).stream, { model: 'gpt-4o', onUsage })
    expect(await drain(finished.stream)).toMatchObject({ error })
    expect(await finished.usage).toMatchObject({ incomplete: false })

    const source = sourceOf(sent(sample).map(bytesOf))
    const left = readUsageStream(source.stream, { model: 'gpt-4o', onUsage })
    expect(await drain(left.stream, 1)).toMatchObject({ error })
    expect(source.cancelled()).toBe('left')

    const iterated = readUsageStream(chunksOf(sample.events), { model: 'gpt-4o', onUsage })
    await expect(async () => {
      for await (const _ of iterated.stream);
    }).rejects.toBe(error)
  })
})

test.each([
  ['an unknown option', { model: 'gpt-4o', onusage: () => {} }],
  ['no model', {}],
  ['an empty model', { model: '' }],
  ['a provider that is no text', { model: 'gpt-4o', provider: 1 }],
  ['a request that is no text', { model: 'gpt-4o', requestText: [] }],
  ['a tokenizer that is no function', { model: 'gpt-4o', countTokens: 'gpt' }],
  ['an onUsage that is no function', { model: 'gpt-4o', onUsage: {} }],
])('refuses %s', (_, options) => {
  expect(() => readUsageStream(chunksOf([]), options as UsageStreamOptions)).toThrow(
    expect.objectContaining({ code: 'invalid_option' }),
  )
})

function cutAfter(sample: StreamSample, count: number, end: End, options: UsageStreamOptions): Promise<StreamUsage> {
  return endedAfter(sent(sample).slice(0, count).map(bytesOf), end, options)
}

/** The usage of a stream that gives these pieces and ends so. */
async function endedAfter(pieces: readonly Uint8Array[], end: End, options: UsageStreamOptions): Promise<StreamUsage> {
  const errors = { broken: BROKEN, aborted: new DOMException('This operation was aborted', 'AbortError') }
  const more = end === 'left' ? [bytesOf(': more\n\n')] : []
  const source = sourceOf([...pieces, ...more], end === 'broken' || end === 'aborted' ? errors[end] : undefined)
  const { stream, usage } = readUsageStream(source.stream, options)
  expect((await drain(stream, end === 'left' ? pieces.length : undefined)).chunks).toHaveLength(pieces.length)
  return usage
}

/** What the sample says was known and written after so many events. */
function expectedAfter(sample: StreamSample, count: number, tokens: (text: string) => number): StreamUsage {
  if (count >= sample.finalAt) return { usage: sample.usage, incomplete: false }
  const inputTokens = sample.inputs[count - 1]
  const known = knownBefore(sample, count)
  const outputTokens = Math.max(known.outputTokens, tokens(sample.writes.slice(0, count).join('')))
  const { model, cacheReadTokens, cacheWriteTokens } = sample.usage
  const cached = {
    ...(cacheReadTokens === undefined ? {} : { cacheReadTokens }),
    ...(cacheWriteTokens === undefined ? {} : { cacheWriteTokens }),
  }
  const usage = {
    model,
    inputTokens: inputTokens ?? tokens(REQUEST.requestText),
    outputTokens,
    ...(inputTokens === undefined ? {} : cached),
  }
  return { usage, incomplete: true }
}

/** The last count of what came out that an event had by then. */
function knownBefore({ events }: StreamSample, count: number): { readonly outputTokens: number } {
  const counts = events.slice(0, count).map((event) => JSON.stringify(event))
  const said = counts.map((json) => {
    const gemini = [...json.matchAll(/"(?:candidates|thoughts)TokenCount":(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0)
    return Number(/"output_tokens":(\d+)/.exec(json)?.[1] ?? gemini)
  })
  return { outputTokens: Math.max(0, ...said) }
}

function rough(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4)
}

/** An object that cannot be looked into. */
function hostile(): object {
  return Object.defineProperty({}, 'choices', {
    get() {
      throw new Error('not yours')
    },
  })
}
