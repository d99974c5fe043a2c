/** Division of integers under a named rounding mode. There is no default mode: a caller says what happens to the remainder. */

import { invariant } from './invariant.ts'

/**
 * What becomes of a remainder. `half_up` goes to the nearest, halves away from zero; `half_even` to the nearest, halves to the
 * even neighbour; `up` away from zero; `down` toward zero; `ceil` toward positive, `floor` toward negative infinity.
 */
export type RoundingMode = 'half_up' | 'half_even' | 'up' | 'down' | 'ceil' | 'floor'

/** `numerator ÷ denominator` as an integer. The denominator is positive. */
export function divideRounded(numerator: bigint, denominator: bigint, mode: RoundingMode): bigint {
  invariant(denominator > 0n, 'a denominator is positive')
  const isNegative = numerator < 0n
  const magnitude = isNegative ? -numerator : numerator
  const quotient = magnitude / denominator
  const remainder = magnitude % denominator
  const rounded =
    remainder > 0n && growsMagnitude({ quotient, remainder, denominator, isNegative, mode }) ? quotient + 1n : quotient
  return isNegative ? -rounded : rounded
}

interface Division {
  readonly quotient: bigint
  readonly remainder: bigint
  readonly denominator: bigint
  readonly isNegative: boolean
  readonly mode: RoundingMode
}

/** Whether a division that leaves a remainder is rounded away from zero. */
function growsMagnitude({ quotient, remainder, denominator, isNegative, mode }: Division): boolean {
  switch (mode) {
    case 'half_up':
      return remainder * 2n >= denominator
    case 'half_even':
      return remainder * 2n > denominator || (remainder * 2n === denominator && quotient % 2n === 1n)
    case 'up':
      return true
    case 'down':
      return false
    case 'ceil':
      return !isNegative
    case 'floor':
      return isNegative
  }
  invariant(false, 'a rounding mode is one of six')
}
