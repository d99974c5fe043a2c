/** Subscriptions as an application uses them: begin, change, cancel, pause, redeem, move to other prices, and look at each of it before. */

import type { AccountState, Entry } from './account/account-state.ts'
import {
  creditOf,
  effectiveAt,
  isUpgrade,
  type PlanVersion,
  renewalAfter,
  withEnd,
  withNewPlan,
  withoutEnd,
  withPause,
  withPlan,
  withPrices,
  withResumption,
} from './account/change-segments.ts'
import { planGrant } from './account/grants.ts'
import { newSubscription, withCustomer } from './account/opening.ts'
import { type Segment, segmentAt, statusAt, type Subscription } from './account/subscription.ts'
import { isPossible, type SubscriptionAction } from './account/transitions.ts'
import { usedSoFar } from './account/used.ts'
import type { Catalog, PlanCode } from './catalog/catalog.ts'
import type { Plan } from './catalog/plan.ts'
import { closeNext, type CloseParts, lateTotals } from './close.ts'
import type { Change, Store } from './contracts/store.ts'
import { billedUpTo, MOST_MOMENTS } from './draft-of-moment.ts'
import { FareboxError } from './errors.ts'
import { isCustomerId } from './identify/customer-id.ts'
import { offerOf, type Offers, planOf } from './moment.ts'
import type { Grant } from './records/grant.ts'
import type { Invoice } from './records/invoice.ts'
import { shownSubscription, type SubscriptionView } from './subscription-view.ts'
import { invalidCustomer } from './usage.ts'
import type { Clock } from './values/clock.ts'
import { randomId } from './values/id.ts'
import { parseInstant } from './values/instant.ts'
import { invariant } from './values/invariant.ts'

export interface SubscriptionInput {
  customerId: string
  plan: PlanCode
  /** First instant, and the anchor that periods are counted from: RFC 3339 with a zone, a Date, or epoch milliseconds. Default: now. */
  startsAt?: string | Date | number
  /** Nothing is served before `subscriptions.activate()`. Default false. */
  awaitsPayment?: boolean
}

/** When a change counts: at once, when the paid interval ends, or at an instant to come. */
export type ChangeTime = 'now' | 'renewal' | { readonly at: string | Date | number }

export interface PlanChangeInput {
  customerId: string
  plan: PlanCode
  /** Default: an upgrade now, a downgrade at the renewal. A longer interval is an upgrade, whatever the prices. */
  when?: ChangeTime
}

/** What a change is, or would be. */
export interface SubscriptionChange {
  readonly subscription: SubscriptionView
  /** When it counts: epoch milliseconds. */
  readonly effectiveAt: number
  /** The invoice that it makes at once; null when it makes none, or requests in flight hold it up until the next closing. */
  readonly invoice: Invoice | null
}

export interface CancelInput {
  customerId: string
  /** Default `'renewal'`: when the paid interval ends. */
  when?: ChangeTime
  /** Whether what was paid for the time after it is given back, by the plan's rule. Default false. */
  prorate?: boolean
}

export interface PauseInput {
  customerId: string
  /** Default `'renewal'`. */
  when?: ChangeTime
  /** Default: when somebody resumes it. */
  resumesAt?: string | Date | number
}

export interface PriceMoveInput {
  customerId: string
  /**
   * From when the current catalog's prices count for a subscription that was sold under an earlier one: `'now'` (events are priced by
   * the version in force at their instant), `'renewal'`, or `'never'`.
   */
  when: 'now' | 'renewal' | 'never'
}

export interface Subscriptions {
  /**
   * Subscribes a customer, who is made when unknown. Doing it again with the same plan and start is the same subscription;
   * with others it throws `already_subscribed`. Throws `unknown_plan`, `invalid_customer`, `invalid_timestamp`.
   */
  create(input: SubscriptionInput): Promise<SubscriptionView>
  get(customerId: string): Promise<SubscriptionView | null>
  /** Ends `awaitsPayment`. */
  activate(customerId: string): Promise<SubscriptionView>
  /** Another plan. Throws `not_found`, `unknown_plan`, `invalid_transition`. */
  change(input: PlanChangeInput): Promise<SubscriptionChange>
  /** What `change` would do now, by the same function; nothing is written. */
  previewChange(input: PlanChangeInput): Promise<SubscriptionChange>
  cancel(input: CancelInput): Promise<SubscriptionChange>
  previewCancel(input: CancelInput): Promise<SubscriptionChange>
  /** Takes back an end, a pause or a change that has not come. */
  reactivate(customerId: string): Promise<SubscriptionChange>
  pause(input: PauseInput): Promise<SubscriptionChange>
  /** Ends a pause now; billing begins anew. */
  resume(customerId: string): Promise<SubscriptionChange>
  /** Moves one customer to the prices of the catalog that `createFarebox` was given. */
  movePrices(input: PriceMoveInput): Promise<SubscriptionChange>
  /**
   * Redeems a coupon of the catalog; once for each customer. Throws `unknown_coupon`, `not_redeemable` (the plan is none of its
   * plans) or `limit_reached`.
   */
  redeem(input: { customerId: string; coupon: string }): Promise<SubscriptionView>
}

export interface SubscriptionParts {
  readonly store: Store
  readonly clock: Clock
  readonly catalog: Catalog
  readonly ready: Promise<void>
  readonly closing: CloseParts
}

/** What somebody wants of a subscription, decided when its account is read. */
interface Wanted {
  readonly action: SubscriptionAction
  readonly customerId: string
  /** The changed subscription, and when the change counts. */
  readonly change: (state: AccountState, subscription: Subscription, now: number) => Changed
}

interface Changed {
  readonly subscription: Subscription
  readonly effectiveAt: number
}

export function createSubscriptions({ store, clock, catalog, ready, closing }: SubscriptionParts): Subscriptions {
  return {
    create,
    get: (customerId) => read(customerId, ({ subscription }) => subscription && shownSubscription(subscription, clock.now())),
    activate,
    change: (input) => carryOut(planChange(input)),
    previewChange: (input) => preview(planChange(input)),
    cancel: (input) => carryOut(cancellation(input)),
    previewCancel: (input) => preview(cancellation(input)),
    reactivate: (customerId) => carryOut(reactivation(customerId)),
    pause: (input) => carryOut(pausing(input)),
    resume: (customerId) => carryOut(resumption(customerId)),
    movePrices: (input) => carryOut(priceMove(input)),
    redeem,
  }

  async function read<T>(customerId: string, pick: (state: AccountState) => T): Promise<T> {
    await ready
    return store.change({ customerId }, (state) => ({ result: pick(state), entries: [] }))
  }

  async function create({
    customerId,
    plan: code,
    startsAt,
    awaitsPayment = false,
  }: SubscriptionInput): Promise<SubscriptionView> {
    if (!isCustomerId(customerId)) throw invalidCustomer(customerId)
    planNamed(catalog, catalog.currency, code)
    const now = clock.now()
    const start = startsAt === undefined ? now : parseInstant(startsAt, 'startsAt')
    await ready
    const id = randomId('sub')
    const subscription = await store.change({ customerId, inOrder: true }, (state): Change<Subscription> => {
      const { subscription: current } = state
      const same =
        current === null ? null : sameSubscription(current, { code, start: startsAt === undefined ? null : start, now })
      if (same !== null) return { result: same, entries: [] }
      const { customer, entries } = withCustomer(state, now)
      const currency = customer.currency ?? catalog.currency
      const plan = planNamed(catalog, currency, code)
      const standing = awaitsPayment ? 'pending_payment' : 'good'
      const catalogVersion = catalog.version
      const ended = current?.segments.at(-1)?.endsAt ?? null
      if (startsAt !== undefined && ended !== null && start < ended)
        throw invalidTime(customerId, 'startsAt', 'an instant after the end of the last subscription')
      const made =
        current === null
          ? newSubscription({ id, customer, plan, catalogVersion, currency, startsAt: start, createdAt: now, standing })
          : withNewPlan({ ...current, standing }, { plan, catalogVersion }, Math.max(start, effectiveAt(current, start)))
      return { result: made, entries: [...entries, { kind: 'subscription', subscription: made }] }
    })
    return shownSubscription(subscription, now)
  }

  async function activate(customerId: string): Promise<SubscriptionView> {
    await ready
    const now = clock.now()
    const subscription = await store.change({ customerId }, (state): Change<Subscription> => {
      const current = subscribed(state, 'activate', now)
      const active: Subscription = { ...current, standing: 'good' }
      return { result: active, entries: [{ kind: 'subscription', subscription: active }] }
    })
    return shownSubscription(subscription, now)
  }

  /** Bills what is due before the change, changes, and bills what the change makes due. */
  async function carryOut(wanted: Wanted): Promise<SubscriptionChange> {
    await ready
    const now = clock.now()
    await closeAll(wanted.customerId, now)
    const { subscription, effectiveAt: at } = await store.change(
      { customerId: wanted.customerId, inOrder: true },
      (state): Change<Changed> => {
        const changed = wanted.change(state, subscribed(state, wanted.action, now), now)
        return { result: changed, entries: entriesOf(state, changed, { offers: closing, now }) }
      },
    )
    const invoices = await closeAll(wanted.customerId, dueWith(at, now))
    const after = await read(wanted.customerId, (state) => state.subscription)
    return { subscription: shownSubscription(after ?? subscription, now), effectiveAt: at, invoice: invoices.at(-1) ?? null }
  }

  async function preview(wanted: Wanted): Promise<SubscriptionChange> {
    await ready
    const now = clock.now()
    const late = await lateTotals(store, wanted.customerId)
    return store.change({ customerId: wanted.customerId }, (found): Change<SubscriptionChange> => {
      const { state } = billedUpTo(closing, { state: found, late, until: now })
      const changed = wanted.change(state, subscribed(state, wanted.action, now), now)
      const { subscription, effectiveAt: at } = changed
      const after: AccountState = { ...state, subscription, grants: grantsAfter(state, changed, { offers: closing, now }) }
      const billed = billedUpTo(closing, { state: after, late, until: dueWith(at, now) })
      const shown = shownSubscription(billed.state.subscription ?? subscription, now)
      return { result: { subscription: shown, effectiveAt: at, invoice: billed.invoices.at(-1) ?? null }, entries: [] }
    })
  }

  /** Makes every invoice that is due for one customer, without grace: a change has to know what was paid. */
  async function closeAll(customerId: string, until: number): Promise<Invoice[]> {
    const invoices: Invoice[] = []
    for (let moment = 0; moment < MOST_MOMENTS; moment += 1) {
      const isDue = await read(customerId, ({ subscription }) => (subscription?.dueAt ?? Infinity) <= until)
      if (!isDue) break
      const [closed] = await closeNext({ ...closing, graceMs: 0 }, [customerId], { until, now: clock.now() })
      if (closed?.kind === 'final') invoices.push(closed.invoice)
      else if (closed?.kind !== 'passed' && closed?.kind !== 'again') break
    }
    return invoices
  }

  function planChange({ customerId, plan: code, when }: PlanChangeInput): Wanted {
    const change: Wanted['change'] = (state, subscription, now) => {
      const segment = segmentInForce(subscription, now)
      const from = planOf(closing, subscription, segment)
      const to: PlanVersion = { plan: planNamed(catalog, subscription.currency, code), catalogVersion: catalog.version }
      const isNow = when === undefined ? isUpgrade(from, to.plan) : when === 'now'
      const at = isNow ? effectiveAt(subscription, now) : instantOf(when ?? 'renewal', subscription, now)
      const usedBefore = usedSoFar({ state, subscription, segment, plan: from, at: now })
      return {
        subscription: withPlan({ subscription, segment, at, from, to, credit: creditOf(from), usedBefore }),
        effectiveAt: at,
      }
    }
    return { action: 'change', customerId, change }
  }

  function cancellation({ customerId, when = 'renewal', prorate = false }: CancelInput): Wanted {
    const change: Wanted['change'] = (_state, subscription, now) => {
      const plan = planOf(closing, subscription, segmentInForce(subscription, now))
      const at = instantOf(when, subscription, now)
      const credit = prorate ? creditOf(plan) : null
      return { subscription: withEnd({ subscription, at, credit }), effectiveAt: at }
    }
    return { action: when === 'now' ? 'cancel_now' : 'cancel_at_end', customerId, change }
  }

  function reactivation(customerId: string): Wanted {
    const change: Wanted['change'] = (_state, subscription, now) => {
      segmentInForce(subscription, now)
      return { subscription: withoutEnd(subscription, now), effectiveAt: now }
    }
    return { action: 'reactivate', customerId, change }
  }

  function pausing({ customerId, when = 'renewal', resumesAt }: PauseInput): Wanted {
    const until = resumesAt === undefined ? null : parseInstant(resumesAt, 'resumesAt')
    const change: Wanted['change'] = (_state, subscription, now) => {
      const segment = segmentInForce(subscription, now)
      if (segment.kind === 'pause') throw impossible(customerId, 'pause', 'a pause')
      const plan = planOf(closing, subscription, segment)
      const at = instantOf(when, subscription, now)
      if (until !== null && until <= at) throw invalidTime(customerId, 'resumesAt', 'an instant after the pause begins')
      return { subscription: withPause({ subscription, at, resumesAt: until, credit: creditOf(plan) }), effectiveAt: at }
    }
    return { action: 'pause', customerId, change }
  }

  function resumption(customerId: string): Wanted {
    const change: Wanted['change'] = (_state, subscription, now) => {
      if (segmentInForce(subscription, now).kind !== 'pause') throw impossible(customerId, 'resume', 'no pause')
      const at = effectiveAt(subscription, now)
      return { subscription: withResumption({ subscription, at }), effectiveAt: at }
    }
    return { action: 'resume', customerId, change }
  }

  function priceMove({ customerId, when }: PriceMoveInput): Wanted {
    const change: Wanted['change'] = (state, subscription, now) => {
      const segment = segmentInForce(subscription, now)
      if (when === 'never' || segment.catalogVersion === catalog.version) return { subscription, effectiveAt: now }
      const from = planOf(closing, subscription, segment)
      const to: PlanVersion = { plan: planNamed(catalog, subscription.currency, segment.plan), catalogVersion: catalog.version }
      if (to.plan.interval !== from.interval) throw otherInterval(customerId, from, to.plan)
      const at = when === 'now' ? effectiveAt(subscription, now) : renewalAfter(subscription, now)
      const usedBefore = usedSoFar({ state, subscription, segment, plan: from, at: now })
      return { subscription: withPrices({ subscription, at, to, usedBefore }), effectiveAt: at }
    }
    return { action: 'change', customerId, change }
  }

  async function redeem({ customerId, coupon: code }: { customerId: string; coupon: string }): Promise<SubscriptionView> {
    await ready
    const now = clock.now()
    const subscription = await store.change({ customerId, inOrder: true }, (state): Change<Subscription> => {
      const current = subscribed(state, 'change', now)
      const coupon = offerOf(catalog, current.currency).coupons.get(code)
      if (coupon === undefined) throw unknownCoupon(catalog, code)
      if (current.discounts.some((discount) => discount.coupon === code)) return { result: current, entries: [] }
      const { plan } = segmentInForce(current, now)
      if (coupon.plans?.includes(plan) === false) throw notRedeemable(code, plan, coupon.plans)
      const discount = { coupon: code, catalogVersion: catalog.version, redeemedAt: now, cyclesLeft: coupon.cycles }
      const redeemed: Subscription = { ...current, discounts: [...current.discounts, discount] }
      const { maxRedemptions: limit } = coupon
      const counted: Entry[] = limit === null ? [] : [{ kind: 'counted', counter: `coupon:${code}`, limit }]
      return { result: redeemed, entries: [...counted, { kind: 'subscription', subscription: redeemed }] }
    })
    return shownSubscription(subscription, now)
  }
}

/** Until when a change makes something due at once: what counts a moment after what is invoiced is due a moment after it too. */
function dueWith(at: number, now: number): number {
  return at <= now + 1 ? Math.max(now, at) : now
}

/** Throws `not_found` or `invalid_transition`. */
function subscribed({ subscription, customerId }: AccountState, action: SubscriptionAction, now: number): Subscription {
  if (subscription === null)
    throw new FareboxError('not_found', `Expected a customer with a subscription, got ${customerId}, who has none`, {
      fields: { customerId },
    })
  const status = statusAt(subscription, now)
  if (!isPossible(status, action)) throw impossible(customerId, action, `a subscription that is ${status}`)
  return subscription
}

interface Carrying {
  readonly offers: Offers
  readonly now: number
}

/** What changes with the subscription: a plan's grant of the running period ends with its segment, and goes on when that does. */
function entriesOf(state: AccountState, changed: Changed, carrying: Carrying): Entry[] {
  const grants = grantsAfter(state, changed, carrying)
  const others = [...grants.values()].filter((grant) => grant !== state.grants.get(grant.id))
  return [
    ...others.map((grant): Entry => ({ kind: 'granted', grant })),
    { kind: 'subscription', subscription: changed.subscription },
  ]
}

function grantsAfter(
  { grants }: AccountState,
  { subscription, effectiveAt: at }: Changed,
  { offers, now }: Carrying,
): AccountState['grants'] {
  const endOf = ({ id, startsAt, expiresAt }: Grant): number | null => {
    if (expiresAt === null || expiresAt <= now) return expiresAt
    const segment = segmentAt(subscription, startsAt)
    const own = segment && planGrant({ subscription, segment, plan: planOf(offers, subscription, segment), at: startsAt })
    return own?.id === id ? own.expiresAt : Math.min(at, expiresAt)
  }
  return new Map(
    [...grants].map(([id, grant]) => {
      const expiresAt = grant.source === 'plan' ? endOf(grant) : grant.expiresAt
      return [id, expiresAt === grant.expiresAt ? grant : { ...grant, expiresAt }]
    }),
  )
}

function segmentInForce(subscription: Subscription, now: number): Segment {
  const segment = segmentAt(subscription, now)
  if (segment !== null) return segment
  throw impossible(subscription.customerId, 'change', 'a subscription that has not begun')
}

function instantOf(when: ChangeTime, subscription: Subscription, now: number): number {
  if (when === 'now') return effectiveAt(subscription, now)
  if (when === 'renewal') return renewalAfter(subscription, now)
  const at = parseInstant(when.at, 'when.at')
  if (at > now) return at
  throw invalidTime(subscription.customerId, 'when.at', 'an instant to come')
}

/** The subscription itself where it is what is asked for again. Throws `already_subscribed`. */
function sameSubscription(
  current: Subscription,
  { code, start, now }: { readonly code: string; readonly start: number | null; readonly now: number },
): Subscription | null {
  if (statusAt(current, now) === 'canceled') return null
  const { plan, startsAt } = shownSubscription(current, now)
  if (plan === code && (start === null || startsAt === start)) return current
  const { customerId } = current
  throw new FareboxError(
    'already_subscribed',
    `Expected a customer without an active subscription, got ${customerId}, who is on ${plan}`,
    { fields: { customerId, plan } },
  )
}

function planNamed(catalog: Catalog, currency: string, code: string): Plan {
  const offer = catalog.offers.get(currency)
  if (offer === undefined)
    throw new FareboxError('invalid_option', `Expected a currency of the catalog, got ${currency}: add it to currencies`, {
      fields: { currency },
    })
  const plan = offer.plans.get(code)
  if (plan !== undefined) return plan
  const codes = [...offer.plans.keys()].join(', ')
  throw new FareboxError(
    'unknown_plan',
    `Expected one of the catalog's plans ${codes}, got '${code}': fix its spelling or add it to plans`,
    { fields: { plan: code } },
  )
}

function unknownCoupon(catalog: Catalog, code: string): FareboxError {
  const codes = [...(catalog.offers.get(catalog.currency)?.coupons.keys() ?? [])].join(', ') || 'none'
  return new FareboxError('unknown_coupon', `Expected one of the catalog's coupons (${codes}), got '${code}'`, {
    fields: { coupon: code },
  })
}

function notRedeemable(code: string, plan: string, plans: readonly string[]): FareboxError {
  return new FareboxError(
    'not_redeemable',
    `Expected a customer on ${plans.join(' or ')} for the coupon ${code}, got one on ${plan}: change the plan first`,
    { fields: { coupon: code, plan } },
  )
}

function impossible(customerId: string, action: SubscriptionAction, found: string): FareboxError {
  return new FareboxError(
    'invalid_transition',
    `Expected a subscription of ${customerId} that allows ${action}, got ${found}: docs/subscriptions.md has the table`,
    { fields: { customerId, action } },
  )
}

function otherInterval(customerId: string, from: Plan, to: Plan): FareboxError {
  return new FareboxError(
    'invalid_transition',
    `Expected the plan ${to.code} to be of the interval '${from.interval}' that ${customerId} pays, got '${to.interval}': use subscriptions.change()`,
    { fields: { customerId, plan: to.code } },
  )
}

function invalidTime(customerId: string, name: string, expected: string): FareboxError {
  return new FareboxError('invalid_timestamp', `Expected ${name} to be ${expected} for ${customerId}, got an earlier one`, {
    fields: { customerId, name },
  })
}
