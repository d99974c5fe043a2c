/** Prices that the price list's own tests assert, asked of ours. Each row names its source. */

import { readFileSync } from 'node:fs'
import { decimal, type ModelQuote, type ModelUsage } from '@farebox/core/contracts'
import { describe, expect, test } from 'vitest'
import { modelPrices } from '../../src/model-prices.ts'
import { classesOf, type TokenPrice } from '../../src/token-classes.ts'
import { costOf, plain } from '../cost.ts'

interface Vector {
  readonly id: string
  readonly name: string
  /** Repository, path and commit. */
  readonly source: string
  readonly total: string
  /** Why the row asserts what a usage does not say. */
  readonly notApplicable?: string
}

interface PriceVector extends Vector {
  readonly model: string
  readonly provider: string
  readonly at?: string
  readonly usage: Omit<ModelUsage, 'model' | 'provider'>
}

interface ThresholdVector extends Vector {
  readonly price: { readonly base: string; readonly thresholds: readonly (readonly [above: number, perMillion: string])[] }
  readonly tokens: number
}

const NOW = Date.UTC(2025, 10, 25)

const prices = modelPrices()

const priceVectors: readonly PriceVector[] = JSON.parse(textOf('ai-prices'))
const thresholdVectors: readonly ThresholdVector[] = JSON.parse(textOf('ai-thresholds'))

compare('ai-prices', priceVectors, ({ model, provider, at, usage }) =>
  prices.quote({ model, provider, ...usage }, at === undefined ? NOW : Date.parse(at)),
)

compare('ai-thresholds', thresholdVectors, ({ price: { base, thresholds }, tokens }) => {
  const input: TokenPrice = {
    base: decimal(base),
    thresholds: thresholds.map(([above, perMillion]) => ({ above, perMillion: decimal(perMillion) })),
  }
  const tokenPrices = { input, output: undefined, cacheRead: undefined, cacheWrite: undefined, hasRequestPrice: false }
  const counts = { input: tokens, output: 0, cache_read: 0, cache_write: 0 }
  return { kind: 'priced', model: 'a', provider: 'b', classes: classesOf(tokenPrices, counts) }
})

function textOf(file: string): string {
  return readFileSync(new URL(`./${file}.json`, import.meta.url), 'utf8')
}

/** Runs every row of a file. A row that is not applicable must differ from ours: otherwise its reason has gone. */
function compare<V extends Vector>(file: string, vectors: readonly V[], ours: (vector: V) => ModelQuote): void {
  describe(file, () => {
    for (const vector of vectors) {
      const { id, name, source, total, notApplicable } = vector
      if (notApplicable === undefined) test(`${id} ${name} (${source})`, () => expect(costOf(ours(vector))).toBe(plain(total)))
      else
        test(`${id} ${name} is not applicable: ${notApplicable} (${source})`, () =>
          expect(costOf(ours(vector))).not.toBe(plain(total)))
    }
  })
}
