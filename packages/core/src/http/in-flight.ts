/** Counts admitted requests that are not settled yet, so that stopping can wait for them. */

export interface InFlight {
  /** How many requests wait to be admitted, or were admitted and are not settled. */
  readonly count: number
  begin(): void
  end(): void
  /** Whether `drain` was called: nothing more is admitted then. */
  readonly isDraining: boolean
  /** Resolves when nothing is in flight, or after `withinMs`; says how many requests were left. */
  drain(withinMs: number): Promise<number>
}

export function createInFlight(): InFlight {
  let count = 0
  let whenEmpty: (() => void) | null = null
  return {
    get count() {
      return count
    },
    begin() {
      count += 1
    },
    end() {
      count -= 1
      if (count === 0) whenEmpty?.()
    },
    get isDraining() {
      return whenEmpty !== null
    },
    async drain(withinMs) {
      let timer: NodeJS.Timeout | undefined
      const empty = new Promise<void>((resolve) => (whenEmpty = resolve))
      const tooLate = new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs)))
      if (count > 0) await Promise.race([empty, tooLate])
      clearTimeout(timer)
      return count
    },
  }
}
