/** What a test steers in the handlers of the sample, which run in its own process. */

/** A place in a handler where it waits until the test lets it go on. */
interface Hold {
  readonly reached: PromiseWithResolvers<void>
  readonly released: PromiseWithResolvers<void>
}

export interface Controls {
  /** The routes whose handlers have run, in that order. */
  readonly ran: string[]
  /** For a handler: waits until `release(name)`, which may have come before. */
  hold(name: string): Promise<void>
  /** For a test: resolves when a handler has come to `hold(name)`. */
  reached(name: string): Promise<void>
  release(name: string): void
  /** Lets go on whatever waits or will wait. */
  releaseAll(): void
}

export function createControls(): Controls {
  const holds = new Map<string, Hold>()
  let isOver = false

  return {
    ran: [],
    hold(name) {
      if (isOver) return Promise.resolve()
      const { reached, released } = holdOf(name)
      reached.resolve()
      return released.promise
    },
    reached: (name) => holdOf(name).reached.promise,
    release: (name) => holdOf(name).released.resolve(),
    releaseAll() {
      isOver = true
      for (const { released } of holds.values()) released.resolve()
    },
  }

  function holdOf(name: string): Hold {
    let hold = holds.get(name)
    if (hold === undefined) {
      hold = { reached: Promise.withResolvers(), released: Promise.withResolvers() }
      holds.set(name, hold)
    }
    return hold
  }
}
