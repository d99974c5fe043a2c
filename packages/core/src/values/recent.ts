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
 * At most `size` values are kept by `trim`; 0 keeps none. Two generations instead of a list in the order of use: a hit among
 * the young costs one look-up and moves nothing.
 */
export function createRecent<Value>(size: number): Recent<Value> {
  let young = new Map<string, Value>()
  let old = new Map<string, Value>()

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
      if (young.size <= size / 2) return
      old = young.size <= size ? young : new Map()
      young = new Map()
    },
    clear() {
      young.clear()
      old.clear()
    },
  }
}
