/** Period end, in order: log ═▶ aggregate → rate → invoice. */

import { type AccountState, findUsage } from './account/account-state.ts'
import { momentAt, periodEndingAt, type Subscription, withNextMoment } from './account/subscription.ts'
import type { Catalog } from './catalog/catalog.ts'
import type { MeteredTerms } from './catalog/plan.ts'
import type { Change, Store } from './contracts/store.ts'
import { buildInvoice, invoiceId } from './invoice/build-invoice.ts'
import { baseLine, usageLines } from './invoice/lines.ts'
import { finalize } from './invoice/transition.ts'
import { rate } from './rate/rate.ts'
import type { Invoice, InvoiceLine } from './records/invoice.ts'
import { isZero } from './values/decimal.ts'
import { invariant } from './values/invariant.ts'
import type { Period } from './values/period.ts'
import type { Quantity } from './values/quantity.ts'

/** A total that does not equal its events. */
export interface TotalDifference {
  readonly customerId: string
  readonly feature: string
  readonly periodStart: number
  readonly total: { readonly quantity: Quantity; readonly events: number }
  readonly log: { readonly quantity: Quantity; readonly events: number }
}

export interface CloseResult {
  /** Invoices that became final, in the order of their numbers. */
  readonly invoices: readonly Invoice[]
  /** Customers whose draft is held back, because a total does not equal its events. */
  readonly held: readonly { readonly customerId: string; readonly differences: readonly TotalDifference[] }[]
  /** Customers with requests in flight in the period: closing again makes their invoice. */
  readonly waiting: readonly string[]
}

export interface CloseParts {
  readonly store: Store
  readonly catalogOf: (subscription: Subscription) => Catalog
  /** Series of the invoice numbers. */
  readonly series: string
}

/** Customers that are closed side by side, so that they share commits. */
const SIDE_BY_SIDE = 256

/** A total and its events are read one after the other: a difference that stays is one. */
const AUDIT_READINGS = 5

type Drafted = { readonly kind: 'drafted'; readonly draft: Invoice } | { readonly kind: 'waiting' } | { readonly kind: 'done' }

/**
 * Makes the invoice of every billing moment up to `until`, inclusive. Killed at any point and run again it makes each once:
 * a draft is found by its moment, and number, seal and next moment are one change. Moments are closed oldest first.
 */
export async function closePeriods(
  parts: CloseParts,
  { until, now }: { readonly until: number; readonly now: number },
): Promise<CloseResult> {
  const invoices: Invoice[] = []
  const held: { customerId: string; differences: readonly TotalDifference[] }[] = []
  const waiting: string[] = []
  const left = new Set<string>()
  for (;;) {
    const due = await parts.store.claimDue(until, SIDE_BY_SIDE + left.size)
    const customers = due.filter((customerId) => !left.has(customerId))
    if (customers.length === 0) return { invoices, held, waiting }

    const drafts: Invoice[] = []
    for (const [index, drafted] of (
      await Promise.all(customers.map((customerId) => draftNext(parts, customerId, until)))
    ).entries()) {
      if (drafted.kind === 'drafted') drafts.push(drafted.draft)
      if (drafted.kind === 'waiting') waiting.push(customers[index] as string)
    }
    const differences = await Promise.all(drafts.map((draft) => auditDraft(parts, draft)))
    const sound = drafts.filter((_draft, index) => differences[index]?.length === 0)
    for (const [index, draft] of drafts.entries()) {
      if (!sound.includes(draft)) held.push({ customerId: draft.customerId, differences: differences[index] ?? [] })
    }
    for (const customerId of [...waiting, ...held.map((one) => one.customerId)]) left.add(customerId)
    const finals = await Promise.all(sound.map((draft) => finalizeDraft(parts, draft, now)))
    for (const final of finals) if (final !== null) invoices.push(final)
  }
}

/** The invoice that the next billing moment would have if the period ended with what was used so far; null when it would have no line. */
export function previewInvoice(parts: CloseParts, state: AccountState): Invoice | null {
  return state.subscription === null ? null : invoiceOfNextMoment(parts, state, state.subscription)
}

/** The invoice of a subscription's next moment, or null when there is nothing to put on it. Pure. */
function invoiceOfNextMoment({ catalogOf }: CloseParts, state: AccountState, subscription: Subscription): Invoice | null {
  const moment = subscription.nextMoment
  const catalog = catalogOf(subscription)
  const plan = catalog.plans.get(subscription.plan)
  invariant(plan !== undefined, 'a subscription is to a plan of its catalog version')
  const issuedAt = momentAt(subscription, moment)
  const ended = periodEndingAt(subscription, moment)
  const isRenewal = moment % plan.intervalMonths === 0 && (subscription.endsAt === null || issuedAt < subscription.endsAt)

  const lines = ended === null ? [] : usageOfPeriod(state, { catalog, subscription, period: ended })
  const coming = [issuedAt, momentAt(subscription, moment + plan.intervalMonths)] as const
  if (isRenewal && !isZero(plan.price)) lines.unshift(baseLine({ plan, currency: catalog.currency, period: coming }))
  if (lines.length === 0) return null
  const period = ended === null ? coming : ([ended.start, ended.end] as const)
  return buildInvoice({
    subscription,
    moment,
    type: isRenewal ? 'recurring' : 'overage',
    currency: catalog.currency,
    period,
    issuedAt,
    lines,
  })
}

interface UsageOfPeriod {
  readonly catalog: Catalog
  readonly subscription: Subscription
  readonly period: Period
}

/** Aggregated usage of one period → rated lines → invoice lines, feature by feature in the order of the catalog. */
function usageOfPeriod(state: AccountState, { catalog, subscription, period }: UsageOfPeriod): InvoiceLine[] {
  const plan = catalog.plans.get(subscription.plan)
  const lines: InvoiceLine[] = []
  for (const terms of plan?.features.values() ?? []) {
    const feature = catalog.features.get(terms.feature)
    if (terms.kind !== 'metered' || feature === undefined) continue
    const usage = findUsage(state.usage, terms.feature, period.start)
    const used = usage?.posted ?? 0n
    const { included, billable } = splitByAllowance(terms, used)
    const rated = terms.overage === 'block' ? [] : rate(terms.overage, billable)
    // A feature that nobody used has a line only where its price has a flat fee.
    if ((usage?.events ?? 0) === 0 && rated.length === 0) continue
    lines.push(
      ...usageLines({
        plan: subscription.plan,
        feature,
        currency: catalog.currency,
        period: [period.start, period.end],
        used,
        included,
        rated,
      }),
    )
  }
  return lines
}

function splitByAllowance({ included, overage }: MeteredTerms, used: Quantity): { included: Quantity; billable: Quantity } {
  invariant(overage !== 'block' || included === 'unlimited' || used <= included, 'usage stays within a blocked allowance')
  const covered = included === 'unlimited' || used < included ? used : included
  return { included: covered, billable: used - covered }
}

/** Drafts the invoice of a customer's next due moment; a moment without lines is passed over. */
function draftNext(parts: CloseParts, customerId: string, until: number): Promise<Drafted> {
  return parts.store.change({ customerId, inOrder: true }, (state): Change<Drafted> => {
    const { subscription } = state
    if (subscription === null || subscription.dueAt === null || subscription.dueAt > until)
      return { result: { kind: 'done' }, entries: [] }
    const ended = periodEndingAt(subscription, subscription.nextMoment)
    if (ended !== null && holdsReservations(state, ended)) return { result: { kind: 'waiting' }, entries: [] }
    const draft = invoiceOfNextMoment(parts, state, subscription)
    if (draft === null)
      return { result: { kind: 'done' }, entries: [{ kind: 'subscription', subscription: withNextMoment(subscription) }] }
    return { result: { kind: 'drafted', draft }, entries: [{ kind: 'drafted', invoice: draft }] }
  })
}

/** Counts the events behind each usage line again. What came in between the two readings is no difference, so one is looked at again. */
async function auditDraft({ store }: CloseParts, draft: Invoice): Promise<TotalDifference[]> {
  let differences: TotalDifference[] = []
  for (let reading = 0; reading < AUDIT_READINGS; reading += 1) {
    differences = await differencesOf(store, draft)
    if (differences.length === 0) break
  }
  return differences
}

async function differencesOf(store: Store, draft: Invoice): Promise<TotalDifference[]> {
  const { customerId } = draft
  const differences: TotalDifference[] = []
  for (const { feature, periodStart, total } of await totalsOf(store, draft)) {
    const log = await store.recount({ customerId, feature, periodStart })
    if (log.quantity !== total.quantity || log.events !== total.events)
      differences.push({ customerId, feature, periodStart, total, log })
  }
  return differences
}

async function totalsOf(
  store: Store,
  draft: Invoice,
): Promise<{ feature: string; periodStart: number; total: { quantity: Quantity; events: number } }[]> {
  return store.change({ customerId: draft.customerId }, (state) => ({ result: sealedBy(state, draft), entries: [] }))
}

/** Makes the draft again from what came in since, gives it its number, seals its usage and moves the subscription on: one change. */
async function finalizeDraft(parts: CloseParts, draft: Invoice, now: number): Promise<Invoice | null> {
  const { store, series } = parts
  const isFinal = await store.change({ customerId: draft.customerId, inOrder: true }, (state): Change<boolean> => {
    const { subscription } = state
    // Another process was faster.
    if (subscription === null || invoiceId(subscription.id, subscription.nextMoment) !== draft.id)
      return { result: false, entries: [] }
    const ended = periodEndingAt(subscription, subscription.nextMoment)
    if (ended !== null && holdsReservations(state, ended)) return { result: false, entries: [] }
    const current = invoiceOfNextMoment(parts, state, subscription)
    invariant(current !== null, 'a draft has lines')
    const sealed = sealedBy(state, current).map(({ feature, periodStart }) => ({ feature, periodStart }))
    return {
      result: true,
      entries: [
        { kind: 'finalized', invoice: finalize(current, now), series, sealed },
        { kind: 'subscription', subscription: withNextMoment(subscription) },
      ],
    }
  })
  if (!isFinal) return null
  const final = await store.invoice(draft.id)
  invariant(final !== null && final.number !== null, 'a final invoice is found by its id and has a number')
  return final
}

/** Usage that the invoice's lines are made of: what it takes out of the open period. */
function sealedBy(
  state: AccountState,
  invoice: Invoice,
): { feature: string; periodStart: number; total: { quantity: Quantity; events: number } }[] {
  const features = new Set(invoice.lines.filter((line) => line.type === 'feature_usage').map((line) => line.feature))
  return state.usage
    .filter(({ feature, periodStart, events }) => events > 0 && features.has(feature) && periodStart === invoice.period[0])
    .map(({ feature, periodStart, posted, events }) => ({ feature, periodStart, total: { quantity: posted, events } }))
}

function holdsReservations(state: AccountState, period: Period): boolean {
  for (const reservation of state.reservations.values()) if (reservation.periodStart === period.start) return true
  return false
}
