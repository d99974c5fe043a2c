/** Why an invoice line is what it is: in words and in figures, down to the events. */

import type { AccountState } from './account/account-state.ts'
import { includedIn } from './account/allowance.ts'
import { isCut, type Segment, segmentAt } from './account/subscription.ts'
import type { Plan } from './catalog/plan.ts'
import type { PlanFeature } from './catalog/plan-feature.ts'
import type { Page, PageRequest, Store } from './contracts/store.ts'
import { FareboxError } from './errors.ts'
import { type Offers, planOf } from './moment.ts'
import { rate } from './rate/rate.ts'
import type { Invoice, InvoiceLine } from './records/invoice.ts'
import type { UsageEvent } from './records/usage-event.ts'
import { add, type Decimal, DECIMAL_ZERO, formatDecimal } from './values/decimal.ts'
import { formatInstant } from './values/instant.ts'
import { formatMoney } from './values/money.ts'
import { formatQuantity, type Quantity } from './values/quantity.ts'

export interface ExplainQuery extends PageRequest {
  /** Id or number of a final invoice. */
  readonly invoice: string
  /** The line's id. */
  readonly line: string
}

/** What a grant paid for the events of the page. */
export interface GrantShare {
  readonly grant: string
  /** Exact, as a decimal string, in credits or the currency's main unit. */
  readonly amount: string
}

export interface LineExplanation {
  readonly line: InvoiceLine
  /** How it came about, one step in each sentence. */
  readonly sentences: readonly string[]
  /** The rule, as the catalog has it: the pricing model, `allowance`, `credits`, `balance`, or the type of the line. */
  readonly rule: string
  /** Place of the price tier, from 1; null where there is none. */
  readonly tier: number | null
  /** The amount before it was rounded once, half up, as a decimal string; null where the line is a sum or a difference of rounded amounts. */
  readonly exact: string | null
  /** Which grants paid for the events of this page, in the order in which they first did. */
  readonly grants: readonly GrantShare[]
  /** The events behind the line, newest first; the lines of one feature share them. None for lines that no events are behind. */
  readonly events: Page<UsageEvent>
}

export interface ExplainParts extends Offers {
  readonly store: Store
}

/** Throws `not_found` for an invoice that is not final and for a line that it does not have. */
export async function explainLine(
  parts: ExplainParts,
  { invoice: name, line: id, ...page }: ExplainQuery,
): Promise<LineExplanation> {
  const invoice = await parts.store.invoice(name)
  const line = invoice?.lines.find((one) => one.id === id)
  if (invoice === null || invoice.number === null || line === undefined) throw notFound(name, id, invoice)
  const state = await parts.store.change({ customerId: invoice.customerId }, (found) => ({ result: found, entries: [] }))
  const events = await eventsOf(parts.store, invoice, line, page)
  const found = termsOf(parts, state, line)
  const priced = found === null ? null : pricedPart(found, usedOf(invoice, line), line)
  return {
    line,
    sentences: sentencesOf(invoice, line, found, priced),
    rule: ruleOf(line, found, priced),
    tier: priced?.tier ?? null,
    exact: priced === null ? (line.cost?.amount ?? null) : formatDecimal(priced.amount),
    grants: grantsOf(events.items),
    events,
  }
}

const WITH_EVENTS: ReadonlySet<InvoiceLine['type']> = new Set(['feature_usage', 'balance_overage', 'adjustment'])

async function eventsOf(
  store: Store,
  { customerId, id }: Invoice,
  line: InvoiceLine,
  page: PageRequest,
): Promise<Page<UsageEvent>> {
  const { feature, type, period } = line
  if (feature === null || !WITH_EVENTS.has(type)) return { items: [], next: null }
  return store.events({ customerId, feature, periodStart: period[0], invoiceId: id, ...page })
}

interface Found {
  readonly segment: Segment
  readonly plan: Plan
  readonly terms: Exclude<PlanFeature, { kind: 'boolean' }> | null
}

function termsOf(offers: Offers, { subscription }: AccountState, { feature, period, plan: code }: InvoiceLine): Found | null {
  const segment = subscription && segmentAt(subscription, period[0])
  if (subscription === null || segment === null || segment.plan !== code) return null
  const plan = planOf(offers, subscription, segment)
  const terms = feature === null ? undefined : plan.features.get(feature)
  return { segment, plan, terms: terms === undefined || terms.kind === 'boolean' ? null : terms }
}

/** Units of the line's feature and period on the invoice, over all of its tiers. */
function usedOf({ lines }: Invoice, { feature, period }: InvoiceLine): Quantity {
  const own = lines.filter((line) => line.type === 'feature_usage' && line.feature === feature && line.period[0] === period[0])
  return own.reduce((sum, { quantity }) => sum + quantity, 0n)
}

interface PricedPart {
  readonly tier: number | null
  readonly amount: Decimal
  readonly model: string
}

function pricedPart({ terms, segment }: Found, used: Quantity, line: InvoiceLine): PricedPart | null {
  if (terms?.kind !== 'metered' || terms.overage === 'block' || line.type !== 'feature_usage') return null
  const included = includedIn(terms, { segment, periodStart: line.period[0] })
  if (included === 'unlimited' || used < included) return null
  const part = rate(terms.overage, used - included).find(({ id }) => line.id === `${terms.feature}-${id}`)
  if (part === undefined) return null
  const place = /-(\d+)/.exec(part.id)?.[1]
  return { tier: place === undefined ? null : Number(place), amount: part.amount, model: terms.overage.model }
}

function ruleOf({ type }: InvoiceLine, found: Found | null, priced: PricedPart | null): string {
  if (priced !== null) return priced.model
  if (type !== 'feature_usage' || found?.terms === null || found === null) return type
  return found.terms.kind === 'metered' ? 'allowance' : found.terms.kind
}

function sentencesOf(invoice: Invoice, line: InvoiceLine, found: Found | null, priced: PricedPart | null): string[] {
  const { quantity, included, billable, unitPrice, amount, period, feature, cost } = line
  const span = `from ${formatInstant(period[0])} up to ${formatInstant(period[1])}`
  const rounded = `${formatMoney(amount)} ${invoice.currency}`
  switch (line.type) {
    case 'feature_usage': {
      const sentences = [`${formatQuantity(quantity)} ${feature} were used ${span}.`]
      if (cost !== undefined)
        sentences.push(`They took ${cost.amount} ${cost.unit} of what was granted or topped up, each event its exact cost.`)
      else if (included > 0n) sentences.push(`${formatQuantity(included)} of them are included${cutOf(found, line)}.`)
      if (priced === null) return [...sentences, `So ${rounded} is due for them.`]
      const tier = priced.tier === null ? '' : `, tier ${priced.tier}`
      sentences.push(
        `${formatQuantity(billable)} are priced ${priced.model}${tier}: ${unitPrice} for ${formatQuantity(line.per)}.`,
      )
      return [...sentences, `That is ${formatDecimal(priced.amount)} exactly, rounded once, half up, to ${rounded}.`]
    }
    case 'balance_overage':
      return [
        `The balance did not cover ${cost?.amount} ${cost?.unit} of ${feature} ${span}.`,
        `Rounded once, half up, that is ${rounded}.`,
      ]
    case 'adjustment':
      return [
        `${formatQuantity(quantity)} ${feature} ${span} came or were corrected after ${line.corrects === undefined ? 'that period was closed' : `the invoice ${line.corrects} was final`}.`,
        `With them the lines of that period come to ${rounded} more than was billed.`,
      ]
    case 'proration_credit':
      return [
        `The plan ended before the time that was paid for: ${span} was not used.`,
        `${rounded} of what was paid comes back, by the rule ${found?.segment.credit?.rule ?? found?.plan.proration ?? 'of the plan'}.`,
      ]
    case 'tax':
      return [
        `${line.tax?.name} of ${line.tax?.rate} per cent on ${formatMoney(line.tax?.taxable ?? amount)} (${line.tax?.treatment}), rounded once, half up: ${rounded}.`,
      ]
    case 'plan_base':
    case 'proration_charge':
    case 'minimum_commitment':
    case 'credit_pack':
    case 'top_up':
    case 'one_off':
    case 'credit':
    case 'discount':
      return [`${line.description}, ${span}: ${rounded}${unitPrice === null ? '' : `, at ${unitPrice}`}.`]
  }
}

function cutOf(found: Found | null, { period }: InvoiceLine): string {
  const cut = found?.segment.cut
  if (found === null || cut === undefined || !isCut(found.segment, period[0])) return ''
  return cut.kind === 'price'
    ? ', which is what a change of prices left of the period'
    : `: ${cut.share[0]} of ${cut.share[1]} of the period's allowance`
}

function grantsOf(events: readonly UsageEvent[]): GrantShare[] {
  const sums = new Map<string, Decimal>()
  for (const { grant, amount } of events.flatMap(({ charge }) => charge?.parts ?? []))
    sums.set(grant, add(sums.get(grant) ?? DECIMAL_ZERO, amount))
  return [...sums].map(([grant, amount]) => ({ grant, amount: formatDecimal(amount) }))
}

function notFound(name: string, line: string, invoice: Invoice | null): FareboxError {
  const lines = invoice?.lines.map(({ id }) => id).join(', ') ?? ''
  const found = invoice === null ? 'no such invoice' : invoice.number === null ? 'a draft' : `the lines ${lines}`
  return new FareboxError('not_found', `Expected the line ${line} of the final invoice ${name}, found ${found}`, {
    fields: { invoice: name, line },
  })
}
