/** Subscriptions as an application uses them: begin, change, cancel, pause, redeem, move to other prices, and look at each of it before. */

import type { AccountState, Entry } from './account/account-state.ts'
import { withNewPlan } from './account/change-segments.ts'
import { newSubscription, withCustomer } from './account/opening.ts'
import { withPlanGrantsOf } from './account/plan-grant.ts'
import { countedAt, segmentFor, statusAt, type Subscription } from './account/subscription.ts'
import { isPossible, type SubscriptionAction } from './account/transitions.ts'
import type { Catalog, PlanCode } from './catalog/catalog.ts'
import { closeNext, type CloseParts, latePeriods } from './close.ts'
import type { Change, Store } from './contracts/store.ts'
import { FareboxError } from './errors.ts'
import { isCustomerId } from './identify/customer-id.ts'
import { offerOf, planOf } from './moment.ts'
import { billedUpTo } from './preview.ts'
import type { Grant } from './records/grant.ts'
import type { Invoice } from './records/invoice.ts'
import {
  type CancelInput,
  type Changed,
  createChanges,
  impossible,
  invalidTime,
  type PauseInput,
  type PlanChangeInput,
  planNamed,
  type PriceMoveInput,
  type Wanted,
} from './subscription-changes.ts'
import { shownSubscription, type SubscriptionView } from './subscription-view.ts'
import { invalidCustomer } from './usage.ts'
import type { Clock } from './values/clock.ts'
import { randomId } from './values/id.ts'
import { parseInstant } from './values/instant.ts'

export interface SubscriptionInput {
  customerId: string
  plan: PlanCode
  /** First instant, and the anchor that periods are counted from: RFC 3339 with a zone, a Date, or epoch milliseconds. Default: now. */
  startsAt?: string | Date | number
  /** Nothing is served before `subscriptions.activate()`. Default false. */
  awaitsPayment?: boolean
}

/** What a change is, or would be. */
export interface SubscriptionChange {
  readonly subscription: SubscriptionView
  /** When it counts: epoch milliseconds. */
  readonly effectiveAt: number
  /** The invoice that it makes at once; null when it makes none, or requests in flight hold it up until the next closing. */
  readonly invoice: Invoice | null
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

/** More billing moments than a customer can be behind when something changes. */
const MOST_MOMENTS = 10_000

export function createSubscriptions({ store, clock, catalog, ready, closing }: SubscriptionParts): Subscriptions {
  const changes = createChanges({ catalog, offers: closing })
  return {
    create,
    get: (customerId) => read(customerId, ({ subscription }) => subscription && shownSubscription(subscription, clock.now())),
    activate,
    change: (input) => carryOut(changes.planChange(input)),
    previewChange: (input) => preview(changes.planChange(input)),
    cancel: (input) => carryOut(changes.cancellation(input)),
    previewCancel: (input) => preview(changes.cancellation(input)),
    reactivate: (customerId) => carryOut(changes.reactivation(customerId)),
    pause: (input) => carryOut(changes.pausing(input)),
    resume: (customerId) => carryOut(changes.resumption(customerId)),
    movePrices: (input) => carryOut(changes.priceMove(input)),
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
          : withNewPlan({ ...current, standing }, { plan, catalogVersion }, start)
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
    const { subscription, effectiveAt, until } = await store.change(
      { customerId: wanted.customerId, inOrder: true },
      (state): Change<Asked> => {
        const asked = ask(state, wanted, now)
        return { result: asked, entries: entriesOf(state, asked) }
      },
    )
    const invoices = await closeAll(wanted.customerId, until)
    const after = await read(wanted.customerId, (state) => state.subscription)
    return { subscription: shownSubscription(after ?? subscription, until), effectiveAt, invoice: invoices.at(-1) ?? null }
  }

  async function preview(wanted: Wanted): Promise<SubscriptionChange> {
    await ready
    const now = clock.now()
    const { customerId } = wanted
    const late = await latePeriods(store, customerId)
    return store.change({ customerId }, (found): Change<SubscriptionChange> => {
      const { state } = billedUpTo(found, now, late, closing)
      const { subscription, effectiveAt, until } = ask(state, wanted, now)
      const after = billedUpTo({ ...state, subscription, grants: grantsAfter(state, subscription) }, until, late, closing)
      const shown = shownSubscription(after.state.subscription ?? subscription, until)
      return { result: { subscription: shown, effectiveAt, invoice: after.invoices.at(-1) ?? null }, entries: [] }
    })
  }

  /** What changes with the subscription: a plan's grant of the running period ends with its segment. */
  function entriesOf(state: AccountState, { subscription }: Changed): Entry[] {
    const grants = [...grantsAfter(state, subscription).values()].filter((grant) => grant !== state.grants.get(grant.id))
    return [...grants.map((grant): Entry => ({ kind: 'granted', grant })), { kind: 'subscription', subscription }]
  }

  function grantsAfter({ grants }: AccountState, subscription: Subscription): Map<string, Grant> {
    return withPlanGrantsOf(subscription, grants, (segment) => planOf(closing, subscription, segment))
  }

  /** Makes every invoice that is due for one customer, without grace: a change has to know what was paid. */
  async function closeAll(customerId: string, until: number): Promise<Invoice[]> {
    const invoices: Invoice[] = []
    for (let moment = 0; moment < MOST_MOMENTS; moment += 1) {
      const isDue = await read(customerId, ({ subscription }) => (subscription?.dueAt ?? Infinity) <= until)
      if (!isDue) break
      const now = Math.max(clock.now(), until)
      const [closed] = await closeNext({ ...closing, graceMs: 0 }, [customerId], { until, now })
      if (closed?.kind === 'final') invoices.push(closed.invoice)
      else if (closed?.kind !== 'passed' && closed?.kind !== 'again') break
    }
    return invoices
  }

  async function redeem({ customerId, coupon: code }: { customerId: string; coupon: string }): Promise<SubscriptionView> {
    await ready
    const now = clock.now()
    const subscription = await store.change({ customerId, inOrder: true }, (state): Change<Subscription> => {
      const current = subscribed(state, 'change', now)
      const coupon = offerOf(catalog, current.currency).coupons.get(code)
      if (coupon === undefined) throw unknownCoupon(catalog, code)
      if (current.discounts.some((discount) => discount.coupon === code)) return { result: current, entries: [] }
      const { plan } = segmentFor(current, now)
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

/** A change with the instant up to which it makes something due. */
interface Asked extends Changed {
  readonly until: number
}

/** What is wanted of an account counts no earlier than what is invoiced: a clock may be behind, or stand still between two changes. */
function ask(state: AccountState, { change, action }: Wanted, now: number): Asked {
  const at = state.subscription === null ? now : countedAt(state.subscription, now)
  const changed = change(state, subscribed(state, action, at), at)
  // What counts a moment after what is invoiced is due a moment after it too.
  return { ...changed, until: changed.effectiveAt === at + 1 ? changed.effectiveAt : at }
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
