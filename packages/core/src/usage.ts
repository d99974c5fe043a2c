/** Usage in code: tracking events without a request, and reading what a period holds. */

import { findUsage } from './account/account-state.ts'
import { allowanceOf } from './account/allowance.ts'
import { isInForce, type Subscription, usagePeriod } from './account/subscription.ts'
import type { Catalog, FeatureCode } from './catalog/catalog.ts'
import type { Plan } from './catalog/plan.ts'
import type { Store } from './contracts/store.ts'
import { FareboxError } from './errors.ts'
import { featureOf } from './farebox-options.ts'
import { isCustomerId } from './identify/customer-id.ts'
import type { Meter, TrackResult } from './meter.ts'
import type { Properties } from './records/usage-event.ts'
import type { Clock } from './values/clock.ts'
import { formatInstant, parseInstant } from './values/instant.ts'
import { parseQuantity, type Quantity, type QuantityInput } from './values/quantity.ts'

/** Something that was used. */
export interface TrackInput {
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
}

/** A feature's usage in one usage period. Quantities are in millionths of a unit. */
export interface FeatureUsage {
  readonly feature: string
  /** [start, end) in epoch milliseconds. */
  readonly period: readonly [start: number, end: number]
  readonly posted: Quantity
  readonly reserved: Quantity
  /** Null where unlimited. */
  readonly included: Quantity | null
  readonly remaining: Quantity | null
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
}

export interface UsageParts {
  readonly meter: Meter
  readonly store: Store
  readonly clock: Clock
  readonly catalog: Catalog
  readonly planOf: (subscription: Subscription) => Plan
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
  return { track, totals }

  async function track(input: TrackInput): Promise<TrackResult> {
    const now = clock.now()
    const { customerId, idempotencyKey, timestamp, properties } = input
    if (!isCustomerId(customerId)) throw invalidCustomer(customerId)
    if (idempotencyKey !== undefined) checkKey(idempotencyKey)
    const feature = featureOf(catalog, input.feature)
    const quantity = parseQuantity(input.value ?? 1, 'value')
    const at = timestamp === undefined ? now : checkedInstant(timestamp, now)
    const checked = properties === undefined ? null : checkedProperties(properties)
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
    })
  }

  async function totals({ customerId, at = clock.now() }: { customerId: string; at?: number }): Promise<FeatureUsage[]> {
    await ready
    return store.change({ customerId }, (state) => {
      const { subscription } = state
      if (subscription === null || !isInForce(subscription, at)) return { result: [], entries: [] }
      const { start, end } = usagePeriod(subscription, at)
      const result = [...planOf(subscription).features.values()].flatMap((terms) => {
        if (terms.kind !== 'metered') return []
        const usage = findUsage(state.usage, terms.feature, start)
        const { included, remaining } = allowanceOf(terms, usage)
        return [
          {
            feature: terms.feature,
            period: [start, end] as const,
            posted: usage?.posted ?? 0n,
            reserved: usage?.reserved ?? 0n,
            included,
            remaining,
          },
        ]
      })
      return { result, entries: [] }
    })
  }
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

function checkKey(key: string): void {
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
