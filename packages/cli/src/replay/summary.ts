/** The report as text for a terminal: a table by plan, the first invoices, the audit. */

import { displayMoney, formatQuantity, parseQuantity, sumMoney } from '@farebox/core'
import type { Catalog, Invoice, InvoiceLine, Money } from '@farebox/core'
import { count } from '../progress.ts'
import { textTable } from '../table.ts'
import type { CustomerReport, ReplayReport } from './report.ts'

/** How many invoices are shown. */
const SHOWN_INVOICES = 3
const SHOWN_DIFFERENCES = 10

export interface PlanTableInput {
  readonly report: ReplayReport
  readonly invoices: readonly Invoice[]
  readonly catalog: Catalog
}

/** Customers, units and amounts by plan and feature, in the order of the catalog. */
export function planTable({ report, invoices, catalog }: PlanTableInput): string {
  const amounts = usageAmounts(report, invoices)
  const customersOf = Map.groupBy(report.customers, (customer) => customer.plan)
  const rows = [['plan', 'feature', 'customers', 'billed', 'refused', 'voided', 'usage amount']]
  for (const plan of catalog.plans.keys()) {
    const customers = customersOf.get(plan) ?? []
    for (const feature of new Set(customers.flatMap((customer) => Object.keys(customer.features)))) {
      const amount = displayMoney(sumMoney(amounts.get(`${plan} ${feature}`) ?? [], report.currency))
      rows.push([plan, feature, count(customers.length), ...featureCells(customers, feature), amount])
    }
  }
  return textTable(rows, 2)
}

/** One sentence about the lines. */
export function lineSummary(report: ReplayReport): string {
  const unmatched = report.customers.reduce((sum, customer) => sum + customer.unmatched, 0)
  return (
    `${count(report.lines)} lines, ${count(report.malformed)} malformed, ${count(report.requests)} requests ` +
    `of ${count(report.customers.length)} customers, ${count(unmatched)} matched no metered route`
  )
}

/** The first invoices that hold usage which was priced, else the first of all, readable. */
export function firstInvoices(invoices: readonly Invoice[]): string {
  const priced = invoices.filter((invoice) => invoice.lines.some((line) => line.type === 'feature_usage' && line.billable > 0n))
  return (priced.length > 0 ? priced : invoices).slice(0, SHOWN_INVOICES).map(invoiceText).join('\n\n')
}

/** One sentence; on a difference a line for each of the first ones. */
export function auditText({ audit }: ReplayReport): string {
  if (audit.ok) return `audit: ok, ${count(audit.events)} events, totals, invoices and answers agree`
  const shown = audit.differences.slice(0, SHOWN_DIFFERENCES).map((difference) => `  ${difference.message}`)
  return [`audit: ${count(audit.differences.length)} DIFFERENCES in ${count(audit.events)} events`, ...shown].join('\n')
}

function featureCells(customers: readonly CustomerReport[], feature: string): string[] {
  const features = customers.flatMap((customer) => customer.features[feature] ?? [])
  const billed = features.reduce((sum, one) => sum + parseQuantity(one.billed), 0n)
  const refused = features.reduce((sum, one) => sum + one.refused, 0)
  const voided = features.reduce((sum, one) => sum + one.voided, 0)
  return [formatQuantity(billed), count(refused), count(voided)]
}

/** Amounts of usage lines by plan and feature. */
function usageAmounts(report: ReplayReport, invoices: readonly Invoice[]): Map<string, Money[]> {
  const customers = new Set(report.customers.map((customer) => customer.id))
  const lines = invoices.filter((invoice) => customers.has(invoice.customerId)).flatMap((invoice) => invoice.lines)
  const usage = Map.groupBy(
    lines.filter((line) => line.type === 'feature_usage'),
    (line) => `${line.plan} ${line.feature}`,
  )
  return new Map([...usage].map(([key, group]) => [key, group.map((line) => line.amount)]))
}

function invoiceText(invoice: Invoice): string {
  const [start, end] = invoice.period.map((instant) => new Date(instant).toISOString().slice(0, 10))
  const rows = [['description', 'quantity', 'included', 'billable', 'unit price', 'amount'], ...invoice.lines.map(lineCells)]
  return `${invoice.number ?? 'draft'}  ${invoice.customerId}  ${start} up to ${end}  ${invoice.status}  total ${displayMoney(invoice.total)}\n${textTable(rows)}`
}

function lineCells(line: InvoiceLine): string[] {
  const units = [line.quantity, line.included, line.billable].map(formatQuantity)
  const per = line.per === parseQuantity(1) ? '' : ` per ${formatQuantity(line.per)}`
  return [line.description, ...units, line.unitPrice === null ? '-' : `${line.unitPrice}${per}`, displayMoney(line.amount)]
}
