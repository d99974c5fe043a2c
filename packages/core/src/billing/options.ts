/** What the billing routes are given, checked when they are made. */

import { defaultFarebox } from '../default-farebox.ts'
import type { PlanCode } from '../catalog/catalog.ts'
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
  /**
   * What comes before the routes in the URL where a host leaves it there, as Next.js and Bun do: `/api/billing`. Where adapters
   * and `app.use('/billing', …)` have taken the prefix off, nothing more is taken off. Default: nothing.
   */
  basePath?: string
  /**
   * Codes of the plans that customers see at `/plans` and may change to by themselves; the operator has all. None (`[]`) leaves every
   * change of plan to the operator. Default: all of the catalog.
   */
  offeredPlans?: readonly PlanCode[]
}

/** Shorter secrets can be guessed by trying. */
const SHORTEST_ADMIN_KEY = 32

const BASE_PATH = /^(\/[^/?#\s]+)+$/

export interface BillingSettings {
  readonly farebox: Farebox
  readonly adminKey: string | null
  readonly identify: BillingOptions['identify'] | null
  /** Without a slash at its end; the empty text for none. */
  readonly basePath: string
  /** Null: all. */
  readonly offeredPlans: ReadonlySet<string> | null
}

/** Throws `invalid_option` or `no_farebox`. */
export function checkBillingOptions(options: BillingOptions): BillingSettings {
  const where = 'billing()'
  if (typeof options !== 'object' || options === null) throw invalidOption(where, 'the argument', 'an object', options)
  refuseUnknownOptions(where, options, ['farebox', 'adminKey', 'identify', 'basePath', 'offeredPlans'])
  refuseOtherThanFunction(where, 'identify', options.identify)
  const { farebox = defaultFarebox(), adminKey = null, identify = null, basePath = '' } = options
  if (basePath !== '' && (typeof basePath !== 'string' || !BASE_PATH.test(basePath)))
    throw invalidOption(where, 'basePath', "a path such as '/billing', without a slash at its end", basePath)
  if (typeof farebox?.closePeriods !== 'function') throw invalidOption(where, 'farebox', 'the result of createFarebox()', farebox)
  // Never shown, not even a wrong one.
  if (adminKey !== null && (typeof adminKey !== 'string' || adminKey.length < SHORTEST_ADMIN_KEY))
    throw invalidOption(where, 'adminKey', `a secret of at least ${SHORTEST_ADMIN_KEY} characters`, 'a shorter one')
  return { farebox, adminKey, identify, basePath, offeredPlans: checkedPlans(where, farebox, options.offeredPlans) }
}

function checkedPlans(where: string, { catalog }: Farebox, offered: unknown): ReadonlySet<string> | null {
  if (offered === undefined) return null
  const expected = `a list of plans of the catalog (${[...catalog.plans.keys()].join(', ')})`
  if (!Array.isArray(offered)) throw invalidOption(where, 'offeredPlans', expected, offered)
  for (const code of offered as readonly unknown[])
    if (typeof code !== 'string' || !catalog.plans.has(code)) throw invalidOption(where, 'offeredPlans', expected, code)
  return new Set(offered as readonly string[])
}
