/** What a client can do about a refusal, and where. */

import type { Catalog } from '../catalog/catalog.ts'
import type { RefusalCode } from '../records/refusal.ts'
import type { Action } from './problem.ts'

export interface ActionsInput {
  readonly catalog: Catalog
  readonly upgradeUrl?: string
  /** Where the billing routes are reached from outside. */
  readonly billingUrl?: string
}

/** The actions of each refusal, made once: lists of the same answers for all. */
export function createActions({ catalog, upgradeUrl, billingUrl }: ActionsInput): (code: RefusalCode) => readonly Action[] {
  const upgrade: Action[] = upgradeUrl === undefined ? [] : [{ rel: 'upgrade', href: upgradeUrl, method: 'GET' }]
  const base = billingUrl?.replace(/\/$/, '')
  const packs = base === undefined ? [] : packCodes(catalog)
  const ofPacks = packs.map((code): Action => ({
    rel: 'buy_credits',
    href: `${base}/credits/packs/${code}/purchases`,
    method: 'POST',
  }))
  const ofBalance: Action[] = base === undefined ? [] : [{ rel: 'top_up', href: `${base}/balance/top-ups`, method: 'POST' }]
  const buying = [...ofPacks, ...upgrade]
  const toppingUp = [...ofBalance, ...upgrade]
  return (code) => (code === 'credits_exhausted' ? buying : code === 'balance_exhausted' ? toppingUp : upgrade)
}

function packCodes({ offers, currency }: Catalog): readonly string[] {
  return [...(offers.get(currency)?.creditPacks.keys() ?? [])]
}
