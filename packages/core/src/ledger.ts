/** Reads the ledger of credits or of a balance, newest first: grants and the events of one usage period after the other. */

import type { AccountState } from './account/account-state.ts'
import { type Segment, type Subscription, usagePeriod } from './account/subscription.ts'
import type { Plan } from './catalog/plan.ts'
import { pageLimit } from './contracts/paging.ts'
import { MAX_PAGE, type Page, type PageRequest, type Store, type StoredTotal } from './contracts/store.ts'
import { checkCustomer, type Granting, type PaidUnit } from './granting.ts'
import { eventMovement, type GrantMovement, type LedgerEntry, movementsOf, newestFirst, standOf } from './ledger-entries.ts'
import { parseLedgerCursor, writeLedgerCursor, type LedgerCursor } from './ledger-cursor.ts'
import { grantFromRecord } from './records/account-record.ts'
import type { Grant } from './records/grant.ts'
import type { UsageEvent } from './records/usage-event.ts'
import type { Clock } from './values/clock.ts'
import { type Decimal, formatDecimal, isZero, subtract } from './values/decimal.ts'

export interface LedgerParts {
  readonly store: Store
  readonly clock: Clock
  readonly planOf: (subscription: Subscription, segment: Segment) => Plan
  readonly currencyOf: (state: AccountState) => string
  readonly ready: Promise<void>
  readonly granting: Granting
}

/** Events of one total that are read at once. */
const CHUNK = 100

/** What a ledger is read from, as of the instant of its first page. */
interface Books {
  readonly unit: string
  readonly movements: readonly GrantMovement[]
  readonly periods: readonly UsagePeriod[]
}

interface UsagePeriod {
  readonly start: number
  readonly features: readonly string[]
}

export function createLedger(
  { store, clock, planOf, currencyOf, ready, granting }: LedgerParts,
  paidUnit: PaidUnit,
): (customerId: string, page: PageRequest) => Promise<Page<LedgerEntry>> {
  return async (customerId, page) => {
    checkCustomer(customerId)
    const limit = pageLimit(page)
    await ready
    const { state, cursor, own } = await open(customerId, page.after === undefined ? null : parseLedgerCursor(page.after))
    const books = await booksOf(state, own, cursor)
    const items: LedgerEntry[] = []
    let [balance, place] = [cursor.balance, cursor]
    for await (const step of walk(store, { customerId, books, cursor })) {
      if (items.length === limit) return { items, next: writeLedgerCursor({ ...place, balance }) }
      items.push({ ...step.entry, amount: formatDecimal(step.amount), balance: formatDecimal(balance) } as LedgerEntry)
      balance = subtract(balance, step.amount)
      place = step.place
    }
    // Retention took events out of the log: what they moved is what is lacking.
    if (isZero(balance)) return { items, next: null }
    if (items.length === limit) return { items, next: writeLedgerCursor({ ...place, balance }) }
    const rest = formatDecimal(balance)
    return { items: [...items, { kind: 'earlier', at: state.customer?.createdAt ?? 0, amount: rest, balance: rest }], next: null }
  }

  /** The account, and where the page begins: at the top, with all that is there now, or where the one before it ended. */
  async function open(
    customerId: string,
    after: LedgerCursor | null,
  ): Promise<{ readonly state: AccountState; readonly cursor: LedgerCursor; readonly own: readonly Grant[] }> {
    return store.change({ customerId }, (state) => {
      const asOf = after?.asOf ?? clock.now()
      const own = [...granting.inForce(state, asOf), ...state.grants.values()].filter(({ unit }) => unit === paidUnit)
      const grants = [...new Map(own.map((grant) => [grant.id, { ...grant }])).values()]
      const top = state.usage.reduce((most, { lastSeq }) => Math.max(most, lastSeq), 0)
      const start = { asOf, top, balance: standOf(grants, asOf), period: null, places: new Map(), movement: null }
      // A copy: the state belongs to the store, which goes on changing it.
      return { result: { state: { ...state }, cursor: after ?? start, own: grants }, entries: [] }
    })
  }

  async function booksOf(state: AccountState, own: readonly Grant[], { asOf, period }: LedgerCursor): Promise<Books> {
    const { customerId, subscription } = state
    const grants = new Map<string, Grant>()
    let after: string | undefined
    do {
      const page = await store.records({ kind: 'grant', customerId, after, limit: MAX_PAGE })
      for (const grant of page.items.map(grantFromRecord)) if (grant.unit === paidUnit) grants.set(grant.id, grant)
      after = page.next ?? undefined
    } while (after !== undefined)
    // The account's own are newer, and have the one that the plan is about to grant.
    for (const grant of own) if (!grants.has(grant.id)) grants.set(grant.id, grant)
    const periods = subscription === null ? [] : periodsBefore(subscription, asOf)
    return {
      unit: paidUnit === 'credits' ? 'credits' : currencyOf(state),
      movements: movementsOf(grants.values(), asOf),
      periods: period === null ? periods : periods.filter(({ start }) => start <= period),
    }
  }

  /** Usage periods that began by an instant, newest first, with the features that are paid in the unit. */
  function periodsBefore(subscription: Subscription, until: number): UsagePeriod[] {
    const periods: UsagePeriod[] = []
    for (const segment of subscription.segments.toReversed()) {
      if (segment.startsAt > until || segment.kind === 'pause') continue
      const plan = planOf(subscription, segment)
      if (plan.consumption !== paidUnit) continue
      const features = [...plan.features.values()].flatMap(({ kind, feature }) => (kind === paidUnit ? [feature] : []))
      let at = Math.min(until, (segment.endsAt ?? Infinity) - 1)
      while (at >= segment.startsAt) {
        const { start } = usagePeriod(segment, subscription.timeZone, at)
        periods.push({ start, features })
        at = start - 1
      }
    }
    return periods
  }
}

interface Walk {
  readonly customerId: string
  readonly books: Books
  readonly cursor: LedgerCursor
}

interface Step {
  readonly entry: Omit<LedgerEntry, 'amount' | 'balance'>
  readonly amount: Decimal
  /** Where the ledger goes on behind it, but for the balance. */
  readonly place: LedgerCursor
}

/** Every movement from a place on. Each movement of a grant comes before the events that are older than it. */
async function* walk(store: Store, { customerId, books, cursor }: Walk): AsyncGenerator<Step> {
  const { unit, periods } = books
  const { movement: last } = cursor
  const movements = last === null ? [...books.movements] : books.movements.filter((one) => newestFirst(one, last) > 0)
  let place = cursor
  for (const { start, features } of periods) {
    const places = new Map(start === cursor.period ? cursor.places : [])
    const chains = await openChains(store, { customerId, start, features, places, top: cursor.top })
    const ahead: Found[] = []
    for (;;) {
      while (ahead.length < AHEAD) {
        const found = await newestOf(chains)
        if (found === null) break
        ahead.push(found)
      }
      const event = ahead.shift()
      if (event === undefined) break
      // A correction, or what came late, has an instant before that of events that were written before it.
      yield* movementsUntil(Math.max(event.value.at, ...ahead.map(({ value }) => value.at)))
      places.set(event.name, event.value.seq)
      place = { ...place, period: start, places: new Map(places) }
      const moved = eventMovement(event.value, unit)
      if (moved !== null) yield { entry: { ...moved.movement, at: event.value.at }, amount: moved.amount, place }
    }
    place = { ...place, period: start - 1, places: new Map() }
  }
  yield* movementsUntil(-Infinity)

  function* movementsUntil(at: number): Generator<Step> {
    while (movements[0] !== undefined && movements[0].at > at) {
      const { at: when, name, amount, movement } = movements.shift() as GrantMovement
      place = { ...place, movement: { at: when, name } }
      yield { entry: { ...movement, at: when }, amount, place }
    }
  }
}

/** So many events are looked at in order to see when one of them was written. */
const AHEAD = 20

interface Found {
  /** Of its chain. */
  readonly name: string
  readonly value: UsageEvent
}

/** The events of one total, newest first, and the next of them. */
interface Chain {
  readonly name: string
  readonly events: AsyncIterator<UsageEvent>
  next: IteratorResult<UsageEvent> | null
}

interface ChainsOf {
  readonly customerId: string
  readonly start: number
  readonly features: readonly string[]
  /** The last event that was given, by chain. */
  readonly places: ReadonlyMap<string, number>
  /** Events that are newer came since the first page. */
  readonly top: number
}

async function openChains(store: Store, { customerId, start, features, places, top }: ChainsOf): Promise<Chain[]> {
  const chains: Chain[] = []
  for (const feature of features) {
    const totals = await store.totalsOf({ customerId, feature, periodStart: start })
    // A total keeps its place among those of its period when an invoice holds it.
    for (const [round, total] of totals.entries()) {
      const name = `${feature} ${round}`
      chains.push({ name, events: eventsOf(store, total, { after: places.get(name), top }), next: null })
    }
  }
  return chains
}

interface ChainPlace {
  readonly after: number | undefined
  readonly top: number
}

async function* eventsOf(store: Store, total: StoredTotal, { after: place, top }: ChainPlace): AsyncGenerator<UsageEvent> {
  const { customerId, feature, periodStart, invoiceId } = total
  let after = place === undefined ? undefined : String(place)
  do {
    const page = await store.events({ customerId, feature, periodStart, invoiceId, after, limit: CHUNK })
    for (const event of page.items) if (top === 0 || event.seq <= top) yield event
    after = page.next ?? undefined
  } while (after !== undefined)
}

/** Takes the newest event of all chains; null where none is left. */
async function newestOf(chains: readonly Chain[]): Promise<Found | null> {
  let newest: { readonly chain: Chain; readonly value: UsageEvent } | null = null
  for (const chain of chains) {
    chain.next ??= await chain.events.next()
    if (chain.next.done !== true && (newest === null || chain.next.value.seq > newest.value.seq))
      newest = { chain, value: chain.next.value }
  }
  if (newest === null) return null
  const { chain, value } = newest
  chain.next = null
  return { name: chain.name, value }
}
