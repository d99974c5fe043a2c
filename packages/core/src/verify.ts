/** Recomputes every total and invoice from the log and names what disagrees. */

import type { AccountState } from './account/account-state.ts'
import { allowanceOf } from './account/allowance.ts'
import { isInvoiced, type Subscription, usagePeriod } from './account/subscription.ts'
import { createAggregation, totalKey } from './aggregate/aggregate.ts'
import type { Catalog } from './catalog/catalog.ts'
import { MAX_PAGE, type Page, type PageRequest, type Store, type StoredTotal } from './contracts/store.ts'
import { usageLines } from './invoice/lines.ts'
import { rate } from './rate/rate.ts'
import { type Invoice, parseInvoiceNumber } from './records/invoice.ts'
import type { UsageTotal } from './records/usage-total.ts'
import { formatInstant } from './values/instant.ts'
import { formatMoney, sumMoney } from './values/money.ts'
import { formatQuantity } from './values/quantity.ts'

/** One thing that is not as the log says. */
export interface Difference {
  readonly kind: 'total' | 'event' | 'limit' | 'invoice' | 'number'
  readonly customerId: string | null
  /** One sentence for a person. */
  readonly message: string
  /** The `seq` of events that disagree, where single ones can be named. */
  readonly events: readonly number[]
}

export interface Audit {
  readonly ok: boolean
  /** Events in the log. */
  readonly events: number
  readonly differences: readonly Difference[]
}

export interface VerifyParts {
  readonly store: Store
  readonly catalogOf: (subscription: Subscription) => Catalog
}

/** Reads the whole log once. Memory grows with customers, not with events. */
export async function verify({ store, catalogOf }: VerifyParts): Promise<Audit> {
  const differences: Difference[] = []
  const accounts = new Map<string, AccountState>()
  const aggregation = createAggregation()
  let events = 0
  for await (const event of everything((page) => store.log(page))) {
    events += 1
    const { subscription } = await accountOf(event.customerId)
    if (subscription === null) differences.push(orphanEvent(event))
    else aggregation.add(event, usagePeriod(subscription, event.at).start)
  }
  const recounted = new Map([...aggregation.totals()].map((total) => [totalKey(total), total]))
  const stored = new Map<string, StoredTotal>()
  for await (const total of everything((page) => store.totals(page))) {
    stored.set(totalKey(total), total)
    if (total.dropped.events > 0) recounted.set(totalKey(total), withDropped(total, recounted.get(totalKey(total))))
  }

  differences.push(...compareTotals(recounted, stored))
  for (const total of stored.values()) differences.push(...leftOut(total, (await accountOf(total.customerId)).subscription))
  for await (const customerId of everything((page) => store.customerIds(page))) {
    differences.push(...limitsOf(await accountOf(customerId)))
  }
  const invoices: Invoice[] = []
  for await (const invoice of everything((page) => store.invoices(page))) {
    if (invoice.status === 'draft') continue
    invoices.push(invoice)
    const { subscription } = await accountOf(invoice.customerId)
    differences.push(
      ...compareInvoice({ invoice, recounted, catalog: subscription && catalogOf(subscription), plan: subscription?.plan ?? '' }),
    )
  }
  differences.push(...gapsIn(invoices), ...unknownInvoices(invoices, stored))
  return { ok: differences.length === 0, events, differences }

  async function accountOf(customerId: string): Promise<AccountState> {
    let account = accounts.get(customerId)
    if (account === undefined) {
      // A copy: the state belongs to the store, which goes on changing it.
      account = await store.change({ customerId }, (state) => ({
        result: { ...state, usage: state.usage.map((usage) => ({ ...usage })) },
        entries: [],
      }))
      accounts.set(customerId, account)
    }
    return account
  }

  function limitsOf(state: AccountState): Difference[] {
    const { subscription, customerId } = state
    const plan = subscription === null ? undefined : catalogOf(subscription).plans.get(subscription.plan)
    return state.usage.flatMap((usage) => {
      const terms = plan?.features.get(usage.feature)
      if (terms?.kind !== 'metered') return []
      const { included, used, isBlocked } = allowanceOf(terms, usage)
      if (!isBlocked || included === null || used <= included) return []
      return [
        difference(
          'limit',
          customerId,
          `${usage.feature} of ${customerId}: ${formatQuantity(used)} used or reserved, over the blocked limit of ${formatQuantity(included)}`,
        ),
      ]
    })
  }
}

/** What the log holds and what retention counted before it took events out of it. */
function withDropped({ customerId, feature, periodStart, dropped }: StoredTotal, log: UsageTotal | undefined): UsageTotal {
  const quantity = dropped.quantity + (log?.quantity ?? 0n)
  return { customerId, feature, periodStart, quantity, events: dropped.events + (log?.events ?? 0) }
}

function compareTotals(recounted: ReadonlyMap<string, UsageTotal>, stored: ReadonlyMap<string, StoredTotal>): Difference[] {
  const differences: Difference[] = []
  for (const key of new Set([...recounted.keys(), ...stored.keys()])) {
    const log = recounted.get(key)
    const total = stored.get(key)
    const named = log ?? total
    if (named === undefined || (log?.quantity === total?.quantity && log?.events === total?.events)) continue
    const { customerId, feature, periodStart } = named
    differences.push(
      difference(
        'total',
        customerId,
        `${feature} of ${customerId} in the period from ${formatInstant(periodStart)}: the log holds ${shown(log)}, the total says ${shown(total)}`,
      ),
    )
  }
  return differences
}

/** Events of a period that is invoiced for good and that no invoice holds would never be paid. */
function leftOut(
  { customerId, feature, periodStart, invoiceId, events }: StoredTotal,
  subscription: Subscription | null,
): Difference[] {
  if (subscription === null || invoiceId !== null || !isInvoiced(subscription, usagePeriod(subscription, periodStart))) return []
  const where = `${feature} of ${customerId} in the period from ${formatInstant(periodStart)}`
  return [difference('total', customerId, `${where}: the period is closed, and no invoice holds its ${events} events`)]
}

interface InvoiceComparison {
  readonly invoice: Invoice
  readonly recounted: ReadonlyMap<string, UsageTotal>
  readonly catalog: Catalog | null
  readonly plan: string
}

/** Rates the log again and compares line by line. */
function compareInvoice({ invoice, recounted, catalog, plan }: InvoiceComparison): Difference[] {
  const { customerId, currency, period } = invoice
  const name = `Invoice ${invoice.number ?? invoice.id} of ${customerId}`
  const sum = sumMoney(
    invoice.lines.map((line) => line.amount),
    currency,
  )
  const differences: Difference[] = []
  if (sum.minor !== invoice.subtotal.minor || invoice.subtotal.minor !== invoice.total.minor) {
    differences.push(
      difference(
        'invoice',
        customerId,
        `${name}: its lines add up to ${formatMoney(sum)}, its total is ${formatMoney(invoice.total)}`,
      ),
    )
  }
  for (const code of new Set(invoice.lines.flatMap(({ feature }) => (feature === null ? [] : [feature])))) {
    const terms = catalog?.plans.get(plan)?.features.get(code)
    const feature = catalog?.features.get(code)
    if (terms?.kind !== 'metered' || feature === undefined) {
      differences.push(difference('invoice', customerId, `${name}: the plan ${plan} has no feature ${code}`))
      continue
    }
    const used = recounted.get(totalKey({ customerId, feature: code, periodStart: period[0] }))?.quantity ?? 0n
    const included = terms.included === 'unlimited' || used < terms.included ? used : terms.included
    const rated = terms.overage === 'block' ? [] : rate(terms.overage, used - included)
    const expected = usageLines({ plan, feature, currency, period, used, included, rated })
    const found = invoice.lines.filter((line) => line.feature === code)
    const isSame =
      expected.length === found.length &&
      expected.every(
        (line, i) =>
          line.id === found[i]?.id && line.quantity === found[i].quantity && line.amount.minor === found[i].amount.minor,
      )
    if (!isSame) {
      const amount = (lines: typeof found): string =>
        formatMoney(
          sumMoney(
            lines.map((line) => line.amount),
            currency,
          ),
        )
      differences.push(
        difference(
          'invoice',
          customerId,
          `${name}: the log gives ${formatQuantity(used)} ${code} for ${amount(expected)}, the invoice says ${amount(found)}`,
        ),
      )
    }
  }
  return differences
}

/** Numbers of a series are 1..n. */
function gapsIn(invoices: readonly Invoice[]): Difference[] {
  const series = new Map<string, number[]>()
  for (const { number } of invoices) {
    const parsed = number === null ? null : parseInvoiceNumber(number)
    if (parsed === null) continue
    const numbers = series.get(parsed.series)
    if (numbers === undefined) series.set(parsed.series, [parsed.number])
    else numbers.push(parsed.number)
  }
  return [...series].flatMap(([name, numbers]) => {
    const sorted = numbers.toSorted((a, b) => a - b)
    return sorted
      .flatMap((number, i) =>
        number === i + 1 ? [] : [difference('number', null, `Series ${name}: expected number ${i + 1}, found ${number}`)],
      )
      .slice(0, 1)
  })
}

function unknownInvoices(invoices: readonly Invoice[], stored: ReadonlyMap<string, StoredTotal>): Difference[] {
  const ids = new Set(invoices.map(({ id }) => id))
  return [...stored.values()].flatMap(({ customerId, feature, invoiceId }) =>
    invoiceId === null || ids.has(invoiceId)
      ? []
      : [difference('invoice', customerId, `${feature} of ${customerId} is sealed by ${invoiceId}, which is no final invoice`)],
  )
}

function orphanEvent({ seq, customerId }: { readonly seq: number; readonly customerId: string }): Difference {
  return { kind: 'event', customerId, message: `Event ${seq} belongs to ${customerId}, who has no subscription`, events: [seq] }
}

function difference(kind: Difference['kind'], customerId: string | null, message: string): Difference {
  return { kind, customerId, message, events: [] }
}

function shown(total: UsageTotal | undefined): string {
  return total === undefined ? 'nothing' : `${formatQuantity(total.quantity)} in ${total.events} events`
}

async function* everything<T>(read: (page: PageRequest) => Promise<Page<T>>): AsyncGenerator<T> {
  let after: string | undefined
  for (;;) {
    const page: Page<T> = await read({ after, limit: MAX_PAGE })
    yield* page.items
    if (page.next === null) return
    after = page.next
  }
}
