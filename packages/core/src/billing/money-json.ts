/** Credits, balance, payments and what goes back, as the routes answer them. */

import type { Collected } from '../collected.ts'
import type { InvoiceCollection } from '../collecting.ts'
import type { CreditNoteResult } from '../credit-notes.ts'
import type { GrantView, Holdings } from '../grant-view.ts'
import { type InvoiceJson, invoiceJson } from '../invoice/invoice-json.ts'
import type { LedgerEntry } from '../ledger-entries.ts'
import type { AutoTopUpInput, BalanceHoldings } from '../prepaid.ts'
import type { Payment, Refund } from '../records/payment.ts'
import type { Refunded } from '../refunds.ts'
import { formatInstant } from '../values/instant.ts'
import { formatMoney } from '../values/money.ts'
import { orNull } from './json.ts'

/** Who is told: what the operator wrote for the own use is not told to customers. */
export type Audience = 'customer' | 'operator'

export interface GrantJson {
  id: string
  unit: GrantView['unit']
  source: GrantView['source']
  priority: number
  granted: string
  used: string
  held: string
  revoked: string
  left: string
  starts_at: string
  expires_at: string | null
  created_at: string
  reference: string | null
  reason?: string | null | undefined
}

export function grantJson(grant: GrantView, audience: Audience): GrantJson {
  const { startsAt, expiresAt, createdAt, reason, ...members } = grant
  return {
    ...members,
    starts_at: formatInstant(startsAt),
    expires_at: orNull(expiresAt),
    created_at: formatInstant(createdAt),
    ...(audience === 'operator' ? { reason } : {}),
  }
}

export interface HoldingsJson {
  available: string
  held: string
  grants: GrantJson[]
}

export function holdingsJson({ available, held, grants }: Holdings, audience: Audience): HoldingsJson {
  return { available, held, grants: grants.map((grant) => grantJson(grant, audience)) }
}

export interface AutoTopUpJson {
  threshold: string
  amount: string
  cool_down_minutes: number
  monthly_ceiling: string
}

export interface BalanceJson extends HoldingsJson {
  currency: string
  overdraft: string
  auto_top_up: AutoTopUpJson | null
}

export function balanceJson(balance: BalanceHoldings, audience: Audience): BalanceJson {
  const { currency, overdraft, autoTopUp } = balance
  return { ...holdingsJson(balance, audience), currency, overdraft, auto_top_up: autoTopUp && autoTopUpJson(autoTopUp) }
}

function autoTopUpJson({ threshold, amount, coolDownMinutes, monthlyCeiling }: Required<AutoTopUpInput>): AutoTopUpJson {
  return { threshold, amount, cool_down_minutes: coolDownMinutes, monthly_ceiling: monthlyCeiling }
}

export interface LedgerEntryJson {
  kind: LedgerEntry['kind']
  at: string
  amount: string
  balance: string
  grant?: string | undefined
  source?: GrantView['source'] | undefined
  reference?: string | null | undefined
  reason?: string | null | undefined
  feature?: string | undefined
  seq?: number | undefined
  quantity?: string | undefined
  uncovered?: string | undefined
}

export function ledgerEntryJson(entry: LedgerEntry, audience: Audience): LedgerEntryJson {
  const { at, ...members } = entry
  const json: LedgerEntryJson = { ...members, at: formatInstant(at) }
  if (audience === 'customer') delete json.reason
  return json
}

export interface RefundJson {
  id: string
  amount: string
  status: Refund['status']
  reference: string | null
  decline_code: string | null
  credit_note: string | null
  created_at: string
  ended_at: string | null
}

export interface PaymentJson {
  id: string
  customer: string
  invoice: string
  amount: string
  currency: string
  status: Payment['status']
  is_automatic: boolean
  awaits: Payment['awaits']
  provider: string
  payment_method: string | null
  reference: string | null
  decline_code: string | null
  refunded: string
  refunds: RefundJson[]
  created_at: string
  ended_at: string | null
}

export function paymentJson(payment: Payment): PaymentJson {
  const { id, customerId, invoiceId, amount, status, isAutomatic, awaits, provider, paymentMethod, reference } = payment
  return {
    id,
    customer: customerId,
    invoice: invoiceId,
    amount: formatMoney(amount),
    currency: amount.currency,
    status,
    is_automatic: isAutomatic,
    awaits,
    provider,
    payment_method: paymentMethod,
    reference,
    decline_code: payment.declineCode,
    refunded: formatMoney(payment.refunded),
    refunds: payment.refunds.map(refundJson),
    created_at: formatInstant(payment.createdAt),
    ended_at: orNull(payment.endedAt),
  }
}

function refundJson({ id, amount, status, reference, declineCode, creditNote, createdAt, endedAt }: Refund): RefundJson {
  return {
    id,
    amount: formatMoney(amount),
    status,
    reference,
    decline_code: declineCode,
    credit_note: creditNote,
    created_at: formatInstant(createdAt),
    ended_at: orNull(endedAt),
  }
}

export interface CollectedJson {
  result: Exclude<Collected['kind'], 'declined'>
  invoice: InvoiceJson
  payment: PaymentJson | null
  grant: GrantJson | null
}

export function collectedJson(
  { kind: result, invoice, payment, grant }: Exclude<Collected, { kind: 'declined' }>,
  audience: Audience,
): CollectedJson {
  return {
    result,
    invoice: invoiceJson(invoice),
    payment: payment === null ? null : paymentJson(payment),
    grant: grant === null ? null : grantJson(grant, audience),
  }
}

export interface RefundedJson {
  result: Refunded['kind']
  refund: RefundJson
  payment: PaymentJson
}

export function refundedJson({ kind: result, refund, payment }: Refunded): RefundedJson {
  return { result, refund: refundJson(refund), payment: paymentJson(payment) }
}

export interface CollectionJson {
  invoice: InvoiceJson
  due: string
  paid: string
  refunded: string
  credited: string
  kept: string
  payments: PaymentJson[]
  credit_notes: InvoiceJson[]
}

export function collectionJson({ invoice, payments, creditNotes, ...sums }: InvoiceCollection): CollectionJson {
  return {
    invoice: invoiceJson(invoice),
    due: formatMoney(sums.due),
    paid: formatMoney(sums.paid),
    refunded: formatMoney(sums.refunded),
    credited: formatMoney(sums.credited),
    kept: formatMoney(sums.kept),
    payments: payments.map(paymentJson),
    credit_notes: creditNotes.map(invoiceJson),
  }
}

export interface CreditNoteJson {
  credit_note: InvoiceJson
  kept: string
  refunds: RefundJson[]
  due: string
}

export function creditNoteJson({ creditNote, kept, refunds, due }: CreditNoteResult): CreditNoteJson {
  return {
    credit_note: invoiceJson(creditNote),
    kept: formatMoney(kept),
    refunds: refunds.map(refundJson),
    due: formatMoney(due),
  }
}
