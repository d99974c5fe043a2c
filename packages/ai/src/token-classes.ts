/** Which tokens of a request cost what: the classes of a usage, and the rate of each. Nothing is multiplied here. */

import type { Decimal, ModelUsage, TokenClass } from '@farebox/core/contracts'

/** A price per million tokens, and other prices above some sizes of the input. */
export interface Rate {
  readonly base: Decimal
  /** In rising order. A request whose input is larger than `above` pays `perMillion` for all its tokens. */
  readonly thresholds: readonly { readonly above: number; readonly perMillion: Decimal }[]
}

/** What a price list says of a model at an instant; a rate that it does not have is undefined. */
export interface Rates {
  readonly input: Rate | undefined
  readonly output: Rate | undefined
  readonly cacheRead: Rate | undefined
  readonly cacheWrite: Rate | undefined
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

/** What the rates miss for these counts, as the end of a sentence; null when they have all. */
export function gapIn({ input, output, hasRequestPrice }: Rates, counts: Counts): string | null {
  if (hasRequestPrice) return 'has a part for each request, which tokens do not show'
  if (input === undefined && output === undefined) return 'has no rate for tokens'
  if (input === undefined && counts.input + counts.cache_read + counts.cache_write > 0) return 'has no rate for input tokens'
  if (output === undefined && counts.output > 0) return 'has no rate for output tokens'
  return null
}

/** Classes without tokens are left out. Cached tokens that have no rate of their own cost what other input costs. */
export function classesOf({ input, output, cacheRead = input, cacheWrite = input }: Rates, counts: Counts): TokenClass[] {
  const rates = { input, cache_read: cacheRead, cache_write: cacheWrite, output }
  const inputTokens = counts.input + counts.cache_read + counts.cache_write
  return (['input', 'cache_read', 'cache_write', 'output'] as const).flatMap((name) => {
    const rate = rates[name]
    const tokens = counts[name]
    return tokens === 0 || rate === undefined ? [] : [{ name, tokens, perMillion: perMillion(rate, inputTokens) }]
  })
}

/** Strictly above a threshold all tokens cost the other price, also those below it. The input decides for the output too. */
function perMillion({ base, thresholds }: Rate, inputTokens: number): Decimal {
  return thresholds.findLast(({ above }) => inputTokens > above)?.perMillion ?? base
}
