/** Which tokens of a request cost what: the classes of a usage, and the price of each. Nothing is multiplied here. */

import type { Decimal, ModelUsage, TokenClass } from '@farebox/core/contracts'

/** A price per million tokens, and other prices above some sizes of the input. */
export interface TokenPrice {
  readonly base: Decimal
  /** In rising order. A request whose input is larger than `above` pays `perMillion` for all its tokens. */
  readonly thresholds: readonly { readonly above: number; readonly perMillion: Decimal }[]
}

/** What a price list says of a model at an instant; a price that it does not have is undefined. */
export interface TokenPrices {
  readonly input: TokenPrice | undefined
  readonly output: TokenPrice | undefined
  readonly cacheRead: TokenPrice | undefined
  readonly cacheWrite: TokenPrice | undefined
  /** Whether each request costs something besides its tokens. */
  readonly hasRequestPrice: boolean
}

/** How many tokens of each class a request has. */
export type Counts = Readonly<Record<TokenClass['name'], number>>

/** The counts by class, or why they cannot be. */
export function countsOf({ inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 }: ModelUsage): Counts | string {
  const all = { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }
  for (const [name, count] of Object.entries(all)) {
    if (!Number.isSafeInteger(count) || count < 0) return `${name} is ${count}, which is no count of tokens`
  }
  const plain = inputTokens - cacheReadTokens - cacheWriteTokens
  if (plain < 0) {
    const cached = `cacheReadTokens (${cacheReadTokens}) and cacheWriteTokens (${cacheWriteTokens})`
    return `${cached} are more than inputTokens (${inputTokens}), which should include them`
  }
  return { input: plain, output: outputTokens, cache_read: cacheReadTokens, cache_write: cacheWriteTokens }
}

/** Why the prices are not those of these counts, as what the price list has; null when they are. */
export function gapIn({ input, output, hasRequestPrice }: TokenPrices, counts: Counts): string | null {
  if (hasRequestPrice) return 'a price for each request beside that of its tokens'
  if (input === undefined && output === undefined) return 'no price for tokens'
  if (input === undefined && counts.input + counts.cache_read + counts.cache_write > 0) return 'no price for input tokens'
  if (output === undefined && counts.output > 0) return 'no price for output tokens'
  return null
}

/** Classes without tokens are left out. Cached tokens that have no price of their own cost what other input costs. */
export function classesOf(prices: TokenPrices, counts: Counts): TokenClass[] {
  const { input, output, cacheRead = input, cacheWrite = input } = prices
  const byClass = { input, cache_read: cacheRead, cache_write: cacheWrite, output }
  const inputTokens = counts.input + counts.cache_read + counts.cache_write
  return (['input', 'cache_read', 'cache_write', 'output'] as const).flatMap((name) => {
    const price = byClass[name]
    const tokens = counts[name]
    return tokens === 0 || price === undefined ? [] : [{ name, tokens, perMillion: perMillion(price, inputTokens) }]
  })
}

/** Strictly above a threshold all tokens cost the other price, also those below it. The input decides for the output too. */
function perMillion({ base, thresholds }: TokenPrice, inputTokens: number): Decimal {
  return thresholds.findLast(({ above }) => inputTokens > above)?.perMillion ?? base
}
