/** `farebox replay` as a whole: runs the replay, shows its progress, prints the summary and writes the files asked for. */

import { CommandError } from '../command-error.ts'
import { writeInvoices } from '../documents.ts'
import { logShown } from '../log-shown.ts'
import { count } from '../progress.ts'
import { requireWritable, writeReport } from '../report-file.ts'
import { replay } from './replay.ts'
import type { ReplayOptions, ReplayResult } from './replay.ts'
import { auditText, firstInvoices, lineSummary, planTable } from './summary.ts'

export interface ReplayCommandOptions extends Omit<ReplayOptions, 'signal' | 'onSurvey' | 'onProgress'> {
  /** Where the report is written as JSON. */
  readonly json?: string
  /** The folder for the invoices as HTML pages. Its content is replaced. */
  readonly html?: string
}

/**
 * Prints to standard output what was found, and to standard error how it goes. Rejects with a `CommandError` for what the
 * user can mend, for a signal, and when the audit finds a difference; the report is written even then.
 */
export async function replayCommand(options: ReplayCommandOptions): Promise<ReplayResult> {
  if (options.json !== undefined) requireWritable(options.json)
  console.error(`Reading ${options.log === '-' ? 'standard input' : options.log}`)
  const startedAt = performance.now()
  const result = await logShown({
    title: (requests) => `Replaying ${count(requests)} requests`,
    ended: 'Replayed, closed and audited',
    work: (watched) => replay({ ...options, ...watched }),
  })
  const { report, invoices } = result
  if (options.json !== undefined) writeReport(options.json, report)
  const pages = options.html === undefined ? null : writeInvoices(options.html, invoices)

  console.log(
    `\n${lineSummary(report)}\n\n${planTable({ report, invoices, catalog: options.target.catalog })}\n\n${firstInvoices(invoices)}\n`,
  )
  if (pages !== null) console.log(`invoices: ${count(invoices.length)}, as HTML in ${pages}`)
  if (options.json !== undefined) console.log(`report: ${options.json}`)
  console.log(auditText(report))
  console.log(`took ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  if (!report.audit.ok) throw new CommandError('The audit found differences: the bill does not equal the log')
  return result
}
