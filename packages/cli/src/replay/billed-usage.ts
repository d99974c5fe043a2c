/** What the log of events holds, per customer and feature. */

import type { Farebox, UsageEvent } from '@farebox/core'
import { eachOf } from '../listing.ts'
import { entry } from './tally.ts'

export interface BilledUsage {
  /** By feature. */
  of(customerId: string): ReadonlyMap<string, { readonly quantity: bigint; readonly events: number }>
  /** How many events the log holds for the customer, and the newest of them. */
  newest(customerId: string): { readonly events: number; readonly event: UsageEvent | null }
}

interface Feature {
  quantity: bigint
  events: number
}

const PAGE = 10_000

/** Reads the whole log once. */
export async function readBilledUsage(farebox: Farebox): Promise<BilledUsage> {
  const features = new Map<string, Map<string, Feature>>()
  const newest = new Map<string, { events: number; event: UsageEvent | null }>()
  for await (const event of eachOf((after) => farebox.events.list({ after, limit: PAGE }))) {
    const feature = entry(
      entry(features, event.customerId, () => new Map<string, Feature>()),
      event.feature,
      () => ({ quantity: 0n, events: 0 }),
    )
    feature.quantity += event.quantity
    feature.events += 1
    newest.set(event.customerId, { events: (newest.get(event.customerId)?.events ?? 0) + 1, event })
  }
  return {
    of: (customerId) => features.get(customerId) ?? new Map<string, Feature>(),
    newest: (customerId) => newest.get(customerId) ?? { events: 0, event: null },
  }
}
