/** The catalog: all that is sold, checked and ready to be read by the engine. */

import type { Coupon } from './coupon.ts'
import type { CreditPack } from './credits.ts'
import type { Feature } from './feature.ts'
import type { Plan } from './plan.ts'

/** All that is sold in one currency, by code, in the order in which it was written. */
export interface Offer {
  /** ISO 4217. */
  readonly currency: string
  readonly plans: ReadonlyMap<string, Plan>
  readonly creditPacks: ReadonlyMap<string, CreditPack>
  readonly coupons: ReadonlyMap<string, Coupon>
}

/** What `defineCatalog` returns. `F` and `P` are the codes of its features and plans. */
export interface Catalog<F extends string = string, P extends string = string> {
  /** Hash of the content: two catalogs with the same version sell the same. */
  readonly version: string
  /** The content as JSON text; `parseCatalog` makes the catalog from it again. */
  readonly document: string
  /** ISO 4217: the main one. */
  readonly currency: string
  /** By code, in the order in which they were written. */
  readonly features: ReadonlyMap<F, Feature>
  /** In the catalog's own currency, by code, in the order in which they were written. */
  readonly plans: ReadonlyMap<P, Plan>
  /** What is sold in each currency, the catalog's own first. */
  readonly offers: ReadonlyMap<string, Offer>
  /** Code of the feature that a `meter()` without a feature counts; null when there is none. */
  readonly defaultFeature: F | null
  /** Code of the plan that a customer seen for the first time is subscribed to; null when there is none. */
  readonly defaultPlan: P | null
}

/**
 * Where an application tells its catalog to the types of Farebox, so that a misspelt code is a compile error everywhere:
 * `declare module '@farebox/core' { interface Register { catalog: typeof catalog } }`.
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- applications add to it
export interface Register {}

/** The feature codes of the registered catalog; any string while none is registered. */
export type FeatureCode = Register extends { readonly catalog: Catalog<infer F, infer _P> } ? F : string

/** The plan codes of the registered catalog; any string while none is registered. */
export type PlanCode = Register extends { readonly catalog: Catalog<infer _F, infer P> } ? P : string
