/** What AI models cost: prices that the price list's own tests assert, and more of the same kind, as the engine charges them to a balance. */

import { existsSync, readFileSync } from 'node:fs'
import { createFarebox, defineCatalog, FareboxError, testClock } from '@farebox/core'
import { decimal, formatDecimal, type ModelPrices, type ModelUsage, parseDecimal } from '@farebox/core/contracts'
import { sqlite } from '@farebox/core/sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { modelPrices } from '../../src/model-prices.ts'
import { classesOf, type Counts, countsOf, type TokenPrice, type TokenPrices } from '../../src/token-classes.ts'

interface Vector {
  readonly id: string
  readonly name: string
  /** Repository, path and commit. */
  readonly source: string
  /** Of each use. */
  readonly totals: readonly string[]
  /** Why the row asserts what a usage does not say; then `ourAnswer` is what ours gives, which differs. */
  readonly notApplicable?: string
  readonly ourAnswer?: readonly string[]
}

interface PriceVector extends Vector {
  readonly model: string
  readonly provider: string
  readonly uses: readonly (Omit<ModelUsage, 'model' | 'provider'> & { readonly at?: string })[]
}

type PriceRow = string | { readonly base: string; readonly thresholds: readonly (readonly [above: number, perMillion: string])[] }

interface ThresholdVector extends Vector {
  /** By token class. */
  readonly prices: Readonly<Partial<Record<keyof Counts, PriceRow>>>
  readonly uses: readonly Omit<ModelUsage, 'model' | 'provider'>[]
}

interface Comparison<V extends Vector> {
  readonly ours: (vector: V) => Promise<string[]>
}

const NOW = Date.UTC(2025, 10, 25)

/** No price list has as many places. */
const EVERY_PLACE = 40

run<PriceVector>('ai-prices', {
  ours: async ({ model, provider, uses }) => {
    const prices = modelPrices()
    const costs: string[] = []
    for (const { at, ...usage } of uses)
      costs.push(await charged(prices, { model, provider, ...usage }, at === undefined ? NOW : Date.parse(at)))
    return costs
  },
})

run<ThresholdVector>('ai-thresholds', {
  ours: async ({ prices: { input, output, cache_read, cache_write }, uses }) => {
    const [inputPrice, outputPrice, cacheRead, cacheWrite] = [input, output, cache_read, cache_write].map(priceOf)
    const prices: TokenPrices = { input: inputPrice, output: outputPrice, cacheRead, cacheWrite, hasRequestPrice: false }
    const costs: string[] = []
    for (const usage of uses) costs.push(await charged(listOf(prices), { model: 'a', provider: 'b', ...usage }, NOW))
    return costs
  },
})

/** What the engine takes from a balance for it, exactly; what became of it where it takes nothing, or the code of a refusal. */
async function charged(models: ModelPrices, usage: ModelUsage, at: number): Promise<string> {
  const catalog = defineCatalog({
    currency: 'USD',
    features: { chat: { type: 'metered' } },
    plans: {
      prepaid: {
        price: '1.00',
        interval: 'month',
        consumption: 'balance',
        default: true,
        features: { chat: { price: { model: 'ai_model' } } },
      },
    },
  })
  const farebox = createFarebox({ catalog, models, clock: testClock(at), store: sqlite({ path: ':memory:' }) })
  onTestFinished(() => farebox.stop())
  const result = await farebox.usage.track({ customerId: 'ada', feature: 'chat', ...usage }).catch((error: unknown) => {
    if (error instanceof FareboxError) return { kind: error.code }
    throw error
  })
  if (result.kind !== 'recorded') return result.kind
  const cost = result.event.charge?.cost
  return cost === undefined ? 'free' : formatDecimal(cost)
}

/** A price list of one model. */
function listOf(prices: TokenPrices): ModelPrices {
  return {
    catalog: 'row',
    currency: 'USD',
    quote: (usage) => {
      const counts = countsOf(usage)
      if (typeof counts === 'string') return { kind: 'unpriceable', reason: counts }
      return { kind: 'priced', model: usage.model, provider: usage.provider ?? '', classes: classesOf(prices, counts) }
    },
  }
}

function priceOf(row: PriceRow | undefined): TokenPrice | undefined {
  if (row === undefined) return undefined
  const { base, thresholds } = typeof row === 'string' ? { base: row, thresholds: [] } : row
  return {
    base: decimal(base),
    thresholds: thresholds.map(([above, perMillion]) => ({ above, perMillion: decimal(perMillion) })),
  }
}

/** Runs every row of a table, and of the one in `own/` with its name. A row that is not applicable must differ from ours: otherwise its reason has gone. */
function run<V extends Vector>(table: string, { ours }: Comparison<V>): void {
  describe(table, () => {
    for (const vector of rowsOf(table) as readonly V[]) {
      const { id, name, source, totals, notApplicable, ourAnswer } = vector
      const theirs = totals.map(plain)
      if (notApplicable === undefined) test(`${id} ${name} (${source})`, async () => expect(await ours(vector)).toEqual(theirs))
      else
        test(`${id} ${name} is not applicable: ${notApplicable} (${source})`, async () => {
          expect(await ours(vector)).toEqual(ourAnswer)
          expect(ourAnswer).not.toEqual(theirs)
        })
    }
  })
}

function rowsOf(table: string): readonly Vector[] {
  const own = new URL(`./own/${table}.json`, import.meta.url)
  const { rows }: { rows: Vector[] } = existsSync(own) ? JSON.parse(readFileSync(own, 'utf8')) : { rows: [] }
  const collected: Vector[] = JSON.parse(readFileSync(new URL(`./${table}.json`, import.meta.url), 'utf8'))
  return [...collected, ...rows.map((row) => ({ ...row, source: `own/${table}.json` }))]
}

/** The shortest text of a decimal, since sources write `0.30` for `0.3`. */
function plain(text: string): string {
  const value = parseDecimal(text, EVERY_PLACE)
  return value === null ? text : formatDecimal(value)
}
