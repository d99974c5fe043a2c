/** When what waits is committed: at the end of the event loop's turn, with what gathers on a busy server, or at a later time. */

import { monotonicMs } from '../values/clock.ts'

/**
 * After an answer, changes gather for a commit for at most so long, and only while each turn of the event loop brings more.
 * Those who were answered ask again within it, so that one commit and one sync serve a busy server's clients together instead
 * of half of them each: at 64 connections 63 requests share a commit rather than 33. A request that comes alone never waits.
 */
const GATHER_MS = 4

export interface ScheduleParts {
  readonly commit: () => void
  /** How many changes wait. */
  readonly waiting: () => number
  /** Whether a sync is on its way: what comes meanwhile could not be answered before the next one, so it shares the next commit. */
  readonly isSyncing: () => boolean
}

export interface Schedule {
  /** Commits at the end of this turn, or as soon as it makes sense. */
  soonest(): void
  /** Commits in so many milliseconds, if nothing else makes it commit before. */
  later(delayMs: number): void
  /** Forgets what was scheduled. */
  cancel(): void
  /** Changes were answered. Gives whether a commit is due that waited for the sync. */
  answered(): boolean
}

export function createSchedule({ commit, waiting, isSyncing }: ScheduleParts): Schedule {
  let immediate: NodeJS.Immediate | null = null
  let timer: NodeJS.Timeout | null = null
  let isDue = false
  let gathered = 0
  let gatherUntilMs = 0

  return {
    soonest() {
      immediate ??= setImmediate(endTurn)
    },
    later(delayMs) {
      timer ??= setTimeout(commit, delayMs)
    },
    cancel() {
      isDue = false
      if (immediate !== null) clearImmediate(immediate)
      if (timer !== null) clearTimeout(timer)
      immediate = null
      timer = null
    },
    answered() {
      gathered = 0
      gatherUntilMs = monotonicMs() + GATHER_MS
      if (isDue) immediate ??= setImmediate(endTurn)
      return isDue
    },
  }

  function endTurn(): void {
    immediate = null
    const count = waiting()
    if (isSyncing()) {
      isDue = true
    } else if (count > gathered && monotonicMs() < gatherUntilMs) {
      gathered = count
      immediate = setImmediate(endTurn)
    } else {
      commit()
    }
  }
}
