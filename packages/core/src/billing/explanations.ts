/** Why a line of an invoice is what it is, and that an event is under its seal: for the customer and for the operator alike. */

import type { Farebox } from '../farebox.ts'
import { type InvoiceLineJson, lineJson } from '../invoice/invoice-json.ts'
import type { EventProofCheck } from '../invoice/seal/seal.ts'
import type { Invoice } from '../records/invoice.ts'
import { parsePlaceCursor, placeCursor } from './cursors.ts'
import type { PageQueryInput } from './inputs.ts'
import { eventJson, type UsageEventJson } from './json.ts'
import type { PageJson } from './listings.ts'

const DEFAULT_PAGE = 100

export interface ExplanationJson {
  invoice: string
  line: InvoiceLineJson
  sentences: string[]
  rule: string
  tier: number | null
  exact: string | null
  grants: { grant: string; amount: string }[]
  events: PageJson<UsageEventJson>
}

/** Of an invoice that the caller may see. Throws `not_found` for a draft and for a line that it does not have. */
export async function explanationOf(
  farebox: Farebox,
  { id, line }: { readonly id: string; readonly line: string },
  { cursor, limit = DEFAULT_PAGE }: PageQueryInput,
): Promise<ExplanationJson> {
  const after = parsePlaceCursor(cursor)
  const explained = await farebox.invoices.explain({ invoice: id, line, after, limit })
  const { sentences, rule, tier, exact, grants, events } = explained
  return {
    invoice: id,
    line: lineJson(explained.line),
    sentences: [...sentences],
    rule,
    tier,
    exact,
    grants: grants.map(({ grant, amount }) => ({ grant, amount })),
    events: { items: events.items.map(eventJson), next: placeCursor(events.next) },
  }
}

/** Proves events one after the other: each reads its whole invoice, and nobody should keep a process from its work with many at once. */
export type Prove = (invoice: Invoice, seq: number) => Promise<EventProofCheck>

export function createProofs(farebox: Farebox): Prove {
  let last: Promise<unknown> = Promise.resolve()
  return (invoice, seq) => {
    const proved = last.then(() => farebox.invoices.prove({ invoice: invoice.id, seq }))
    last = proved.catch(() => {})
    return proved
  }
}
