/** Runs the lines of one customer one after the other and those of different customers side by side. */

export interface ScheduleOptions<T> {
  readonly items: AsyncIterable<T>
  /** Items with the same key run in their order, never two at once. */
  keyOf(item: T): string
  run(item: T): Promise<void>
  /** How many run at once. */
  readonly width: number
  /** How many are read ahead while their customer is busy: beyond it, reading waits. */
  readonly ahead: number
  /** Ends reading; what runs already is finished. */
  readonly signal?: AbortSignal | undefined
}

/** Resolves when every item has run. Rejects with the first failure, after what was running has ended; the rest is not started. */
export async function runInOrder<T>(options: ScheduleOptions<T>): Promise<void> {
  const { items, keyOf, run, signal } = options
  const lasts = new Map<string, Promise<void>>()
  const reading = limiter(options.ahead)
  const running = limiter(options.width)
  const failures: unknown[] = []
  const mustStop = (): boolean => failures.length > 0 || signal?.aborted === true

  for await (const item of items) {
    await reading.enter()
    if (mustStop()) break
    const key = keyOf(item)
    const last = (lasts.get(key) ?? Promise.resolve()).then(async () => {
      await running.enter()
      try {
        if (!mustStop()) await run(item)
      } catch (error) {
        failures.push(error)
      }
      running.leave()
      reading.leave()
      if (lasts.get(key) === last) lasts.delete(key)
    })
    lasts.set(key, last)
  }

  await Promise.all(lasts.values())
  if (failures.length > 0) throw failures[0]
}

/** At most `places` are inside; the others wait in the order in which they came. */
function limiter(places: number): { enter(): Promise<void>; leave(): void } {
  const queue: (() => void)[] = []
  let free = places
  return {
    async enter() {
      if (free > 0) free -= 1
      else await new Promise<void>((resolve) => queue.push(resolve))
    },
    leave() {
      const next = queue.shift()
      if (next === undefined) free += 1
      else next()
    },
  }
}
