/** The clock: the only place where time is read. Everything else is given instants. */

import { invariant } from './invariant.ts'

/** Says what time it is: epoch milliseconds. */
export interface Clock {
  now(): number
}

/** A clock that stands still until it is moved. */
export interface TestClock extends Clock {
  /** Moves the clock to an instant, earlier ones included. */
  set(instantMs: number): void
  /** Moves the clock by a duration; a negative one moves it back. */
  advance(durationMs: number): void
}

/** The machine's clock. It may jump; durations are measured with `monotonicMs`. */
export const systemClock: Clock = { now: () => Date.now() }

/** A clock for tests, replays and simulations. Example: `const clock = testClock(Date.UTC(2025, 0, 31))`. */
export function testClock(startMs: number): TestClock {
  let now = wholeMs(startMs)
  return {
    now: () => now,
    set(instantMs) {
      now = wholeMs(instantMs)
    },
    advance(durationMs) {
      now = wholeMs(now + durationMs)
    },
  }
}

/** Milliseconds since the process started, never going back: for durations and time limits only. */
export function monotonicMs(): number {
  return performance.now()
}

function wholeMs(instantMs: number): number {
  invariant(Number.isSafeInteger(instantMs), 'a clock shows whole epoch milliseconds')
  return instantMs
}
