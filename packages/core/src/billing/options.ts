/** What the billing routes are given, checked when they are made. */

import { defaultFarebox } from '../default-farebox.ts'
import type { Farebox } from '../farebox.ts'
import { invalidOption, refuseOtherThanFunction, refuseUnknownOptions } from '../options.ts'

export interface BillingOptions {
  /** The Farebox whose routes they are. Default: the one of the process; with none or several of them `billing()` throws `no_farebox`. */
  farebox?: Farebox
  /**
   * The operator's secret, at least 32 characters, presented as a bearer token on the routes under `/admin` and `/api`.
   * Without it those answer 403 `admin_disabled`.
   */
  adminKey?: string
  /** Gives the calling customer's id, or null. Default: Farebox's own API keys (`x-api-key` or a bearer token). */
  identify?: (request: Request) => string | null | undefined | Promise<string | null | undefined>
  /** Gets errors that the client is only told a 500 of. Default: a process warning. */
  onError?: (error: unknown) => void
}

/** Shorter secrets can be guessed by trying. */
const SHORTEST_ADMIN_KEY = 32

export interface BillingSettings {
  readonly farebox: Farebox
  readonly adminKey: string | null
  readonly identify: BillingOptions['identify'] | null
  readonly onError: (error: unknown) => void
}

/** Throws `invalid_option` or `no_farebox`. */
export function checkBillingOptions(options: BillingOptions): BillingSettings {
  const where = 'billing()'
  refuseUnknownOptions(where, options, ['farebox', 'adminKey', 'identify', 'onError'])
  refuseOtherThanFunction(where, 'identify', options.identify)
  refuseOtherThanFunction(where, 'onError', options.onError)
  const { farebox = defaultFarebox(), adminKey = null, identify = null, onError = warn } = options
  if (typeof farebox?.closePeriods !== 'function') throw invalidOption(where, 'farebox', 'the result of createFarebox()', farebox)
  // Never shown, not even a wrong one.
  if (adminKey !== null && (typeof adminKey !== 'string' || adminKey.length < SHORTEST_ADMIN_KEY))
    throw invalidOption(where, 'adminKey', `a secret of at least ${SHORTEST_ADMIN_KEY} characters`, 'a shorter one')
  return { farebox, adminKey, identify, onError }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), { type: 'FareboxWarning', code: 'billing' })
}
