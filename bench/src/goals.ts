/** What was set out for, beside what was measured: a miss is shown as one. */

import type { Run } from './http.ts'
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

export function httpGoals(few: Runs, many: Runs): Goal[] {
  return [
    { what: 'CPU added per request, Express, `full`, 64 connections', most: 10, figure: added(few, 'farebox full'), unit: 'µs' },
    { what: 'throughput of bare, 64 connections, `full`', least: 0.85, figure: of(few, 'farebox full', 'perSecond'), unit: '×' },
    {
      what: 'throughput of bare, 64 connections, `process`',
      least: 0.95,
      figure: of(few, 'farebox process', 'perSecond'),
      unit: '×',
    },
    { what: 'throughput of bare, 256 connections, `full`', least: 0.9, figure: of(many, 'farebox full', 'perSecond'), unit: '×' },
    { what: 'p99 of bare, 64 connections, `full`', most: 1.5, figure: of(few, 'farebox full', 'p99Us'), unit: '×' },
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
