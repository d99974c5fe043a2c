/** Numbers of a price list as exact decimals. */

import { type Decimal, parseDecimal } from '@farebox/core/contracts'

/** What JavaScript writes for a number has at most 17 digits; a price with more places than this is none. */
const MOST_PLACES = 38

const WITH_EXPONENT = /^([0-9])(?:\.([0-9]+))?e-([0-9]+)$/

/**
 * The decimal that the shortest text of a number says: 0.1 is one tenth, and not the binary fraction next to it. Null for
 * what is no price: a negative number, NaN, an infinite one, one beyond 10^21.
 */
export function exactDecimal(value: number): Decimal | null {
  if (!(value >= 0)) return null
  return parseDecimal(withoutExponent(String(value)), MOST_PLACES)
}

/** `1.5e-7` is `0.00000015`. */
function withoutExponent(text: string): string {
  const match = WITH_EXPONENT.exec(text)
  if (match === null) return text
  const [, whole = '', fraction = '', exponent = ''] = match
  return `0.${'0'.repeat(Number(exponent) - 1)}${whole}${fraction}`
}
