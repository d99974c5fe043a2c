/** Billing an LLM trace as a whole: shows the progress, prints the summary and writes the files asked for. */

import { CommandError } from '../command-error.ts'
import { writeInvoices } from '../documents.ts'
import { logShown } from '../log-shown.ts'
import { count } from '../progress.ts'
import { requireWritable, writeReport } from '../report-file.ts'
import { textTable } from '../table.ts'
import { billTrace, type TraceOptions, type TraceResult } from './bill.ts'
import type { TraceCustomer, TraceReport } from './report.ts'

export interface TraceCommandOptions extends Omit<TraceOptions, 'signal' | 'onSurvey' | 'onProgress'> {
  /** Where the report is written as JSON. */
  readonly json?: string
  /** The folder for the invoices as HTML pages. Its content is replaced. */
  readonly html?: string
}

const SHOWN_CUSTOMERS = 20
const SHOWN_DIFFERENCES = 10

/**
 * Prints to standard output what was found, and to standard error how it goes. Rejects with a `CommandError` for what the
 * user can mend, for a signal, when a call has no price, and when the audit finds a difference; the report is written even then.
 */
export async function traceCommand(options: TraceCommandOptions): Promise<TraceResult> {
  if (options.json !== undefined) requireWritable(options.json)
  console.error(`Reading ${options.log === '-' ? 'standard input' : options.log}`)
  const startedAt = performance.now()
  const result = await logShown({
    title: (calls) => `Billing ${count(calls)} calls`,
    ended: 'Billed, closed and audited',
    work: (watched) => billTrace({ ...options, ...watched }),
  })
  const { report, invoices } = result
  if (options.json !== undefined) writeReport(options.json, report)
  const pages = options.html === undefined ? null : writeInvoices(options.html, invoices)

  console.log(`\n${headingOf(report)}\n\n${customerTable(report)}\n`)
  if (pages !== null) console.log(`invoices: ${count(invoices.length)}, as HTML in ${pages}`)
  if (options.json !== undefined) console.log(`report: ${options.json}`)
  console.log(auditText(report))
  console.log(`took ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  if (!report.audit.ok) throw new CommandError('The audit found differences: the bill does not equal the log')
  if (report.unpriced > 0)
    throw new CommandError(
      `${count(report.unpriced)} calls have no price at ${report.price_list} and are not billed: they wait in the database, so bill the trace again with a newer price list`,
    )
  return result
}

function headingOf(report: TraceReport): string {
  const { lines, malformed, model, margin, rates, currency, price_list: priceList, customers } = report
  return [
    `${count(lines)} lines, ${count(malformed)} malformed, ${count(report.totals.calls)} calls of ${count(customers.length)} customers`,
    `${model} at ${currency} ${rates.input} in and ${rates.output} out for a million tokens (${priceList}), and ${margin} per cent`,
    `${currency} ${report.included_per_month} are included in each month`,
  ].join('\n')
}

function customerTable({ customers, totals }: TraceReport): string {
  const shown = customers.slice(0, SHOWN_CUSTOMERS)
  const rows = shown.map((customer) => [customer.id, ...cellsOf(customer), customer.balance_left, customer.overdraft])
  const more = customers.length - shown.length
  return [
    textTable([
      ['customer', 'calls', 'tokens in', 'tokens out', 'provider cost', 'charged', 'balance left', 'overdraft'],
      ...rows,
      ['all', ...cellsOf(totals), '', totals.overdraft],
    ]),
    ...(more > 0 ? [`and ${count(more)} more customers, counted in the last line`] : []),
  ].join('\n')
}

function cellsOf({
  calls,
  input_tokens: input,
  output_tokens: output,
  ...money
}: Omit<TraceCustomer, 'id' | 'balance_left'>): string[] {
  return [count(calls), count(input), count(output), money.provider_cost, money.charged]
}

/** One sentence; on a difference a line for each of the first ones. */
function auditText({ audit }: TraceReport): string {
  if (audit.ok) return `audit: ok, ${count(audit.events)} events, totals, balances, invoices and the trace agree`
  const shown = audit.differences.slice(0, SHOWN_DIFFERENCES).map((difference) => `  ${difference.message}`)
  return [`audit: ${count(audit.differences.length)} DIFFERENCES in ${count(audit.events)} events`, ...shown].join('\n')
}
