/** What went wrong with the database, and what it means for a change. Codes: PostgreSQL's documentation, appendix A. */

import { FareboxError } from '@farebox/core/contracts'

/** `lost`: the connection is gone. `again`: the same may succeed now. `full`: the server cannot write. `guilty`: what was written is at fault. */
export type Fault = 'lost' | 'again' | 'full' | 'guilty'

/** Deadlock, serialization, lock not available, statement cancelled by a time limit. */
const AGAIN = /^(40001|40P01|55P03|57014|25P03)$/

/** Connection errors; server shutting down, crashed, starting; too many connections; a standby that takes no writes. */
const LOST = /^(08...|57P0[1-5]|53300|25006)$/

/** No space, no memory, disk errors. */
const FULL = /^(53...|58...|XX00[12])$/

export function faultOf(error: unknown, isOpen: boolean): Fault {
  const code = sqlState(error)
  if (!isOpen || LOST.test(code ?? '')) return 'lost'
  if (code === null) return 'guilty'
  if (AGAIN.test(code)) return 'again'
  return FULL.test(code) ? 'full' : 'guilty'
}

/** A statement found fewer accounts at the versions that were remembered: its division by zero says so. */
export function isOutdated(error: unknown): boolean {
  return sqlState(error) === '22012'
}

/** The five characters of an error that the server answered; null for any other. */
export function sqlState(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) && 'severity' in error ? error.code : null
}

/** What the server could not do becomes `store_unavailable`; a broken invariant or an error of ours stays what it is. */
export function asStoreError(error: unknown): unknown {
  const code = sqlState(error)
  return code === null ? error : unavailable(`it answered ${code}`, error)
}

export function unavailable(reason: string, cause?: unknown, fields: Record<string, unknown> = {}): FareboxError {
  return new FareboxError('store_unavailable', `The database did not answer (${reason}): try again; the cause says more`, {
    fields,
    cause,
  })
}

/** The connection could not be made or was lost; the driver's own errors have no state of the server. */
export function isUnreachable(error: unknown): boolean {
  if (sqlState(error) !== null) return faultOf(error, true) === 'lost'
  if (!(error instanceof Error)) return false
  const isOfSystem = 'code' in error && /^E[A-Z]+$/.test(String(error.code))
  return isOfSystem || /^Connection terminated|timeout|not queryable/i.test(error.message)
}
