/** Splitting an amount so that the parts sum to it: the largest remainder. */

import { type Decimal, scaledTo } from './decimal.ts'
import { invariant } from './invariant.ts'

/**
 * Parts of `amountMinor` in proportion to the weights, one per weight, in their order. Each part is first rounded toward
 * zero; the units left over go one by one to the largest remainders, ties by order. A negative amount is split like the
 * positive one. Weights are zero or more and not all zero.
 */
export function allocate(amountMinor: bigint, weights: readonly bigint[] | readonly Decimal[]): bigint[] {
  const shares = wholeWeights(weights)
  const sum = shares.reduce((total, share) => total + share, 0n)
  invariant(
    shares.every((share) => share >= 0n),
    'a weight is never negative',
  )
  invariant(sum > 0n, 'an amount is split over at least one positive weight')

  const sign = amountMinor < 0n ? -1n : 1n
  const amount = amountMinor * sign
  const parts = shares.map((share, index) => ({ index, minor: (amount * share) / sum, remainder: (amount * share) % sum }))
  let left = amount - parts.reduce((total, part) => total + part.minor, 0n)
  // Sorting is stable, so equal remainders stay in their order.
  for (const part of parts.toSorted((a, b) => descending(a.remainder, b.remainder))) {
    if (left === 0n) break
    part.minor += 1n
    left -= 1n
  }

  invariant(left === 0n, 'the parts sum to the amount')
  return parts.map((part) => part.minor * sign)
}

/** The same proportions in integers. */
function wholeWeights(weights: readonly bigint[] | readonly Decimal[]): bigint[] {
  const scale = Math.max(0, ...weights.map((weight) => (typeof weight === 'bigint' ? 0 : weight.scale)))
  return weights.map((weight) => (typeof weight === 'bigint' ? weight : scaledTo(weight, scale, 'down')))
}

function descending(a: bigint, b: bigint): number {
  if (a === b) return 0
  return a > b ? -1 : 1
}
