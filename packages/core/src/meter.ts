/** Request time, in order: identify → admit → [handler] → settle → log. */

import type { AccountState, Entry } from './account/account-state.ts'
import type { Cost } from './account/cost.ts'
import type { Opening } from './account/opening.ts'
import { isInvoiced, type Segment, segmentAt, type Subscription, usagePeriod, withLateMoment } from './account/subscription.ts'
import { blocksCost } from './account/allowance.ts'
import { admit, type Admission } from './admit/admit.ts'
import type { Plan } from './catalog/plan.ts'
import type { ModelPrices } from './contracts/model-prices.ts'
import type { Change, ChangeRequest, ChangeTarget, Store } from './contracts/store.ts'
import { type CorrectClaim, correctIn, type CorrectResult } from './correct.ts'
import { FareboxError } from './errors.ts'
import { place } from './log/place.ts'
import { createPosting, type Ending, reasonOf } from './posting.ts'
import { createPreparing, isLapsed, type Lapsed } from './prepare.ts'
import type { Claim } from './records/claim.ts'
import type { Refusal } from './records/refusal.ts'
import type { Reservation } from './records/reservation.ts'
import type { UnpricedUsage } from './records/unpriced-usage.ts'
import type { NewUsageEvent, Properties } from './records/usage-event.ts'
import { spentOf } from './spending.ts'
import { formatInstant } from './values/instant.ts'
import { invariant } from './values/invariant.ts'
import type { Quantity } from './values/quantity.ts'

export type { Admission, Ending }

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
  /** Its tokens have no price: it waits in the queue of unpriced usage, durable, until `usage.retryUnpriced()` finds one. */
  | { readonly kind: 'queued'; readonly usage: UnpricedUsage }

/** An event that somebody reports, rather than a request that is admitted. */
export interface TrackClaim extends Claim {
  readonly properties: Properties | null
  readonly isKeyGiven: boolean
  readonly isInstantGiven: boolean
  readonly isIncomplete: boolean
}

/** Who hears what became of something, once. Neither may throw; they run in no particular async context. */
export type Told<T> = Pick<ChangeRequest<T>, 'resolve' | 'reject'>

export interface Meter {
  /** Decides, counts and deducts in one act. The reservation is durable when the admission is told. */
  admit(claim: Claim, told: Told<Admission>): void
  /** What `admit` would answer; nothing is written. */
  check(claim: Claim): Promise<Admission>
  /** Gives back what a claim may have reserved all the same, after the store could not say whether it was written. */
  takeBack(claim: Claim): void
  /** Posts what was used, or voids. A reservation that ended already stays as it is. What found no price is told. */
  settle(reservation: Reservation, ending: Ending, told: Told<UnpricedUsage | null>): void
  /** Ends the reservation of a process that died, as `settle` does. */
  expire(reservation: Reservation, billed: Quantity | null): Promise<void>
  /**
   * Posts what a request used that was served without a reservation, because the store could not answer: as much of it as
   * the plan allows, and nothing when its key was posted before. Rejects with `not_billable` when the plan does not count it.
   */
  record(event: NewUsageEvent): Promise<void>
  track(claim: TrackClaim): Promise<TrackResult>
  /** Takes back part or all of a posted event by an event of its own. */
  correct(claim: CorrectClaim): Promise<CorrectResult>
  /** Prices usage of the queue again: null when it has a price now, and its event is posted. */
  priceAgain(usage: UnpricedUsage): Promise<UnpricedUsage | null>
}

export interface MeterParts {
  readonly store: Pick<Store, 'change' | 'submit'>
  readonly planOf: (subscription: Subscription, segment: Segment) => Plan
  /** Prices of AI models; null where the catalog sells none. */
  readonly models: ModelPrices | null
  /** Entries that make a customer and a subscription for somebody who is seen for the first time. */
  readonly open: Opening
}

type KeyGiver = Extract<Entry, { kind: 'posted' }>['keyGivenBy']

export function createMeter({ store, planOf, models, open }: MeterParts): Meter {
  const { post, termsAt } = createPosting({ planOf, models })
  const { prepare, prepareReported } = createPreparing({ planOf, open })

  /** One object for each request, and for each settlement another: closures and promises would cost as much as the decision. */
  class AdmissionRequest implements ChangeRequest<Admission> {
    readonly target: ChangeTarget
    readonly claim: Claim
    readonly told: Told<Admission>

    constructor(claim: Claim, told: Told<Admission>) {
      this.target = { customerId: claim.customerId }
      this.claim = claim
      this.told = told
    }

    decide(state: AccountState): Change<Admission> {
      return admitTo(state, this.claim)
    }

    resolve(admission: Admission): void {
      this.told.resolve(admission)
    }

    reject(error: unknown): void {
      this.told.reject(error)
    }
  }

  class SettlementRequest implements ChangeRequest<UnpricedUsage | null> {
    readonly target: ChangeTarget
    readonly reservation: Reservation
    readonly ending: Ending
    readonly told: Told<UnpricedUsage | null>

    constructor(reservation: Reservation, ending: Ending, told: Told<UnpricedUsage | null>) {
      this.target = { customerId: reservation.customerId, urgency: 'soon' }
      this.reservation = reservation
      this.ending = ending
      this.told = told
    }

    decide(state: AccountState): Change<UnpricedUsage | null> {
      return endIn(state, this.reservation, this.ending, 'farebox')
    }

    resolve(unpriced: UnpricedUsage | null): void {
      this.told.resolve(unpriced)
    }

    reject(error: unknown): void {
      this.told.reject(error)
    }
  }

  return {
    admit: (claim, told) => store.submit(new AdmissionRequest(claim, told)),
    check: (claim) => store.change({ customerId: claim.customerId }, (state) => ({ result: checkIn(state, claim), entries: [] })),
    takeBack,
    settle: (reservation, ending, told) => store.submit(new SettlementRequest(reservation, ending, told)),
    // When the answer to its admission was lost, its request may wait in the spool too: the key is kept, so that one of them counts.
    expire: (reservation, billed) =>
      store.change({ customerId: reservation.customerId, urgency: 'soon' }, (state) => ({
        ...endIn(state, reservation, { billed }, 'caller'),
        result: undefined,
      })),
    record: (event) => store.change({ customerId: event.customerId, keys: [event.key] }, (state) => recordIn(state, event)),
    track: (claim) =>
      withLapsed({ customerId: claim.customerId, ...(claim.isKeyGiven ? { keys: [claim.key] } : {}) }, (state, seen) =>
        trackIn(state, claim, seen),
      ),
    correct: (claim) => store.change(claim.target, (state) => correctIn(state, claim)),
    priceAgain,
  }

  /** What comes late is paid by what its own period was granted, though that is closed and no part of the account any more. */
  async function withLapsed<T>(
    target: ChangeTarget,
    decideOn: (state: AccountState, seen: string | null) => Change<T | Lapsed>,
  ): Promise<T> {
    let decided = await store.change(target, (state) => decideOn(state, null))
    while (isLapsed(decided)) {
      const { grant: id } = decided
      decided = await store.change({ ...target, records: [{ kind: 'grant', id }] }, (state) => decideOn(state, id))
    }
    return decided
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
    const { state: opened, entries, at } = prepare(state, claim.at)
    const admission = decide(opened, at === claim.at ? claim : { ...claim, at })
    if (admission.kind === 'unpriced') throw unpricedError(claim, admission.cost)
    if (admission.kind === 'refused') return { result: admission, entries }
    const reserved: Entry = { kind: 'reserved', reservation: admission.reservation }
    return { result: admission, entries: entries.length === 0 ? [reserved] : [...entries, reserved] }
  }

  function checkIn(state: AccountState, claim: Claim): Admission {
    const { state: opened, at } = prepare(state, claim.at)
    return decide(opened, { ...claim, at })
  }

  function decide(state: AccountState, claim: Claim): Admission {
    const { subscription } = state
    return admit(claim, { state, planOf: (segment) => planOf(subscription as Subscription, segment), models, spentOf })
  }

  function endIn(
    state: AccountState,
    reservation: Reservation,
    ending: Ending,
    keyGivenBy: KeyGiver,
  ): Change<UnpricedUsage | null> {
    // The process was taken for dead and its reservation resolved by the recorded rule: that stands.
    if (!state.reservations.has(reservation.key)) return { result: null, entries: [] }
    const { key, periodStart } = reservation
    const posted = post(state, reservation, ending)
    switch (posted.kind) {
      case 'voided':
        return { result: null, entries: [{ kind: 'released', key }] }
      case 'posted':
        return { result: null, entries: [{ kind: 'posted', event: posted.event, periodStart, keyGivenBy }] }
      case 'unpriced':
        return {
          result: posted.usage,
          entries: [
            { kind: 'released', key },
            { kind: 'unpriced', usage: posted.usage },
          ],
        }
    }
  }

  function recordIn(state: AccountState, { quantity: billed, properties, ...claim }: NewUsageEvent): Change<void> {
    // It was posted before, and nobody heard of it: the process that delivered it was killed, or the answer was lost.
    if (state.known.has(claim.key)) return { result: undefined, entries: [] }
    const ending: Ending = { billed, properties }
    // It was reserved all the same: the answer to its admission was lost.
    const reserved = state.reservations.get(claim.key)
    if (reserved !== undefined) return { ...endIn(state, reserved, ending, 'caller'), result: undefined }
    const { state: opened, entries, at } = prepare(state, claim.at)
    // Nothing is asked for, so only a plan that does not count the feature refuses.
    const reservation = reservedFor(opened, { ...claim, at })
    const posted = post(opened, reservation, ending)
    if (posted.kind === 'unpriced') return { result: undefined, entries: [...entries, { kind: 'unpriced', usage: posted.usage }] }
    invariant(posted.kind === 'posted', 'what is billed is posted')
    const { periodStart } = reservation
    // The key may come again, so the store has to know it.
    return {
      result: undefined,
      entries: [...entries, { kind: 'posted', event: posted.event, periodStart, keyGivenBy: 'caller' }],
    }
  }

  /** A reservation of nothing for something that happened already. Throws `not_billable`. */
  function reservedFor(state: AccountState, claim: Omit<Claim, 'quantity'>): Reservation {
    const { subscription } = state
    const segment = subscription && segmentAt(subscription, claim.at)
    const isOpen = segment !== null && segment.kind !== 'pause' && subscription?.standing !== 'pending_payment'
    if (subscription === null || !isOpen || termsAt(state, claim) === null) {
      const refused = decide(state, { ...claim, quantity: 0n })
      throw notBillable(refused.kind === 'refused' ? refused.refusal.code : 'feature_not_in_plan', claim)
    }
    const { start: periodStart } = usagePeriod(segment, subscription.timeZone, claim.at)
    return { ...claim, quantity: 0n, periodStart }
  }

  function trackIn(state: AccountState, claim: TrackClaim, seen: string | null): Change<TrackResult | Lapsed> {
    const prepared = prepareReported(state, claim.at, { isInstantGiven: claim.isInstantGiven, seen })
    if (isLapsed(prepared)) return { result: prepared, entries: [] }
    const { state: opened, entries, at } = prepared
    const { customerId, feature, quantity, key, route, properties } = claim
    const event: NewUsageEvent = { customerId, feature, quantity, at, key, route, properties }
    const placed = place(event, state.known.get(key), { isInstantGiven: claim.isInstantGiven, usage: claim.usage ?? null })
    if (placed.kind !== 'new') return { result: placed, entries: [] }
    refuseLate(opened, claim, at)
    const admission = decide(opened, at === claim.at ? claim : { ...claim, at })
    if (admission.kind === 'unpriced' && admission.cost.kind === 'unknown_model') throw unpricedError(claim, admission.cost)
    if (admission.kind === 'refused') return { result: admission, entries }
    const keyGivenBy = claim.isKeyGiven ? 'caller' : 'farebox'
    const reservation = reservedFor(opened, { ...claim, at })
    const ending = { billed: quantity, properties, usage: claim.usage ?? null, isIncomplete: claim.isIncomplete }
    const posted = post(opened, { ...reservation, quantity }, ending)
    if (posted.kind === 'unpriced') {
      const { usage } = posted
      return { result: { kind: 'queued', usage }, entries: [...entries, { kind: 'unpriced', usage }] }
    }
    invariant(posted.kind === 'posted', 'what is billed is posted')
    const { periodStart } = reservation
    const recorded: Entry = { kind: 'posted', event: posted.event, periodStart, keyGivenBy }
    return {
      result: { kind: 'recorded', event: posted.event },
      entries: [...entries, recorded, ...lateMoment(opened, periodStart)],
    }
  }

  /** What the final invoice of its period cannot take back in kind is refused: a limit that is no longer known, credits that are gone. */
  function refuseLate(state: AccountState, claim: TrackClaim, at: number): void {
    const found = termsAt(state, { feature: claim.feature, at })
    if (found === null || !isInvoiced(found.subscription, at)) return
    const { terms, plan, segment } = found
    const isAdjustable =
      terms.kind === 'metered'
        ? terms.overage !== 'block' && segment.kind === 'plan'
        : terms.kind === 'balance' && !blocksCost(plan, segment)
    if (!isAdjustable && terms.kind !== 'boolean') throw periodInvoiced(claim)
  }

  async function priceAgain(usage: UnpricedUsage): Promise<UnpricedUsage | null> {
    const { customerId, id: key, quantity, properties } = usage
    return withLapsed({ customerId, keys: [key] }, (state, seen): Change<UnpricedUsage | null | Lapsed> => {
      const closed: Entry = { kind: 'unpriced', usage: { ...usage, isOpen: false } }
      if (state.known.has(key)) return { result: null, entries: [closed] }
      const prepared = prepareReported(state, usage.at, { isInstantGiven: true, seen })
      if (isLapsed(prepared)) return { result: prepared, entries: [] }
      const { state: opened, entries, at } = prepared
      const { feature, route } = usage
      const reservation = reservedFor(opened, { customerId, feature, key, at, route })
      const { isIncomplete = false } = usage
      const posted = post(
        opened,
        { ...reservation, quantity },
        { billed: quantity, properties, usage: usage.usage, isIncomplete },
      )
      if (posted.kind !== 'posted') return { result: usage, entries: [] }
      const { periodStart } = reservation
      const recorded: Entry = { kind: 'posted', event: posted.event, periodStart, keyGivenBy: 'caller' }
      return {
        result: null,
        entries: [...entries, recorded, closed, ...lateMoment(opened, periodStart)],
      }
    })
  }
}

/** Where nothing more was due of a subscription that ended, what came late is billed all the same. */
function lateMoment({ subscription }: AccountState, periodStart: number): Entry[] {
  if (subscription === null || !isInvoiced(subscription, periodStart)) return []
  const due = withLateMoment(subscription)
  return due === subscription ? [] : [{ kind: 'subscription', subscription: due }]
}

function unpricedError({ customerId, feature }: Claim, cost: Exclude<Cost, { kind: 'priced' }>): FareboxError {
  return new FareboxError(
    cost.kind === 'unknown_model' ? 'unknown_model' : 'unpriceable_usage',
    `Expected usage of ${feature} that has a price, got some of ${customerId} that has none: ${reasonOf(cost)}. Give the model's name as the provider's answer has it`,
    { fields: { customerId, feature } },
  )
}

function notBillable(code: string, { customerId, feature }: Omit<Claim, 'quantity'>): FareboxError {
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
