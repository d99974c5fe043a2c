/** The text that a stream delivered, for when its provider never says how many tokens it was: an estimate is better than nothing billed. */

/** Counts the tokens of a text. */
export type CountTokens = (text: string) => number

export interface DeliveredText {
  add(text: string): void
  /** About how many tokens it has so far. */
  tokens(): number
}

/** Text beyond this is counted and let go, so that no stream keeps its whole answer in memory. */
const LONGEST_KEPT = 65_536

/**
 * OpenAI's rule of thumb is four characters of English to a token ("What are tokens and how to count them?", its help centre).
 * In bytes it serves other scripts too, whose characters have more of both.
 */
const BYTES_PER_TOKEN = 4

const encoder = new TextEncoder()

export function createDeliveredText(countTokens: CountTokens | undefined): DeliveredText {
  let counted = 0
  let kept = ''
  return {
    add(text) {
      kept += text
      if (kept.length <= LONGEST_KEPT) return
      counted += tokensOf(kept, countTokens)
      kept = ''
    },
    tokens: () => counted + tokensOf(kept, countTokens),
  }
}

/** By the application's own counting, or where there is none or it fails, by the length. */
export function tokensOf(text: string, countTokens: CountTokens | undefined): number {
  if (text === '') return 0
  const own = countTokens === undefined ? undefined : counting(text, countTokens)
  return own ?? Math.ceil(encoder.encode(text).length / BYTES_PER_TOKEN)
}

/** A stream must not break because a text cannot be counted; some tokenizers refuse what looks like a control token. */
function counting(text: string, countTokens: CountTokens): number | undefined {
  try {
    const count = Math.ceil(countTokens(text))
    return Number.isSafeInteger(count) && count >= 0 ? count : undefined
  } catch {
    return undefined
  }
}
