/** The report of a simulation: per customer what was billed and what would have been, and the change in revenue. */

import { formatInstant, formatMoney } from '@farebox/core'
import type { Catalog } from '@farebox/core'
import type { Recorded } from './recorded.ts'

/** As `--json` writes it. Amounts are in the main unit of their currency, without taxes. */
export interface SimulationReport {
  /** Version of the catalog that was tried. */
  readonly catalog: string
  /** The instants of the first and the last event: only what is for this time is compared. */
  readonly from: string
  readonly until: string
  readonly events: number
  /** Calls that would have been refused. */
  readonly stopped: number
  readonly stopped_by: Readonly<Record<string, number>>
  /** Calls of an AI model that would have had no price. */
  readonly unpriced: number
  readonly revenue: readonly RevenueReport[]
  readonly customers: readonly SimulatedCustomer[]
  /** Customers who could not be billed with this catalog. */
  readonly not_simulated: readonly UnsimulatedCustomer[]
  /** Coupons that customers redeemed and that the catalog does not have. */
  readonly missing_coupons: readonly string[]
}

export interface RevenueReport {
  readonly currency: string
  readonly billed: string
  readonly would_be_billed: string
  readonly difference: string
  /** Of what was billed, with two places; null where nothing was. */
  readonly change_per_cent: string | null
}

export interface SimulatedCustomer {
  readonly id: string
  /** The last one that the customer was on. */
  readonly plan: string
  readonly currency: string
  readonly billed: string
  readonly would_be_billed: string
  readonly difference: string
  /** Events of the customer, corrections left out. */
  readonly calls: number
  readonly stopped: number
  readonly stopped_by: Readonly<Record<string, number>>
  readonly unpriced: number
}

export interface UnsimulatedCustomer {
  readonly id: string
  readonly reason: string
  readonly currency: string
  readonly billed: string
}

/** What is known of a customer. */
export interface Account {
  readonly id: string
  readonly currency: string
  /** Null where the customer could not be billed. */
  readonly plan: string | null
  readonly reason: string
  /** When the plans that the customer was on ended, in order. */
  readonly ends: readonly number[]
  calls: number
  unpriced: number
  readonly stoppedBy: Map<string, number>
}

export interface SimulationInput {
  readonly catalog: Catalog
  readonly recorded: Recorded
  /** In the order in which they were first seen. */
  readonly accounts: readonly Account[]
  readonly billed: (customerId: string) => bigint
  readonly wouldBe: (customerId: string) => bigint
  readonly missingCoupons: Iterable<string>
}

/** Pure: the same input gives the same report. */
export function buildSimulationReport(input: SimulationInput): SimulationReport {
  const { catalog, recorded, accounts, billed } = input
  const simulated = accounts.filter(({ plan }) => plan !== null)
  const stoppedBy = new Map<string, number>()
  for (const account of simulated)
    for (const [code, count] of account.stoppedBy) stoppedBy.set(code, (stoppedBy.get(code) ?? 0) + count)
  return {
    catalog: catalog.version,
    from: formatInstant(recorded.firstAt),
    until: formatInstant(recorded.lastAt),
    events: recorded.events,
    stopped: sum(stoppedBy.values()),
    stopped_by: inOrder(stoppedBy),
    unpriced: sum(simulated.map(({ unpriced }) => unpriced)),
    revenue: revenueOf(input, simulated),
    customers: simulated.map((account) => customerReport(input, account)),
    not_simulated: accounts
      .filter(({ plan }) => plan === null)
      .map(({ id, reason, currency }) => ({ id, reason, currency, billed: amount(billed(id), currency) })),
    missing_coupons: [...input.missingCoupons].toSorted(),
  }
}

function customerReport({ billed, wouldBe }: SimulationInput, account: Account): SimulatedCustomer {
  const { id, currency, plan, calls, unpriced, stoppedBy } = account
  const [before, after] = [billed(id), wouldBe(id)]
  return {
    id,
    plan: plan ?? '',
    currency,
    billed: amount(before, currency),
    would_be_billed: amount(after, currency),
    difference: amount(after - before, currency),
    calls,
    stopped: sum(stoppedBy.values()),
    stopped_by: inOrder(stoppedBy),
    unpriced,
  }
}

function revenueOf({ billed, wouldBe }: SimulationInput, accounts: readonly Account[]): RevenueReport[] {
  return [...Map.groupBy(accounts, ({ currency }) => currency)].map(([currency, own]) => {
    const before = own.reduce((total, { id }) => total + billed(id), 0n)
    const after = own.reduce((total, { id }) => total + wouldBe(id), 0n)
    return {
      currency,
      billed: amount(before, currency),
      would_be_billed: amount(after, currency),
      difference: amount(after - before, currency),
      change_per_cent: before <= 0n ? null : perCent(after - before, before),
    }
  })
}

/** With two places, half away from zero. */
function perCent(part: bigint, whole: bigint): string {
  const size = part < 0n ? -part : part
  const hundredths = (size * 20_000n + whole) / (whole * 2n)
  const text = String(hundredths).padStart(3, '0')
  return `${part < 0n && hundredths > 0n ? '-' : ''}${text.slice(0, -2)}.${text.slice(-2)}`
}

function amount(minor: bigint, currency: string): string {
  return formatMoney({ minor, currency })
}

function sum(counts: Iterable<number>): number {
  let total = 0
  for (const count of counts) total += count
  return total
}

function inOrder(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
