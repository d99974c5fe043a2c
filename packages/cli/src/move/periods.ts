/** Where events are counted: the totals of a customer's feature in one usage period, its own and those of what came late. */

import type { StoredTotal } from '@farebox/core/contracts'

export interface PeriodPlace {
  readonly customerId: string
  readonly feature: string
  /** First instant of the usage period, epoch milliseconds. */
  readonly periodStart: number
}

/** One total of a period. */
export interface Round extends PeriodPlace {
  /** 0 is the period's own; what came after its invoice is in later ones. */
  readonly round: number
  /** How many events of the period come before its own. */
  readonly first: number
  readonly events: number
  readonly invoiceId: string | null
}

/** Names a period; ids and codes have no space. */
export function periodKey({ customerId, feature, periodStart }: PeriodPlace): string {
  return `${customerId} ${feature} ${periodStart}`
}

/** The rounds of a period whose totals are given in their order. */
export function roundsOf(totals: readonly StoredTotal[]): Round[] {
  let first = 0
  return totals.map(({ customerId, feature, periodStart, events, invoiceId }, round) => {
    const placed = { customerId, feature, periodStart, round, first, events, invoiceId }
    first += events
    return placed
  })
}

/** The round that the event at a place of its period is in. What came since the totals were read is in the newest. */
export function roundAt(rounds: readonly Round[], place: number): Round | undefined {
  return rounds.find(({ first, events }) => place < first + events) ?? rounds.at(-1)
}
