/** What was set out for, beside what was measured: a miss is shown as one. */

import type { ClosingFigures } from './closing.ts'
import type { Run } from './http.ts'
import type { Growth, PostgresFigures } from './postgres.ts'
import type { StoreFigures } from './store.ts'

export interface Goal {
  readonly what: string
  /** Met when the figure is at most, or at least, this. */
  readonly most?: number
  readonly least?: number
  readonly figure: number
  readonly unit: string
}

type Runs = ReadonlyMap<string, readonly Run[]>

/** What a framework is to reach: CPU in microseconds, the others as shares of the bare framework. */
interface FrameworkGoals {
  readonly cpuUs: number
  readonly full64: number
  readonly full256?: number
  readonly process64?: number
  readonly p99?: number
}

const FRAMEWORK_GOALS: Readonly<Record<string, FrameworkGoals>> = {
  'Express 5': { cpuUs: 10, full64: 0.85, full256: 0.9, process64: 0.95, p99: 1.5 },
  'Hono 4': { cpuUs: 10, full64: 0.55, full256: 0.7, process64: 0.8 },
  'Fastify 5': { cpuUs: 8, full64: 0.55, full256: 0.7, process64: 0.8 },
  'NestJS 12 on Express': { cpuUs: 10, full64: 0.85 },
}

export function httpGoals(framework: string, few: Runs, many: Runs): Goal[] {
  const goals = FRAMEWORK_GOALS[framework]
  if (goals === undefined) return []
  const { cpuUs, full64, full256, process64, p99 } = goals
  const share = (runs: Runs, variant: string, what: string, least: number | undefined): Goal[] =>
    least === undefined ? [] : [{ what: `${framework}: ${what}`, least, figure: of(runs, variant, 'perSecond'), unit: '×' }]
  return [
    {
      what: `${framework}: CPU added per request, \`full\`, 64 connections`,
      most: cpuUs,
      figure: added(few, 'farebox full'),
      unit: 'µs',
    },
    ...share(few, 'farebox full', 'throughput of bare, `full`, 64 connections', full64),
    ...share(many, 'farebox full', 'throughput of bare, `full`, 256 connections', full256),
    ...share(few, 'farebox process', 'throughput of bare, `process`, 64 connections', process64),
    ...(p99 === undefined
      ? []
      : [
          {
            what: `${framework}: p99 of bare, \`full\`, 64 connections`,
            most: p99,
            figure: of(few, 'farebox full', 'p99Us'),
            unit: '×',
          },
        ]),
  ]
}

export function storeGoals(figures: StoreFigures): Goal[] {
  const figure = (what: string, nth = 0): number => median(figures.filter((one) => one.what.startsWith(what))[nth]?.values ?? [])
  return [
    {
      what: '`usage.track` in batches of 100, of a raw loop',
      least: 0.6,
      figure: figure('`usage.track` of the raw loop'),
      unit: '×',
    },
    { what: "reading a period's usage, large log of small", most: 1.2, figure: figure('large of small', 0), unit: '×' },
    { what: 'building its invoice, large log of small', most: 1.2, figure: figure('large of small', 1), unit: '×' },
    { what: 'store size per event', most: 120, figure: figure('database size per event'), unit: 'bytes' },
  ]
}

export function closingGoals({ perSecond }: ClosingFigures): Goal[] {
  return [{ what: 'closing a month, every event audited and sealed', least: 1_000, figure: perSecond, unit: 'invoices/s' }]
}

export function postgresGoals(figures: PostgresFigures, http: Runs): Goal[] {
  const goals: Goal[] = figures.throughput.map(({ customers, connections, tracked, raw }) => ({
    what: `PostgreSQL, ${customers.toLocaleString('en-US')} customers, ${connections} connections: events of a raw loop`,
    least: 0.6,
    figure: median(tracked.map((value, i) => value / (raw[i] ?? NaN))),
    unit: '×',
  }))
  const p50 = (variant: string): number => median((http.get(variant) ?? []).map((run) => run.p50Us)) / 1000
  return [
    ...goals,
    { what: 'PostgreSQL: p50 added, 64 connections', most: 1.5, figure: p50('farebox postgres') - p50('bare'), unit: 'ms' },
    { what: "PostgreSQL: reading a period's usage, large log of small", most: 1.5, figure: growthOf(figures.usage), unit: '×' },
    { what: 'PostgreSQL: building its invoice, large log of small', most: 1.5, figure: growthOf(figures.invoice), unit: '×' },
  ]
}

function growthOf({ small, large }: Growth): number {
  return median(large.map((value, i) => value / (small[i] ?? NaN)))
}

export function goalTable(goals: readonly Goal[]): string {
  const rows = goals.map(({ what, most, least, figure, unit }) => {
    const isMet = most === undefined ? figure >= (least ?? NaN) : figure <= most
    const goal = most === undefined ? `≥ ${least ?? ''}` : `≤ ${most}`
    return `| ${what} | ${goal} ${unit} | ${figure.toLocaleString('en-US', { maximumFractionDigits: 2 })} ${unit} | ${isMet ? 'met' : '**missed**'} |`
  })
  const why = 'Why a goal is missed, and what was tried, stands in [ARCHITECTURE.md](../ARCHITECTURE.md) under "Speed".'
  return ['## Goals', '', '| figure | goal | median | |', '| --- | --- | --- | --- |', ...rows, '', why].join('\n')
}

function added(runs: Runs, name: string): number {
  return median((runs.get(name) ?? []).map((run, i) => run.cpuUs - (runs.get('bare')?.[i]?.cpuUs ?? NaN)))
}

function of(runs: Runs, name: string, figure: 'perSecond' | 'p99Us'): number {
  return median((runs.get(name) ?? []).map((run, i) => run[figure] / (runs.get('bare')?.[i]?.[figure] ?? NaN)))
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}
