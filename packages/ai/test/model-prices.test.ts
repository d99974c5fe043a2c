/** What tokens cost: every model of the price list against the package's own sums, and what has no price. */

import { readFileSync } from 'node:fs'
import type { ModelUsage } from '@farebox/core/contracts'
import { calcPrice, type ModelPrice, type Provider, waitForUpdate } from '@pydantic/genai-prices'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { modelPrices } from '../src/model-prices.ts'
import { costOf, textOf } from './cost.ts'

type Tokens = Omit<ModelUsage, 'model' | 'provider'>

const NOW = Date.UTC(2026, 8, 25, 12)

const providers: readonly Provider[] = (await waitForUpdate()) ?? []
const names = providers.flatMap(({ id, models }) => models.map((model) => ({ provider: id, model: model.id })))

const USAGES: readonly Tokens[] = [
  { inputTokens: 1_234, outputTokens: 567 },
  { inputTokens: 5_000, outputTokens: 321, cacheReadTokens: 3_000, cacheWriteTokens: 1_500 },
  { inputTokens: 4_000, outputTokens: 0, cacheReadTokens: 4_000 },
  { inputTokens: 1_000_001, outputTokens: 99_999, cacheReadTokens: 500_000, cacheWriteTokens: 1 },
]

/** Before and after the changes of price that the list knows, by day and by night. */
const INSTANTS = ['2025-01-15T03:00:00Z', '2025-06-09T23:59:59.999Z', '2026-08-17T00:00:00Z', '2026-09-25T08:30:00Z'].map(
  Date.parse,
)

const prices = modelPrices()

describe('every model of the price list', () => {
  test('costs what the package itself says, within a billionth of a dollar', () => {
    let compared = 0
    const differing = names.flatMap(({ provider, model }) =>
      INSTANTS.flatMap((at) =>
        USAGES.flatMap((tokens) => {
          const quote = prices.quote({ provider, model, ...tokens }, at)
          if (quote.kind !== 'priced') return []
          compared += 1
          const theirs = totalOf(provider, model, tokens, at)
          return Math.abs(Number(costOf(quote)) - theirs) <= 1e-9 ? [] : [`${provider}/${model}: ${costOf(quote)} and ${theirs}`]
        }),
      ),
    )
    expect(differing).toEqual([])
    expect(compared).toBeGreaterThan(1_500 * INSTANTS.length * (USAGES.length - 1))
  })

  test('has each token in exactly one class, and no class without tokens', () => {
    for (const { provider, model } of names) {
      for (const tokens of USAGES) {
        const quote = prices.quote({ provider, model, ...tokens }, NOW)
        if (quote.kind !== 'priced') continue
        expect(quote.classes.reduce((sum, each) => sum + each.tokens, 0)).toBe(tokens.inputTokens + tokens.outputTokens)
        expect(quote.classes.every((each) => each.tokens > 0)).toBe(true)
        expect(new Set(quote.classes.map(({ name }) => name)).size).toBe(quote.classes.length)
      }
    }
  })

  test('is priced, or lacks a price for tokens, or has a price for each request', () => {
    const usage = { inputTokens: 1_000, outputTokens: 1_000 }
    for (const { provider, model } of names) {
      const quote = prices.quote({ provider, model, ...usage }, NOW)
      // Some entries of the list stand for a family, and do not match their own name.
      expect(quote.kind === 'unknown_model', `${provider}/${model}`).toBe(isUnknown(provider, model))
      if (quote.kind !== 'unpriceable') continue
      const price = priceOf(provider, model)
      const isWhole = price.input_mtok !== undefined && price.output_mtok !== undefined && price.requests_kcount === undefined
      expect(isWhole, `${provider}/${model}: ${quote.reason}`).toBe(false)
    }
  })
})

describe('the price in force', () => {
  test('is that of the instant of the request, to the millisecond', () => {
    const at = (text: string): string =>
      costOf(prices.quote({ model: 'o3', inputTokens: 1_000, outputTokens: 0 }, Date.parse(text)))
    expect(at('2025-06-09T23:59:59.999Z')).toBe('0.01')
    expect(at('2025-06-10T00:00:00.000Z')).toBe('0.002')
  })

  test('is that of the time of day', () => {
    const usage = { model: 'deepseek-chat', provider: 'deepseek', inputTokens: 1_000_000, outputTokens: 0 }
    const at = (time: string): string => costOf(prices.quote(usage, Date.parse(`2025-06-01T${time}Z`)))
    expect(['00:29:59.999', '00:30:00', '16:29:59.999', '16:30:00'].map(at)).toEqual(['0.135', '0.27', '0.27', '0.135'])
  })

  test('is, strictly above a threshold, the higher one for all tokens, those that come out included', () => {
    const at = (inputTokens: number): string[] => {
      const quote = prices.quote(
        { model: 'claude-sonnet-4-5', inputTokens, outputTokens: 1, cacheReadTokens: 1, cacheWriteTokens: 1 },
        NOW,
      )
      return quote.kind === 'priced' ? quote.classes.map(({ name, perMillion }) => `${name} ${textOf(perMillion)}`) : []
    }
    expect(at(200_000)).toEqual(['input 3', 'cache_read 0.3', 'cache_write 3.75', 'output 15'])
    expect(at(200_001)).toEqual(['input 6', 'cache_read 0.6', 'cache_write 7.5', 'output 22.5'])
  })

  test('does not depend on what was asked before', () => {
    const model = fc.constantFrom('o3', 'gpt-4o', 'claude-opus-4-6', 'deepseek-chat', 'deepseek-v4-pro', 'gemini-3.6-flash')
    const instant = fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2027, 5, 1) })
    fc.assert(
      fc.property(fc.array(fc.tuple(model, instant), { maxLength: 20 }), (asked) => {
        const used = modelPrices()
        for (const [name, at] of asked) {
          const usage = { model: name, inputTokens: 1_000, outputTokens: 1_000 }
          expect(used.quote(usage, at)).toEqual(modelPrices().quote(usage, at))
        }
      }),
      { numRuns: 20 },
    )
  })

  test('is found after more models were asked for than are remembered', () => {
    const own = modelPrices()
    const first = own.quote({ model: 'gpt-4o', inputTokens: 1, outputTokens: 1 }, NOW)
    for (let i = 0; i < 3_000; i += 1) own.quote({ model: `model-${i}`, inputTokens: 1, outputTokens: 1 }, NOW)
    expect(own.quote({ model: 'gpt-4o', inputTokens: 1, outputTokens: 1 }, NOW)).toEqual(first)
  })
})

describe('a quote', () => {
  test('names model and provider as the price list does', () => {
    const usage = { inputTokens: 1, outputTokens: 1 }
    const named = (model: string, provider?: string): string => {
      const quote = prices.quote({ model, ...(provider === undefined ? {} : { provider }), ...usage }, NOW)
      return quote.kind === 'priced' ? `${quote.provider}/${quote.model}` : quote.kind
    }
    expect(named('claude-sonnet-4-5-20250929')).toBe('anthropic/claude-sonnet-4-5')
    expect(named('GPT-4o-2024-08-06')).toBe('openai/gpt-4o')
    expect(named('gpt-4o', 'openai.responses')).toBe('openai/gpt-4o')
    expect(named('grok-4', 'xai')).toBe('x-ai/grok-4-0709')
  })

  test('has cached tokens once, at the price of the cache', () => {
    const quote = prices.quote(
      { model: 'claude-sonnet-4-5', inputTokens: 1_000, outputTokens: 10, cacheReadTokens: 600, cacheWriteTokens: 300 },
      NOW,
    )
    expect(quote.kind === 'priced' && quote.classes.map(({ name, tokens }) => [name, tokens])).toEqual([
      ['input', 100],
      ['cache_read', 600],
      ['cache_write', 300],
      ['output', 10],
    ])
  })

  test.each([
    ['a model that no list has', { model: 'my-own-model' }],
    ['a provider that no list has', { model: 'gpt-4o', provider: 'my-own-provider' }],
    ['a model that its provider does not have', { model: 'gpt-4o', provider: 'anthropic' }],
    ['an endless name', { model: `gpt-4o${' '.repeat(100_000)}` }],
    ['no name', { model: '' }],
  ])('of %s is unknown_model', (_, name) => {
    expect(prices.quote({ ...name, inputTokens: 1, outputTokens: 1 }, NOW)).toEqual({ kind: 'unknown_model' })
  })

  test.each([
    [
      'cacheReadTokens (2) and cacheWriteTokens (0) are more than inputTokens (1)',
      { model: 'gpt-4o', inputTokens: 1, outputTokens: 1, cacheReadTokens: 2 },
    ],
    [
      'cacheReadTokens (1) and cacheWriteTokens (1) are more than inputTokens (1)',
      { model: 'gpt-4o', inputTokens: 1, outputTokens: 1, cacheReadTokens: 1, cacheWriteTokens: 1 },
    ],
    ['inputTokens is -1', { model: 'gpt-4o', inputTokens: -1, outputTokens: 1 }],
    ['outputTokens is 0.5', { model: 'gpt-4o', inputTokens: 1, outputTokens: 0.5 }],
    ['cacheWriteTokens is NaN', { model: 'gpt-4o', inputTokens: 1, outputTokens: 1, cacheWriteTokens: Number.NaN }],
    [
      'no price for output tokens: openai/text-embedding-3-small',
      { model: 'text-embedding-3-small', provider: 'openai', inputTokens: 1, outputTokens: 1 },
    ],
    ['no price for tokens: openai/whisper-1', { model: 'whisper-1', inputTokens: 0, outputTokens: 0 }],
    [
      'no price for tokens: openrouter/openai/gpt-oss-20b:free',
      { model: 'openai/gpt-oss-20b:free', provider: 'openrouter', inputTokens: 1, outputTokens: 1 },
    ],
    [
      'a price for each request beside that of its tokens: perplexity/sonar',
      { model: 'sonar', provider: 'perplexity', inputTokens: 1, outputTokens: 1 },
    ],
  ])('says why there is no price: %s', (reason, usage) => {
    expect(prices.quote(usage, NOW)).toEqual({ kind: 'unpriceable', reason: expect.stringContaining(reason) })
  })

  test('what the package throws is a reason', () => {
    expect(prices.quote({ model: 'o3', inputTokens: 1, outputTokens: 1 }, Number.NaN)).toEqual({
      kind: 'unpriceable',
      reason: 'The price list cannot be used for it: Invalid time value',
    })
  })

  test('of an embedding needs no price for what comes out', () => {
    expect(
      costOf(prices.quote({ model: 'text-embedding-3-small', provider: 'openai', inputTokens: 1_000, outputTokens: 0 }, NOW)),
    ).toBe('0.00002')
  })
})

test('the catalog names the version that is installed', () => {
  const entry = new URL(import.meta.resolve('@pydantic/genai-prices'))
  const { version } = JSON.parse(readFileSync(new URL('../package.json', entry), 'utf8')) as { version: string }
  const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    dependencies: Record<string, string>
  }
  expect(prices.catalog).toBe(`genai-prices@${version}`)
  // A range would make one event cost differently in two processes.
  expect(dependencies['@pydantic/genai-prices']).toBe(version)
  expect(prices.currency).toBe('USD')
})

function totalOf(provider: string, model: string, tokens: Tokens, at: number): number {
  const usage = {
    input_tokens: tokens.inputTokens,
    output_tokens: tokens.outputTokens,
    cache_read_tokens: tokens.cacheReadTokens ?? 0,
    cache_write_tokens: tokens.cacheWriteTokens ?? 0,
  }
  return calcPrice(usage, model, { providerId: provider, timestamp: new Date(at) })?.total_price ?? Number.NaN
}

function isUnknown(provider: string, model: string): boolean {
  return calcPrice({}, model, { providerId: provider }) === null
}

function priceOf(provider: string, model: string): ModelPrice {
  return calcPrice({}, model, { providerId: provider, timestamp: new Date(NOW) })?.model_price ?? {}
}
