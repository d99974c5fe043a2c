/** Usage in code: tracking events without a request, and reading what a period holds. */

import { type AccountState, findUsage } from './account/account-state.ts'
import { type Allowance, allowanceOf, blocksCost, grantsAllowance } from './account/allowance.ts'
import { payingGrants } from './account/grants.ts'
import { planGrant } from './account/plan-grant.ts'
import { isInvoiced, type Segment, segmentAt, type Subscription, usagePeriod } from './account/subscription.ts'
import type { Catalog, FeatureCode } from './catalog/catalog.ts'
import type { Plan } from './catalog/plan.ts'
import type { PlanFeature } from './catalog/plan-feature.ts'
import { type Page, type PageRequest, seqKey, type Store } from './contracts/store.ts'
import { correctionTarget, type CorrectResult, notFound } from './correct.ts'
import { FareboxError } from './errors.ts'
import { featureOf } from './farebox-options.ts'
import { isCustomerId } from './identify/customer-id.ts'
import type { Meter, TrackResult } from './meter.ts'
import { checkedUsage } from './model-usage.ts'
import { unpricedFromRecord } from './records/account-record.ts'
import type { ModelUsage } from './records/model-usage.ts'
import type { UnpricedUsage } from './records/unpriced-usage.ts'
import type { Properties } from './records/usage-event.ts'
import type { Clock } from './values/clock.ts'
import { invalidOption } from './options.ts'
import { invariant } from './values/invariant.ts'
import { formatInstant, parseInstant } from './values/instant.ts'
import { parseQuantity, type Quantity, type QuantityInput } from './values/quantity.ts'

/** Something that was used. On a plan that sells an AI model's tokens it names the model and counts them. */
export interface TrackInput extends Partial<ModelUsage> {
  /** The application's own id of the customer. */
  customerId: string
  feature: FeatureCode
  /** Units, up to six decimals. Default 1. */
  value?: QuantityInput
  /** Counted once per customer, for ever. Give the same one when you retry. Printable ASCII, at most 255 characters. */
  idempotencyKey?: string
  /** When it happened: RFC 3339 with a zone, a Date, or epoch milliseconds. Default: now. At most 5 minutes in the future. */
  timestamp?: string | Date | number
  /** At most 32 short values under snake_case names. */
  properties?: Properties
  /** Whether an AI model's answer broke off, and the tokens are those that were delivered. Default false. */
  isIncomplete?: boolean
}

/** An event that was not as it should have been. */
export interface CorrectInput {
  customerId: string
  /** Which event: by the key it was tracked with, or by its place in the log. */
  idempotencyKey?: string
  seq?: number
  /** Units that it should have been, at most what it was. Default 0: all of it is taken back. */
  value?: QuantityInput
  properties?: Properties
}

/** A feature's usage in one usage period. Quantities are in millionths of a unit. */
export interface FeatureUsage {
  readonly feature: string
  /** [start, end) in epoch milliseconds. */
  readonly period: readonly [start: number, end: number]
  readonly posted: Quantity
  readonly reserved: Quantity
  /** What the period allows: units, or where `unit` says so credits or money. Null where unlimited. */
  readonly included: Quantity | null
  readonly remaining: Quantity | null
  /** `'credits'`, or the currency of a balance; absent for units of the feature. */
  readonly unit?: string
}

export interface Usages {
  /**
   * Counts something that was used, without a request. Resolves when it is durable. A plan that blocks refuses what goes
   * beyond its allowance. Throws `invalid_customer`, `unknown_feature`, `invalid_quantity`, `invalid_key`,
   * `invalid_timestamp`, `invalid_properties`, `period_invoiced`, `store_unavailable`.
   */
  track(input: TrackInput): Promise<TrackResult>
  /** What a customer used of each metered feature of the plan in the period that holds `at` (default: now) and is not invoiced yet. Empty without a subscription. */
  totals(query: { customerId: string; at?: number }): Promise<readonly FeatureUsage[]>
  /**
   * Takes back part or all of a posted event by an event of its own, which points to it and belongs to its period; credits and money
   * go back to the grants that paid. Once for each event. On a final invoice it becomes an adjustment of the next one. Throws
   * `not_found`, `invalid_quantity`.
   */
  correct(input: CorrectInput): Promise<CorrectResult>
  /** Usage of AI models that has no price yet, in the order in which it came: nothing of it is lost or free. */
  unpriced(query?: { customerId?: string } & PageRequest): Promise<Page<UnpricedUsage>>
  /** Prices what waits there again: after the price list was updated, say. Resolves with how many found a price, and how many wait. */
  retryUnpriced(): Promise<{ readonly priced: number; readonly waiting: number }>
}

export interface UsageParts {
  readonly meter: Meter
  readonly store: Store
  readonly clock: Clock
  readonly catalog: Catalog
  readonly planOf: (subscription: Subscription, segment: Segment) => Plan
  readonly newKey: () => string
  readonly ready: Promise<void>
}

/** Further in the future no clock is wrong by accident. */
const MAX_SKEW_MS = 5 * 60 * 1000

const MAX_PROPERTIES = 32
const MAX_PROPERTY_LENGTH = 256
const PROPERTY_NAME = /^[a-z][a-z0-9_]{0,63}$/
const KEY = /^[\x21-\x7e]{1,255}$/

export function createUsage({ meter, store, clock, catalog, planOf, newKey, ready }: UsageParts): Usages {
  return { track, totals, correct, unpriced, retryUnpriced }

  async function track(input: TrackInput): Promise<TrackResult> {
    const now = clock.now()
    const { customerId, idempotencyKey, timestamp, properties } = input
    if (!isCustomerId(customerId)) throw invalidCustomer(customerId)
    if (idempotencyKey !== undefined) checkKey(idempotencyKey)
    const feature = featureOf(catalog, input.feature)
    const quantity = parseQuantity(input.value ?? 1, 'value')
    const at = timestamp === undefined ? now : checkedInstant(timestamp, now)
    const checked = properties === undefined ? null : checkedProperties(properties)
    const usage = input.model === undefined ? null : checkedUsage(input as ModelUsage)
    await ready
    return meter.track({
      customerId,
      feature,
      quantity,
      at,
      key: idempotencyKey ?? newKey(),
      route: null,
      properties: checked,
      isKeyGiven: idempotencyKey !== undefined,
      isInstantGiven: timestamp !== undefined,
      isIncomplete: input.isIncomplete ?? false,
      ...(usage === null ? {} : { usage }),
    })
  }

  async function correct({ customerId, idempotencyKey, seq, value = 0, properties }: CorrectInput): Promise<CorrectResult> {
    if (!isCustomerId(customerId)) throw invalidCustomer(customerId)
    const isNamed = (idempotencyKey === undefined) !== (seq === undefined)
    if (!isNamed || (seq !== undefined && !(Number.isSafeInteger(seq) && seq > 0)))
      throw invalidOption('usage.correct()', 'idempotencyKey or seq', 'the key of an event, or its seq', seq ?? idempotencyKey)
    if (idempotencyKey !== undefined) checkKey(idempotencyKey)
    const quantity = parseQuantity(value, 'value')
    await ready
    const named = seq === undefined ? { key: idempotencyKey as string } : { seq, key: await keyAt(customerId, seq) }
    return meter.correct({
      target: correctionTarget(customerId, named),
      customerId,
      original: seq === undefined ? named.key : seqKey(seq),
      quantity,
      properties: properties === undefined ? null : checkedProperties(properties),
    })
  }

  /** The key of an event, which never changes. Throws `not_found`. */
  async function keyAt(customerId: string, seq: number): Promise<string> {
    const original = seqKey(seq)
    const key = await store.change({ customerId, seqs: [seq] }, ({ known }) => ({
      result: known.get(original)?.key,
      entries: [],
    }))
    if (key === undefined) throw notFound({ customerId, original })
    return key
  }

  async function unpriced({ customerId, ...page }: { customerId?: string } & PageRequest = {}): Promise<Page<UnpricedUsage>> {
    await ready
    const { items, next } = await store.records({ kind: 'unpriced', isOpen: true, customerId, ...page })
    return { items: items.map(unpricedFromRecord), next }
  }

  async function retryUnpriced(): Promise<{ priced: number; waiting: number }> {
    let priced = 0
    let waiting = 0
    let after: string | undefined
    do {
      const page = await unpriced({ after })
      for (const usage of page.items) {
        if (await hasPrice(usage)) priced += 1
        else waiting += 1
      }
      after = page.next ?? undefined
    } while (after !== undefined)
    return { priced, waiting }
  }

  /** What no plan counts at present waits on, and keeps nothing behind it from its price. */
  async function hasPrice(usage: UnpricedUsage): Promise<boolean> {
    try {
      return (await meter.priceAgain(usage)) === null
    } catch (error) {
      if (error instanceof FareboxError && error.code === 'not_billable') return false
      throw error
    }
  }

  async function totals({ customerId, at = clock.now() }: { customerId: string; at?: number }): Promise<FeatureUsage[]> {
    await ready
    return store.change({ customerId }, (state) => ({ result: usageAt(state, at, planOf), entries: [] }))
  }
}

/** What a customer used of each feature in the period that holds an instant. Pure. */
export function usageAt(state: AccountState, at: number, planOf: UsageParts['planOf']): FeatureUsage[] {
  const { subscription } = state
  const segment = subscription && segmentAt(subscription, at)
  if (subscription === null || segment === null || segment.kind === 'pause') return []
  const { start, end } = usagePeriod(segment, subscription.timeZone, at)
  return [...planOf(subscription, segment).features.values()].flatMap((terms): FeatureUsage[] => {
    if (terms.kind === 'boolean') return []
    const usage = findUsage(state.usage, terms.feature, start)
    const { included, remaining, unit } = featureAllowance(state, { terms, at, segment, periodStart: start, planOf })
    const figures = { posted: usage?.posted ?? 0n, reserved: usage?.reserved ?? 0n, included, remaining }
    return [{ feature: terms.feature, period: [start, end], ...figures, ...(unit === undefined ? {} : { unit }) }]
  })
}

interface FeatureAt {
  readonly terms: Exclude<PlanFeature, { kind: 'boolean' }>
  readonly at: number
  readonly segment: Segment
  readonly periodStart: number
  readonly planOf: UsageParts['planOf']
}

/** What the plan allows of a feature: the figures of the 402 and of the headers. */
function featureAllowance(state: AccountState, { terms, at, segment, periodStart, planOf }: FeatureAt): Allowance {
  if (terms.kind === 'metered')
    return allowanceOf(terms, findUsage(state.usage, terms.feature, periodStart), { segment, periodStart })
  const { subscription } = state
  invariant(subscription !== null, 'a segment is of a subscription')
  const plan = planOf(subscription, segment)
  // The plan's own grant is made by the first use of the period.
  const own = isInvoiced(subscription, at) ? null : planGrant({ subscription, segment, plan, at })
  const grants = own === null || state.grants.has(own.id) ? state.grants : new Map(state.grants).set(own.id, own)
  const unit = terms.kind === 'credits' ? 'credits' : subscription.currency
  return grantsAllowance(payingGrants(grants.values(), terms.kind, at), unit, blocksCost(plan, segment))
}

/** The error for an id that no customer can have. */
export function invalidCustomer(customerId: unknown): FareboxError {
  return new FareboxError(
    'invalid_customer',
    `Expected a customer id of 1 to 128 printable ASCII characters without spaces, got ${JSON.stringify(customerId)}`,
    {
      fields: { customerId },
    },
  )
}

/** Throws `invalid_key`. */
export function checkKey(key: string): void {
  if (typeof key === 'string' && KEY.test(key)) return
  throw new FareboxError(
    'invalid_key',
    `Expected an idempotency key of 1 to 255 printable ASCII characters without spaces, got ${JSON.stringify(key)}`,
    { fields: { key } },
  )
}

function checkedInstant(timestamp: string | Date | number, now: number): number {
  const at = parseInstant(timestamp)
  if (at <= now + MAX_SKEW_MS) return at
  throw new FareboxError(
    'invalid_timestamp',
    `Expected a timestamp at most 5 minutes after ${formatInstant(now)}, got ${formatInstant(at)}: check the clock of the sender`,
    {
      fields: { timestamp: at, now },
    },
  )
}

/** A flat copy on no prototype: nothing of the caller's object is merged into anything. */
function checkedProperties(properties: Properties): Properties {
  const entries = Object.entries(properties)
  if (entries.length > MAX_PROPERTIES) throw invalidProperties(`at most ${MAX_PROPERTIES}`, String(entries.length))
  const copy: Record<string, string | number | boolean> = Object.create(null)
  for (const [name, value] of entries) {
    if (!PROPERTY_NAME.test(name)) throw invalidProperties('names of snake_case with at most 64 characters', JSON.stringify(name))
    const isShort = typeof value === 'string' && value.length <= MAX_PROPERTY_LENGTH && value.isWellFormed()
    const isPlain = typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
    if (!isShort && !isPlain)
      throw invalidProperties(
        `text of at most ${MAX_PROPERTY_LENGTH} characters, finite numbers or booleans`,
        `${name} of another kind`,
      )
    copy[name] = value
  }
  return copy
}

function invalidProperties(expected: string, got: string): FareboxError {
  return new FareboxError('invalid_properties', `Expected properties to be ${expected}, got ${got}`, { fields: { expected } })
}
