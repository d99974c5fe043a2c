/** Usage that could not be priced: kept in a visible queue until somebody prices it, never dropped and never free. */

import type { Quantity } from '../values/quantity.ts'
import type { ModelUsage } from './model-usage.ts'
import type { Properties } from './usage-event.ts'

export interface UnpricedUsage {
  /** The key under which its event will be posted. */
  readonly id: string
  readonly customerId: string
  readonly feature: string
  readonly quantity: Quantity
  readonly at: number
  readonly route: string | null
  readonly properties: Properties | null
  /** Null where nobody reported any. */
  readonly usage: ModelUsage | null
  /** Present where the answer broke off, and what was delivered will be billed. */
  readonly isIncomplete?: true
  /** Why it has no price, in one sentence. */
  readonly reason: string
  /** False when it was priced and posted since. */
  readonly isOpen: boolean
}

export function unpricedToDocument({ id: _id, isOpen: _isOpen, quantity, ...usage }: UnpricedUsage): string {
  return JSON.stringify({ ...usage, quantity: String(quantity) })
}

export function unpricedFromDocument(id: string, isOpen: boolean, document: string): UnpricedUsage {
  const { quantity, ...usage } = JSON.parse(document) as Omit<UnpricedUsage, 'id' | 'isOpen' | 'quantity'> & { quantity: string }
  return { ...usage, id, isOpen, quantity: BigInt(quantity) }
}
