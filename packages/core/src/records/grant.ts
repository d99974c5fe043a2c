/** Something that pays: credits, prepaid money, or money that a credit note owes to the customer. */

import { add, type Decimal, DECIMAL_ZERO, formatDecimal, storedDecimal, subtract } from '../values/decimal.ts'

/**
 * What a grant counts: credits, money of a prepaid balance that usage draws on, or money that invoices draw on (from credit
 * notes and from invoices whose total is negative).
 */
export type GrantUnit = 'credits' | 'balance' | 'invoice_credit'

export type GrantSource = 'plan' | 'pack' | 'top_up' | 'credit_note' | 'adjustment'

/** A part of a grant that was taken back, or given again where a refund that took it did not go through. */
export interface Revocation {
  /** The key of whoever asked for it, or the id of the refund or the credit note that took it. */
  readonly key: string
  /** Negative where it is given again. */
  readonly amount: Decimal
  /** Epoch milliseconds. */
  readonly at: number
  readonly reason: string | null
}

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
  /** What `revoked` is the sum of, oldest first; absent while nothing was. */
  readonly revocations?: readonly Revocation[]
  /** Of it: paid for posted events (for invoice credit: for final invoices). */
  used: Decimal
  /** Of it: held by pending reservations. Not stored: the reservations say it. */
  held: Decimal
  /** First instant at which it pays, epoch milliseconds. */
  readonly startsAt: number
  /** It pays for what happened before this instant; null: it never expires. */
  readonly expiresAt: number | null
  readonly createdAt: number
  /** Where it comes from: the id of an invoice or of another grant; null for one of a plan or of the operator. */
  readonly reference: string | null
  /** What the operator says of it, for people. */
  readonly reason?: string
  /** Nothing can come of it any more; kept for the record. */
  readonly isClosed: boolean
}

/** What is neither used, held nor revoked. */
export function remainingOf({ granted, revoked, used, held }: Grant): Decimal {
  return subtract(granted, add(revoked, add(used, held)))
}

/** The grant with a part taken back, or given again by a negative amount: its `revoked` stays the sum of its revocations. */
export function withRevocation(grant: Grant, revocation: Revocation): Grant {
  const revoked = add(grant.revoked, revocation.amount)
  return { ...grant, revoked, revocations: [...(grant.revocations ?? []), revocation] }
}

export function grantToDocument(grant: Grant): string {
  const { id: _id, isClosed: _isClosed, held: _held, granted, revoked, revocations, used, ...rest } = grant
  return JSON.stringify({
    ...rest,
    granted: formatDecimal(granted),
    revoked: formatDecimal(revoked),
    used: formatDecimal(used),
    ...(revocations === undefined ? {} : { revocations: revocations.map(revocationToJson) }),
  })
}

/** What pending reservations hold of it is added by whoever loads them. */
export function grantFromDocument(id: string, isClosed: boolean, document: string): Grant {
  const { granted, revoked, revocations, used, ...rest } = JSON.parse(document) as GrantJson
  return {
    ...rest,
    id,
    isClosed,
    granted: storedDecimal(granted),
    revoked: storedDecimal(revoked),
    used: storedDecimal(used),
    held: DECIMAL_ZERO,
    ...(revocations === undefined ? {} : { revocations: revocations.map(revocationFromJson) }),
  }
}

function revocationToJson({ amount, ...rest }: Revocation): RevocationJson {
  return { ...rest, amount: formatDecimal(amount) }
}

function revocationFromJson({ amount, ...rest }: RevocationJson): Revocation {
  return { ...rest, amount: storedDecimal(amount) }
}

interface RevocationJson extends Omit<Revocation, 'amount'> {
  readonly amount: string
}

interface GrantJson extends Omit<Grant, 'id' | 'isClosed' | 'granted' | 'revoked' | 'revocations' | 'used' | 'held'> {
  readonly granted: string
  readonly revoked: string
  readonly revocations?: readonly RevocationJson[]
  readonly used: string
}
