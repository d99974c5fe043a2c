/** Histories of servers, crashes and a failing store, from seeds: the invariants hold at each step, and everything settles. */

import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { isLong, report } from '../harness/report.ts'
import { SEED } from '../model/seed.ts'
import { type History, simulate } from './simulate.ts'
import type { Defect } from './store.ts'

const HISTORIES = isLong ? 2_000 : 100
const STEPS = 400
/** Longest that the sound histories of a short run may take; the machine may be busy. */
const SHORT_MS = 14_000

const counts = { histories: 0, steps: 0, operations: 0, events: 0, crashes: 0, invoices: 0, unavailable: 0, retries: 0 }
const control: Record<string, string> = {}

beforeEach(() => vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
afterEach(() => void vi.useRealTimers())
afterAll(() => report('simulation', { seed: SEED, ...counts }, control))

test('whatever fails, every invariant holds at each step and everything settles in the end', { timeout: 900_000 }, async () => {
  const until = performance.now() + (isLong ? Infinity : SHORT_MS)
  for (let index = 0; index < HISTORIES && performance.now() < until; index += 1) {
    const history = await run(SEED + index)
    expect(history.violation, `PROVE_SEED=${history.seed} replays it`).toBeNull()
    counts.histories += 1
    counts.steps += STEPS
    for (const [name, figure] of Object.entries(history.counts)) counts[name as keyof History['counts']] += figure
  }
})

test('the same seed gives the same history', async () => {
  const first = await run(SEED)
  const second = await run(SEED)
  expect(second).toEqual(first)
})

test.each<[string, Defect]>([
  ['decides on what it read before', 'decides_early'],
  ['settles again after a lost answer', 'applies_again'],
  ['answers before it has committed', 'acknowledges_early'],
])('control: a store that %s is noticed', { timeout: 60_000 }, async (name, defect) => {
  const found = await firstViolation(defect)
  control[name] = found === null ? 'MISSED' : `caught in history ${found.seed - SEED + 1}`
  expect(found?.violation).toEqual(expect.any(String))
})

async function firstViolation(defect: Defect): Promise<Pick<History, 'seed' | 'violation'> | null> {
  for (let index = 0; index < 30; index += 1) {
    const seed = SEED + index
    const { violation } = await run(seed, defect).catch(noticedByEngine)
    if (violation !== null) return { seed, violation }
  }
  return null
}

/** What a broken store left may also meet an invariant of the engine's own, which ends the history before the eye has seen it. */
function noticedByEngine(error: unknown): Pick<History, 'violation'> {
  if (error instanceof Error && error.name === 'InvariantError') return { violation: error.message }
  throw error
}

function run(seed: number, defect: Defect = 'none'): Promise<History> {
  return simulate({ seed, steps: STEPS, defect, sweep: () => vi.advanceTimersByTime(5_000) })
}
