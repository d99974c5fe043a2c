/** Recomputes every total, grant and invoice from the log, compares them with payments, and names what disagrees. */

import type { AccountState } from './account/account-state.ts'
import { allowanceOf } from './account/allowance.ts'
import { isInvoiced, type Segment, segmentAt, type Subscription, usagePeriod } from './account/subscription.ts'
import { createAggregation, totalKey } from './aggregate/aggregate.ts'
import { MAX_PAGE, type Page, type PageRequest, type Store, type StoredTotal } from './contracts/store.ts'
import { type Offers, planOf } from './moment.ts'
import { grantFromRecord, paymentFromRecord } from './records/account-record.ts'
import type { Grant } from './records/grant.ts'
import { type Invoice, parseInvoiceNumber } from './records/invoice.ts'
import type { Payment } from './records/payment.ts'
import type { LoggedEvent, UsageEvent } from './records/usage-event.ts'
import type { UsageTotal } from './records/usage-total.ts'
import { add, compare, type Decimal, DECIMAL_ZERO, formatDecimal } from './values/decimal.ts'
import { formatInstant } from './values/instant.ts'
import { formatQuantity } from './values/quantity.ts'
import { compareCollections } from './verify-collections.ts'
import { compareInvoice, type HeldTotal } from './verify-invoice.ts'

/** One thing that is not as the log says. */
export interface Difference {
  readonly kind: 'total' | 'event' | 'limit' | 'grant' | 'invoice' | 'payment' | 'number'
  readonly customerId: string | null
  /** One sentence for a person. */
  readonly message: string
  /** The `seq` of events that disagree, where single ones can be named. */
  readonly events: readonly number[]
}

export interface Audit {
  readonly ok: boolean
  /** Events in the log. */
  readonly events: number
  readonly differences: readonly Difference[]
}

export interface VerifyParts extends Offers {
  readonly store: Store
}

/** The totals of one period in the order in which they were made. */
type TotalsOfPeriod = readonly StoredTotal[]

/** Reads the whole log once, and the events of each invoice again for its seal. Memory grows with customers, totals and invoices, not with events. */
export async function verify(parts: VerifyParts): Promise<Audit> {
  const { store } = parts
  const differences: Difference[] = []
  const accounts = createAccounts(store)
  const { events, recounted, paid, orphans } = await readLog(store, accounts)
  differences.push(...orphans)
  const { periods, retained } = await readTotals(store, recounted)
  for (const [key, totals] of periods) {
    differences.push(...compareTotal(recounted.get(key), totals), ...(await leftOut(totals, accounts)))
  }
  for (const [key, total] of recounted) if (!periods.has(key)) differences.push(...compareTotal(total, []))
  for await (const customerId of everything((page) => store.customerIds(page))) {
    differences.push(...limitsOf(await accounts(customerId), parts))
  }
  const grants: { customerId: string; grant: Grant }[] = []
  for await (const record of everything((page) => store.records({ kind: 'grant', ...page }))) {
    const grant = grantFromRecord(record)
    grants.push({ customerId: record.customerId, grant })
    const { id, used, unit } = grant
    const log = paid.get(grantKey(record.customerId, id)) ?? DECIMAL_ZERO
    // Events that retention took had paid with grants too.
    const isWrong = retained.has(record.customerId) ? compare(log, used) > 0 : compare(log, used) !== 0
    if (unit !== 'invoice_credit' && isWrong) differences.push(grantDifference(record.customerId, id, log, used))
  }
  const invoices: Invoice[] = []
  const held = heldTotals(periods)
  for await (const invoice of everything((page) => store.invoices(page))) {
    if (invoice.status === 'draft') continue
    invoices.push(invoice)
    const state = await accounts(invoice.customerId)
    differences.push(...(await compareInvoice(parts, { invoice, state, held: held.get(invoice.id) ?? [] })))
  }
  const payments: Payment[] = []
  for await (const record of everything((page) => store.records({ kind: 'payment', ...page })))
    payments.push(paymentFromRecord(record))
  differences.push(...compareCollections({ invoices, payments, grants }))
  differences.push(...gapsIn(invoices), ...unknownInvoices(invoices, held))
  return { ok: differences.length === 0, events, differences }
}

type Accounts = (customerId: string) => Promise<AccountState>

function createAccounts(store: Store): Accounts {
  const accounts = new Map<string, AccountState>()
  return async (customerId) => {
    let account = accounts.get(customerId)
    if (account === undefined) {
      // A copy: the state belongs to the store, which goes on changing it.
      account = await store.change({ customerId }, (state) => ({
        result: { ...state, usage: state.usage.map((usage) => ({ ...usage })) },
        entries: [],
      }))
      accounts.set(customerId, account)
    }
    return account
  }
}

interface LogReading {
  readonly events: number
  readonly recounted: Map<string, UsageTotal>
  /** What events took from each grant. */
  readonly paid: ReadonlyMap<string, Decimal>
  readonly orphans: readonly Difference[]
}

async function readLog(store: Store, accounts: Accounts): Promise<LogReading> {
  const aggregation = createAggregation()
  const paid = new Map<string, Decimal>()
  const orphans: Difference[] = []
  let events = 0
  for await (const event of everything((page) => store.log(page))) {
    events += 1
    const { subscription } = await accounts(event.customerId)
    const segment = subscription && segmentAt(subscription, event.periodStart)
    if (subscription === null || segment === null) orphans.push(orphanEvent(event))
    else if (!isOfPeriod(event, subscription, segment)) orphans.push(strayEvent(event))
    aggregation.add(event, event.periodStart)
    for (const { grant, amount } of event.charge?.parts ?? []) {
      const key = grantKey(event.customerId, grant)
      paid.set(key, add(paid.get(key) ?? DECIMAL_ZERO, amount))
    }
  }
  return { events, recounted: new Map([...aggregation.totals()].map((total) => [totalKey(total), total])), paid, orphans }
}

/**
 * A period begins where its segment or its schedule says, and holds what happened from then on. A change at an instant leaves with the
 * period before what was counted in it by then, even where it is dated at that instant or a little after.
 */
function isOfPeriod({ at, periodStart }: LoggedEvent, { timeZone }: Subscription, segment: Segment): boolean {
  const { start, end } = usagePeriod(segment, timeZone, periodStart)
  return start === periodStart && at >= start && (at < end || end === segment.endsAt)
}

interface TotalsReading {
  readonly periods: Map<string, StoredTotal[]>
  /** Customers some of whose events are no longer in the log. */
  readonly retained: ReadonlySet<string>
}

/** The totals by period. What retention counted before it took events out of the log is added to what the log holds. */
async function readTotals(store: Store, recounted: Map<string, UsageTotal>): Promise<TotalsReading> {
  const periods = new Map<string, StoredTotal[]>()
  const retained = new Set<string>()
  for await (const total of everything((page) => store.totals(page))) {
    const key = totalKey(total)
    const known = periods.get(key)
    if (known === undefined) periods.set(key, [total])
    else known.push(total)
    const { customerId, feature, periodStart, dropped } = total
    if (dropped.events > 0) {
      retained.add(customerId)
      const log = recounted.get(key) ?? { customerId, feature, periodStart, ...NOTHING }
      recounted.set(key, { ...log, ...sumOf(log, dropped) })
    }
  }
  return { periods, retained }
}

type Sums = Pick<UsageTotal, 'quantity' | 'events' | 'cost' | 'uncovered'>

const NOTHING: Sums = { quantity: 0n, events: 0, cost: DECIMAL_ZERO, uncovered: DECIMAL_ZERO }

function sumOf(a: Sums, b: Sums): Sums {
  return {
    quantity: a.quantity + b.quantity,
    events: a.events + b.events,
    cost: add(a.cost, b.cost),
    uncovered: add(a.uncovered, b.uncovered),
  }
}

function compareTotal(log: UsageTotal | undefined, totals: TotalsOfPeriod): Difference[] {
  const total = totals.reduce(sumOf, NOTHING)
  const counted: Sums = log ?? NOTHING
  const named = log ?? totals[0]
  const isSame =
    counted.quantity === total.quantity &&
    counted.events === total.events &&
    compare(counted.cost, total.cost) === 0 &&
    compare(counted.uncovered, total.uncovered) === 0
  if (named === undefined || isSame) return []
  const { customerId, feature, periodStart } = named
  const where = `${feature} of ${customerId} in the period from ${formatInstant(periodStart)}`
  return [difference('total', customerId, `${where}: the log holds ${shown(counted)}, the total says ${shown(total)}`)]
}

/** Events of an invoiced period that no invoice holds came late and wait for the next one; without a next one they would never be paid. */
async function leftOut(totals: TotalsOfPeriod, accounts: Accounts): Promise<Difference[]> {
  const open = totals.find(({ invoiceId, events }) => invoiceId === null && events > 0)
  if (open === undefined) return []
  const { customerId, feature, periodStart, events } = open
  const { subscription } = await accounts(customerId)
  if (subscription === null || subscription.dueAt !== null || !isInvoiced(subscription, periodStart)) return []
  const where = `${feature} of ${customerId} in the period from ${formatInstant(periodStart)}`
  return [difference('total', customerId, `${where}: the period is closed, and no invoice holds its ${events} events`)]
}

function limitsOf(state: AccountState, offers: Offers): Difference[] {
  const { subscription, customerId } = state
  if (subscription === null) return []
  return state.usage.flatMap((usage) => {
    const segment = segmentAt(subscription, usage.periodStart)
    const terms = segment === null ? undefined : planOf(offers, subscription, segment).features.get(usage.feature)
    if (segment === null || terms?.kind !== 'metered') return []
    const { included, used, isBlocked } = allowanceOf(terms, usage, { segment, periodStart: usage.periodStart })
    if (!isBlocked || included === null || used <= included) return []
    const sentence = `${formatQuantity(used)} used or reserved, over the blocked limit of ${formatQuantity(included)}`
    return [difference('limit', customerId, `${usage.feature} of ${customerId}: ${sentence}`)]
  })
}

function grantKey(customerId: string, grant: string): string {
  return `${customerId}\n${grant}`
}

function grantDifference(customerId: string, id: string, log: Decimal, used: Decimal): Difference {
  const sentence = `the log says ${formatDecimal(log)} was used, the grant says ${formatDecimal(used)}`
  return difference('grant', customerId, `Grant ${id} of ${customerId}: ${sentence}`)
}

/** The totals that each invoice holds, each with those of its period that came before it. */
function heldTotals(periods: ReadonlyMap<string, TotalsOfPeriod>): Map<string, HeldTotal[]> {
  const held = new Map<string, HeldTotal[]>()
  for (const totals of periods.values()) {
    for (const [place, total] of totals.entries()) {
      if (total.invoiceId === null) continue
      const entry: HeldTotal = { total, earlier: totals.slice(0, place) }
      const known = held.get(total.invoiceId)
      if (known === undefined) held.set(total.invoiceId, [entry])
      else known.push(entry)
    }
  }
  return held
}

/** Numbers of a series are 1..n. */
function gapsIn(invoices: readonly Invoice[]): Difference[] {
  const series = new Map<string, number[]>()
  for (const { number } of invoices) {
    const parsed = number === null ? null : parseInvoiceNumber(number)
    if (parsed === null) continue
    const numbers = series.get(parsed.series)
    if (numbers === undefined) series.set(parsed.series, [parsed.number])
    else numbers.push(parsed.number)
  }
  return [...series].flatMap(([name, numbers]) => {
    const sorted = numbers.toSorted((a, b) => a - b)
    return sorted
      .flatMap((number, i) =>
        number === i + 1 ? [] : [difference('number', null, `Series ${name}: expected number ${i + 1}, found ${number}`)],
      )
      .slice(0, 1)
  })
}

function unknownInvoices(invoices: readonly Invoice[], held: ReadonlyMap<string, readonly HeldTotal[]>): Difference[] {
  const ids = new Set(invoices.map(({ id }) => id))
  return [...held].flatMap(([invoiceId, totals]) =>
    ids.has(invoiceId)
      ? []
      : totals.map(({ total: { customerId, feature } }) =>
          difference('invoice', customerId, `${feature} of ${customerId} is sealed by ${invoiceId}, which is no final invoice`),
        ),
  )
}

function orphanEvent({ seq, customerId }: UsageEvent): Difference {
  return { kind: 'event', customerId, message: `Event ${seq} belongs to ${customerId}, who has no subscription`, events: [seq] }
}

function strayEvent({ seq, customerId, periodStart }: LoggedEvent): Difference {
  const message = `Event ${seq} of ${customerId} is counted in a period from ${formatInstant(periodStart)}, to which its instant does not belong`
  return { kind: 'event', customerId, message, events: [seq] }
}

function difference(kind: Difference['kind'], customerId: string | null, message: string): Difference {
  return { kind, customerId, message, events: [] }
}

function shown({ quantity, events }: Sums): string {
  return events === 0 ? 'nothing' : `${formatQuantity(quantity)} in ${events} events`
}

async function* everything<T>(read: (page: PageRequest) => Promise<Page<T>>): AsyncGenerator<T> {
  let after: string | undefined
  for (;;) {
    const page: Page<T> = await read({ after, limit: MAX_PAGE })
    yield* page.items
    if (page.next === null) return
    after = page.next
  }
}
