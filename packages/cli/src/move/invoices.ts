/** Moves invoices, so that each final one gets the same number again and holds the same totals. */

import { isDeepStrictEqual } from 'node:util'
import { FareboxError, type Invoice, invariant, parseInvoiceNumber, type Store } from '@farebox/core/contracts'
import type { Arrived } from './arrived.ts'
import { pagesOf, sideBySide } from './listing.ts'
import { sealedBy, type Survey } from './survey.ts'

export interface MoveInvoicesOptions {
  readonly from: Store
  readonly to: Store
  readonly source: Survey
  readonly arrived: Arrived
  readonly onMoved: (done: number) => void
}

/** Final invoices that are numbered side by side: they share commits. */
const SIDE_BY_SIDE = 1_000

/** Drafts come first, all of them in the order in which they were made, so that listings keep it. */
export async function moveInvoices(options: MoveInvoicesOptions): Promise<void> {
  const { from, to, source, arrived, onMoved } = options
  for await (const page of pagesOf((request) => from.invoices(request))) {
    const missing = page.filter(({ id }) => arrived.invoices.get(id)?.isFinal !== true)
    await sideBySide(missing, (invoice) => draft(to, invoice))
  }
  let done = source.invoices
  for (const ids of source.series.values()) done -= ids.length
  onMoved(done)
  for (const [series, ids] of source.series) {
    for (let first = 0; first < ids.length; first += SIDE_BY_SIDE) {
      const some = ids.slice(first, first + SIDE_BY_SIDE)
      const missing = some.filter((id) => arrived.invoices.get(id)?.isFinal !== true)
      await finalizeAgain(options, series, missing)
      onMoved((done += some.length))
    }
  }
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
async function finalizeAgain({ from, to, source }: MoveInvoicesOptions, series: string, ids: readonly string[]): Promise<void> {
  let failure: { readonly error: unknown } | null = null
  const invoices = await sideBySide(ids, async (id) => {
    const invoice = await from.invoice(id)
    invariant(invoice !== null, 'an invoice that was listed is there')
    return invoice
  })
  await sideBySide(invoices, async (invoice) => {
    const { customerId, id } = invoice
    const sealed = sealedBy(source.totals.get(customerId) ?? [], invoice)
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

function otherNumber({ id, number }: Invoice, moved: Invoice | null): FareboxError {
  const found = moved?.number ?? 'none'
  const series = number === null ? null : parseInvoiceNumber(number)?.series
  return new FareboxError(
    'target_not_empty',
    `Expected the number ${number} for the invoice ${id}, the target gave ${found}: something else numbers invoices of the series ${series} there, so give another target`,
    { fields: { id, expected: number, found } },
  )
}
