/** What the proofs sell, said twice: as a developer writes it for Farebox, and as plain figures for the reference model. */

import { type Catalog, defineCatalog } from '@farebox/core'

/** A price beyond the allowance. Money in millionths of the main unit, quantities in millionths of a unit. */
export type ModelPrice =
  | { readonly kind: 'block' }
  | { readonly kind: 'per_unit'; readonly price: bigint }
  | { readonly kind: 'package'; readonly size: bigint; readonly price: bigint }
  | { readonly kind: 'flat'; readonly price: bigint }
  | {
      readonly kind: 'graduated' | 'volume'
      readonly tiers: readonly { readonly upTo: bigint | null; readonly price: bigint; readonly flat: bigint }[]
    }

export interface ModelTerms {
  /** Null: unlimited. */
  readonly included: bigint | null
  readonly overage: ModelPrice
}

export interface ModelPlan {
  readonly price: bigint
  /** How long a usage period is. */
  readonly every: 'week' | 'month'
  /** Usage periods that one base price pays for. */
  readonly periods: number
  readonly features: Readonly<Record<string, ModelTerms>>
}

/** A plan on which units are paid by what was granted: credits that are gone when it ends, or money beyond which they are owed. */
export interface PrepaidPlan {
  readonly unit: 'credits' | 'balance'
  /** Of each month, in millionths. */
  readonly granted: bigint
  /** Of one unit, in millionths. */
  readonly costs: Readonly<Record<string, bigint>>
  readonly blocks: boolean
}

export const UNIT = 1_000_000n

export const PREPAID_PLANS: Readonly<Record<string, PrepaidPlan>> = {
  credits: { unit: 'credits', granted: 12n * UNIT, costs: { calls: 1_500_000n, files: 4n * UNIT }, blocks: true },
  prepaid: { unit: 'balance', granted: 10n * UNIT, costs: { calls: 333_333n, files: 2_500_000n }, blocks: false },
}

/** Customers that nobody subscribed are put on this plan. */
export const DEFAULT_PLAN = 'free'

export const MODEL_PLANS: Readonly<Record<string, ModelPlan>> = {
  free: { price: 0n, every: 'month', periods: 1, features: { calls: blocked(10n * UNIT), files: blocked(2n * UNIT) } },
  starter: {
    price: 5n * UNIT,
    every: 'month',
    periods: 1,
    features: {
      calls: { included: 20n * UNIT, overage: { kind: 'per_unit', price: 250_000n } },
      files: { included: UNIT, overage: { kind: 'package', size: 10n * UNIT, price: 500_000n } },
    },
  },
  tiered: {
    price: 29_000_000n,
    every: 'month',
    periods: 1,
    features: {
      calls: {
        included: 5n * UNIT,
        overage: {
          kind: 'graduated',
          tiers: [
            { upTo: 10n * UNIT, price: 33_300n, flat: 1_500_000n },
            { upTo: 25n * UNIT, price: 21_700n, flat: 0n },
            { upTo: null, price: 7_000n, flat: 250_000n },
          ],
        },
      },
    },
  },
  yearly: {
    price: 100n * UNIT,
    every: 'month',
    periods: 12,
    features: { calls: { included: null, overage: { kind: 'block' } }, files: blocked(UNIT) },
  },
  weekly: {
    price: 7n * UNIT,
    every: 'week',
    periods: 1,
    features: {
      calls: {
        included: 3n * UNIT,
        overage: {
          kind: 'volume',
          tiers: [
            { upTo: 4n * UNIT, price: 500_000n, flat: 250_000n },
            { upTo: 9n * UNIT, price: 333_300n, flat: 0n },
            { upTo: null, price: 111_100n, flat: 1_000_000n },
          ],
        },
      },
      files: { included: UNIT, overage: { kind: 'flat', price: 4_990_000n } },
    },
  },
  quarterly: {
    price: 90n * UNIT,
    every: 'month',
    periods: 3,
    features: {
      calls: { included: 8n * UNIT, overage: { kind: 'flat', price: 2_500_000n } },
      files: { included: 0n, overage: { kind: 'per_unit', price: 1_234_500n } },
    },
  },
}

/** The same for Farebox. */
export const CATALOG: Catalog<'calls' | 'files'> = defineCatalog({
  currency: 'USD',
  features: { calls: { type: 'metered', name: 'Calls', default: true }, files: { type: 'metered', name: 'Files' } },
  plans: {
    free: {
      name: 'Free',
      price: '0',
      interval: 'month',
      default: true,
      features: { calls: { included: 10 }, files: { included: 2 } },
    },
    starter: {
      name: 'Starter',
      price: '5.00',
      interval: 'month',
      features: {
        calls: { included: 20, overage: { model: 'per_unit', price: '0.25' } },
        files: { included: 1, overage: { model: 'package', size: 10, price: '0.50' } },
      },
    },
    tiered: {
      name: 'Tiered',
      price: '29.00',
      interval: 'month',
      features: {
        calls: {
          included: 5,
          overage: {
            model: 'graduated',
            tiers: [
              { upTo: 10, price: '0.0333', flat: '1.50' },
              { upTo: 25, price: '0.0217' },
              { price: '0.007', flat: '0.25' },
            ],
          },
        },
      },
    },
    yearly: {
      name: 'Yearly',
      price: '100',
      interval: 'year',
      features: { calls: { included: 'unlimited' }, files: { included: 1 } },
    },
    weekly: {
      name: 'Weekly',
      price: '7.00',
      interval: 'week',
      features: {
        calls: {
          included: 3,
          overage: {
            model: 'volume',
            tiers: [
              { upTo: 4, price: '0.50', flat: '0.25' },
              { upTo: 9, price: '0.3333' },
              { price: '0.1111', flat: '1.00' },
            ],
          },
        },
        files: { included: 1, overage: { model: 'flat', price: '4.99' } },
      },
    },
    credits: {
      name: 'Credits',
      price: '20.00',
      interval: 'month',
      consumption: 'credits',
      credits: 12,
      features: { calls: { credits: '1.5' }, files: { credits: 4 } },
    },
    prepaid: {
      name: 'Prepaid',
      price: '10.00',
      interval: 'month',
      consumption: 'balance',
      features: {
        calls: { price: { model: 'fixed', price: '0.333333' } },
        files: { price: { model: 'fixed', price: '2.5' } },
      },
    },
    quarterly: {
      name: 'Quarterly',
      price: '90.00',
      interval: 'quarter',
      features: {
        calls: { included: 8, overage: { model: 'flat', price: '2.50' } },
        files: { overage: { model: 'per_unit', price: '1.2345' } },
      },
    },
  },
})

function blocked(included: bigint): ModelTerms {
  return { included, overage: { kind: 'block' } }
}
