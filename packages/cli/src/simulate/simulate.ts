/** Bills a recorded log with another catalog, and compares it with what was billed. */

import { type Catalog, testClock } from '@farebox/core'
import type { LoggedEvent, ModelPrices, Store, Subscription } from '@farebox/core/contracts'
import { CommandError } from '../command-error.ts'
import type { Database } from '../database.ts'
import { eachOf } from '../listing.ts'
import { pagesOf, sideBySide } from '../move/listing.ts'
import { openReading } from '../reading.ts'
import { STOPPED_STATUS } from '../stop-signal.ts'
import { type Changed, type Decided, openChanged } from './changed.ts'
import { LOG_PAGE, type Recorded, readRecorded } from './recorded.ts'
import { type Account, buildSimulationReport, type SimulationReport } from './report.ts'
import { carriedTo } from './subscriptions.ts'
import { createSums, type Sums } from './sums.ts'

export interface SimulateOptions {
  /** What was recorded. Nothing is written into it; its store is closed at the end. */
  readonly database: Database
  /** What would have been sold. */
  readonly catalog: Catalog
  /** Prices of AI models, where the catalog sells them. */
  readonly models?: ModelPrices | undefined
  readonly signal?: AbortSignal | undefined
  /** Hears how many of how many events were decided again. */
  onProgress?(done: number, of: number): void
}

const PAGE = 1_000
/** Events that are decided side by side share a commit. */
const SIDE_BY_SIDE = 2_000

/**
 * Each event of the log is decided again, by the same engine, in a store of its own, where every customer is on the plans of the same
 * codes at the same times. The same log and catalog give the same report.
 */
export async function simulate(options: SimulateOptions): Promise<SimulationReport> {
  const { database, catalog, models } = options
  const { store } = database
  try {
    const recorded = await readRecorded(store)
    const reading = await openReading(database, testClock(recorded.lastAt))
    const changed = await openChanged({ catalog, models, recorded })
    try {
      const { accounts, missingCoupons } = await enrollAll({ store, catalog, changed, recorded })
      await decideAll(options, { changed, recorded, accounts })
      const billed = createSums(recorded)
      const held = await addBilled(store, reading, billed)
      const wouldBe = createSums(recorded)
      await changed.bill(wouldBe.add)
      return buildSimulationReport({
        catalog,
        recorded,
        accounts: [...accounts.values()].map((account) =>
          held.has(account.id)
            ? { ...account, plan: null, reason: 'its invoice is held back: farebox verify says why' }
            : account,
        ),
        billed: billed.of,
        wouldBe: wouldBe.of,
        missingCoupons,
      })
    } finally {
      await changed.stop()
      await reading.farebox.stop()
    }
  } finally {
    await store.close()
  }
}

interface Enrolling {
  readonly store: Store
  readonly catalog: Catalog
  readonly changed: Changed
  readonly recorded: Recorded
}

/** Customers who had a plan by the end of the log. */
async function enrollAll({ store, catalog, changed, recorded }: Enrolling) {
  const accounts = new Map<string, Account>()
  const missingCoupons = new Set<string>()
  for await (const ids of pagesOf((page) => store.customerIds(page))) {
    const subscriptions = await sideBySide(ids, (id) => subscriptionOf(store, id))
    const carried = subscriptions.flatMap((subscription) => {
      if (subscription === null || (subscription.segments[0]?.startsAt ?? Infinity) > recorded.lastAt) return []
      const { customerId: id, currency, discounts } = subscription
      const there = carriedTo(catalog, subscription, recorded.lastAt)
      const ends = subscription.segments.flatMap(({ endsAt }) => endsAt ?? [])
      const counts = { ends, calls: 0, unpriced: 0, stoppedBy: new Map<string, number>() }
      if (there.kind === 'missing') {
        accounts.set(id, { id, currency, plan: null, reason: there.reason, ...counts })
        return []
      }
      accounts.set(id, { id, currency, plan: there.plan, reason: '', ...counts })
      for (const { coupon } of discounts)
        if (catalog.offers.get(currency)?.coupons.has(coupon) === false) missingCoupons.add(coupon)
      return [{ original: subscription, subscription: there.subscription }]
    })
    await sideBySide(carried, ({ original, subscription }) => changed.enroll(store, original, subscription))
  }
  return { accounts, missingCoupons }
}

/** A copy, because the state belongs to the store. */
function subscriptionOf(store: Store, customerId: string): Promise<Subscription | null> {
  return store.change({ customerId }, ({ subscription }) => ({ result: structuredClone(subscription), entries: [] }))
}

interface Deciding {
  readonly changed: Changed
  readonly recorded: Recorded
  readonly accounts: ReadonlyMap<string, Account>
}

async function decideAll(
  { database, signal, onProgress }: SimulateOptions,
  { changed, recorded, accounts }: Deciding,
): Promise<void> {
  let batch: LoggedEvent[] = []
  let done = 0
  for await (const event of eachOf((after) => database.store.log({ after, limit: LOG_PAGE }))) {
    // What comes while this runs is not part of it.
    if (done + batch.length >= recorded.events) break
    batch.push(event)
    if (batch.length >= SIDE_BY_SIDE) await carryBatch()
  }
  await carryBatch()

  async function carryBatch(): Promise<void> {
    if (signal?.aborted === true) throw new CommandError('Stopped: nothing was written', STOPPED_STATUS)
    const carried = batch.flatMap((event) => {
      const account = accounts.get(event.customerId)
      return account === undefined || account.plan === null ? [] : [{ ...event, at: instantIn(account.ends, event) }]
    })
    for (const decided of await changed.decide(carried)) note(accounts, decided)
    onProgress?.((done += batch.length), recorded.events)
    batch = []
  }
}

/** At the instant of a change of plan, what came before it belongs to the plan before. */
function instantIn(ends: readonly number[], { at, periodStart }: LoggedEvent): number {
  const end = ends.find((one) => periodStart < one && one <= at)
  return end === undefined ? at : end - 1
}

function note(accounts: ReadonlyMap<string, Account>, { customerId, outcome }: Decided): void {
  const account = accounts.get(customerId)
  if (account === undefined || outcome === 'correction') return
  account.calls += 1
  if (outcome === 'unpriced') account.unpriced += 1
  else if (outcome !== 'counted') account.stoppedBy.set(outcome.stopped, (account.stoppedBy.get(outcome.stopped) ?? 0) + 1)
}

/** What is invoiced, and what closing now would invoice. Gives the customers whose invoice would be held back. */
async function addBilled(
  store: Store,
  { farebox }: Awaited<ReturnType<typeof openReading>>,
  billed: Sums,
): Promise<ReadonlySet<string>> {
  for await (const invoice of eachOf((after) => store.invoices({ after, limit: PAGE })))
    if (invoice.status !== 'draft') billed.add(invoice)
  const { held } = await farebox.closePeriods({ onInvoice: billed.add })
  for await (const customerId of eachOf((after) => store.customerIds({ after, limit: PAGE }))) {
    const running = await farebox.invoices.preview(customerId)
    if (running !== null) billed.add(running)
  }
  return new Set(held.map(({ customerId }) => customerId))
}
