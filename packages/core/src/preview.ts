/** Bills in thought: what the closing of everything that is due would make of an account. */

import type { AccountState } from './account/account-state.ts'
import { afterMoment, draftOfMoment, type DraftingParts } from './draft-of-moment.ts'
import { type LatePeriods, type Moment, momentOf } from './moment.ts'
import type { Grant } from './records/grant.ts'
import type { Invoice } from './records/invoice.ts'

export interface Billed {
  readonly state: AccountState
  /** Drafts, in the order of their moments. */
  readonly invoices: readonly Invoice[]
}

/** Pure: the state that is given stays as it is. By the functions that bill, as if no request were in flight. */
export function billedUpTo(state: AccountState, until: number, late: LatePeriods, parts: DraftingParts): Billed {
  const invoices: Invoice[] = []
  let current = state
  while (current.subscription !== null && current.subscription.dueAt !== null && current.subscription.dueAt <= until) {
    const moment = momentOf(current, late, parts)
    if (moment === null) break
    const invoice = draftOfMoment(parts, current, moment)
    if (invoice !== null) invoices.push(invoice)
    current = passed(current, moment, invoice)
  }
  return { state: current, invoices }
}

function passed(state: AccountState, moment: Moment, invoice: Invoice | null): AccountState {
  const grants = new Map<string, Grant>(state.grants)
  let { subscription } = state
  for (const entry of afterMoment(state, moment, invoice)) {
    if (entry.kind === 'subscription') subscription = entry.subscription
    if (entry.kind !== 'granted') continue
    if (entry.grant.isClosed) grants.delete(entry.grant.id)
    else grants.set(entry.grant.id, { ...entry.grant, held: state.grants.get(entry.grant.id)?.held ?? entry.grant.held })
  }
  return { ...state, subscription, grants, usage: state.usage.filter((usage) => !moment.sealed.includes(usage)) }
}
