/** A billing moment as an invoice, and what is different once it is final. */

import type { AccountState, Entry } from './account/account-state.ts'
import { owedGrantId } from './account/collection.ts'
import { draw, leftOf, payingGrants } from './account/grants.ts'
import {
  intervalAt,
  type PaidBase,
  segmentAt,
  segmentFor,
  type Subscription,
  type SubscriptionDiscount,
  withNextMoment,
} from './account/subscription.ts'
import type { TaxParty, TaxRules } from './contracts/tax-rules.ts'
import { buildInvoice, invoiceId } from './invoice/build-invoice.ts'
import { type AppliedDiscount, discountedAmounts } from './invoice/discount.ts'
import { type TaxOf, taxByRules, untaxed } from './invoice/tax/tax-lines.ts'
import { type Moment, type Offers, offerOf, planOf, usageSum } from './moment.ts'
import { type Grant, remainingOf } from './records/grant.ts'
import type { Invoice, InvoiceLine } from './records/invoice.ts'
import { add, DECIMAL_ZERO, isZero } from './values/decimal.ts'
import { invariant } from './values/invariant.ts'
import { addMoney, type Money, moneyToDecimal, negateMoney, subtractMoney, toMoney, zero } from './values/money.ts'

export interface DraftingParts extends Offers {
  /** Null where nobody taxes. */
  readonly tax: TaxRules | null
}

/** Pure. Null when there is nothing to put on it. */
export function draftOfMoment(parts: DraftingParts, state: AccountState, moment: Moment): Invoice | null {
  const { subscription, customerId } = state
  invariant(subscription !== null, 'a billing moment is of a subscription')
  const { at, type, period, lines } = moment
  if (lines.length === 0) return null
  const { currency } = subscription
  return buildInvoice({
    id: invoiceId(subscription.id, subscription.nextMoment),
    type,
    customerId,
    subscriptionId: subscription.id,
    currency,
    period,
    issuedAt: at,
    lines,
    discounts: discountsOf(parts, subscription),
    taxOf: taxOfInvoice(parts, state, at),
    credit: invoiceCredit(state, currency, at),
  })
}

/** What coupons take off the next invoice. */
function discountsOf(parts: Offers, { discounts, currency }: Subscription): AppliedDiscount[] {
  return discounts.flatMap(({ coupon: code, catalogVersion, cyclesLeft }): AppliedDiscount[] => {
    const coupon = offerOf(parts.catalogOf(catalogVersion), currency).coupons.get(code)
    if (coupon === undefined || cyclesLeft === 0) return []
    const { name, reduction, plans } = coupon
    const shared = { coupon: code, name, ...(plans === null ? {} : { plans }) }
    if (reduction.kind === 'percent') return [{ ...shared, percent: reduction.percent }]
    return [{ ...shared, amount: toMoney(reduction.amount, currency, 'half_up') }]
  })
}

/** Asks the tax rules for a customer's invoice. */
export function taxOfInvoice({ tax, ...offers }: DraftingParts, { customer, subscription }: AccountState, at: number): TaxOf {
  if (tax === null) return untaxed
  const { country, taxId, isTaxExempt } = customer ?? {}
  const buyer: TaxParty = {
    ...(country === undefined ? {} : { country }),
    ...(taxId === undefined ? {} : { taxId }),
    ...(isTaxExempt === undefined ? {} : { isTaxExempt }),
  }
  const categoryOf = ({ plan }: InvoiceLine): string | null => {
    const segment = plan === null ? undefined : subscription?.segments.findLast((one) => one.plan === plan)
    return segment === undefined || subscription === null ? null : planOf(offers, subscription, segment).taxCategory
  }
  return taxByRules({ rules: tax, buyer, at, categoryOf })
}

/** Invoice credit that a customer has, in whole minor units: what is smaller stays. */
export function invoiceCredit({ grants }: AccountState, currency: string, at: number): Money {
  return toMoney(leftOf(payingGrants(grants.values(), 'invoice_credit', at)), currency, 'down')
}

/** Pure. What a moment changes besides the invoice itself; `invoice` is null when it had nothing to put on one. */
export function afterMoment(state: AccountState, moment: Moment, invoice: Invoice | null): Entry[] {
  const { subscription } = state
  invariant(subscription !== null, 'a billing moment is of a subscription')
  const entries: Entry[] = invoice === null ? [] : creditEntries(state, invoice)
  for (const grant of state.grants.values()) {
    const touched = entries.some((entry) => entry.kind === 'granted' && entry.grant.id === grant.id)
    if (!touched && isOver(grant, moment.at)) entries.push({ kind: 'granted', grant: { ...grant, isClosed: true } })
  }
  const next = withNextMoment(subscription)
  const billed = {
    ...next,
    discounts: subscription.discounts.map((discount) => afterCycle(discount, moment)),
    paidBase: paidBaseAfter(subscription, moment, invoice),
    billedInInterval: billedInInterval(subscription, moment, invoice),
  }
  return [...entries, { kind: 'subscription', subscription: billed }]
}

/** Pays with invoice credit, oldest first, and keeps what the customer is owed. */
export function creditEntries({ grants }: AccountState, invoice: Invoice): Entry[] {
  const { creditApplied, total, currency, issuedAt, id } = invoice
  const paying = payingGrants(grants.values(), 'invoice_credit', issuedAt)
  const entries = draw(paying, moneyToDecimal(creditApplied)).parts.map(({ grant: grantId, amount }): Entry => {
    const grant = grants.get(grantId)
    invariant(grant !== undefined, 'invoice credit is drawn from grants of the account')
    const used = { ...grant, used: add(grant.used, amount) }
    return { kind: 'granted', grant: { ...used, isClosed: isZero(remainingOf(used)) } }
  })
  if (total.minor >= 0n || invoice.type === 'credit_note') return entries
  return [...entries, { kind: 'granted', grant: owedGrant(id, negateMoney({ minor: total.minor, currency }), issuedAt) }]
}

/** The invoice credit that an invoice used comes back when it is withdrawn, less what credit notes left of it. */
export function returnedCredit(invoice: Invoice, kept: Money, at: number): Entry[] {
  const { id, creditApplied } = invoice
  const back = subtractMoney(creditApplied, kept)
  if (back.minor <= 0n) return []
  return [{ kind: 'granted', grant: { ...owedGrant(id, back, at), id: `return-${id}`, source: 'adjustment' } }]
}

/** Money that invoices to come draw on. */
export function owedGrant(invoice: string, amount: Money, at: number): Grant {
  return {
    id: owedGrantId(invoice),
    unit: 'invoice_credit',
    source: 'credit_note',
    priority: 0,
    granted: moneyToDecimal(amount),
    revoked: DECIMAL_ZERO,
    used: DECIMAL_ZERO,
    held: DECIMAL_ZERO,
    startsAt: at,
    expiresAt: null,
    createdAt: at,
    reference: invoice,
    isClosed: false,
  }
}

/** Whether nothing can come of a grant any more: its time has passed and is invoiced, or all of it is used. */
function isOver(grant: Grant, at: number): boolean {
  if (!isZero(grant.held)) return false
  if (grant.expiresAt !== null && grant.expiresAt <= at) return true
  // That of a running period is there until the period ends: it is made once.
  return grant.source !== 'plan' && isZero(remainingOf(grant))
}

/** A cycle is an interval: it begins with a whole base price. A change within it begins none. */
function afterCycle(discount: SubscriptionDiscount, { base }: Moment): SubscriptionDiscount {
  const { cyclesLeft } = discount
  if (base?.line.type !== 'plan_base' || cyclesLeft === null || cyclesLeft === 0) return discount
  return { ...discount, cyclesLeft: cyclesLeft - 1 }
}

/** What was paid for the interval that a base price began; discounts taken off. */
function paidBaseAfter(subscription: Subscription, { base, at }: Moment, invoice: Invoice | null): PaidBase | null {
  const { paidBase } = subscription
  if (base !== null && invoice !== null) {
    const amount = discountedAmounts(invoice.lines).get(base.line.id)
    invariant(amount !== undefined, 'a base price that begins has a line')
    return { period: base.period, amount, invoiceId: invoice.id }
  }
  // What begins here was not paid by it: the rest was given back, or is gone. Other prices go on with it.
  const segment = segmentAt(subscription, at)
  const goesOn = segment !== null && (segment.startsAt !== at || segment.cut?.kind === 'price')
  return goesOn && paidBase !== null && at < paidBase.period[1] ? paidBase : null
}

/** Usage charges since the interval began, for a committed minimum. */
function billedInInterval(subscription: Subscription, { at, base, lines }: Moment, invoice: Invoice | null): Money {
  const { currency, timeZone, billedInInterval: before } = subscription
  const segment = segmentFor(subscription, at)
  const isBeginning = base !== null || segment.startsAt === at || intervalAt(segment, timeZone, at).start === at
  if (isBeginning) return zero(currency)
  return invoice === null ? before : addMoney(before, usageSum(lines, currency))
}
