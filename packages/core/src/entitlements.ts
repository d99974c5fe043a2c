/** What a customer may use, asked without using it. */

import type { Opening } from './account/opening.ts'
import { segmentAt, type Segment, type Subscription } from './account/subscription.ts'
import type { Catalog, FeatureCode } from './catalog/catalog.ts'
import type { Plan } from './catalog/plan.ts'
import type { Store } from './contracts/store.ts'
import { FareboxError } from './errors.ts'
import { isCustomerId } from './identify/customer-id.ts'
import type { Admission, Meter } from './meter.ts'
import type { RefusalCode } from './records/refusal.ts'
import { invalidCustomer } from './usage.ts'
import type { Clock } from './values/clock.ts'
import { invariant } from './values/invariant.ts'
import { parseQuantity, type Quantity, type QuantityInput } from './values/quantity.ts'

export interface EntitlementQuery {
  customerId: string
  feature: FeatureCode
  /** Units that would be used, up to six decimals. Default 1; of no meaning for a boolean feature. */
  value?: QuantityInput
}

/** The figures are those of the 402, of the headers and of `usage.totals()`. */
export interface Entitlement {
  readonly allowed: boolean
  /** Why not: the code of the refusal; null where it is allowed. */
  readonly code: RefusalCode | null
  readonly feature: string
  /** The plan's code; null without a subscription. */
  readonly plan: string | null
  /** What the period allows, in millionths: units, or where `unit` says so credits or money. Null where it is unlimited, or nothing is counted. */
  readonly limit: Quantity | null
  readonly used: Quantity
  /** Before `value` is used. */
  readonly remaining: Quantity | null
  readonly unit?: string
  /** When it renews: epoch milliseconds; null where time does not help. */
  readonly periodEnd: number | null
}

export interface Entitlements {
  /**
   * Whether a customer may use a feature now: on or off, or so many units. Nothing is counted, and what is free now may be used by
   * somebody else in the next moment: where it has to hold, let the meter decide. Throws `invalid_customer`, `unknown_feature`,
   * `invalid_quantity`.
   */
  check(query: EntitlementQuery): Promise<Entitlement>
}

export interface EntitlementParts {
  readonly meter: Meter
  readonly store: Store
  readonly clock: Clock
  readonly catalog: Catalog
  readonly planOf: (subscription: Subscription, segment: Segment) => Plan
  readonly open: Opening
  readonly ready: Promise<void>
}

export function createEntitlements({ meter, store, clock, catalog, planOf, open, ready }: EntitlementParts): Entitlements {
  return { check }

  async function check({ customerId, feature: code, value = 1 }: EntitlementQuery): Promise<Entitlement> {
    if (!isCustomerId(customerId)) throw invalidCustomer(customerId)
    const feature = catalog.features.get(code)
    if (feature === undefined) throw unknownFeature(catalog, code)
    const quantity = parseQuantity(value, 'value')
    const at = clock.now()
    await ready
    const plan = await store.change({ customerId }, (state) => {
      // Somebody who was never seen is on the default plan from the first use on.
      const { subscription } = open(state, at).state
      const segment = subscription && segmentAt(subscription, at)
      return { result: subscription === null || segment === null ? null : planOf(subscription, segment), entries: [] }
    })
    const asked = (units: Quantity): Promise<Admission> =>
      meter.check({ customerId, feature: code, quantity: units, key: 'check', at, route: null })
    const admission = await asked(quantity)
    const shared = { feature: code, plan: plan?.code ?? null }
    if (feature.type === 'boolean') {
      // A feature that is not counted has no claim of its own: the plan says whether it is on, and the rest of the refusals stand.
      const isOn = plan?.features.get(code)?.kind === 'boolean'
      const refused =
        admission.kind === 'refused' && admission.refusal.code !== 'feature_not_in_plan' ? admission.refusal.code : null
      const why = refused ?? (isOn ? null : 'feature_not_in_plan')
      return { ...shared, allowed: why === null, code: why, limit: null, used: 0n, remaining: null, periodEnd: null }
    }
    if (admission.kind === 'refused') return { ...shared, allowed: false, code: admission.refusal.code, ...figuresOf(admission) }
    // What is left is told before anything is used: of credits and money a unit takes more than one.
    return { ...shared, allowed: true, code: null, ...figuresOf(await asked(0n)) }
  }
}

type Figures = Pick<Entitlement, 'limit' | 'used' | 'remaining' | 'periodEnd' | 'unit'>

function figuresOf(admission: Admission): Figures {
  if (admission.kind === 'refused') {
    const { limit, used, remaining, periodEnd, unit } = admission.refusal
    return { limit, used, remaining, periodEnd, ...(unit === undefined ? {} : { unit }) }
  }
  invariant(admission.kind === 'admitted', 'a check names no tokens')
  const { allowance, period } = admission
  const { included: limit, used, remaining, unit } = allowance
  const periodEnd = period.end === Infinity ? null : period.end
  return { limit, used, remaining, periodEnd, ...(unit === undefined ? {} : { unit }) }
}

function unknownFeature(catalog: Catalog, code: string): FareboxError {
  const codes = [...catalog.features.keys()].join(', ')
  return new FareboxError(
    'unknown_feature',
    `Expected one of the catalog's features ${codes}, got '${code}': fix its spelling or add it`,
    {
      fields: { feature: code },
    },
  )
}
