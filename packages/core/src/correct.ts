/** Takes back part or all of a posted event: by an event of its own that points to it. */

import { type AccountState, type Entry, findUsage } from './account/account-state.ts'
import { chargeDifference } from './account/grants.ts'
import { isInvoiced, withLateMoment } from './account/subscription.ts'
import type { Change, ChangeTarget } from './contracts/store.ts'
import { FareboxError } from './errors.ts'
import type { Charge } from './records/charge.ts'
import type { Grant } from './records/grant.ts'
import type { LoggedEvent, NewUsageEvent, Properties, UsageEvent } from './records/usage-event.ts'
import { add, compare, type Decimal, DECIMAL_ZERO, negate, subtract } from './values/decimal.ts'
import { invariant } from './values/invariant.ts'
import { formatQuantity, type Quantity } from './values/quantity.ts'

/** An event, by the caller's key or by its place in the log, and what it should have been. */
export interface CorrectClaim {
  readonly target: ChangeTarget
  readonly customerId: string
  /** The name of the original in `state.known`. */
  readonly original: string
  /** Units that it should have been, in millionths. */
  readonly quantity: Quantity
  readonly properties: Properties | null
}

export type CorrectResult =
  | { readonly kind: 'corrected'; readonly event: NewUsageEvent }
  /** It was corrected to this before. */
  | { readonly kind: 'repeat'; readonly event: NewUsageEvent }
  /** It was corrected to something else before. Units that are to be counted again are tracked as an event of their own. */
  | { readonly kind: 'conflict'; readonly event: NewUsageEvent }

/** Names the one correction of an event, however the event was asked for. A key of a caller has no space. */
export function correctionKey(original: string): string {
  return `correction-of ${original}`
}

/** Pure. The correction belongs to the period that its original is counted in, and gives back to the grants that paid. */
export function correctIn(state: AccountState, claim: CorrectClaim): Change<CorrectResult> {
  const { original: name, quantity, properties } = claim
  const original = state.known.get(name)
  if (original === undefined) throw notFound(claim)
  if (quantity > original.quantity) throw tooMuch(original, quantity)
  const key = correctionKey(original.key)
  const known = state.known.get(key)
  const difference = quantity - original.quantity
  if (known !== undefined) {
    return { result: { kind: known.quantity === difference ? 'repeat' : 'conflict', event: known }, entries: [] }
  }
  const { subscription } = state
  invariant(subscription !== null, 'a posted event is of a subscription')
  const { periodStart } = original
  const { customerId, feature, at, route, seq: corrects } = original
  const back =
    original.charge === undefined || difference === 0n ? null : giveBack(state, original.charge, { original, quantity })
  const shared: NewUsageEvent = { customerId, feature, quantity: difference, at, key, route, properties, corrects }
  const event = back === null ? shared : { ...shared, charge: back.charge }
  const posted: Entry = { kind: 'posted', event, periodStart, keyGivenBy: 'caller' }
  const due = isInvoiced(subscription, periodStart) ? withLateMoment(subscription) : subscription
  const late: Entry[] = due === subscription ? [] : [{ kind: 'subscription', subscription: due }]
  return { result: { kind: 'corrected', event }, entries: [...(back?.entries ?? []), posted, ...late] }
}

/**
 * What the grants that paid get back. What the same use still owes beyond them is paid first: who has money left owes nothing. A grant
 * that was used up and closed comes back as a grant of its own; a plan's that has expired gets nothing, for its credits would be gone
 * by now anyhow.
 */
function giveBack(
  { grants, usage }: AccountState,
  charge: Charge,
  { original, quantity }: { readonly original: LoggedEvent; readonly quantity: Quantity },
): { readonly charge: Charge; readonly entries: readonly Entry[] } {
  const owed = findUsage(usage, original.feature, original.periodStart)?.uncovered ?? DECIMAL_ZERO
  const whole = payingOverdraft(chargeDifference(charge, original.quantity, quantity), owed)
  const open = whole.parts.filter(({ grant }) => grants.has(grant))
  const closed = whole.parts.filter(({ grant }) => !grants.has(grant))
  const gone = closed.reduce((sum, { amount }) => add(sum, amount), DECIMAL_ZERO)
  const entries = closed
    .filter(({ grant }) => !grant.startsWith('plan-'))
    .map(({ grant, amount }): Entry => ({
      kind: 'granted',
      grant: returned(charge, original, { id: grant, amount: negate(amount) }),
    }))
  return { charge: { ...whole, parts: open, waived: add(whole.waived, gone) }, entries }
}

/** Of what would go back, as much as is still owed stays: of the first grants, which expire the soonest. `owed` is what was before. */
function payingOverdraft({ parts, uncovered, ...charge }: Charge, owed: Decimal): Charge {
  let left = add(owed, uncovered)
  let kept = DECIMAL_ZERO
  const others = parts.flatMap(({ grant, amount }) => {
    if (left.coefficient <= 0n) return [{ grant, amount }]
    const back = negate(amount)
    const part = compare(back, left) < 0 ? back : left
    left = subtract(left, part)
    kept = add(kept, part)
    return compare(back, part) === 0 ? [] : [{ grant, amount: negate(subtract(back, part)) }]
  })
  return { ...charge, parts: others, uncovered: subtract(uncovered, kept) }
}

function returned(
  { unit }: Charge,
  { seq, at }: UsageEvent,
  { id, amount }: { readonly id: string; readonly amount: Grant['granted'] },
): Grant {
  return {
    id: `return-${seq}-${id}`,
    unit: unit === 'credits' ? 'credits' : 'balance',
    source: 'adjustment',
    priority: 0,
    granted: amount,
    revoked: DECIMAL_ZERO,
    used: DECIMAL_ZERO,
    held: DECIMAL_ZERO,
    startsAt: at,
    expiresAt: null,
    createdAt: at,
    reference: id,
    isClosed: false,
  }
}

/** Which event: by a caller's key, or by its place in the log and the key that it has there. */
export type Original = { readonly key: string } | { readonly seq: number; readonly key: string }

/** What a correction must see of the log: its original, and the one before it. */
export function correctionTarget(customerId: string, original: Original): ChangeTarget {
  const correction = correctionKey(original.key)
  if ('seq' in original) return { customerId, keys: [correction], seqs: [original.seq] }
  return { customerId, keys: [correction, original.key] }
}

/** The error for an event that is not there. */
export function notFound({ customerId, original }: Pick<CorrectClaim, 'customerId' | 'original'>): FareboxError {
  return new FareboxError(
    'not_found',
    `Expected an event of ${customerId} to correct, found none under ${original}: give the idempotencyKey it was tracked with, or its seq`,
    { fields: { customerId, original } },
  )
}

function tooMuch({ seq, quantity }: UsageEvent, wanted: Quantity): FareboxError {
  return new FareboxError(
    'invalid_quantity',
    `Expected at most the ${formatQuantity(quantity)} units of the event ${seq}, got ${formatQuantity(wanted)}: track what came on top as an event of its own`,
    { fields: { seq, quantity: formatQuantity(quantity) } },
  )
}
