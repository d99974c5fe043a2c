/** Makes the lines of a final invoice again from the totals that it holds, and its seal from the events. */

import type { AccountState } from './account/account-state.ts'
import { segmentAt, segmentFor, usagePeriod } from './account/subscription.ts'
import { sealedEvents } from './audit.ts'
import type { Store, StoredTotal } from './contracts/store.ts'
import { createSeal } from './invoice/seal/seal.ts'
import { sumsOf } from './invoice/sums.ts'
import { adjustmentOf, bySealOrder, lateKey, linesOf, type Offers, planOf } from './moment.ts'
import type { Invoice, InvoiceLine } from './records/invoice.ts'
import { formatMoney, sumMoney } from './values/money.ts'
import { formatQuantity } from './values/quantity.ts'
import type { Difference } from './verify.ts'

/** A total that an invoice holds. */
export interface HeldTotal {
  readonly total: StoredTotal
  /** Those of the same period that earlier invoices hold. */
  readonly earlier: readonly StoredTotal[]
}

export interface InvoiceComparison {
  readonly invoice: Invoice
  readonly state: AccountState
  readonly held: readonly HeldTotal[]
}

export interface CompareParts extends Offers {
  readonly store: Store
}

export async function compareInvoice(parts: CompareParts, comparison: InvoiceComparison): Promise<Difference[]> {
  const { invoice, held } = comparison
  return [...compareSums(invoice), ...compareLines(parts, comparison), ...(await compareSeal(parts.store, invoice, held))]
}

function compareSums(invoice: Invoice): Difference[] {
  const sums = sumsOf(invoice.lines, invoice.currency)
  return (['subtotal', 'discount', 'tax', 'total'] as const).flatMap((name) =>
    sums[name].minor === invoice[name].minor
      ? []
      : [
          differing(
            invoice,
            `its lines add up to a ${name} of ${formatMoney(sums[name])}, it says ${formatMoney(invoice[name])}`,
          ),
        ],
  )
}

const OF_USAGE: ReadonlySet<InvoiceLine['type']> = new Set(['feature_usage', 'balance_overage', 'adjustment'])

/** Feature by feature: what the totals give, and what the invoice says. */
function compareLines(parts: CompareParts, { invoice, state, held }: InvoiceComparison): Difference[] {
  const found = invoice.lines.filter(({ type }) => OF_USAGE.has(type))
  const expected = held.flatMap((one) => expectedLines(parts, { invoice, state }, one))
  const counted = new Set(held.map(({ total: { feature, periodStart } }) => lateKey({ feature, periodStart })))
  // A fee that is due without usage has a line and no total.
  for (const line of found) {
    if (line.feature === null || line.type === 'adjustment') continue
    const key = lateKey({ feature: line.feature, periodStart: line.period[0] })
    if (counted.has(key)) continue
    counted.add(key)
    expected.push(...unusedLines(parts, state, line))
  }
  const features = new Set([...expected, ...found].map(({ feature }) => feature))
  return [...features].flatMap((feature) => {
    const ours = expected.filter((line) => line.feature === feature)
    const theirs = found.filter((line) => line.feature === feature)
    const isSame =
      ours.length === theirs.length &&
      ours.every((line) => {
        const other = theirs.find(({ id }) => id === line.id)
        return other?.quantity === line.quantity && other.amount.minor === line.amount.minor
      })
    return isSame
      ? []
      : [differing(invoice, `the log gives ${summed(ours, invoice)} of ${feature}, the invoice says ${summed(theirs, invoice)}`)]
  })
}

function expectedLines(
  offers: Offers,
  { invoice, state }: Pick<InvoiceComparison, 'invoice' | 'state'>,
  { total, earlier }: HeldTotal,
): InvoiceLine[] {
  const { feature: code, periodStart, quantity: posted } = total
  const { subscription } = state
  const segment = subscription && segmentAt(subscription, periodStart)
  if (subscription === null || segment === null) return []
  // What an invoice holds of another period than its own came late.
  if (earlier.length > 0 || periodStart !== invoice.period[0]) {
    const late = { feature: code, periodStart, posted, uncovered: total.uncovered }
    const line = adjustmentOf(state, late, { totals: earlier, corrects: null }, offers)
    return line === null ? [] : [line]
  }
  const plan = planOf(offers, subscription, segment)
  const terms = plan.features.get(code)
  const feature = offers.catalogOf(segment.catalogVersion).features.get(code)
  if (terms === undefined || terms.kind === 'boolean' || feature === undefined) return []
  const { start, end } = usagePeriod(segment, subscription.timeZone, periodStart)
  const printed = { plan: plan.code, feature, currency: subscription.currency, period: [start, end] as const }
  const { events, cost, uncovered } = total
  const usage = { feature: code, periodStart, posted, reserved: 0n, events, lastSeq: 0, cost, uncovered }
  return linesOf(printed, terms, { usage, segment })
}

function unusedLines(offers: Offers, { subscription }: AccountState, { feature: code, period }: InvoiceLine): InvoiceLine[] {
  if (subscription === null || code === null) return []
  const segment = segmentFor(subscription, period[0])
  const plan = planOf(offers, subscription, segment)
  const terms = plan.features.get(code)
  const feature = offers.catalogOf(segment.catalogVersion).features.get(code)
  if (terms === undefined || terms.kind === 'boolean' || feature === undefined) return []
  return linesOf({ plan: plan.code, feature, currency: subscription.currency, period }, terms, { usage: undefined, segment })
}

/** The root over the events as the log has them. Where retention took some, it can no longer be made. */
async function compareSeal(store: Store, invoice: Invoice, held: readonly HeldTotal[]): Promise<Difference[]> {
  if (held.some(({ total }) => total.dropped.events > 0)) return []
  const seal = createSeal()
  const totals = held.map(({ total }) => total).toSorted(bySealOrder)
  for await (const page of sealedEvents(store, invoice.customerId, totals)) for (const event of page) seal.add(event)
  const root = seal.root()
  if (root?.root === invoice.seal?.root) return []
  return [differing(invoice, `its seal is ${invoice.seal?.root ?? 'none'}, its events give ${root?.root ?? 'none'}`)]
}

function summed(lines: readonly InvoiceLine[], { currency }: Invoice): string {
  const units = lines.reduce((sum, { quantity }) => sum + quantity, 0n)
  const amount = sumMoney(
    lines.map((line) => line.amount),
    currency,
  )
  return `${formatQuantity(units)} for ${formatMoney(amount)}`
}

function differing({ id, number, customerId }: Invoice, what: string): Difference {
  return { kind: 'invoice', customerId, message: `Invoice ${number ?? id} of ${customerId}: ${what}`, events: [] }
}
