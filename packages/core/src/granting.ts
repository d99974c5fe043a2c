/** Grants that the operator makes and takes back: credits, and money of a balance. */

import type { AccountState, Entry } from './account/account-state.ts'
import { payingGrants } from './account/grants.ts'
import { withCurrency, withCustomer } from './account/opening.ts'
import { planGrant } from './account/plan-grant.ts'
import { isInvoiced, type Segment, segmentAt, type Subscription } from './account/subscription.ts'
import type { Plan } from './catalog/plan.ts'
import type { Change, Store } from './contracts/store.ts'
import { FareboxError } from './errors.ts'
import { type GrantView, viewOf } from './grant-view.ts'
import { isCustomerId } from './identify/customer-id.ts'
import { invalidOption } from './options.ts'
import { grantFromRecord, recordName } from './records/account-record.ts'
import { type Grant, type GrantUnit, remainingOf, withRevocation } from './records/grant.ts'
import { checkKey, invalidCustomer } from './usage.ts'
import type { Clock } from './values/clock.ts'
import { compare, type Decimal, DECIMAL_ZERO, formatDecimal } from './values/decimal.ts'
import { derivedId, randomId } from './values/id.ts'
import { parseInstant } from './values/instant.ts'

export type PaidUnit = Exclude<GrantUnit, 'invoice_credit'>

/** What may be said of a grant besides its amount. */
export interface GrantTerms {
  customerId: string
  /** First instant at which it no longer pays: RFC 3339 with a zone, a Date, or epoch milliseconds. Default: it never expires. */
  expiresAt?: string | Date | number
  /** The lower is used first, whatever expires sooner. A whole number from 0 (the default, which plans and packs have too) to 1,000. */
  priority?: number
  /** For people. */
  reason?: string
  /** The same key is the same grant. Default: each call makes one. */
  idempotencyKey?: string
}

export interface RevokeTerms {
  customerId: string
  /** The grant's id, as `get` shows it. */
  grant: string
  /** For people. */
  reason?: string
  /** The same key takes it back once. Default: each call takes it back. */
  idempotencyKey?: string
}

export interface Granting {
  /** `amount` is read when the customer's currency is known. */
  grant(terms: GrantTerms, amount: (currency: string) => Decimal): Promise<GrantView>
  /** Null: all that is left. */
  revoke(terms: RevokeTerms, amount: (currency: string) => Decimal | null): Promise<GrantView>
  /** The grants that pay now, in their order, with the plan's own of the period, which the first use of it makes. */
  inForce(state: AccountState, at: number): Grant[]
}

export interface GrantingParts {
  readonly store: Store
  readonly clock: Clock
  readonly planOf: (subscription: Subscription, segment: Segment) => Plan
  readonly currencyOf: (state: AccountState) => string
  readonly ready: Promise<void>
}

const MAX_PRIORITY = 1_000
const MAX_REASON = 500

/** One grant is corrected by hand a few times; refunds take from it at most a hundred times each. */
const MAX_REVOCATIONS = 1_000

export function createGranting({ store, clock, planOf, currencyOf, ready }: GrantingParts, unit: PaidUnit): Granting {
  return { grant, revoke, inForce: (state, at) => payingGrants(withPlanGrant(state, at).values(), unit, at) }

  async function grant(terms: GrantTerms, amountIn: (currency: string) => Decimal): Promise<GrantView> {
    const { customerId, idempotencyKey: key, reason } = terms
    const where = unit === 'credits' ? 'credits.grant()' : 'balance.grant()'
    const { expiresAt, priority } = checkedTerms(terms, where, clock.now())
    const id = key === undefined ? randomId('grant') : derivedId('grant', customerId, unit, key)
    await ready
    return store.change({ customerId, records: [{ kind: 'grant', id }] }, (state): Change<GrantView> => {
      const now = clock.now()
      const granted = amountIn(currencyOf(state))
      const record = state.records.get(recordName({ kind: 'grant', id }))
      if (record !== undefined) {
        const known = state.grants.get(id) ?? grantFromRecord(record)
        const isSame = compare(known.granted, granted) === 0 && known.priority === priority && known.expiresAt === expiresAt
        if (!isSame) throw otherGrant(key ?? id, known)
        return { result: viewOf(known), entries: [] }
      }
      const made: Grant = {
        id,
        unit,
        source: 'adjustment',
        priority,
        granted,
        revoked: DECIMAL_ZERO,
        used: DECIMAL_ZERO,
        held: DECIMAL_ZERO,
        startsAt: now,
        expiresAt,
        createdAt: now,
        reference: null,
        isClosed: false,
        ...(reason === undefined ? {} : { reason }),
      }
      const opening = unit === 'credits' ? withCustomer(state, now) : withCurrency(state, now, currencyOf(state))
      return { result: viewOf(made), entries: [...opening.entries, { kind: 'granted', grant: made }] }
    })
  }

  async function revoke(terms: RevokeTerms, amountIn: (currency: string) => Decimal | null): Promise<GrantView> {
    const { customerId, grant: id, reason, idempotencyKey } = terms
    checkCustomer(customerId)
    if (idempotencyKey !== undefined) checkKey(idempotencyKey)
    checkReason(unit === 'credits' ? 'credits.revoke()' : 'balance.revoke()', reason)
    const key = idempotencyKey ?? randomId('revoke')
    await ready
    return store.change({ customerId, records: [{ kind: 'grant', id }] }, (state): Change<GrantView> => {
      const now = clock.now()
      const record = state.records.get(recordName({ kind: 'grant', id }))
      const known = withPlanGrant(state, now).get(id) ?? (record === undefined ? undefined : grantFromRecord(record))
      if (known === undefined || known.unit !== unit) throw noGrant(customerId, id)
      const wanted = amountIn(currencyOf(state))
      const before = known.revocations?.find((one) => one.key === key)
      if (before !== undefined) {
        if (wanted === null || compare(before.amount, wanted) === 0) return { result: viewOf(known), entries: [] }
        throw otherGrant(key, known)
      }
      const left = remainingOf(known)
      const amount = wanted ?? left
      if (known.isClosed || compare(amount, left) > 0 || amount.coefficient === 0n) throw tooMuch(known, amount)
      if ((known.revocations?.length ?? 0) >= MAX_REVOCATIONS) throw tooOften(known)
      const revoked = withRevocation(known, { key, amount, at: now, reason: reason ?? null })
      const entry: Entry = { kind: 'granted', grant: revoked }
      return { result: viewOf(revoked), entries: [entry] }
    })
  }

  function withPlanGrant(state: AccountState, at: number): ReadonlyMap<string, Grant> {
    const { subscription, grants } = state
    const segment = subscription && segmentAt(subscription, at)
    if (subscription === null || segment === null || segment.kind === 'pause' || isInvoiced(subscription, at)) return grants
    const own = planGrant({ subscription, segment, plan: planOf(subscription, segment), at })
    return own === null || grants.has(own.id) ? grants : new Map(grants).set(own.id, own)
  }
}

function checkedTerms(
  { customerId, expiresAt, priority = 0, reason, idempotencyKey }: GrantTerms,
  where: string,
  now: number,
): { readonly expiresAt: number | null; readonly priority: number } {
  checkCustomer(customerId)
  if (idempotencyKey !== undefined) checkKey(idempotencyKey)
  checkReason(where, reason)
  if (!(Number.isSafeInteger(priority) && priority >= 0 && priority <= MAX_PRIORITY))
    throw invalidOption(where, 'priority', `a whole number from 0 to ${MAX_PRIORITY}`, priority)
  const end = expiresAt === undefined ? null : parseInstant(expiresAt, 'expiresAt')
  if (end === null || end > now) return { expiresAt: end, priority }
  throw new FareboxError(
    'invalid_timestamp',
    `Expected expiresAt to be an instant to come for ${customerId}, got an earlier one`,
    {
      fields: { customerId, expiresAt: end },
    },
  )
}

export function checkCustomer(customerId: string): void {
  if (!isCustomerId(customerId)) throw invalidCustomer(customerId)
}

export function checkReason(where: string, reason: unknown): void {
  if (reason === undefined || (typeof reason === 'string' && reason.length <= MAX_REASON && reason.isWellFormed())) return
  throw invalidOption(
    where,
    'reason',
    `a text of at most ${MAX_REASON} characters`,
    typeof reason === 'string' ? 'one that is longer' : reason,
  )
}

function otherGrant(key: string, { id, granted }: Grant): FareboxError {
  return new FareboxError(
    'key_conflict',
    `Expected the key ${key} with what it was used for before, the grant ${id} of ${formatDecimal(granted)}, got something else: give what is new a key of its own`,
    { fields: { key, grant: id } },
  )
}

function noGrant(customerId: string, id: string): FareboxError {
  return new FareboxError(
    'not_found',
    `Expected the id of a grant of ${customerId}, got ${JSON.stringify(id)}: get() shows them`,
    {
      fields: { customerId, grant: id },
    },
  )
}

function tooMuch(grant: Grant, amount: Decimal): FareboxError {
  const left = formatDecimal(remainingOf(grant))
  return new FareboxError(
    'revoke_exceeds_grant',
    `Expected to take back more than nothing and at most the ${left} that are left of the grant ${grant.id}, got ${formatDecimal(amount)}: what was used or is held by requests in flight cannot be taken back`,
    { fields: { grant: grant.id, left, value: formatDecimal(amount) } },
  )
}

function tooOften({ id }: Grant): FareboxError {
  return new FareboxError('limit_reached', `Expected at most ${MAX_REVOCATIONS} revocations of the grant ${id}, got one more`, {
    fields: { grant: id, limit: MAX_REVOCATIONS },
  })
}
