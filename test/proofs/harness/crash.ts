/** Kills this process at a named point of the way from a request to its invoice: `CRASH_AT=<point>` or `CRASH_AT=<point>:<time it comes by>`. */

import { type Change, type Entry, type Store, submitBy } from '@farebox/core/contracts'

/**
 * `in-…` is inside an open transaction: the decision is taken, and what decisions before it in the same transaction wrote is
 * not committed. `after-…` is after its commit, before anybody hears of it.
 */
export type CrashPoint =
  | 'in-reserve'
  | 'after-reserve'
  | 'in-handler'
  | 'before-settle'
  | 'in-settle'
  | 'after-settle'
  | 'in-track'
  | 'after-track'
  | 'in-draft'
  | 'after-draft'
  | 'in-finalize'
  | 'after-finalize'

/** Ends the process like a power switch when it is the chosen point's turn. */
export type Pass = (point: CrashPoint) => void

export function crashAt(chosen: string | undefined): Pass {
  if (chosen === undefined) return () => {}
  const [name, times = '1'] = chosen.split(':')
  let left = Number(times)
  return (point) => {
    if (point !== name) return
    left -= 1
    if (left === 0) process.kill(process.pid, 'SIGKILL')
  }
}

/** The store with a crash point at each side of each commit. */
export function crashing(store: Store, pass: Pass): Store {
  return withChange(store, async (target, decide) => {
    if (target.urgency === 'soon') pass('before-settle')
    let reached: string | null = null
    const result = await store.change(target, (state) => {
      const change = decide(state)
      reached = stepOf(change, target.urgency === 'soon')
      if (reached !== null) pass(`in-${reached}` as CrashPoint)
      return change
    })
    if (reached !== null) pass(`after-${reached as string}` as CrashPoint)
    return result
  })
}

/** The same store with another door for writes. */
export function withChange(store: Store, change: Store['change']): Store {
  const submit = submitBy(change)
  return { ...store, change, submit, open: () => store.open(), flush: () => store.flush(), close: () => store.close() }
}

function stepOf({ entries }: Change<unknown>, isSettlement: boolean): string | null {
  const kinds = new Set(entries.map((entry: Entry) => entry.kind))
  if (isSettlement && (kinds.has('posted') || kinds.has('released'))) return 'settle'
  if (kinds.has('reserved')) return 'reserve'
  if (kinds.has('posted')) return 'track'
  // Without a grace an invoice is written once, with its number.
  if (kinds.has('finalized')) return 'finalize'
  return kinds.has('drafted') ? 'draft' : null
}
