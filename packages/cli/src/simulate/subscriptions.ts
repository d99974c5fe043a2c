/** A customer's subscription as it would have been under another catalog: the same plans at the same times. */

import type { Catalog } from '@farebox/core'
import type { Subscription } from '@farebox/core/contracts'

type Segment = Subscription['segments'][number]

export type Carried =
  | { readonly kind: 'carried'; readonly subscription: Subscription; readonly plan: string }
  /** `reason` says in a few words why it cannot be. */
  | { readonly kind: 'missing'; readonly reason: string }

/** Pure. What begins after the log's end is left out, and nothing is invoiced yet. */
export function carriedTo(catalog: Catalog, subscription: Subscription, lastAt: number): Carried {
  const { currency } = subscription
  const offer = catalog.offers.get(currency)
  if (offer === undefined) return { kind: 'missing', reason: `the catalog sells nothing in ${currency}` }
  const segments: Segment[] = []
  for (const segment of subscription.segments) {
    if (segment.startsAt > lastAt && segments.length > 0) break
    const plan = offer.plans.get(segment.plan)
    if (plan === undefined) return { kind: 'missing', reason: `the catalog has no plan ${segment.plan}` }
    const { every, periodsPerInterval } = plan
    const last = segments.at(-1)
    // The prices of a plan changed within it: here they are the same all the time.
    if (last !== undefined && last.plan === segment.plan && segment.cut?.kind === 'price') {
      segments[segments.length - 1] = joined(last, segment)
      continue
    }
    const length = segment.kind === 'trial' ? {} : { every, periodsPerInterval }
    segments.push({ ...segment, ...length, catalogVersion: catalog.version })
  }
  const [first] = segments
  if (first === undefined) return { kind: 'missing', reason: 'it has no plan' }
  const fresh = {
    billedUntil: null,
    nextMoment: 0,
    dueAt: first.startsAt,
    discounts: [],
    paidBase: null,
    billedInInterval: { minor: 0n, currency },
  }
  return { kind: 'carried', subscription: { ...subscription, segments, ...fresh }, plan: (segments.at(-1) ?? first).plan }
}

function joined(first: Segment, next: Segment): Segment {
  const { credit: _credit, ...before } = first
  return { ...before, endsAt: next.endsAt, ...(next.credit === undefined ? {} : { credit: next.credit }) }
}
