/** What the source holds, read before anything is written, and whether it can be moved at all. */

import { FareboxError, parseInvoiceNumber, type Store, type StoredTotal } from '@farebox/core/contracts'
import { readAccount } from './accounts.ts'
import { pagesOf, sideBySide } from './listing.ts'
import { periodKey, type Round, roundsOf } from './periods.ts'

export interface Survey {
  readonly customers: number
  readonly events: number
  readonly invoices: number
  /** The rounds of each period in their order, by `periodKey`. */
  readonly periods: ReadonlyMap<string, readonly Round[]>
  /** The totals that each final invoice holds, by its id. */
  readonly heldBy: ReadonlyMap<string, readonly Round[]>
  /** Ids of the final invoices of each series, in the order of their numbers, which begins with 1. */
  readonly series: ReadonlyMap<string, readonly string[]>
}

/** Throws `reservations_pending` or `not_movable`. */
export async function survey(from: Store): Promise<Survey> {
  // Farebox keeps its catalog before anything else; what has none is a place that was mistyped.
  if ((await from.catalogs()).length === 0) throw nothingThere(from)
  const customers = await surveyCustomers(from)
  return { customers, ...(await surveyTotals(from)), ...(await surveyInvoices(from)) }
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

async function surveyTotals(from: Store): Promise<Pick<Survey, 'periods' | 'heldBy' | 'events'>> {
  const totals = new Map<string, StoredTotal[]>()
  let events = 0
  for await (const page of pagesOf((request) => from.totals(request))) {
    for (const total of page) {
      if (total.dropped.events > 0) throw dropped(total)
      const key = periodKey(total)
      const ofPeriod = totals.get(key)
      if (ofPeriod === undefined) totals.set(key, [total])
      else ofPeriod.push(total)
      events += total.events
    }
  }
  const periods = new Map<string, Round[]>()
  for (const [key, ofPeriod] of totals) {
    const [first] = ofPeriod
    // A listing of all totals says nothing about the order of those of one period.
    const isLate = first !== undefined && ofPeriod.length > 1
    periods.set(key, roundsOf(isLate ? await from.totalsOf(first) : ofPeriod))
  }
  return { periods, heldBy: Map.groupBy([...periods.values()].flat(), ({ invoiceId }) => invoiceId ?? ''), events }
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
