/** Pages of a customer's events and invoices, for the customer and for the operator alike. */

import type { Farebox } from '../farebox.ts'
import { type InvoiceJson, invoiceJson } from '../invoice/invoice-json.ts'
import type { UsageEvent } from '../records/usage-event.ts'
import type { FeatureUsage } from '../usage.ts'
import { parseInstant } from '../values/instant.ts'
import { eventsCursor, parseEventsCursor, parsePlaceCursor, placeCursor } from './cursors.ts'
import type { EventsQueryInput, PageQueryInput } from './inputs.ts'
import { eventJson, usageJson, type UsageEventJson, type UsageJson } from './json.ts'
import { type Audience, ledgerEntryJson, type LedgerEntryJson, paymentJson, type PaymentJson } from './money-json.ts'
import { invalidCursor, Problem } from './problems.ts'

export interface PageJson<Item> {
  items: Item[]
  next: string | null
}

const DEFAULT_PAGE = 100

export async function usageOf(farebox: Farebox, customerId: string): Promise<UsageJson> {
  const [features, credits, balance] = await Promise.all([
    farebox.usage.totals({ customerId }),
    farebox.credits.get(customerId),
    farebox.balance.get(customerId),
  ])
  const { currency, available, overdraft } = balance
  return {
    customer: customerId,
    features: features.map(usageJson),
    credits: { available: credits.available },
    balance: { currency, available, overdraft },
  }
}

/**
 * The events of one usage period, newest first. Each feature is a chain of its own, so a page takes the newest of all of
 * them, and the cursor says which period it is and how far each was read: a page costs the same, however far down it is.
 */
export async function eventsPage(
  farebox: Farebox,
  customerId: string,
  { feature, period, cursor, limit = DEFAULT_PAGE }: EventsQueryInput,
): Promise<PageJson<UsageEventJson>> {
  const read = parseEventsCursor(cursor)
  const at = period === undefined ? (read?.period ?? farebox.clock.now()) : parseInstant(period, 'period')
  const usages = await farebox.usage.totals({ customerId, at })
  const start = usages[0]?.period[0] ?? null
  if (read !== null && (read.period !== start || !hasAll(usages, read.places))) throw invalidCursor()
  if (feature !== undefined) refuseUnknownFeature(farebox, usages, feature)
  if (start === null) return { items: [], next: null }
  const places = read?.places ?? new Map<string, number>()
  const chains = await Promise.all(
    usages
      .filter((usage) => feature === undefined || usage.feature === feature)
      .map(async (usage) => {
        const after = places.get(usage.feature)
        const page = { limit, ...(after === undefined ? {} : { after: String(after) }) }
        return farebox.events.of({ customerId, feature: usage.feature, periodStart: start, ...page })
      }),
  )
  const newest = chains.flatMap(({ items }) => items).toSorted((a, b) => b.seq - a.seq)
  const items = newest.slice(0, limit)
  const isLast = newest.length <= limit && chains.every(({ next }) => next === null)
  return {
    items: items.map(eventJson),
    next: isLast ? null : eventsCursor({ period: start, places: readTo(places, items) }),
  }
}

function hasAll(usages: readonly FeatureUsage[], places: ReadonlyMap<string, number>): boolean {
  return [...places.keys()].every((feature) => usages.some((usage) => usage.feature === feature))
}

/** A feature of the catalog that the plan does not have has no events; a misspelt one is a mistake. */
function refuseUnknownFeature({ catalog }: Farebox, usages: readonly FeatureUsage[], feature: string): void {
  const isOfPlan = usages.some((usage) => usage.feature === feature)
  if (isOfPlan || catalog.features.get(feature)?.type === 'metered') return
  const metered = [...catalog.features.values()].filter(({ type }) => type === 'metered').map(({ code }) => code)
  throw new Problem(
    'unknown_feature',
    `Expected one of the metered features ${metered.join(', ')}, got another: fix its spelling.`,
  )
}

function readTo(places: ReadonlyMap<string, number>, items: readonly UsageEvent[]): Map<string, number> {
  const read = new Map(places)
  for (const { feature, seq } of items) read.set(feature, seq)
  return read
}

/** In the order in which they were made; of one customer, or of all. */
export async function invoicesPage(
  farebox: Farebox,
  customerId: string | undefined,
  { cursor, limit = DEFAULT_PAGE }: PageQueryInput,
): Promise<PageJson<InvoiceJson>> {
  const { items, next } = await farebox.invoices.list({ customerId, after: parsePlaceCursor(cursor), limit })
  return { items: items.map(invoiceJson), next: placeCursor(next) }
}

/** Every movement of credits or of a balance, newest first. */
export async function ledgerPage(
  of: Pick<Farebox['credits'], 'ledger'>,
  customerId: string,
  { cursor, limit = DEFAULT_PAGE }: PageQueryInput,
  audience: Audience,
): Promise<PageJson<LedgerEntryJson>> {
  const { items, next } = await of.ledger(customerId, { after: cursor, limit })
  return { items: items.map((entry) => ledgerEntryJson(entry, audience)), next }
}

/** In the order in which they were begun. */
export async function paymentsPage(
  farebox: Farebox,
  which: { readonly customerId?: string | undefined; readonly isOpen?: boolean | undefined },
  { cursor, limit = DEFAULT_PAGE }: PageQueryInput,
): Promise<PageJson<PaymentJson>> {
  const { items, next } = await farebox.payments.list({ ...which, after: parsePlaceCursor(cursor), limit })
  return { items: items.map(paymentJson), next: placeCursor(next) }
}
