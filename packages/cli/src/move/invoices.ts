/** Moves invoices, so that each final one gets the same number again and holds the same totals. */

import { isDeepStrictEqual } from 'node:util'
import { FareboxError, type Invoice, invariant, parseInvoiceNumber, type Store } from '@farebox/core/contracts'
import { type Arrived, isFinal } from './arrived.ts'
import { moveLate } from './events.ts'
import { pagesOf, sideBySide } from './listing.ts'
import { periodKey, type Round } from './periods.ts'
import type { Survey } from './survey.ts'

export interface MoveInvoicesOptions {
  readonly from: Store
  readonly to: Store
  readonly source: Survey
  readonly arrived: Arrived
  readonly onMoved: (done: number) => void
}

/** Final invoices that are numbered side by side: they share commits. */
const SIDE_BY_SIDE = 1_000

/** Of each late total a page of events is in memory. */
const LATE_SIDE_BY_SIDE = 20

/** Drafts come first, all of them in the order in which they were made, so that listings keep it. */
export async function moveInvoices(options: MoveInvoicesOptions): Promise<void> {
  const { from, to, source, arrived, onMoved } = options
  for await (const page of pagesOf((request) => from.invoices(request))) {
    await sideBySide(page, (invoice) =>
      isFinal(arrived.invoices.get(invoice.id)) ? collect(options, invoice) : draft(to, invoice),
    )
  }
  let done = source.invoices
  for (const ids of source.series.values()) done -= ids.length
  const invoiced = new Set([...arrived.invoices].filter(([, status]) => isFinal(status)).map(([id]) => id))
  onMoved((done += invoiced.size))
  const left = new Map([...source.series].map(([series, ids]) => [series, ids.filter((id) => !invoiced.has(id))]))
  while ([...left.values()].some((ids) => ids.length > 0)) {
    const before = invoiced.size
    for (const [series, ids] of left) {
      const some = readyOf(options, ids, invoiced)
      await finalizeAgain(options, series, some)
      for (const id of ids.splice(0, some.length)) invoiced.add(id)
      onMoved((done += some.length))
    }
    if (invoiced.size === before) throw outOfOrder(left)
  }
  const open = [...source.periods.values()].flat().filter(({ round, invoiceId }) => round > 0 && invoiceId === null)
  await moveAll(options, open)
}

/**
 * The first of a series that can be numbered together. What came late can only come over when the total before it is invoiced,
 * so an invoice that holds it waits for the one that holds that total, in whichever series.
 */
function readyOf({ source }: MoveInvoicesOptions, ids: readonly string[], invoiced: ReadonlySet<string>): readonly string[] {
  const isReady = (id: string): boolean =>
    lateOf(source, id).every((late) => {
      const before = source.periods.get(periodKey(late))?.[late.round - 1]
      return invoiced.has(before?.invoiceId ?? '')
    })
  const first = ids.findIndex((id) => !isReady(id))
  return ids.slice(0, Math.min(first === -1 ? ids.length : first, SIDE_BY_SIDE))
}

function lateOf({ heldBy }: Survey, id: string): Round[] {
  return (heldBy.get(id) ?? []).filter(({ round }) => round > 0)
}

async function moveAll(options: MoveInvoicesOptions, late: readonly Round[]): Promise<void> {
  for (let first = 0; first < late.length; first += LATE_SIDE_BY_SIDE)
    await sideBySide(late.slice(first, first + LATE_SIDE_BY_SIDE), (one) => moveLate(options, one))
}

/** One that is final there already may have been paid since. */
function collect({ to, arrived }: MoveInvoicesOptions, { customerId, id, status }: Invoice): Promise<void> {
  const isSame = arrived.invoices.get(id) === status
  return to.change({ customerId, inOrder: true }, () => ({
    result: undefined,
    entries: isSame ? [] : [{ kind: 'collected', invoiceId: id, status }],
  }))
}

/** Final ones are drafts for now. */
function draft(to: Store, invoice: Invoice): Promise<void> {
  const { customerId, id } = invoice
  const drafted: Invoice = { ...invoice, status: 'draft', number: null, finalizedAt: null }
  return to.change({ customerId, inOrder: true }, ({ drafts }) => ({
    result: undefined,
    entries: isDeepStrictEqual(drafts.get(id), drafted) ? [] : [{ kind: 'drafted', invoice: drafted }],
  }))
}

/** In the order of their numbers. A number that was taken is never given back, so after one that failed nothing is numbered. */
async function finalizeAgain(options: MoveInvoicesOptions, series: string, ids: readonly string[]): Promise<void> {
  const { from, to, source } = options
  await moveAll(
    options,
    ids.flatMap((id) => lateOf(source, id)),
  )
  let failure: { readonly error: unknown } | null = null
  const invoices = await sideBySide(ids, async (id) => {
    const invoice = await from.invoice(id)
    invariant(invoice !== null, 'an invoice that was listed is there')
    return invoice
  })
  await sideBySide(invoices, async (invoice) => {
    const { customerId, id } = invoice
    const sealed = (source.heldBy.get(id) ?? []).map(({ feature, periodStart }) => ({ feature, periodStart }))
    const finalized = to.change({ customerId, inOrder: true }, ({ drafts }) => {
      if (failure !== null) throw failure.error
      // One that is no draft any more was finalized, and nobody heard of it.
      return { result: undefined, entries: drafts.has(id) ? [{ kind: 'finalized', invoice, series, sealed }] : [] }
    })
    await finalized.catch((error: unknown) => {
      failure ??= { error }
      throw error
    })
  })
  await sideBySide(invoices, async (invoice) => {
    const moved = await to.invoice(invoice.id)
    if (moved?.number !== invoice.number) throw otherNumber(invoice, moved)
  })
}

function outOfOrder(left: ReadonlyMap<string, readonly string[]>): FareboxError {
  const [name = '', [id = ''] = []] = [...left].find(([, ids]) => ids.length > 0) ?? []
  return new FareboxError(
    'not_movable',
    `Expected what came late to be on an invoice behind the one of its period, found the invoice ${id} of the series ${name} before it: farebox.verify() says more`,
    { fields: { id, series: name } },
  )
}

function otherNumber({ id, number }: Invoice, moved: Invoice | null): FareboxError {
  const found = moved?.number ?? 'none'
  const series = number === null ? null : parseInvoiceNumber(number)?.series
  return new FareboxError(
    'target_not_empty',
    `Expected the number ${number} for the invoice ${id}, the target gave ${found}: something else numbers invoices of the series ${series} there, so give another target`,
    { fields: { id, expected: number, found } },
  )
}
