/** Pages of a customer's events and invoices, for the customer and for the operator alike. */

import type { Farebox } from '../farebox.ts'
import { type InvoiceJson, invoiceJson } from '../invoice/invoice-json.ts'
import type { UsageEvent } from '../records/usage-event.ts'
import { parseInstant } from '../values/instant.ts'
import { eventsCursor, parseEventsCursor, parsePlaceCursor, placeCursor } from './cursors.ts'
import type { EventsQueryInput, PageQueryInput } from './inputs.ts'
import { eventJson, usageJson, type UsageEventJson, type UsageJson } from './json.ts'

export interface PageJson<Item> {
  items: Item[]
  next: string | null
}

const DEFAULT_PAGE = 100

export async function usageOf(farebox: Farebox, customerId: string): Promise<UsageJson> {
  const features = await farebox.usage.totals({ customerId })
  return { customer: customerId, features: features.map(usageJson) }
}

/**
 * The events of one usage period, newest first. Each feature is a chain of its own, so a page takes the newest of all of
 * them, and the cursor says how far each was read: a page costs the same, however far down it is.
 */
export async function eventsPage(
  farebox: Farebox,
  customerId: string,
  query: EventsQueryInput,
): Promise<PageJson<UsageEventJson>> {
  const { feature, period, cursor, limit = DEFAULT_PAGE } = query
  const places = parseEventsCursor(cursor)
  const at = period === undefined ? farebox.clock.now() : parseInstant(period, 'period')
  const usages = await farebox.usage.totals({ customerId, at })
  const chains = await Promise.all(
    usages
      .filter((usage) => feature === undefined || usage.feature === feature)
      .map(async (usage) => {
        const after = places.get(usage.feature)
        const page = { limit, ...(after === undefined ? {} : { after: String(after) }) }
        return farebox.events.of({ customerId, feature: usage.feature, periodStart: usage.period[0], ...page })
      }),
  )
  const newest = chains.flatMap(({ items }) => items).toSorted((a, b) => b.seq - a.seq)
  const items = newest.slice(0, limit)
  const isLast = newest.length <= limit && chains.every(({ next }) => next === null)
  return { items: items.map(eventJson), next: isLast ? null : eventsCursor(readTo(places, items)) }
}

function readTo(places: ReadonlyMap<string, number>, items: readonly UsageEvent[]): Record<string, number> {
  const read = new Map(places)
  for (const { feature, seq } of items) read.set(feature, seq)
  return Object.fromEntries(read)
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
