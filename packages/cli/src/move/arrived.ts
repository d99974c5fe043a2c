/** What the target holds already of the source, and whether it holds anything else. */

import { FareboxError, type Store } from '@farebox/core/contracts'
import { readAccount } from './accounts.ts'
import { createDigester, type LogDigests } from './digests.ts'
import { LOG_PAGE, pagesOf, sideBySide } from './listing.ts'
import type { Survey } from './survey.ts'

/** How much of a customer's log is there. */
export interface ArrivedLog {
  /** The first so many of the customer's events. */
  readonly events: number
  /** Those among them that a final invoice holds: an account's state does not count them. */
  readonly sealed: number
}

export interface Arrived {
  readonly customers: ReadonlyMap<string, ArrivedLog>
  /** By id, whether it is final. */
  readonly invoices: ReadonlyMap<string, { readonly isFinal: boolean }>
}

export interface ArrivedOptions {
  readonly from: Store
  readonly to: Store
  readonly source: Survey
}

/**
 * Throws `target_not_empty` when the target holds a customer, an event or an invoice that is not the source's. An empty target
 * costs nothing; else the log of both is read once.
 */
export async function readArrived({ from, to, source }: ArrivedOptions): Promise<Arrived> {
  const customers = new Map<string, { events: number; sealed: number }>()
  for await (const ids of pagesOf((page) => to.customerIds(page))) {
    await sideBySide(ids, (id) => refuseOtherAccount(from, to, id))
    for (const id of ids) customers.set(id, { events: 0, sealed: 0 })
  }
  if (customers.size === 0) return { customers, invoices: new Map() }
  for await (const page of pagesOf((request) => to.totals(request))) {
    for (const { customerId, events, invoiceId } of page) {
      const log = customers.get(customerId)
      if (log === undefined) throw notEmpty(`a total of ${customerId}`)
      log.events += events
      if (invoiceId !== null) log.sealed += events
    }
  }
  const invoices = await readInvoices({ from, to, source })
  await refuseOtherEvents(from, await digestsOf(to))
  return { customers, invoices }
}

/** An id alone says little, for the same customers may be in a test database. */
async function refuseOtherAccount(from: Store, to: Store, customerId: string): Promise<void> {
  const [there, here] = await Promise.all([readAccount(to, customerId), readAccount(from, customerId)])
  const isSameCustomer = there.customer?.createdAt === here.customer?.createdAt
  const isSameSubscription = there.subscription === null || there.subscription.id === here.subscription?.id
  if (!isSameCustomer || !isSameSubscription) throw notEmpty(`the customer ${customerId}`)
  if (there.pending > 0) throw notEmpty(`${there.pending} pending reservations of ${customerId}`)
}

async function readInvoices({ from, to, source }: ArrivedOptions): Promise<Map<string, { isFinal: boolean }>> {
  const invoices = new Map<string, { isFinal: boolean }>()
  for await (const page of pagesOf((request) => to.invoices(request))) {
    await sideBySide(page, async ({ id, number }) => {
      const original = await from.invoice(id)
      const isSame = original !== null && original.id === id && (number === null || number === original.number)
      if (!isSame) throw notEmpty(`the invoice ${number ?? id}`)
      invoices.set(id, { isFinal: number !== null })
    })
  }
  for (const [name, ids] of source.series) refuseOtherOrder(name, ids, invoices)
  return invoices
}

/** Numbers are given in their order, so those that are there come before all that are not. */
function refuseOtherOrder(
  name: string,
  ids: readonly string[],
  invoices: ReadonlyMap<string, { readonly isFinal: boolean }>,
): void {
  const first = ids.findIndex((id) => invoices.get(id)?.isFinal !== true)
  const isOutOfOrder = first !== -1 && ids.slice(first).some((id) => invoices.get(id)?.isFinal === true)
  if (isOutOfOrder) throw notEmpty(`the series ${name} without its number ${first + 1}`)
}

async function digestsOf(store: Store): Promise<LogDigests> {
  const digester = createDigester()
  for await (const page of pagesOf((request) => store.log(request), LOG_PAGE)) for (const event of page) digester.add(event)
  return digester.digests
}

/** The target's log of each customer must be the beginning of the source's. */
async function refuseOtherEvents(from: Store, arrived: LogDigests): Promise<void> {
  if (arrived.size === 0) return
  const digester = createDigester()
  let found = 0
  for await (const page of pagesOf((request) => from.log(request), LOG_PAGE)) {
    for (const event of page) {
      const { events, digest } = digester.add(event)
      const there = arrived.get(event.customerId)
      if (there?.events !== events) continue
      if (there.digest !== digest) throw notEmpty(`other events of ${event.customerId}`)
      found += 1
    }
  }
  if (found === arrived.size) return
  for (const [customerId, { events }] of arrived) {
    const here = digester.digests.get(customerId)?.events ?? 0
    if (here < events) throw notEmpty(`${events - here} more events of ${customerId}`)
  }
}

function notEmpty(what: string): FareboxError {
  return new FareboxError(
    'target_not_empty',
    `Expected a target that is empty or was begun by a move of the same source, found ${what}, which the source does not have: give another target`,
    { fields: { found: what } },
  )
}
