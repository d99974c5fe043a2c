/** Proves that an event is on a final invoice: the event as it was sealed, and its way up to the seal. */

import { sealedEvents } from './audit.ts'
import type { Store, StoredTotal } from './contracts/store.ts'
import { FareboxError } from './errors.ts'
import { sealedEvent, type SealedEvent } from './invoice/seal/leaf.ts'
import { createProving, type EventProof, type EventProofCheck, verifyEventProof } from './invoice/seal/seal.ts'
import { bySealOrder } from './moment.ts'
import type { Invoice, InvoiceSeal } from './records/invoice.ts'
import { invariant } from './values/invariant.ts'

export type { EventProofCheck }

export interface ProveQuery {
  /** Id or number of a final invoice. */
  readonly invoice: string
  /** The event's place in the log of its customer. */
  readonly seq: number
}

/** Reads every event of the invoice. Throws `not_found` for an invoice without a seal and for an event that is not under it. */
export async function proveEvent(store: Store, query: ProveQuery): Promise<EventProofCheck> {
  const invoice = await store.invoice(query.invoice)
  if (invoice === null || invoice.seal === null) throw notFound(query, invoice === null ? 'no such invoice' : 'no seal')
  const { event, proof, events } = await provingOf(store, invoice, query.seq)
  if (events < invoice.seal.events) throw notFound(query, 'that retention has taken events of it out of the log')
  if (event === null || proof === null) throw notFound(query, `${events} other events`)
  const seal: InvoiceSeal = { root: invoice.seal.root, events: invoice.seal.events }
  const check: EventProofCheck = { event, proof, seal }
  invariant(verifyEventProof(check), 'the events of a final invoice are those that were sealed')
  return check
}

interface Proved {
  readonly event: SealedEvent | null
  readonly proof: EventProof | null
  /** How many events the log holds of the invoice. */
  readonly events: number
}

async function provingOf(store: Store, invoice: Invoice, seq: number): Promise<Proved> {
  const proving = createProving(seq)
  let event: SealedEvent | null = null
  let events = 0
  for await (const page of sealedEvents(store, invoice.customerId, await totalsOf(store, invoice))) {
    events += page.length
    for (const one of page) {
      if (one.seq === seq) event = sealedEvent(one)
      proving.add(one)
    }
  }
  return { event, proof: proving.proof(), events }
}

const WITH_EVENTS: ReadonlySet<Invoice['lines'][number]['type']> = new Set(['feature_usage', 'balance_overage', 'adjustment'])

/** The totals that an invoice holds, in the order in which they were sealed: each has a line of its feature and period. */
async function totalsOf(store: Store, { id, customerId, lines }: Invoice): Promise<StoredTotal[]> {
  const asked = new Map<string, { readonly customerId: string; readonly feature: string; readonly periodStart: number }>()
  for (const { type, feature, period } of lines) {
    if (feature === null || !WITH_EVENTS.has(type)) continue
    asked.set(`${feature} ${period[0]}`, { customerId, feature, periodStart: period[0] })
  }
  const totals = await Promise.all([...asked.values()].map((query) => store.totalsOf(query)))
  return totals
    .flat()
    .filter(({ invoiceId }) => invoiceId === id)
    .toSorted(bySealOrder)
}

function notFound({ invoice, seq }: ProveQuery, found: string): FareboxError {
  return new FareboxError(
    'not_found',
    `Expected the event ${seq} under the seal of the final invoice ${invoice}, found ${found}`,
    {
      fields: { invoice, seq },
    },
  )
}
