/** `farebox simulate` as a whole: loads the catalog, shows the progress, prints what would have been different. */

import { loadCatalog } from '../catalog-module.ts'
import { openDatabase } from '../database.ts'
import { modelsFor } from '../models.ts'
import { count, type Progress, startProgress } from '../progress.ts'
import { requireWritable, writeReport } from '../report-file.ts'
import { stopSignal } from '../stop-signal.ts'
import { textTable } from '../table.ts'
import type { SimulatedCustomer, SimulationReport } from './report.ts'
import { simulate } from './simulate.ts'

export interface SimulateCommandOptions {
  /** Path of a module. */
  readonly catalog: string
  /** A path or a URL. */
  readonly database: string
  /** Where the report is written as JSON. */
  readonly json?: string
}

const SHOWN_CUSTOMERS = 20

export async function simulateCommand({ catalog: file, database: location, json }: SimulateCommandOptions): Promise<void> {
  if (json !== undefined) requireWritable(json)
  const catalog = await loadCatalog(file)
  const models = await modelsFor([catalog])
  const database = await openDatabase(location)
  let progress: Progress | undefined
  const { signal, release } = stopSignal()
  console.error(`Reading ${database.store.facts.location}`)
  try {
    const report = await simulate({
      database,
      catalog,
      models,
      signal,
      onProgress(done, of) {
        progress ??= startProgress({ title: `Deciding ${count(of)} events again`, steps: of, output: process.stderr })
        progress.advance(done)
      },
    })
    progress?.stop('Decided and billed')
    if (json !== undefined) writeReport(json, report)
    console.log(textOf(report))
  } catch (error) {
    progress?.stop('Stopped')
    throw error
  } finally {
    release()
  }
}

function textOf(report: SimulationReport): string {
  const { from, until, events, revenue, stopped, stopped_by: stoppedBy, unpriced } = report
  const codes = Object.entries(stoppedBy).map(([code, number]) => `${code} ${count(number)}`)
  return [
    `${count(events)} events from ${from} to ${until}, without taxes`,
    '',
    customerTable(report.customers),
    '',
    ...revenue.map(
      ({ currency, billed, would_be_billed: after, difference, change_per_cent: change }) =>
        `${currency}: ${billed} was billed, ${after} would be: ${signed(difference)}${change === null ? '' : ` (${signed(change)} %)`}`,
    ),
    `stopped calls: ${count(stopped)}${codes.length === 0 ? '' : ` (${codes.join(', ')})`}`,
    ...(unpriced > 0 ? [`calls without a price: ${count(unpriced)}`] : []),
    ...report.not_simulated
      .slice(0, SHOWN_CUSTOMERS)
      .map(({ id, reason, billed, currency }) => `not simulated: ${id}, because ${reason} (${billed} ${currency} was billed)`),
    ...moreOf(report.not_simulated.length, 'who are not simulated'),
    ...report.missing_coupons.map((coupon) => `the catalog has no coupon ${coupon}: nothing is taken off for it`),
  ].join('\n')
}

/** Those for whom most is different. */
function customerTable(customers: readonly SimulatedCustomer[]): string {
  const shown = customers
    .toSorted((a, b) => Math.abs(Number(b.difference)) - Math.abs(Number(a.difference)))
    .slice(0, SHOWN_CUSTOMERS)
  const rows = shown.map((customer) => [
    customer.id,
    customer.plan,
    count(customer.calls),
    count(customer.stopped),
    `${customer.billed} ${customer.currency}`,
    customer.would_be_billed,
    signed(customer.difference),
  ])
  return [
    textTable([['customer', 'plan', 'calls', 'stopped', 'billed', 'would be', 'difference'], ...rows], 2),
    ...moreOf(customers.length, 'for whom less is different'),
  ].join('\n')
}

function moreOf(number: number, which: string): string[] {
  const more = number - SHOWN_CUSTOMERS
  return more > 0 ? [`and ${count(more)} more customers ${which}`] : []
}

function signed(amount: string): string {
  return /^-|^0+(\.0+)?$/.test(amount) ? amount : `+${amount}`
}
