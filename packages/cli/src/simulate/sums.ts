/** What invoices come to in the time that a log reaches over: without taxes, and without what nobody's plan decides. */

import type { Invoice } from '@farebox/core'
import type { Recorded } from './recorded.ts'

/** In minor units. */
export interface Sums {
  /** Adds what an invoice charges for the time of the log. */
  add(invoice: Invoice): void
  of(customerId: string): bigint
}

/** What is bought beside a plan and what is taken back costs the same whatever the catalog. */
const OF_PLANS: ReadonlySet<Invoice['type']> = new Set(['recurring', 'overage', 'plan_change', 'adjustment'])

export function createSums({ firstAt, lastAt, droppedUntil }: Recorded): Sums {
  const sums = new Map<string, bigint>()
  return {
    add({ customerId, type, lines }) {
      if (!OF_PLANS.has(type)) return
      const dropped = droppedUntil.get(customerId) ?? -Infinity
      let sum = sums.get(customerId) ?? 0n
      for (const line of lines) {
        const [start, end] = line.period
        const isInLog = start <= lastAt && end > firstAt && start > dropped
        if (isInLog && line.type !== 'tax') sum += line.amount.minor
      }
      sums.set(customerId, sum)
    },
    of: (customerId) => sums.get(customerId) ?? 0n,
  }
}
