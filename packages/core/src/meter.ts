/** Request time, in order: identify → admit → [handler] → settle → log. */

import { type AccountState, type Entry, findUsage } from './account/account-state.ts'
import { allowanceOf } from './account/allowance.ts'
import { countedAt, isInForce, isInvoiced, type Subscription, usagePeriod } from './account/subscription.ts'
import { admit, type Admission } from './admit/admit.ts'
import type { Plan } from './catalog/plan.ts'
import type { Change, Store } from './contracts/store.ts'
import { FareboxError } from './errors.ts'
import { place } from './log/place.ts'
import type { Claim } from './records/claim.ts'
import type { Refusal } from './records/refusal.ts'
import type { Reservation } from './records/reservation.ts'
import type { NewUsageEvent, Properties } from './records/usage-event.ts'
import { settle } from './settle/settle.ts'
import type { Opening } from './account/opening.ts'
import { formatInstant } from './values/instant.ts'
import { invariant } from './values/invariant.ts'
import type { Quantity } from './values/quantity.ts'

export type { Admission }

/** What became of a tracked event. */
export type TrackResult =
  /** Counted once, and durable. */
  | { readonly kind: 'recorded'; readonly event: NewUsageEvent }
  /** The log held the same under this key already: accepted, not counted again. */
  | { readonly kind: 'repeat'; readonly event: NewUsageEvent }
  /** The log holds other content under this key: nothing was written (HTTP 409). `fields` names what differs. */
  | { readonly kind: 'conflict'; readonly event: NewUsageEvent; readonly fields: readonly string[] }
  /** The plan does not allow it: nothing was written (HTTP 402 or 403). */
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** An event that somebody reports, rather than a request that is admitted. */
export interface TrackClaim extends Claim {
  readonly properties: Properties | null
  readonly isKeyGiven: boolean
  readonly isInstantGiven: boolean
}

export interface Meter {
  /** Decides, counts and deducts in one act. The reservation is durable when the promise resolves. */
  admit(claim: Claim): Promise<Admission>
  /** Gives back what a claim may have reserved all the same, after the store could not say whether it was written. */
  takeBack(claim: Claim): void
  /** Posts `billed` units, or voids when it is null. A reservation that ended already stays as it is. */
  settle(reservation: Reservation, billed: Quantity | null, properties?: Properties | null): Promise<void>
  /** Ends the reservation of a process that died, as `settle` does. */
  expire(reservation: Reservation, billed: Quantity | null): Promise<void>
  /**
   * Posts what a request used that was served without a reservation, because the store could not answer: as much of it as
   * the plan allows, and nothing when its key was posted before. Rejects with `not_billable` when the plan does not count it.
   */
  record(event: NewUsageEvent): Promise<void>
  track(claim: TrackClaim): Promise<TrackResult>
}

/** How a reservation ends. */
interface Ending {
  /** Units to bill; null voids. */
  readonly billed: Quantity | null
  readonly properties: Properties | null
  readonly keyGivenBy: 'caller' | 'farebox'
}

export interface MeterParts {
  readonly store: Store
  readonly planOf: (subscription: Subscription) => Plan
  /** Entries that make a customer and a subscription for somebody who is seen for the first time. */
  readonly open: Opening
}

export function createMeter({ store, planOf, open }: MeterParts): Meter {
  return {
    admit: (claim) => store.change({ customerId: claim.customerId }, (state) => admitTo(state, claim)),
    takeBack,
    settle: (reservation, billed, properties = null) => end(reservation, { billed, properties, keyGivenBy: 'farebox' }),
    // When the answer to its admission was lost, its request may wait in the spool too: the key is kept, so that one of them counts.
    expire: (reservation, billed) => end(reservation, { billed, properties: null, keyGivenBy: 'caller' }),
    record: (event) => store.change({ customerId: event.customerId, keys: [event.key] }, (state) => recordIn(state, event)),
    track: (claim) =>
      store.change({ customerId: claim.customerId, ...(claim.isKeyGiven ? { keys: [claim.key] } : {}) }, (state) =>
        trackIn(state, claim),
      ),
  }

  function end(reservation: Reservation, ending: Ending): Promise<void> {
    return store.change({ customerId: reservation.customerId, urgency: 'soon' }, (state) => endIn(state, reservation, ending))
  }

  function takeBack({ customerId, key }: Claim): void {
    const released = store.change({ customerId, urgency: 'soon' }, (state) => ({
      result: undefined,
      entries: state.reservations.has(key) ? [{ kind: 'released', key }] : [],
    }))
    // What the store could not do now either is resolved by onCrash.
    released.catch(() => {})
  }

  function admitTo(state: AccountState, claim: Claim): Change<Admission> {
    const opened = open(state, claim.at)
    const { subscription } = opened.state
    const at = subscription === null ? claim.at : countedAt(subscription, claim.at)
    const admission = admit(at === claim.at ? claim : { ...claim, at }, opened.state, subscription && planOf(subscription))
    if (admission.kind === 'refused') return { result: admission, entries: opened.entries }
    const reserved: Entry = { kind: 'reserved', reservation: admission.reservation }
    return { result: admission, entries: opened.entries.length === 0 ? [reserved] : [...opened.entries, reserved] }
  }

  function endIn(state: AccountState, reservation: Reservation, ending: Ending): Change<void> {
    // The process was taken for dead and its reservation resolved by the recorded rule: that stands.
    if (!state.reservations.has(reservation.key)) return { result: undefined, entries: [] }
    const { billed, properties, keyGivenBy } = ending
    const settlement = settle(reservation, { billed, properties, room: roomBeside(state, reservation) })
    const { periodStart, key } = reservation
    const entry: Entry =
      settlement.kind === 'voided'
        ? { kind: 'released', key }
        : { kind: 'posted', event: settlement.event, periodStart, keyGivenBy }
    return { result: undefined, entries: [entry] }
  }

  function recordIn(state: AccountState, { quantity: billed, properties, ...claim }: NewUsageEvent): Change<void> {
    // It was posted before, and nobody heard of it: the process that delivered it was killed, or the answer was lost.
    if (state.known.has(claim.key)) return { result: undefined, entries: [] }
    // It was reserved all the same: the answer to its admission was lost.
    const reserved = state.reservations.get(claim.key)
    if (reserved !== undefined) return endIn(state, reserved, { billed, properties, keyGivenBy: 'caller' })
    const opened = open(state, claim.at)
    const { subscription } = opened.state
    const at = subscription === null ? claim.at : countedAt(subscription, claim.at)
    // Nothing is asked for, so only a plan that does not count the feature refuses.
    const admission = admit({ ...claim, at, quantity: 0n }, opened.state, subscription && planOf(subscription))
    if (admission.kind === 'refused') throw notBillable(admission.refusal)
    const { reservation } = admission
    const settlement = settle(reservation, { billed, properties, room: roomBeside(opened.state, reservation) })
    invariant(settlement.kind === 'posted', 'what is billed is posted')
    const { periodStart } = reservation
    return {
      result: undefined,
      // The key may come again, so the store has to know it.
      entries: [...opened.entries, { kind: 'posted', event: settlement.event, periodStart, keyGivenBy: 'caller' }],
    }
  }

  /** Units that the plan allows besides the reserved ones; null where overage is billed. */
  function roomBeside({ subscription, usage }: AccountState, { feature, periodStart }: Reservation): Quantity | null {
    const planFeature = subscription && planOf(subscription).features.get(feature)
    if (planFeature?.kind !== 'metered') return 0n
    const { isBlocked, remaining } = allowanceOf(planFeature, findUsage(usage, feature, periodStart))
    return isBlocked ? remaining : null
  }

  function trackIn(state: AccountState, claim: TrackClaim): Change<TrackResult> {
    const { customerId, feature, quantity, key, route, properties, isInstantGiven } = claim
    // An instant that the caller gave stands; one that was read from a clock may be behind.
    const at = isInstantGiven || state.subscription === null ? claim.at : countedAt(state.subscription, claim.at)
    const event: NewUsageEvent = { customerId, feature, quantity, at, key, route, properties }
    const placed = place(event, state.known.get(key), isInstantGiven)
    if (placed.kind !== 'new') return { result: placed, entries: [] }

    const opened = open(state, at)
    const { subscription } = opened.state
    const plan = subscription && planOf(subscription)
    // Before the allowance is asked: that of an invoiced period is gone, whatever is left of it.
    const isLate = subscription !== null && isInForce(subscription, at) && isInvoiced(subscription, usagePeriod(subscription, at))
    if (isLate && plan?.features.has(feature) === true) throw periodInvoiced(claim)
    const admission = admit(at === claim.at ? claim : { ...claim, at }, opened.state, plan)
    if (admission.kind === 'refused') return { result: admission, entries: opened.entries }
    const { periodStart } = admission.reservation
    const keyGivenBy = claim.isKeyGiven ? 'caller' : 'farebox'
    return {
      result: { kind: 'recorded', event },
      entries: [...opened.entries, { kind: 'posted', event, periodStart, keyGivenBy }],
    }
  }
}

function notBillable({ code, customerId, feature }: Refusal): FareboxError {
  return new FareboxError(
    'not_billable',
    `Expected a plan that counts ${feature} for ${customerId}, got ${code}: the request was served while the store could not answer, and is not billed`,
    { fields: { customerId, feature, refusal: code } },
  )
}

function periodInvoiced({ customerId, at }: TrackClaim): FareboxError {
  return new FareboxError(
    'period_invoiced',
    `Expected an event of a period that is not invoiced yet, got one of ${formatInstant(at)} for ${customerId}, whose invoice is final: report it with a later timestamp`,
    { fields: { customerId, timestamp: at } },
  )
}
