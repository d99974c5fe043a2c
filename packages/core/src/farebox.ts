/** Puts the engine together: catalog, store, meter, gate, closing and audit behind one object. */

import { createOpening } from './account/opening.ts'
import type { Segment, Subscription } from './account/subscription.ts'
import { createAdmin, type ApiKeys, type Customers } from './admin.ts'
import type { Catalog } from './catalog/catalog.ts'
import { parseCatalog } from './catalog/define-catalog.ts'
import type { Plan } from './catalog/plan.ts'
import { closePeriods, type CloseParts, type CloseResult } from './close.ts'
import type { ModelPrices } from './contracts/model-prices.ts'
import type { PaymentProvider } from './contracts/payment-provider.ts'
import type { TaxRules } from './contracts/tax-rules.ts'
import type { Page, PageRequest, Store, StoreFacts, TotalQuery } from './contracts/store.ts'
import { becomeDefault, stopBeingDefault } from './default-farebox.ts'
import { createEntitlements, type Entitlements } from './entitlements.ts'
import { FareboxError } from './errors.ts'
import type { Gate, MeterOptions } from './http/contract.ts'
import { createGate, type GateParts } from './http/gate.ts'
import { createInFlight } from './http/in-flight.ts'
import type { Health } from './health.ts'
import { createKeyIdentification } from './identify/identify.ts'
import { checkFareboxOptions, checkMeterOptions, featureOf } from './farebox-options.ts'
import { createActions } from './http/actions.ts'
import { createInvoices, type Invoices } from './invoices.ts'
import { noticingLowBalance } from './low-balance.ts'
import { createMeter } from './meter.ts'
import { invalidOption } from './options.ts'
import { planOf as planOfSegment } from './moment.ts'
import { createOutage } from './outage.ts'
import type { CreditNotes } from './credit-notes.ts'
import type { Payments } from './payments.ts'
import type { Balance, Credits } from './prepaid.ts'
import { manual } from './providers/manual.ts'
import type { Invoice } from './records/invoice.ts'
import { createSelling } from './selling.ts'
import type { UsageEvent } from './records/usage-event.ts'
import type { SpoolOptions } from './spool/spool-options.ts'
import { createSubscriptions, type Subscriptions } from './subscriptions.ts'
import { createUsage, type Usages } from './usage.ts'
import { type Clock, monotonicMs, systemClock } from './values/clock.ts'
import { createKeySource, randomId } from './values/id.ts'
import { invariant } from './values/invariant.ts'
import { type Audit, verify } from './verify.ts'

/** Options of `createFarebox()`. */
export interface FareboxOptions {
  /** What is sold: the result of `defineCatalog()`. */
  catalog: Catalog
  /** Where it is kept: `sqlite({ path })`. */
  store: Store
  /** Says what time it is. Default: the machine's clock. A `testClock()` can be moved. */
  clock?: Clock
  /** What becomes of reservations whose process died: billed, because the work was started (`charge`, the default), or not (`void`). */
  onCrash?: 'charge' | 'void'
  /**
   * Where `onStoreError: 'allow'` keeps what was used while the store did not answer: a path, or the path and how many events
   * may wait. Default `farebox-spool.db` in the working directory, made when it is needed, and 1,000,000 events. The
   * processes of one machine may share it.
   */
  spool?: string | SpoolOptions
  /** Prices of AI models, for catalogs that sell them: `modelPrices()` of `@farebox/ai`. */
  models?: ModelPrices
  /** What tax is due on each line: `fixedTaxRates()`. Default: none. */
  tax?: TaxRules
  /**
   * Moves money: `sandbox()`, which moves none and needs nothing, or that of a real provider. Default `manual()`: the operator says when
   * money came, such as by bank transfer.
   */
  payments?: PaymentProvider
  /** How many hours a closed period's invoice stays a draft that takes late events. Default 0: it is final at once. */
  invoiceGraceHours?: number
  /** Where a refused customer can upgrade; offered as an action in the 402. */
  upgradeUrl?: string
  /**
   * Where the billing routes are reached from outside, such as `https://api.example.com/billing`. A 402 for lack of credits or of balance then
   * offers to buy packs and to top up there.
   */
  billingUrl?: string
  /** Series of the invoice numbers: `FB-000001`. Default `FB`. */
  invoiceSeries?: string
  /** Series of the numbers of credit notes: `CN-000001`. Default `CN`; another than that of invoices. */
  creditNoteSeries?: string
  /** Gets errors that no answer can carry any more. Default: a process warning. */
  onError?: (error: unknown) => void
}

/** The engine, as an application uses it. */
export interface Farebox {
  readonly catalog: Catalog
  readonly clock: Clock
  readonly store: StoreFacts
  /** Resolves when requests can be metered; rejects when the store cannot be used. Requests wait for it by themselves. */
  readonly ready: Promise<void>
  /** Gets errors that no answer can carry: the option of this name, or a process warning. */
  readonly onError: (error: unknown) => void
  readonly usage: Usages
  readonly entitlements: Entitlements
  readonly customers: Customers
  readonly subscriptions: Subscriptions
  readonly apiKeys: ApiKeys
  readonly events: {
    /** The whole log in its order. */
    list(page?: PageRequest): Promise<Page<UsageEvent>>
    /**
     * The events of one customer's use of a feature in one usage period, newest first. A page costs the same wherever it is.
     * Throws `invalid_option` for a cursor of another listing.
     */
    of(query: TotalQuery & PageRequest): Promise<Page<UsageEvent>>
  }
  readonly invoices: Invoices
  readonly credits: Credits
  readonly balance: Balance
  readonly payments: Payments
  readonly creditNotes: CreditNotes
  /** A gate for one meter: `feature` is a code of the catalog, or undefined for its default feature. Throws `unknown_feature`, `no_default_feature`, `invalid_option`. */
  createGate<Raw>(feature: string | undefined, options?: MeterOptions<Raw>): Gate<Raw>
  /**
   * Makes the invoice of every period that ended at or before `until` (epoch milliseconds; default: now). Resumable, and
   * closing twice makes nothing twice. `onInvoice` gets each invoice when it is final; the result then holds none of them, so that
   * memory does not grow with their number. Throws `invalid_option` for an instant that has not come: its period is still running.
   */
  closePeriods(options?: { until?: number; onInvoice?: (invoice: Invoice) => void }): Promise<CloseResult>
  /** Recomputes every total and invoice from the log and names what disagrees. Reads the whole log. */
  verify(): Promise<Audit>
  /**
   * How it is: whether the store answers, what waits in the spool, and alarms, which docs/errors.md lists. Takes two seconds
   * at most, and never rejects. Example: `app.get('/healthz', async (_, res) => res.json(await farebox.health()))`.
   */
  health(): Promise<Health>
  /**
   * Delivers the events again that the store would not take, and resolves with how many they are: after their customers were
   * given a plan, say. What the store will not take again is rejected again.
   */
  retryRejected(): Promise<number>
  /** Resolves when everything that was settled so far is durable. */
  flush(): Promise<void>
  /**
   * Admits nothing more (new requests get 503), waits until what is in flight is settled, at most `withinMs` (default
   * 10,000), delivers in what is left of that time what waits in the spool, writes what waits and lets the store go.
   * Requests that are still open then are resolved by `onCrash` at the next start, and what the spool holds is delivered
   * then. Holds no timer afterwards. Safe to call twice.
   */
  stop(options?: { withinMs?: number }): Promise<void>
}

/** Long enough for most answers, and shorter than the 30 seconds that orchestrators wait before they kill. */
const STOP_WITHIN_MS = 10_000

/** Reservations of processes that died while this one lives are looked for this often. */
const SWEEP_MS = 5_000

/**
 * Makes the engine. It becomes the one that `meter()` uses when it is given none. Throws `invalid_option`; what the store
 * finds wrong rejects `ready`.
 */
export function createFarebox(options: FareboxOptions): Farebox {
  checkFareboxOptions(options)
  const {
    catalog,
    store,
    clock = systemClock,
    onCrash = 'charge',
    invoiceSeries: series = 'FB',
    creditNoteSeries = 'CN',
    payments: provider = manual(),
    onError = warn,
    spool,
    models = null,
    tax = null,
    invoiceGraceHours = 0,
  } = options
  const catalogs = new Map<string, Catalog>([[catalog.version, catalog]])
  let sellsBalance = hasBalance(catalog)
  const open = createOpening({
    defaultPlan: (currency) => catalog.offers.get(currency)?.plans.get(catalog.defaultPlan ?? '') ?? null,
    catalogVersion: catalog.version,
    currency: catalog.currency,
    newSubscriptionId: () => randomId('sub'),
  })
  const noticing = noticingLowBalance({ store, isSold: () => sellsBalance, onLow: (id) => selling.automatic.consider(id) })
  const meter = createMeter({ store: noticing, planOf, models, open })
  const newKey = createKeySource()
  const inFlight = createInFlight()
  const keys = createKeyIdentification((id) => store.apiKey(id))
  const outage = createOutage({ store, meter, options: spool, ready: () => ready, onError })
  const ready = start()
  // A rejection is told to whoever awaits `ready`; nobody awaiting it must not end the process.
  ready.catch(() => {})
  const closeParts: CloseParts = { store, catalogOf, series, tax, graceMs: invoiceGraceHours * HOUR_MS }
  const selling = createSelling({ ...closeParts, clock, catalog, ready, provider, planOf, creditNoteSeries, onError })
  const { sold, invoicing } = selling
  const actions = createActions(options)
  const gateParts: GateParts = { meter, clock, ready, keys, newKey, actions, inFlight, spool: outage.slots, onError }
  let sweep: NodeJS.Timeout | null = null
  let stopping: Promise<void> | null = null

  const farebox: Farebox = {
    catalog,
    clock,
    get store() {
      return store.facts
    },
    ready,
    onError,
    usage: createUsage({ meter, store, clock, catalog, planOf, newKey, ready }),
    entitlements: createEntitlements({ meter, store, clock, catalog, planOf, open, ready }),
    ...createAdmin({ store, clock, catalog, ready, keys }),
    subscriptions: createSubscriptions({ store, clock, catalog, ready, closing: closeParts }),
    events: { list: (page = {}) => whenReady(() => store.log(page)), of: (query) => whenReady(() => store.events(query)) },
    invoices: createInvoices({ store, clock, ready, closing: closeParts, ...invoicing }),
    ...sold,
    createGate(feature, meterOptions = {}) {
      checkMeterOptions(meterOptions)
      if (meterOptions.onStoreError === 'allow') outage.allow()
      return createGate(gateParts, featureOf(catalog, feature), meterOptions)
    },
    closePeriods: ({ until = clock.now(), onInvoice } = {}) => whenReady(() => close(until, onInvoice)),
    verify: () => whenReady(() => verify(closeParts)),
    health: outage.health,
    retryRejected: () => whenReady(outage.retryRejected),
    flush,
    stop: ({ withinMs = STOP_WITHIN_MS } = {}) => (stopping ??= stopOnce(withinMs)),
  }
  becomeDefault(farebox)
  return farebox

  async function stopOnce(withinMs: number): Promise<void> {
    const untilMs = monotonicMs() + withinMs
    stopBeingDefault(farebox)
    await ready.catch(() => {})
    if (sweep !== null) clearInterval(sweep)
    await inFlight.drain(withinMs)
    await outage.stop(untilMs)
    await selling.stop(untilMs)
    await store.close()
  }

  async function start(): Promise<void> {
    await store.open()
    await store.saveCatalog(catalog)
    for (const { version, document } of await store.catalogs())
      if (!catalogs.has(version)) catalogs.set(version, parseCatalog(document))
    sellsBalance = [...catalogs.values()].some(hasBalance)
    // Orphans that cannot be ended now (a full disk) wait for the sweep; requests are answered meanwhile.
    await resolveOrphans().catch(onError)
    sweep = setInterval(look, SWEEP_MS).unref()
    selling.start()
    outage.wake()
  }

  async function close(until: number, onInvoice?: (invoice: Invoice) => void): Promise<CloseResult> {
    if (!(until <= clock.now())) throw invalidOption('closePeriods()', 'until', 'an instant that has come', until)
    // What was used in the periods comes before they are closed.
    await outage.deliver()
    await resolveOrphans()
    return closePeriods(closeParts, { until, now: clock.now(), onInvoice })
  }

  async function flush(): Promise<void> {
    await outage.flush()
    await store.flush()
  }

  /** After processes that died: their reservations, and what they left in the spool. */
  function look(): void {
    void resolveOrphans().catch(onError)
    outage.wake()
  }

  async function whenReady<T>(read: () => Promise<T>): Promise<T> {
    await ready
    return read()
  }

  /** Ends the reservations of processes that died, by the recorded rule. */
  async function resolveOrphans(): Promise<void> {
    const orphans = await store.orphans()
    // Side by side, so that they share commits; one that cannot be ended must not keep the others, or the start, waiting.
    const ended = orphans.map((reservation) =>
      meter.expire(reservation, onCrash === 'charge' ? reservation.quantity : null).catch(onError),
    )
    await store.flush()
    await Promise.all(ended)
  }

  function catalogOf(version: string): Catalog {
    const found = catalogs.get(version)
    invariant(found !== undefined, 'a subscription is under a catalog version that the store holds')
    return found
  }

  function planOf(subscription: Subscription, segment: Segment): Plan {
    return planOfSegment(closeParts, subscription, segment)
  }
}

const HOUR_MS = 3_600_000

function hasBalance({ offers }: Catalog): boolean {
  return [...offers.values()].some(({ plans }) => [...plans.values()].some(({ consumption }) => consumption === 'balance'))
}

function warn(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof FareboxError ? error.code : 'unexpected'
  process.emitWarning(message, { type: 'FareboxWarning', code })
}
