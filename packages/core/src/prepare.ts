/** The account as a claim meets it: with its subscription, and with what its plan grants for the period of the claim. */

import type { AccountState, Entry } from './account/account-state.ts'
import type { Opening } from './account/opening.ts'
import { planGrant } from './account/plan-grant.ts'
import { countedAt, isInvoiced, type Segment, segmentAt, type Subscription } from './account/subscription.ts'
import type { Plan } from './catalog/plan.ts'
import { grantFromRecord, recordName } from './records/account-record.ts'
import type { Grant } from './records/grant.ts'

export interface Prepared {
  readonly state: AccountState
  /** What has to be written with whatever is decided. */
  readonly entries: readonly Entry[]
  /** When the claim counts: epoch milliseconds. */
  readonly at: number
}

/** What is to be decided happened in an invoiced period of credits or balance, and this grant of it has to be named first. */
export interface Lapsed {
  readonly kind: 'lapsed'
  readonly grant: string
}

export interface Reported {
  /** An instant that the caller gave stands; one that was read from a clock may be behind. */
  readonly isInstantGiven: boolean
  /** The grant that the change named; null: none. */
  readonly seen: string | null
}

export interface Preparing {
  /** Pure. */
  prepare(state: AccountState, instant: number, isInstantGiven?: boolean): Prepared
  /** The same for what is reported, which may be of an invoiced period: what was granted for it then pays, though it is closed. */
  prepareReported(state: AccountState, instant: number, reported: Reported): Prepared | Lapsed
}

export interface PreparingParts {
  readonly planOf: (subscription: Subscription, segment: Segment) => Plan
  /** Entries that make a customer and a subscription for somebody who is seen for the first time. */
  readonly open: Opening
}

export function isLapsed(value: unknown): value is Lapsed {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'lapsed'
}

export function createPreparing({ planOf, open }: PreparingParts): Preparing {
  return { prepare, prepareReported }

  function prepare(state: AccountState, instant: number, isInstantGiven = false): Prepared {
    const { state: opened, entries } = open(state, instant)
    const { subscription } = opened
    if (subscription === null) return { state: opened, entries, at: instant }
    const at = isInstantGiven ? instant : countedAt(subscription, instant)
    const grant = isInvoiced(subscription, at) ? null : missingGrant(opened, at)
    return grant === null ? { state: opened, entries, at } : withGrant({ state: opened, entries, at }, grant)
  }

  function prepareReported(state: AccountState, instant: number, { isInstantGiven, seen }: Reported): Prepared | Lapsed {
    const prepared = prepare(state, instant, isInstantGiven)
    const { state: opened, at } = prepared
    if (opened.subscription === null || !isInvoiced(opened.subscription, at)) return prepared
    const missing = missingGrant(opened, at)
    if (missing === null) return prepared
    if (missing.id !== seen) return { kind: 'lapsed', grant: missing.id }
    const record = state.records.get(recordName({ kind: 'grant', id: missing.id }))
    // One that nobody used was never made. The next closing closes it again.
    return withGrant(prepared, record === undefined ? missing : { ...grantFromRecord(record), isClosed: false })
  }

  /** What the plan grants for the period of an instant, where the account does not have it; null where there is nothing to grant. */
  function missingGrant({ subscription, grants }: AccountState, at: number): Grant | null {
    const segment = subscription && segmentAt(subscription, at)
    if (subscription === null || segment === null) return null
    const plan = planOf(subscription, segment)
    const grant = plan.consumption === 'metered' ? null : planGrant({ subscription, segment, plan, at })
    return grant === null || grants.has(grant.id) ? null : grant
  }
}

function withGrant({ state, entries, at }: Prepared, grant: Grant): Prepared {
  const grants = new Map(state.grants).set(grant.id, grant)
  return { state: { ...state, grants }, entries: [...entries, { kind: 'granted', grant }], at }
}
