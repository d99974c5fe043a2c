/** Chance from a seed: the same seed gives the same history. */

export interface Random {
  /** In [0, 1). */
  next(): number
  /** A whole number from 0 to below `end`. */
  below(end: number): number
  chance(probability: number): boolean
  pick<T>(items: readonly T[]): T
}

/** A 32-bit generator (mulberry32): small, and good enough to choose what happens next. */
export function random(seed: number): Random {
  let state = seed >>> 0
  return { next, below, chance: (probability) => next() < probability, pick }

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  function below(end: number): number {
    return Math.floor(next() * end)
  }

  function pick<T>(items: readonly T[]): T {
    return items[below(items.length)] as T
  }
}
