/** What one billing moment puts on an invoice: aggregate → rate → lines, for a period's end, a plan's beginning, and what came late. */

import { type AccountState, findUsage, type Usage } from './account/account-state.ts'
import { includedIn, blocksUnits } from './account/allowance.ts'
import { unusedOf, usedShares } from './account/segment-credit.ts'
import {
  endingPeriod,
  intervalAt,
  isInvoiced,
  isLateMoment,
  type Segment,
  segmentAt,
  type Subscription,
  usagePeriod,
} from './account/subscription.ts'
import type { Catalog, Offer } from './catalog/catalog.ts'
import type { Plan } from './catalog/plan.ts'
import type { MeteredTerms, PlanFeature } from './catalog/plan-feature.ts'
import type { StoredTotal } from './contracts/store.ts'
import {
  adjustmentLine,
  baseLine,
  costLines,
  minimumLine,
  prorationCharge,
  type PrintedFeature,
  prorationCredit,
  type Span,
  sumOfRated,
  usageLines,
} from './invoice/lines.ts'
import { rate } from './rate/rate.ts'
import type { InvoiceLine, InvoiceType } from './records/invoice.ts'
import { add, type Decimal, DECIMAL_ZERO, isZero } from './values/decimal.ts'
import { invariant } from './values/invariant.ts'
import { addMoney, type Money, moneyToDecimal, sumMoney, toMoney, zero } from './values/money.ts'
import type { Period } from './values/period.ts'
import { prorate, shareOf, type Share } from './values/proration.ts'
import type { Quantity } from './values/quantity.ts'

/** Where a subscription's plans are found. */
export interface Offers {
  readonly catalogOf: (catalogVersion: string) => Catalog
}

/** What final invoices say of a period that events came to late. */
export interface LatePeriod {
  /** The feature's totals that they hold, in the order in which they were made; none where it was not used before. */
  readonly totals: readonly StoredTotal[]
  /** The period's own invoice; null where it had nothing to put on one. */
  readonly corrects: string | null
}

/** By `lateKey`. */
export type LatePeriods = ReadonlyMap<string, LatePeriod>

/** What a billing moment bills. */
export interface Moment {
  readonly at: number
  readonly type: InvoiceType
  readonly period: Span
  readonly lines: readonly InvoiceLine[]
  /** Usage that the lines are made of: what the invoice takes out of the open period. */
  readonly sealed: readonly Usage[]
  /** The base price that begins here, for the interval that it pays for; null where none does. */
  readonly base: { readonly period: Span; readonly line: InvoiceLine } | null
}

/** Names the period of late usage. */
export function lateKey({ feature, periodStart }: Pick<Usage, 'feature' | 'periodStart'>): string {
  return `${feature} ${periodStart}`
}

/** Usage of periods whose invoice is final. */
export function lateUsage({ usage, subscription }: AccountState): Usage[] {
  if (subscription === null) return []
  return usage.filter(({ events, periodStart }) => events > 0 && isInvoiced(subscription, periodStart))
}

/** Pure. Null when nothing more is due. Late usage that `late` does not tell of waits for a later moment. */
export function momentOf(state: AccountState, late: LatePeriods, offers: Offers): Moment | null {
  const { subscription } = state
  if (subscription === null || subscription.dueAt === null) return null
  const at = subscription.dueAt
  const isLate = isLateMoment(subscription)
  const ended = isLate ? null : endingPeriod(subscription)
  const begun = isLate ? null : segmentAt(subscription, at)
  const usage = ended === null ? NOTHING : usageOfPeriod(state, ended, offers)
  const base = begun === null ? null : baseOf(subscription, begun, at, offers)
  const credit = ended === null ? null : creditOf(state, ended.segment, at, offers)
  const adjusted = adjustments(state, late, offers)
  const lines = [...(base === null ? [] : [base.line]), ...usage.lines, ...(credit === null ? [] : [credit])]
  const minimum = ended === null ? null : minimumOf(subscription, ended, { at, lines: usage.lines, offers })
  if (minimum !== null) lines.push(minimum)
  lines.push(...adjusted.lines)
  const period: Span = ended === null ? (base?.period ?? [at, at]) : [ended.period.start, ended.period.end]
  const sealed = [...usage.sealed, ...adjusted.sealed].toSorted(bySealOrder)
  return { at, type: typeOf(lines, base !== null), period, lines, sealed, base }
}

/** The order in which an invoice's totals are sealed. It has one of a feature and a period. */
export function bySealOrder(a: Pick<Usage, 'feature' | 'periodStart'>, b: Pick<Usage, 'feature' | 'periodStart'>): number {
  if (a.feature !== b.feature) return a.feature < b.feature ? -1 : 1
  return a.periodStart - b.periodStart
}

const NOTHING: { readonly lines: InvoiceLine[]; readonly sealed: Usage[] } = { lines: [], sealed: [] }

function typeOf(lines: readonly InvoiceLine[], isRenewal: boolean): InvoiceType {
  if (lines.some(({ type }) => type === 'proration_credit' || type === 'proration_charge')) return 'plan_change'
  if (isRenewal) return 'recurring'
  return lines.length > 0 && lines.every(({ type }) => type === 'adjustment') ? 'adjustment' : 'overage'
}

interface Ended {
  readonly segment: Segment
  readonly period: Period
}

/** Usage of the period that ends, feature by feature in the order of the catalog. */
function usageOfPeriod(
  state: AccountState,
  { segment, period }: Ended,
  offers: Offers,
): { lines: InvoiceLine[]; sealed: Usage[] } {
  const { subscription } = state
  invariant(subscription !== null, 'a period ends for a subscription')
  const lines: InvoiceLine[] = []
  const sealed: Usage[] = []
  const plan = planOf(offers, subscription, segment)
  const catalog = offers.catalogOf(segment.catalogVersion)
  for (const terms of plan.features.values()) {
    const feature = catalog.features.get(terms.feature)
    const usage = findUsage(state.usage, terms.feature, period.start)
    if (feature === undefined || terms.kind === 'boolean') continue
    const printed = { plan: plan.code, feature, currency: subscription.currency, period: [period.start, period.end] as const }
    const own = linesOf(printed, terms, { usage, segment })
    lines.push(...own)
    if (usage !== undefined && usage.events > 0) sealed.push(usage)
  }
  return { lines, sealed }
}

interface OfFeature {
  readonly usage: Usage | undefined
  readonly segment: Segment
}

/** The lines of one feature. One that nobody used has a line only where its price has a flat fee. */
export function linesOf(
  printed: PrintedFeature,
  terms: Exclude<PlanFeature, { kind: 'boolean' }>,
  { usage, segment }: OfFeature,
): InvoiceLine[] {
  const used = usage?.posted ?? 0n
  if (terms.kind !== 'metered') {
    if (usage === undefined || usage.events === 0) return []
    const unit = terms.kind === 'credits' ? 'credits' : printed.currency
    return costLines({ ...printed, used, unit, cost: usage.cost, uncovered: usage.uncovered })
  }
  const where = { segment, periodStart: printed.period[0] }
  const { included, rated } = ratedUsage(terms, used, where)
  if ((usage?.events ?? 0) === 0 && rated.length === 0) return []
  return usageLines({ ...printed, used, included, rated })
}

function ratedUsage(terms: MeteredTerms, used: Quantity, where: { segment: Segment; periodStart: number }) {
  const included = includedIn(terms, where)
  const covered = included === 'unlimited' || used < included ? used : included
  const isCovered = blocksUnits(terms, where.segment) || terms.overage === 'block'
  invariant(!isCovered || covered === used, 'usage stays within a blocked allowance')
  return { included: covered, rated: terms.overage === 'block' || isCovered ? [] : rate(terms.overage, used - covered) }
}

/** The base price that begins at a moment: of a whole interval, or of the rest of one that a change cut. */
function baseOf(subscription: Subscription, segment: Segment, at: number, offers: Offers): Moment['base'] {
  if (segment.kind !== 'plan') return null
  const plan = planOf(offers, subscription, segment)
  if (isZero(plan.price)) return null
  const { timeZone, currency } = subscription
  const interval = intervalAt(segment, timeZone, at)
  if (interval.end === Infinity) {
    if (at !== segment.startsAt || segment.cut?.kind === 'price') return null
    const period: Span = [at, usagePeriod(segment, timeZone, at).end]
    return { period, line: baseLine({ plan, currency, period }) }
  }
  const period: Span = [at, interval.end]
  if (at === interval.start) return { period, line: baseLine({ plan, currency, period }) }
  if (at !== segment.startsAt || segment.cut?.kind !== 'change') return null
  const share = shareOf(period, [interval.start, interval.end], { timeZone, unit: plan.prorationUnit })
  return { period, line: prorationCharge({ plan, currency, period, share }) }
}

/** What a segment that ended early gives back of the base price that was paid, by what was used until then. */
function creditOf(state: AccountState, segment: Segment, at: number, offers: Offers): InvoiceLine | null {
  const { subscription } = state
  const { credit, endsAt } = segment
  if (subscription === null || credit === undefined || endsAt !== at) return null
  const { paidBase } = subscription
  if (paidBase === null || at >= paidBase.period[1]) return null
  const plan = planOf(offers, subscription, segment)
  const ended = { subscription, segment, plan, at }
  const share = unusedOf({ ...ended, rule: credit.rule, used: usedShares(state, ended) })
  if (share === null) return null
  const { amount: paid, period } = paidBase
  const line = prorationCredit({ plan, period: [at, period[1]], share, paid, paidExact: moneyToDecimal(paid) })
  return line.amount.minor === 0n ? null : line
}

interface MinimumOf {
  readonly at: number
  readonly lines: readonly InvoiceLine[]
  readonly offers: Offers
}

/** At the end of an interval: what base price and usage lack to the plan's minimum. */
function minimumOf(subscription: Subscription, { segment, period }: Ended, { at, lines, offers }: MinimumOf): InvoiceLine | null {
  const plan = planOf(offers, subscription, segment)
  if (plan.minimum === null || segment.kind !== 'plan') return null
  const { timeZone, currency, billedInInterval } = subscription
  const interval = intervalAt(segment, timeZone, period.start)
  if (interval.end !== Infinity && at !== interval.end && at !== segment.endsAt) return null
  if (interval.end === Infinity && at !== segment.endsAt) return null
  const start = Math.max(interval.start, segment.startsAt)
  const share: Share =
    interval.end === Infinity
      ? { numerator: 1n, denominator: 1n }
      : shareOf([start, at], [interval.start, interval.end], { timeZone, unit: plan.prorationUnit })
  const base = prorate(plan.price, share, currency)
  const reached = addMoney(addMoney(base, billedInInterval), usageSum(lines, currency))
  return minimumLine({ plan, period: [start, at], minimum: prorate(plan.minimum, share, currency), reached })
}

/** What usage comes to on an invoice. */
export function usageSum(lines: readonly InvoiceLine[], currency: string): Money {
  const usage = lines.filter(({ type }) => type === 'feature_usage' || type === 'balance_overage')
  return sumMoney(
    usage.map(({ amount }) => amount),
    currency,
  )
}

/** Late events: what the lines of their period would have come to with them, less what they came to. */
function adjustments(state: AccountState, late: LatePeriods, offers: Offers): { lines: InvoiceLine[]; sealed: Usage[] } {
  const lines: InvoiceLine[] = []
  const sealed: Usage[] = []
  for (const usage of lateUsage(state)) {
    const period = late.get(lateKey(usage))
    const line = period === undefined ? null : adjustmentOf(state, usage, period, offers)
    if (line === null) continue
    lines.push(line)
    sealed.push(usage)
  }
  return { lines, sealed }
}

/** One late total's line; null where the plan of its time does not know the feature. */
export function adjustmentOf(
  { subscription }: Pick<AccountState, 'subscription'>,
  usage: Pick<Usage, 'feature' | 'periodStart' | 'posted' | 'uncovered'>,
  { totals, corrects }: LatePeriod,
  offers: Offers,
): InvoiceLine | null {
  const { feature: code, periodStart } = usage
  const segment = subscription && segmentAt(subscription, periodStart)
  if (subscription === null || segment === null) return null
  const plan = planOf(offers, subscription, segment)
  const terms = plan.features.get(code)
  const feature = offers.catalogOf(segment.catalogVersion).features.get(code)
  if (terms === undefined || feature === undefined || terms.kind === 'boolean') return null
  const { start, end } = usagePeriod(segment, subscription.timeZone, periodStart)
  const { currency } = subscription
  const before = {
    quantity: totals.reduce((sum, { quantity }) => sum + quantity, 0n),
    uncovered: totals.map(({ uncovered }) => uncovered).reduce(add, DECIMAL_ZERO),
  }
  const amountOf = (quantity: Quantity, uncovered: Decimal): Money =>
    terms.kind === 'metered'
      ? sumOfRated(ratedUsage(terms, quantity, { segment, periodStart }).rated, currency)
      : terms.kind === 'balance'
        ? toMoney(uncovered, currency, 'half_up')
        : zero(currency)
  return adjustmentLine({
    plan: plan.code,
    feature,
    currency,
    period: [start, end],
    late: usage.posted,
    before: amountOf(before.quantity, before.uncovered),
    after: amountOf(before.quantity + usage.posted, add(before.uncovered, usage.uncovered)),
    corrects,
  })
}

/** The plan of a segment, in the subscription's currency. */
export function planOf(
  { catalogOf }: Offers,
  { currency }: Pick<Subscription, 'currency'>,
  segment: Pick<Segment, 'plan' | 'catalogVersion'>,
): Plan {
  const plan = offerOf(catalogOf(segment.catalogVersion), currency).plans.get(segment.plan)
  invariant(plan !== undefined, 'a subscription is to a plan of its catalog version')
  return plan
}

export function offerOf(catalog: Catalog, currency: string): Offer {
  const offer = catalog.offers.get(currency)
  invariant(offer !== undefined, 'a subscription is in a currency of its catalog version')
  return offer
}
