/** What is sold in a currency, as the routes answer it. */

import type { Catalog } from '../catalog/catalog.ts'
import type { Feature } from '../catalog/feature.ts'
import type { Consumption, PlanInterval } from '../catalog/plan.ts'

export interface FeatureJson {
  code: string
  name: string
  type: 'metered' | 'boolean'
  unit: string | null
}

export interface PlanJson {
  code: string
  name: string
  price: string
  currency: string
  interval: PlanInterval
  consumption: Consumption
  trial_days: number
  credits: string | null
  included_balance: string | null
  blocks_on_exhaustion: boolean | null
  spend_limit: string | null
  minimum: string | null
  is_default: boolean
  features: Record<string, unknown>
}

export interface CreditPackJson {
  code: string
  name: string
  price: string
  currency: string
  credits: string
}

export interface PriceListJson {
  currency: string
  features: FeatureJson[]
  plans: PlanJson[]
  credit_packs: CreditPackJson[]
}

/** Gives the price list of a currency; without plans for one that the catalog no longer has. */
export type PriceLists = (currency: string) => PriceListJson

/** Made once: a catalog never changes. `offered` are the plans that are shown; null: all of them. */
export function createPriceLists(
  { currency: main, features, document }: Catalog,
  offered: ReadonlySet<string> | null,
): PriceLists {
  const catalog = JSON.parse(document) as OfferDocument & { readonly offers?: Record<string, OfferDocument> }
  const lists = new Map<string, PriceListJson>()
  for (const [currency, { plans, creditPacks }] of [[main, catalog] as const, ...Object.entries(catalog.offers ?? {})]) {
    lists.set(currency, {
      currency,
      features: [...features.values()].map(featureJson),
      plans: entriesOf(plans)
        .filter(([code]) => offered?.has(code) ?? true)
        .map(([code, plan]) => planJson(code, plan, currency)),
      credit_packs: entriesOf(creditPacks).map(([code, { name, price, credits }]) => ({ code, name, price, currency, credits })),
    })
  }
  return (currency) => lists.get(currency) ?? { currency, features: [], plans: [], credit_packs: [] }
}

function featureJson({ code, name, type, unit }: Feature): FeatureJson {
  return { code, name, type, unit }
}

function planJson(code: string, plan: PlanDocument, currency: string): PlanJson {
  return {
    code,
    name: plan.name,
    price: plan.price,
    currency,
    interval: plan.interval,
    consumption: plan.consumption,
    trial_days: plan.trialDays ?? 0,
    credits: plan.credits ?? null,
    included_balance: plan.includedBalance ?? null,
    blocks_on_exhaustion: plan.blockOnExhaustion ?? null,
    spend_limit: plan.spendLimit ?? null,
    minimum: plan.minimum ?? null,
    is_default: plan.default,
    features: plan.features,
  }
}

function entriesOf<Entry>(entries: Record<string, Entry> | undefined): [code: string, entry: Entry][] {
  return Object.entries(entries ?? {})
}

/** The catalog's own document of what is sold in one currency. */
interface OfferDocument {
  readonly plans?: Record<string, PlanDocument>
  readonly creditPacks?: Record<string, { readonly name: string; readonly price: string; readonly credits: string }>
}

interface PlanDocument {
  readonly name: string
  readonly price: string
  readonly interval: PlanInterval
  readonly consumption: Consumption
  readonly trialDays?: number
  readonly credits?: string
  readonly includedBalance?: string
  readonly blockOnExhaustion?: boolean
  readonly spendLimit?: string
  readonly minimum?: string
  readonly default: boolean
  readonly features: Record<string, unknown>
}
