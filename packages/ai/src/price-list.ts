/** The price list: who ran a model, and what its tokens cost at an instant. All of it is `@pydantic/genai-prices`; here it is looked up and remembered. */

import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { createRecent, type Decimal, FareboxError } from '@farebox/core/contracts'
import { calcPrice, findProvider, type ModelInfo, type ModelPrice } from '@pydantic/genai-prices'
import { exactDecimal } from './exact.ts'
import { fieldsOf } from './fields.ts'
import type { TokenPrice, TokenPrices } from './token-classes.ts'

const PACKAGE = '@pydantic/genai-prices'

/** Models whose prices are remembered. A look-up costs about 40 µs, so forgetting is cheap; names come from requests, so there must be an end. */
const REMEMBERED_MODELS = 1_000

/** No model has a longer name. Longer ones are not looked up: the list matches names by patterns. */
const LONGEST_NAME = 256

/** Looked at before the application can have run anything. */
const BUNDLED = currentData()

const DAY_MS = 24 * 60 * 60 * 1_000

export type Found =
  | { readonly kind: 'found'; readonly model: string; readonly provider: string; readonly prices: TokenPrices }
  | { readonly kind: 'unknown' }
  /** The list has the model and cannot price it. */
  | { readonly kind: 'unusable'; readonly reason: string }

/** What was found holds for the instants [from, until). */
interface Remembered {
  readonly found: Found
  readonly from: number
  readonly until: number
}

export interface PriceList {
  /** Such as `genai-prices@0.1.8`. */
  readonly name: string
  /** Whether somebody in this process gave the package other prices than those of its version. */
  isReplaced(): boolean
  find(model: string, provider: string | undefined, at: number): Found
}

export function createPriceList(): PriceList {
  const remembered = createRecent<Remembered>(REMEMBERED_MODELS)
  return { name: `genai-prices@${installedVersion()}`, isReplaced: () => currentData() !== BUNDLED, find }

  function find(model: string, provider: string | undefined, at: number): Found {
    if (model.length > LONGEST_NAME || (provider?.length ?? 0) > LONGEST_NAME) return { kind: 'unknown' }
    const key = JSON.stringify([provider, model])
    const known = remembered.get(key)
    if (known !== undefined && at >= known.from && at < known.until) return known.found
    const fresh = lookUp(model, provider, at)
    remembered.set(key, fresh)
    remembered.trim()
    return fresh.found
  }
}

/** The package's own name for a provider, such as `x-ai` for `xai`; undefined when it has none. */
export function providerId(provider: string): string | undefined {
  return findProvider({ providerId: provider })?.id
}

function lookUp(model: string, provider: string | undefined, at: number): Remembered {
  const always = { from: -Infinity, until: Infinity }
  try {
    // Nothing used: which price holds does not depend on it, and what it comes to is not for this package to say.
    const result = calcPrice({}, model, { timestamp: new Date(at), ...(provider === undefined ? {} : { providerId: provider }) })
    if (result === null) return { found: { kind: 'unknown' }, ...always }
    const prices = pricesOf(result.model_price)
    return {
      found: { kind: 'found', model: result.model.id, provider: result.provider.id, prices },
      ...validity(result.model, at),
    }
  } catch (error) {
    return { found: { kind: 'unusable', reason: reasonOf(error) }, from: at, until: at + 1 }
  }
}

/** For how long the price of an instant holds for certain: dates begin at midnight UTC, and times of day may begin whenever they like. */
function validity({ prices }: ModelInfo, at: number): { readonly from: number; readonly until: number } {
  const constraints = Array.isArray(prices) ? prices.flatMap(({ constraint }) => constraint ?? []) : []
  if (constraints.length === 0) return { from: -Infinity, until: Infinity }
  if (constraints.some(({ type }) => type !== 'start_date')) return { from: at, until: at + 1 }
  const midnight = at - (((at % DAY_MS) + DAY_MS) % DAY_MS)
  return { from: midnight, until: midnight + DAY_MS }
}

function pricesOf(price: ModelPrice): TokenPrices {
  return {
    input: priceOf(price, 'input_mtok'),
    output: priceOf(price, 'output_mtok'),
    cacheRead: priceOf(price, 'cache_read_mtok'),
    cacheWrite: priceOf(price, 'cache_write_mtok'),
    hasRequestPrice: price.requests_kcount !== undefined,
  }
}

function priceOf(prices: ModelPrice, name: string): TokenPrice | undefined {
  const price = prices[name]
  if (price === undefined) return undefined
  if (typeof price === 'number') return { base: exact(price, name), thresholds: [] }
  const thresholds = price.tiers.map((tier) => ({ above: tier.start, perMillion: exact(tier.price, name) }))
  return { base: exact(price.base, name), thresholds: thresholds.toSorted((a, b) => a.above - b.above) }
}

function exact(price: number, name: string): Decimal {
  const decimal = exactDecimal(price)
  if (decimal === null) throw new RangeError(`the ${name} of the price list is ${price}`)
  return decimal
}

/** The package hands out its own objects, and new ones once `updatePrices()` was used. */
function currentData(): unknown {
  return findProvider({ providerId: 'openai' })
}

/** As the installed package says it itself, because an application may have overridden the version that this package asks for. */
function installedVersion(): string {
  try {
    let folder = path.dirname(createRequire(import.meta.url).resolve(PACKAGE))
    while (!existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder)
    const { name, version } = fieldsOf(JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')))
    if (name === PACKAGE && typeof version === 'string') return version
    throw new Error(`the package of ${folder} is another one`)
  } catch (cause) {
    throw new FareboxError(
      'invalid_option',
      `Expected modelPrices() to find the package ${PACKAGE}, whose version is stored with every event, got none: leave it and @farebox/ai out of the bundle`,
      { fields: { expected: PACKAGE }, cause },
    )
  }
}

function reasonOf(error: unknown): string {
  return `The price list cannot be used for it: ${error instanceof Error ? error.message : String(error)}`
}
