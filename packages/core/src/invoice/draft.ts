/** A draft made of its lines: the sums, the invoice credit, and what must hold of both. */

import type { Invoice } from '../records/invoice.ts'
import { invariant } from '../values/invariant.ts'
import { type Money, zero } from '../values/money.ts'
import { sumsOf } from './sums.ts'

export interface DraftInput extends Pick<
  Invoice,
  | 'id'
  | 'type'
  | 'customerId'
  | 'subscriptionId'
  | 'currency'
  | 'period'
  | 'issuedAt'
  | 'lines'
  | 'corrects'
  | 'correctsNumber'
  | 'reason'
  | 'request'
> {
  /** Invoice credit that the customer has: it pays as much of the total as it can. */
  readonly credit: Money
}

export function draftOf({ credit, ...members }: DraftInput): Invoice {
  const { lines, currency } = members
  invariant(new Set(lines.map(({ id }) => id)).size === lines.length, 'each line of an invoice has its own id')
  invariant(
    credit.currency === currency && credit.minor >= 0n,
    'invoice credit is in the currency of the invoice, and never negative',
  )
  const sums = sumsOf(lines, currency)
  invariant(sums.discount.minor >= 0n, 'a discount never raises an invoice')
  const owed = sums.total.minor > 0n ? sums.total : zero(currency)
  return {
    ...members,
    ...sums,
    number: null,
    status: 'draft',
    finalizedAt: null,
    creditApplied: credit.minor < owed.minor ? credit : owed,
    seal: null,
  }
}
