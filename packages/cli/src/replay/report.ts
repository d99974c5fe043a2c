/** The report of a replay: what the log of events billed, what the client saw, and whether the two agree. */

import { formatMoney, formatQuantity, invoiceJson, sumMoney } from '@farebox/core'
import type { Audit, Catalog, Invoice, InvoiceJson } from '@farebox/core'
import type { BilledUsage } from './billed-usage.ts'
import type { MalformedLine, Survey } from './survey.ts'
import type { CustomerTally, Tally } from './tally.ts'

/** As `--json` writes it. Two replays of one log give the same report, however often they were interrupted. */
export interface ReplayReport {
  readonly lines: number
  readonly malformed: number
  readonly malformed_lines: readonly MalformedLine[]
  /** Well-formed lines: `lines` less `malformed`. */
  readonly requests: number
  readonly currency: string
  readonly customers: readonly CustomerReport[]
  readonly invoices: readonly Omit<ReportedInvoice, 'seal'>[]
  readonly audit: { readonly ok: boolean; readonly events: number; readonly differences: readonly ReportedDifference[] }
}

export interface CustomerReport {
  readonly id: string
  readonly plan: string
  readonly lines: number
  /** Every metered feature of the plan, used or not. */
  readonly features: Readonly<Record<string, FeatureReport>>
  /** Requests that no metered route answered: other methods, unknown and malformed paths, lines that hold no request. */
  readonly unmatched: number
  /** Sum of the usage lines of the customer's invoices. */
  readonly usage_total: string
}

export interface FeatureReport {
  /** Units in the log of events. */
  readonly billed: string
  /** Answers with 402. */
  readonly refused: number
  /** Admitted requests that were not billed. */
  readonly voided: number
}

/** What the audit of the engine found, and besides it: `answers`, where the client took another number of answers for billed than the log holds; `held`, an invoice held back. */
export interface ReportedDifference {
  readonly kind: string
  readonly customer: string | null
  readonly message: string
  /** Places in the log of the events that disagree, where single ones can be named. */
  readonly events: readonly number[]
}

export interface ReportInput {
  readonly catalog: Catalog
  readonly survey: Survey
  /** By customer, in the order in which the log first names them. */
  readonly plans: ReadonlyMap<string, string>
  readonly tally: Tally
  readonly billed: BilledUsage
  readonly invoices: readonly Invoice[]
  readonly audit: Audit
  /** Customers whose invoice was held back. */
  readonly held: readonly string[]
}

/** Pure: the same input gives the same report. */
export function buildReport(input: ReportInput): ReplayReport {
  const { survey, plans, catalog, audit } = input
  const invoicesOf = Map.groupBy(input.invoices, (invoice) => invoice.customerId)
  const customers = [...plans].map(([id, plan]) => customerReport(input, { id, plan, invoices: invoicesOf.get(id) ?? [] }))
  const differences = [...auditDifferences(input), ...witnessDifferences(input)]
  return {
    lines: survey.lines,
    malformed: survey.malformed,
    malformed_lines: survey.malformedLines,
    requests: survey.lines - survey.malformed,
    currency: catalog.currency,
    customers,
    invoices: input.invoices.map(unsealed),
    audit: { ok: audit.ok && differences.length === 0, events: audit.events, differences },
  }
}

function customerReport(
  input: ReportInput,
  { id, plan, invoices }: { id: string; plan: string; invoices: readonly Invoice[] },
): CustomerReport {
  const { catalog, survey, tally, billed } = input
  const seen = tally.of(id)
  const features: Record<string, FeatureReport> = {}
  for (const code of featuresOf({ catalog, plan, seen, billed: billed.of(id) })) {
    const { refused, voided } = seen.features.get(code) ?? { refused: 0, voided: 0 }
    features[code] = { billed: formatQuantity(billed.of(id).get(code)?.quantity ?? 0n), refused, voided }
  }
  const usage = invoices.flatMap((invoice) => invoice.lines).filter((line) => line.type === 'feature_usage')
  const total = sumMoney(
    usage.map((line) => line.amount),
    catalog.currency,
  )
  return { id, plan, lines: survey.clients.get(id) ?? 0, features, unmatched: seen.unmatched, usage_total: formatMoney(total) }
}

/** The plan's metered features in the catalog's order, and after them whatever else was seen. */
function featuresOf({
  catalog,
  plan,
  seen,
  billed,
}: {
  catalog: Catalog
  plan: string
  seen: CustomerTally
  billed: ReadonlyMap<string, unknown>
}): Set<string> {
  const sold = [...(catalog.plans.get(plan)?.features ?? [])]
    .filter(([, feature]) => feature.kind === 'metered')
    .map(([code]) => code)
  return new Set([...sold, ...seen.features.keys(), ...billed.keys()])
}

function auditDifferences({ audit, held }: ReportInput): ReportedDifference[] {
  const found = audit.differences.map(({ kind, customerId, message, events }) => ({
    kind,
    customer: customerId,
    message,
    events,
  }))
  return [
    ...found,
    ...held.map((id) => ({ kind: 'held', customer: id, message: `The invoice of ${id} is held back`, events: [] })),
  ]
}

/** The client counted the answers by itself, so it is a witness against the log. */
function witnessDifferences({ plans, tally, billed }: ReportInput): ReportedDifference[] {
  const differences: ReportedDifference[] = []
  for (const customer of plans.keys()) {
    const seen = tally.of(customer).features
    const logged = billed.of(customer)
    for (const feature of new Set([...seen.keys(), ...logged.keys()])) {
      const answers = seen.get(feature)?.billed ?? 0
      const events = logged.get(feature)?.events ?? 0
      if (answers === events) continue
      const message = `${feature} of ${customer}: ${answers} answers were taken for billed, and the log holds ${events} events`
      differences.push({ kind: 'answers', customer, message, events: [] })
    }
  }
  return differences
}

/** An invoice without what is made anew in each database: its number and everything else is the same. */
export type ReportedInvoice = Omit<InvoiceJson, 'id' | 'subscription'>

export function reportedInvoice(invoice: Invoice): ReportedInvoice {
  const { id: _id, subscription: _subscription, ...rest } = invoiceJson(invoice)
  return rest
}

/** Each replay makes the keys of its events anew, and so its seals are others. */
function unsealed(invoice: Invoice): Omit<ReportedInvoice, 'seal'> {
  const { seal: _seal, ...rest } = reportedInvoice(invoice)
  return rest
}
