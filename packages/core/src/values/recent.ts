/** A bounded map that keeps what was asked for lately. */

export interface Recent<Value> {
  /** Undefined when it is not there or was forgotten. */
  get(key: string): Value | undefined
  set(key: string, value: Value): void
  delete(key: string): void
  /** Forgets those that were not asked for lately, when there are more than the size allows. Until then nothing is forgotten. */
  trim(): void
  clear(): void
}

/**
 * At most `size` values are kept by `trim`; 0 keeps none. Besides those, it keeps what `isHeld` says must not be forgotten yet. Two
 * generations instead of a list in the order of use: a hit among the young costs one look-up and moves nothing.
 */
export function createRecent<Value>(size: number, isHeld: (value: Value) => boolean = never): Recent<Value> {
  let young = new Map<string, Value>()
  let old = new Map<string, Value>()
  /** How many of the young are there because they must not be forgotten: however many those are, they are looked through once in a while only. */
  let held = 0

  return {
    get(key) {
      const found = young.get(key)
      if (found !== undefined) return found
      const aged = old.get(key)
      if (aged !== undefined) young.set(key, aged)
      return aged
    },
    set: (key, value) => void young.set(key, value),
    delete(key) {
      young.delete(key)
      old.delete(key)
    },
    trim() {
      const added = young.size - held
      if (added <= size / 2) return
      const [forgotten, kept] = added <= size ? [old, young] : [young, new Map<string, Value>()]
      const next = new Map<string, Value>()
      for (const [key, value] of forgotten) if (!kept.has(key) && isHeld(value)) next.set(key, value)
      // Nothing is old yet that the young were too many for, so what was old goes with them.
      if (forgotten === young) for (const [key, value] of old) if (!young.has(key) && isHeld(value)) next.set(key, value)
      old = kept
      young = next
      held = next.size
    },
    clear() {
      young.clear()
      old.clear()
      held = 0
    },
  }
}

function never(): boolean {
  return false
}
