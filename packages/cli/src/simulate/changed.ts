/** The recorded log under another catalog: a store of its own with the same customers, in which each event is decided again. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Catalog, createFarebox, type Farebox, FareboxError, formatQuantity, type Invoice, testClock } from '@farebox/core'
import {
  type Entry,
  emptyAccount,
  type Grant,
  loadRecord,
  type LoggedEvent,
  type ModelPrices,
  type ModelUsage,
  type Store,
  type Subscription,
} from '@farebox/core/contracts'
import { sqlite } from '@farebox/core/sqlite'
import { eachOf } from '../listing.ts'
import { nowhere } from '../reading.ts'
import { eventName, type Recorded } from './recorded.ts'

export interface ChangedOptions {
  readonly catalog: Catalog
  readonly models: ModelPrices | undefined
  readonly recorded: Recorded
}

export interface Changed {
  /** Takes a customer over, with the plans that `carried` says. What `original` redeemed is redeemed again in its time. */
  enroll(from: Store, original: Subscription, carried: Subscription): Promise<void>
  /** Decides events again, in their order. */
  decide(events: readonly LoggedEvent[]): Promise<readonly Decided[]>
  /** Every invoice up to the end of the log, and that of each running period as if it ended now. */
  bill(onInvoice: (invoice: Invoice) => void): Promise<void>
  stop(): Promise<void>
}

/** What became of an event. */
export interface Decided {
  readonly customerId: string
  readonly outcome: 'counted' | 'unpriced' | 'correction' | { readonly stopped: string }
}

const PAGE = 1_000

/** In a file that goes with it, so that memory does not grow with the log. */
export async function openChanged({ catalog, models, recorded }: ChangedOptions): Promise<Changed> {
  const folder = await mkdtemp(path.join(tmpdir(), 'farebox-simulate-'))
  const store = sqlite({ path: path.join(folder, 'simulated.db'), durability: 'process' })
  const farebox = createFarebox({
    catalog,
    store,
    clock: testClock(recorded.lastAt),
    spool: nowhere(),
    ...(models === undefined ? {} : { models }),
  })
  await farebox.ready

  const redemptions: Redemption[] = []
  const decider = createDecider(farebox, recorded)
  return { enroll, decide: decider, bill, stop }

  async function enroll(from: Store, original: Subscription, subscription: Subscription): Promise<void> {
    const { customerId, currency } = subscription
    for (const { coupon, redeemedAt } of original.discounts) {
      const found = catalog.offers.get(currency)?.coupons.get(coupon)
      if (found === undefined) continue
      const discount = { coupon, catalogVersion: catalog.version, redeemedAt, cyclesLeft: found.cycles }
      redemptions.push({ customerId, discount, closedUntil: await closedUntil(from, customerId, redeemedAt) })
    }
    const customer = await from.change({ customerId }, ({ customer: found }) => ({ result: found, entries: [] }))
    const bought = await boughtBy(from, customerId)
    await store.change({ customerId, inOrder: true }, () => {
      const entries: Entry[] = customer === null ? [] : [{ kind: 'customer', customer }]
      for (const grant of bought) entries.push({ kind: 'granted', grant })
      return { result: undefined, entries: [...entries, { kind: 'subscription', subscription }] }
    })
  }

  async function bill(onInvoice: (invoice: Invoice) => void): Promise<void> {
    const { lastAt } = recorded
    // What was invoiced before a coupon was redeemed is not reduced by it.
    for (const { customerId, discount, closedUntil: until } of redemptions.toSorted((x, y) => x.closedUntil - y.closedUntil)) {
      if (discount.redeemedAt > lastAt) continue
      await farebox.closePeriods({ until: Math.min(until, lastAt), onInvoice })
      await store.change({ customerId }, ({ subscription }) => ({
        result: undefined,
        entries: discounted(subscription, discount),
      }))
    }
    await farebox.closePeriods({ until: lastAt, onInvoice })
    for await (const customerId of eachOf((after) => store.customerIds({ after, limit: PAGE }))) {
      const running = await farebox.invoices.preview(customerId)
      if (running !== null) onInvoice(running)
    }
  }

  async function stop(): Promise<void> {
    await farebox.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

interface Redemption {
  readonly customerId: string
  /** The last billing moment that was invoiced before; 0 where none was. */
  readonly closedUntil: number
  readonly discount: Subscription['discounts'][number]
}

async function closedUntil(store: Store, customerId: string, redeemedAt: number): Promise<number> {
  let until = 0
  for await (const { finalizedAt, issuedAt } of eachOf((after) => store.invoices({ customerId, after, limit: PAGE })))
    if (finalizedAt !== null && finalizedAt <= redeemedAt) until = Math.max(until, issuedAt)
  return until
}

function discounted(subscription: Subscription | null, discount: Redemption['discount']): Entry[] {
  if (subscription === null) return []
  return [{ kind: 'subscription', subscription: { ...subscription, discounts: [...subscription.discounts, discount] } }]
}

/** Credits and money that were bought or given beside the plan, as they were before anything was used. */
async function boughtBy(store: Store, customerId: string): Promise<Grant[]> {
  const grants: Grant[] = []
  for await (const record of eachOf((after) => store.records({ kind: 'grant', customerId, after, limit: PAGE }))) {
    const account = emptyAccount(customerId)
    loadRecord(account, record)
    for (const grant of account.grants.values()) {
      if (grant.source === 'plan' || grant.unit === 'invoice_credit') continue
      const unused = { coefficient: 0n, scale: 0 }
      grants.push({ ...grant, used: unused, held: unused, isClosed: false })
    }
  }
  return grants
}

function createDecider(farebox: Farebox, { corrections }: Recorded): Changed['decide'] {
  /** Of events whose correction is to come: what they should have been. */
  const right = new Map<string, bigint>()

  // Asked for in the order of the log, and a store applies the changes of a customer in the order in which they came.
  return (events) => Promise.all(events.map(async (event) => ({ customerId: event.customerId, outcome: await decide(event) })))

  function decide(event: LoggedEvent): Promise<Decided['outcome']> {
    const { customerId, seq, quantity, corrects } = event
    if (corrects !== undefined) return correct(customerId, corrects)
    const name = eventName(customerId, seq)
    const correction = corrections.get(name)
    if (correction !== undefined) right.set(name, quantity + correction)
    return track(farebox, event)
  }

  /** What was taken back is taken back again, unless the event itself was stopped. */
  async function correct(customerId: string, seq: number): Promise<Decided['outcome']> {
    const value = right.get(eventName(customerId, seq)) ?? 0n
    try {
      await farebox.usage.correct({ customerId, idempotencyKey: keyOf(seq), value: formatQuantity(value) })
    } catch (error) {
      if (!(error instanceof FareboxError) || error.code !== 'not_found') throw error
    }
    return 'correction'
  }
}

async function track(farebox: Farebox, event: LoggedEvent): Promise<Decided['outcome']> {
  const { customerId, feature, quantity, at, seq, charge } = event
  try {
    const tracked = await farebox.usage.track({
      customerId,
      feature,
      value: formatQuantity(quantity),
      timestamp: at,
      idempotencyKey: keyOf(seq),
      ...(charge?.model === undefined ? {} : { ...usageOf(charge.model), isIncomplete: charge.model.isIncomplete }),
    })
    if (tracked.kind === 'refused') return { stopped: tracked.refusal.code }
    return tracked.kind === 'queued' ? 'unpriced' : 'counted'
  } catch (error) {
    if (!(error instanceof FareboxError)) throw error
    if (error.code === 'unknown_feature') return { stopped: 'feature_not_in_plan' }
    if (error.code === 'unknown_model' || error.code === 'unpriceable_usage') return 'unpriced'
    throw error
  }
}

function keyOf(seq: number): string {
  return `seq-${seq}`
}

/** Tokens as the provider counted them. */
function usageOf({
  model,
  provider,
  classes,
}: Pick<NonNullable<NonNullable<LoggedEvent['charge']>['model']>, 'model' | 'provider' | 'classes'>): ModelUsage {
  const tokensOf = (name: string): number => classes.find((one) => one.name === name)?.tokens ?? 0
  const [cacheReadTokens, cacheWriteTokens] = [tokensOf('cache_read'), tokensOf('cache_write')]
  return {
    model,
    provider,
    inputTokens: tokensOf('input') + cacheReadTokens + cacheWriteTokens,
    outputTokens: tokensOf('output'),
    cacheReadTokens,
    cacheWriteTokens,
  }
}
