/** Counts what became of the lines, per customer and feature, from the client's side. */

import type { Outcome } from './outcome.ts'

export interface Tally {
  add(customerId: string, outcome: Outcome): void
  of(customerId: string): CustomerTally
}

export interface CustomerTally {
  readonly features: ReadonlyMap<string, FeatureTally>
  readonly unmatched: number
}

export interface FeatureTally {
  /** Answers that the client takes for billed. The log's own count must be the same. */
  billed: number
  refused: number
  voided: number
}

interface Counting {
  readonly features: Map<string, FeatureTally>
  unmatched: number
}

export function createTally(): Tally {
  const customers = new Map<string, Counting>()
  const of = (customerId: string): Counting => entry(customers, customerId, () => ({ features: new Map(), unmatched: 0 }))
  return {
    of,
    add(customerId, outcome) {
      const customer = of(customerId)
      if (outcome.kind === 'unmatched') customer.unmatched += 1
      else entry(customer.features, outcome.feature, () => ({ billed: 0, refused: 0, voided: 0 }))[outcome.kind] += 1
    },
  }
}

/** The value of a key, made when it is asked for the first time. */
export function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
