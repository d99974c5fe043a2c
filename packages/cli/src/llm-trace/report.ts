/** The report on a trace: what each customer's calls came to, the invoices, and whether bill, log and trace agree. */

import type { Audit, Catalog, Invoice } from '@farebox/core'
import { add, type Decimal, formatDecimal, subtract } from '@farebox/core/contracts'
import { type ReportedDifference, type ReportedInvoice, reportedInvoice } from '../replay/report.ts'
import type { TraceOptions } from './bill.ts'
import { type Charged, type ChargedCustomer, nothing } from './charged.ts'
import type { MalformedLine, TraceSurvey } from './survey.ts'
import { INCLUDED_BALANCE, type TraceRates } from './trace-catalog.ts'

/** As `--json` writes it. Money is in plain decimal strings, exact, and not rounded but on the invoices. */
export interface TraceReport {
  /** Lines with calls, malformed ones included; neither the header nor blank lines. */
  readonly lines: number
  readonly malformed: number
  readonly malformed_lines: readonly MalformedLine[]
  /** Calls that have no price and wait for one; `farebox.usage.unpriced()` lists them. */
  readonly unpriced: number
  readonly model: string
  /** Name and version. */
  readonly price_list: string
  /** Per cent. */
  readonly margin: string
  readonly currency: string
  /** What each month begins with. */
  readonly included_per_month: string
  /** Of a million tokens, of a small call at the first instant of the trace. */
  readonly rates: { readonly input: string; readonly output: string }
  /** Present where some calls were billed at others: the model costs more with a long context, or its price changed. */
  readonly further_rates?: FurtherRates
  readonly customers: readonly TraceCustomer[]
  readonly totals: Omit<TraceCustomer, 'id' | 'balance_left'>
  readonly invoices: readonly ReportedInvoice[]
  readonly audit: { readonly ok: boolean; readonly events: number; readonly differences: readonly ReportedDifference[] }
}

export interface FurtherRates {
  readonly input: readonly string[]
  readonly output: readonly string[]
}

export interface TraceCustomer {
  readonly id: string
  readonly calls: number
  readonly input_tokens: number
  readonly output_tokens: number
  /** At the provider's prices. */
  readonly provider_cost: string
  /** With the margin. */
  readonly charged: string
  /** Of what the last month began with. */
  readonly balance_left: string
  /** What the months' balances did not cover, together. */
  readonly overdraft: string
}

export interface TraceReportInput {
  readonly options: Pick<TraceOptions, 'model' | 'margin' | 'models'>
  readonly catalog: Catalog
  readonly survey: TraceSurvey
  readonly rates: TraceRates
  readonly charged: Charged
  readonly invoices: readonly Invoice[]
  readonly audit: Audit
  /** Customers whose invoice was held back. */
  readonly held: readonly string[]
  readonly unpriced: number
}

/** Money has the places of the currency at least. */
const PLACES = 2

/** Pure: the same input gives the same report. */
export function buildTraceReport(input: TraceReportInput): TraceReport {
  const { options, catalog, survey, charged, audit } = input
  const customers = [...survey.customers.keys()].map((id) => customerReport(id, charged.customers.get(id) ?? nothing()))
  const differences = [...auditDifferences(input), ...traceDifferences(input)]
  const rates = { input: money(input.rates.input), output: money(input.rates.output) }
  const further = furtherRates(input)
  return {
    lines: survey.lines,
    malformed: survey.malformed,
    malformed_lines: survey.malformedLines,
    unpriced: input.unpriced,
    model: options.model,
    price_list: options.models.catalog,
    margin: options.margin ?? '0',
    currency: catalog.currency,
    included_per_month: money(INCLUDED_BALANCE),
    rates,
    ...(further === null ? {} : { further_rates: further }),
    customers,
    totals: totalsOf([...charged.customers.values()]),
    invoices: input.invoices.map(reportedInvoice),
    audit: { ok: audit.ok && differences.length === 0, events: audit.events, differences },
  }
}

function money(amount: Decimal): string {
  return formatDecimal(amount, PLACES)
}

function customerReport(id: string, customer: ChargedCustomer): TraceCustomer {
  const { overdraft, ...figures } = figuresOf(customer)
  return { id, ...figures, balance_left: money(subtract(INCLUDED_BALANCE, customer.paidInLastMonth)), overdraft }
}

function figuresOf(customer: ChargedCustomer): TraceReport['totals'] {
  return {
    calls: customer.calls,
    input_tokens: customer.inputTokens,
    output_tokens: customer.outputTokens,
    provider_cost: money(customer.providerCost),
    charged: money(customer.charged),
    overdraft: money(customer.overdraft),
  }
}

function totalsOf(customers: readonly ChargedCustomer[]): TraceReport['totals'] {
  const sum = nothing()
  for (const one of customers) {
    sum.calls += one.calls
    sum.inputTokens += one.inputTokens
    sum.outputTokens += one.outputTokens
    sum.providerCost = add(sum.providerCost, one.providerCost)
    sum.charged = add(sum.charged, one.charged)
    sum.overdraft = add(sum.overdraft, one.overdraft)
  }
  return figuresOf(sum)
}

function furtherRates({ rates, charged: { prices } }: TraceReportInput): FurtherRates | null {
  const input = prices.input.filter((price) => price !== formatDecimal(rates.input))
  const output = prices.output.filter((price) => price !== formatDecimal(rates.output))
  return input.length + output.length === 0 ? null : { input, output }
}

function auditDifferences({ audit, held }: TraceReportInput): ReportedDifference[] {
  const found = audit.differences.map(({ kind, customerId: customer, message, events }) => ({ kind, customer, message, events }))
  return [
    ...found,
    ...held.map((id) => ({ kind: 'held', customer: id, message: `The invoice of ${id} is held back`, events: [] })),
  ]
}

/** The trace was counted by itself, so it is a witness against the log. */
function traceDifferences({ survey, charged, unpriced }: TraceReportInput): ReportedDifference[] {
  // What waits for a price is not in the log.
  if (unpriced > 0) return []
  return [...survey.customers].flatMap(([id, asked]) => {
    const { calls, inputTokens, outputTokens } = charged.customers.get(id) ?? nothing()
    const isSame = calls === asked.calls && inputTokens === asked.inputTokens && outputTokens === asked.outputTokens
    if (isSame) return []
    const message = `${id}: the trace holds ${shown(asked)}, the log ${shown({ calls, inputTokens, outputTokens })}`
    return [{ kind: 'trace', customer: id, message, events: [] }]
  })
}

function shown(tally: { readonly calls: number; readonly inputTokens: number; readonly outputTokens: number }): string {
  return `${tally.calls} calls with ${tally.inputTokens} tokens in and ${tally.outputTokens} out`
}
