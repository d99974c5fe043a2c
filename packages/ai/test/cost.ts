/** What a quote comes to, exactly: the engine's multiplication, for tests. */

import { type Decimal, type ModelQuote, parseDecimal } from '@farebox/core/contracts'

const EVERY_PLACE = 40

/** Σ tokens × price ÷ a million, as the shortest plain text. A quote without a price gives its kind. */
export function costOf(quote: ModelQuote): string {
  if (quote.kind !== 'priced') return quote.kind
  const scale = Math.max(0, ...quote.classes.map(({ perMillion }) => perMillion.scale))
  const millionths = quote.classes.reduce(
    (sum, { tokens, perMillion }) => sum + BigInt(tokens) * coefficientAt(perMillion, scale),
    0n,
  )
  return plainText(millionths, scale + 6)
}

/** The shortest text of a decimal, since sources write `0.30` for `0.3`. */
export function plain(text: string): string {
  const { coefficient, scale } = parseDecimal(text, EVERY_PLACE) ?? { coefficient: -1n, scale: 0 }
  return plainText(coefficient, scale)
}

function coefficientAt({ coefficient, scale }: Decimal, places: number): bigint {
  return coefficient * 10n ** BigInt(places - scale)
}

function plainText(coefficient: bigint, places: number): string {
  const digits = coefficient.toString().padStart(places + 1, '0')
  const whole = digits.slice(0, digits.length - places)
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '')
  return fraction === '' ? whole : `${whole}.${fraction}`
}

export function textOf({ coefficient, scale }: Decimal): string {
  return plainText(coefficient, scale)
}
