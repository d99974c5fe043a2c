/** Counts the events behind an invoice again before it becomes final, and seals them. */

import { findUsage, type Usage } from './account/account-state.ts'
import type { TotalDifference } from './close.ts'
import { MAX_PAGE, type Store } from './contracts/store.ts'
import { createSeal } from './invoice/seal/seal.ts'
import type { InvoiceSeal } from './records/invoice.ts'
import type { UsageEvent } from './records/usage-event.ts'
import { add, compare, DECIMAL_ZERO } from './values/decimal.ts'

/** What was counted, and what it adds up to. */
export interface Audited {
  /** Totals that do not equal their events. */
  readonly differences: readonly TotalDifference[]
  /** Place of the newest event of each total, in their order. */
  readonly newest: readonly number[]
  readonly seal: InvoiceSeal | null
}

/** The events of an invoice, total by total in the order of its lines, each total's newest first. */
export async function* sealedEvents(
  store: Store,
  customerId: string,
  totals: readonly { readonly feature: string; readonly periodStart: number; readonly invoiceId: string | null }[],
): AsyncGenerator<readonly UsageEvent[]> {
  for (const { feature, periodStart, invoiceId } of totals) {
    let after: string | undefined
    do {
      const page = await store.events({ customerId, feature, periodStart, invoiceId, after, limit: MAX_PAGE })
      yield page.items
      after = page.next ?? undefined
    } while (after !== undefined)
  }
}

/** Reads every event of the usage that an invoice is to hold. */
export async function auditUsage(store: Store, customerId: string, usage: readonly Usage[]): Promise<Audited> {
  const seal = createSeal()
  const differences: TotalDifference[] = []
  // A copy: the state belongs to the store, which goes on changing it.
  const expected = usage.map((one) => ({ ...one }))
  for (const one of expected) {
    const { feature, periodStart, posted, events, cost, uncovered } = one
    const log = { quantity: 0n, events: 0, cost: DECIMAL_ZERO, uncovered: DECIMAL_ZERO }
    for await (const page of sealedEvents(store, customerId, [{ feature, periodStart, invoiceId: null }])) {
      for (const event of page) {
        seal.add(event)
        log.quantity += event.quantity
        log.events += 1
        if (event.charge === undefined) continue
        log.cost = add(log.cost, event.charge.cost)
        log.uncovered = add(log.uncovered, event.charge.uncovered)
      }
    }
    const isSame =
      log.quantity === posted && log.events === events && compare(log.cost, cost) === 0 && compare(log.uncovered, uncovered) === 0
    const total = { quantity: posted, events, cost, uncovered }
    if (!isSame && (await isUnchanged(store, customerId, one))) differences.push({ customerId, feature, periodStart, total, log })
  }
  return { differences, newest: expected.map(({ lastSeq }) => lastSeq), seal: seal.root() }
}

/** Otherwise an event came while the log was read, or another process invoiced it: that they differ says nothing then. */
function isUnchanged(store: Store, customerId: string, { feature, periodStart, lastSeq }: Usage): Promise<boolean> {
  return store.change({ customerId }, ({ usage }) => ({
    result: findUsage(usage, feature, periodStart)?.lastSeq === lastSeq,
    entries: [],
  }))
}

/** Whether nothing came to the usage since it was counted. */
export function isAudited({ newest }: Audited, usage: readonly Usage[]): boolean {
  return newest.length === usage.length && usage.every(({ lastSeq }, i) => lastSeq === newest[i])
}
