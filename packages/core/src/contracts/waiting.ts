/** Changes between being asked for and being answered. */

import type { Entry } from '../account/account-state.ts'
import { FareboxError } from '../errors.ts'
import type { ChangeRequest, Store } from './store.ts'

/** A change that waits for its transaction. */
export interface Waiting {
  readonly request: ChangeRequest
  /** Monotonic; set when the lock was found taken for the first time. Infinity for settlements, which are never given up. */
  deadlineMs: number | null
  /** What was decided, or what `decide` threw, until it is answered. */
  answer: unknown
  isFailed: boolean
}

/** The promise form of `submit`. */
export function changeBy(submit: Store['submit']): Store['change'] {
  return (target, decide) => new Promise((resolve, reject) => submit({ target, decide, resolve, reject }))
}

/** The other way round, for a store that is made of another one's promises. */
export function submitBy(change: Store['change']): Store['submit'] {
  return (request) =>
    void change(request.target, (state) => request.decide(state)).then(
      (result) => request.resolve(result),
      (error: unknown) => request.reject(error),
    )
}

/** Tells those who asked, in the order in which they were committed. */
export function answer(batches: readonly (readonly Waiting[])[]): void {
  for (const batch of batches) {
    for (const { request, answer: result, isFailed } of batch) {
      if (isFailed) request.reject(result)
      else request.resolve(result)
    }
  }
}

/** A settlement has no deadline. */
export function isSettlement({ deadlineMs }: Waiting): boolean {
  return deadlineMs === Infinity
}

export function closed(): FareboxError {
  return new FareboxError('stopped', 'The store is closed: make a new one to go on')
}

export function closedTooEarly(): FareboxError {
  return new FareboxError(
    'store_unavailable',
    'The store was closed before the database took this change: it is resolved by onCrash at the next start',
  )
}

/** Of a change that would take one more of a counter than there are. */
export function limitReached({ counter, limit }: Extract<Entry, { kind: 'counted' }>): FareboxError {
  return new FareboxError('limit_reached', `Expected one of ${limit} of ${counter} to be left, found none: nothing was changed`, {
    fields: { counter, limit },
  })
}
