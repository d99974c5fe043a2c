/** Something that pays: credits, prepaid money, or money that a credit note owes to the customer. */

import { add, type Decimal, DECIMAL_ZERO, formatDecimal, storedDecimal, subtract } from '../values/decimal.ts'

/**
 * What a grant counts: credits, money of a prepaid balance that usage draws on, or money that invoices draw on (from credit
 * notes and from invoices whose total is negative).
 */
export type GrantUnit = 'credits' | 'balance' | 'invoice_credit'

export type GrantSource = 'plan' | 'pack' | 'top_up' | 'credit_note' | 'adjustment'

export interface Grant {
  /** Unique for the customer. That of a plan names its period, so that it is made once. */
  readonly id: string
  readonly unit: GrantUnit
  readonly source: GrantSource
  /** The lower is used first; 0 unless the operator says otherwise. */
  readonly priority: number
  /** Exact: credits, or the main unit of the customer's currency. */
  readonly granted: Decimal
  /** Of it: taken back by a refund or an adjustment. */
  readonly revoked: Decimal
  /** Of it: paid for posted events (for invoice credit: for final invoices). */
  used: Decimal
  /** Of it: held by pending reservations. Not stored: the reservations say it. */
  held: Decimal
  /** First instant at which it pays, epoch milliseconds. */
  readonly startsAt: number
  /** It pays for what happened before this instant; null: it never expires. */
  readonly expiresAt: number | null
  readonly createdAt: number
  /** Where it comes from: the pack's code, or the id of an invoice; null for one of a plan. */
  readonly reference: string | null
  /** Nothing can come of it any more; kept for the record. */
  readonly isClosed: boolean
}

/** What is neither used, held nor revoked. */
export function remainingOf({ granted, revoked, used, held }: Grant): Decimal {
  return subtract(granted, add(revoked, add(used, held)))
}

export function grantToDocument(grant: Grant): string {
  const { id: _id, isClosed: _isClosed, held: _held, granted, revoked, used, ...rest } = grant
  return JSON.stringify({
    ...rest,
    granted: formatDecimal(granted),
    revoked: formatDecimal(revoked),
    used: formatDecimal(used),
  })
}

/** What pending reservations hold of it is added by whoever loads them. */
export function grantFromDocument(id: string, isClosed: boolean, document: string): Grant {
  const { granted, revoked, used, ...rest } = JSON.parse(document) as GrantJson
  return {
    ...rest,
    id,
    isClosed,
    granted: storedDecimal(granted),
    revoked: storedDecimal(revoked),
    used: storedDecimal(used),
    held: DECIMAL_ZERO,
  }
}

interface GrantJson extends Omit<Grant, 'id' | 'isClosed' | 'granted' | 'revoked' | 'used' | 'held'> {
  readonly granted: string
  readonly revoked: string
  readonly used: string
}
