/** What the source holds, read before anything is written, and whether it can be moved at all. */

import { FareboxError, type Invoice, parseInvoiceNumber, type Store, type StoredTotal } from '@farebox/core/contracts'
import { readAccount } from './accounts.ts'
import { pagesOf, sideBySide } from './listing.ts'

/** Where a total is: its usage period, and the invoice that holds it. */
export interface TotalPlace {
  readonly feature: string
  readonly periodStart: number
  readonly invoiceId: string | null
}

export interface Survey {
  readonly customers: number
  readonly events: number
  readonly invoices: number
  /** By customer, in the order of their periods. */
  readonly totals: ReadonlyMap<string, readonly TotalPlace[]>
  /** Ids of the final invoices of each series, in the order of their numbers, which begins with 1. */
  readonly series: ReadonlyMap<string, readonly string[]>
}

/** Throws `reservations_pending` or `not_movable`. */
export async function survey(from: Store): Promise<Survey> {
  // Farebox keeps its catalog before anything else; what has none is a place that was mistyped.
  if ((await from.catalogs()).length === 0) throw nothingThere(from)
  const customers = await surveyCustomers(from)
  const { totals, events } = await surveyTotals(from)
  return { customers, events, totals, ...(await surveyInvoices(from)) }
}

async function surveyCustomers(from: Store): Promise<number> {
  let customers = 0
  let pending = 0
  for await (const ids of pagesOf((page) => from.customerIds(page))) {
    customers += ids.length
    for (const account of await sideBySide(ids, (id) => readAccount(from, id))) pending += account.pending
  }
  if (pending > 0) throw reservationsPending(pending, (await from.orphans()).length)
  return customers
}

async function surveyTotals(from: Store): Promise<Pick<Survey, 'totals' | 'events'>> {
  const totals = new Map<string, TotalPlace[]>()
  let events = 0
  for await (const page of pagesOf((request) => from.totals(request))) {
    for (const total of page) {
      if (total.dropped.events > 0) throw dropped(total)
      const { customerId, feature, periodStart, invoiceId } = total
      const place = { feature, periodStart, invoiceId }
      const ofCustomer = totals.get(customerId)
      if (ofCustomer === undefined) totals.set(customerId, [place])
      else ofCustomer.push(place)
      events += total.events
    }
  }
  for (const places of totals.values()) places.sort((a, b) => a.periodStart - b.periodStart)
  return { totals, events }
}

async function surveyInvoices(from: Store): Promise<Pick<Survey, 'series' | 'invoices'>> {
  const series = new Map<string, string[]>()
  let invoices = 0
  for await (const page of pagesOf((request) => from.invoices(request))) {
    invoices += page.length
    for (const { id, number } of page) {
      const written = number === null ? null : parseInvoiceNumber(number)
      if (written === null) continue
      let ids = series.get(written.series)
      if (ids === undefined) series.set(written.series, (ids = []))
      ids[written.number - 1] = id
    }
  }
  for (const [name, ids] of series) {
    const gap = ids.findIndex((id) => id === undefined)
    if (gap !== -1) throw numberMissing(name, gap + 1)
  }
  return { series, invoices }
}

/** The start of the usage period that an event was counted in: the last of its feature that began by its instant. */
export function periodStartOf(places: readonly TotalPlace[], feature: string, at: number): number | undefined {
  return places.findLast((place) => place.periodStart <= at && place.feature === feature)?.periodStart
}

/** The totals that an invoice holds. */
export function sealedBy(places: readonly TotalPlace[], { id }: Invoice): { feature: string; periodStart: number }[] {
  return places.filter(({ invoiceId }) => invoiceId === id).map(({ feature, periodStart }) => ({ feature, periodStart }))
}

function reservationsPending(pending: number, orphans: number): FareboxError {
  const what =
    orphans === pending
      ? 'whose process died: give --on-crash charge or --on-crash void, the rule that your application has'
      : `${orphans} of them of processes that died: stop the application, which settles them, then move`
  return new FareboxError('reservations_pending', `Expected no pending reservations in the source, found ${pending}, ${what}`, {
    fields: { pending, orphans },
  })
}

function nothingThere({ facts: { location } }: Store): FareboxError {
  return new FareboxError(
    'not_movable',
    `Expected a source that Farebox was started on, found nothing in ${location}: give the place that your application uses`,
    { fields: { location } },
  )
}

function dropped({ customerId, feature, dropped: { events } }: StoredTotal): FareboxError {
  return new FareboxError(
    'not_movable',
    `Expected a source whose log is whole, found a total of ${customerId} (${feature}) of whose events retention took ${events} out of the log: only a copy of the database itself keeps what is left of them`,
    { fields: { customerId, feature, events } },
  )
}

function numberMissing(series: string, number: number): FareboxError {
  return new FareboxError(
    'not_movable',
    `Expected invoices numbered from 1 without a gap, found no number ${number} in the series ${series}: farebox.verify() says more`,
    { fields: { series, number } },
  )
}
