/** One command measures everything side by side and writes the table: `npm run bench`. */

import { writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { startPostgres } from '@farebox/postgres-server'
import { Command } from 'commander'
import { type ClosingFigures, measureClosing } from './closing.ts'
import { canPin, measureHttp, type Run } from './http.ts'
import { measureStore, type StoreFigures } from './store.ts'
import { closingGoals, type Goal, goalTable, httpGoals, postgresGoals, storeGoals } from './goals.ts'
import { HOSTS } from './hosts/index.ts'
import { measurePostgres, type PostgresFigures } from './postgres.ts'

const options = new Command('npm run bench --')
  .option('--rounds <n>', 'rounds of each variant', Number, 5)
  .option('--seconds <n>', 'seconds of each measurement', Number, 2)
  .option('--events <n>', 'events of the large store', Number, 10_000_000)
  .option('--only <part>', 'http, store, closing or postgres')
  .option('--framework <name>', `one of ${Object.keys(HOSTS).join(', ')}`)
  .option('--quick', 'one short round and a small store: a look, not a measurement')
  .parse()
  .opts<{ rounds: number; seconds: number; events: number; only?: string; framework?: string; quick?: true }>()

const RESULTS = fileURLToPath(new URL('../RESULTS.md', import.meta.url))
const FAREBOX_AND_BARE = ['bare', 'farebox full', 'farebox process']

const rounds = options.quick === true ? 1 : options.rounds
const durationMs = (options.quick === true ? 1 : options.seconds) * 1000
const say = (line: string): void => void process.stderr.write(`${line}\n`)
const sections = [heading()]
const goals: Goal[] = []

const isMeasured = (part: string): boolean => options.only === undefined || options.only === part

if (isMeasured('http')) {
  const shared = { rounds, durationMs, warmUpMs: durationMs / 2 }
  for (const [framework, variants] of Object.entries(HOSTS)) {
    if (options.framework !== undefined && options.framework !== framework) continue
    const ofFile = Object.keys(variants).filter((name) => name !== 'farebox postgres')
    const few = await measureHttp({ ...shared, framework, connections: 64, variants: ofFile }, say)
    const many = await measureHttp({ ...shared, framework, connections: 256, variants: FAREBOX_AND_BARE }, say)
    sections.push(httpTable(framework, 64, few), httpTable(framework, 256, many))
    goals.push(...httpGoals(framework, few, many))
  }
}
if (isMeasured('store')) {
  const figures = await measureStore({ rounds, events: options.quick === true ? 100_000 : options.events }, say)
  sections.push(storeTable(figures))
  goals.push(...storeGoals(figures))
}
if (isMeasured('closing')) {
  const size = options.quick === true ? { customers: 1_000, events: 100_000 } : { customers: 100_000, events: options.events }
  const figures = await measureClosing(size, say)
  sections.push(closingTable(figures))
  goals.push(...closingGoals(figures))
}
if (isMeasured('postgres')) {
  const server = await startPostgres()
  process.env['DATABASE_URL'] = server.url
  try {
    const events = options.quick === true ? 100_000 : options.events
    const figures = await measurePostgres(
      { url: server.url, rounds, events, tracked: options.quick === true ? 5_000 : 40_000 },
      say,
    )
    const shared = { rounds, durationMs, warmUpMs: durationMs / 2, framework: 'Express 5', connections: 64 }
    const http = await measureHttp({ ...shared, variants: ['bare', 'farebox full', 'farebox postgres'] }, say)
    sections.push(...postgresTables(figures, events), httpTable('Express 5 with PostgreSQL on the same machine', 64, http))
    goals.push(...postgresGoals(figures, http))
  } finally {
    await server.stop()
  }
}
sections.splice(1, 0, goalTable(goals))

const text = `${sections.join('\n\n')}\n`
process.stdout.write(text)
if (options.quick !== true && options.only === undefined && options.framework === undefined) writeFileSync(RESULTS, text)

function heading(): string {
  const [cpu] = cpus()
  const { node, v8 } = process.versions
  return [
    '# Results',
    '',
    `Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}. Node ${node} (V8 ${v8}), Linux ${release()}, ${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB.`,
    canPin ? 'The server is pinned to one core, the load runs on another.' : 'Processes could not be pinned to cores here.',
    `Medians of ${rounds} rounds, the smallest and largest in brackets. In each round every variant runs once, each round starts with another.`,
  ].join('\n')
}

function httpTable(framework: string, connections: number, runs: ReadonlyMap<string, readonly Run[]>): string {
  const bare = runs.get('bare') ?? []
  const rows = [...runs].map(([name, own]) => {
    const added = own.map((run, i) => run.cpuUs - (bare[i]?.cpuUs ?? 0))
    const share = own.map((run, i) => run.perSecond / (bare[i]?.perSecond ?? 1))
    const p99 = own.map((run, i) => run.p99Us / (bare[i]?.p99Us ?? 1))
    const cells = [
      name,
      spread(
        own.map((run) => run.cpuUs),
        1,
      ),
      name === 'bare' ? '' : spread(added, 1),
      spread(
        own.map((run) => run.perSecond),
        0,
      ),
      name === 'bare' ? '' : spread(share, 2),
      spread(
        own.map((run) => run.p50Us),
        0,
      ),
      spread(
        own.map((run) => run.p99Us),
        0,
      ),
      name === 'bare' ? '' : spread(p99, 2),
    ]
    return `| ${cells.join(' | ')} |`
  })
  // The database server would be another program too.
  const alone = [...runs].filter(([name]) => name !== 'farebox postgres')
  const others = alone.flatMap(([, own]) => own.map((run) => run.othersShare * 100))
  return [
    `## ${framework}, ${connections} connections, 1,000 customers`,
    '',
    '| variant | CPU µs per request | added | requests/s | of bare | p50 µs | p99 µs | of bare |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    `Other programs had ${spread(others, 0)} % of the cores meanwhile.`,
  ].join('\n')
}

function storeTable(figures: StoreFigures): string {
  const rows = figures.map(({ what, values, places, unit }) => `| ${what} | ${spread(values, places)} ${unit} |`)
  return ['## The store', '', '| what | figure |', '| --- | --- |', ...rows].join('\n')
}

function closingTable({ customers, events, perSecond, cpuUs, rssStart, rssMost }: ClosingFigures): string {
  return [
    `## Closing a month, ${rounded(customers)} customers, ${rounded(events)} events`,
    '',
    'Every event of each invoice is counted again and sealed; the events of a customer lie far from one another in the file.',
    '',
    '| what | figure |',
    '| --- | --- |',
    `| invoices a second | ${rounded(perSecond)} |`,
    `| CPU of one invoice, µs | ${rounded(cpuUs)} |`,
    `| resident memory at the start, and at its most, MB | ${rounded(rssStart / 2 ** 20)}, ${rounded(rssMost / 2 ** 20)} |`,
  ].join('\n')
}

function rounded(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
}

function postgresTables({ throughput, usage, invoice, bytesPerEvent }: PostgresFigures, events: number): string[] {
  const rows = throughput.map(({ customers, connections, raw, tracked, cpuUs }) => {
    const share = tracked.map((value, i) => value / (raw[i] ?? NaN))
    const cells = [
      customers.toLocaleString('en-US'),
      connections,
      spread(raw, 0),
      spread(tracked, 0),
      spread(share, 2),
      spread(cpuUs, 1),
    ]
    return `| ${cells.join(' | ')} |`
  })
  const shown = events.toLocaleString('en-US')
  return [
    [
      '## PostgreSQL',
      '',
      'The server shares the machine. The raw loop writes the same rows by hand, a hundred events to a transaction.',
      '',
      '| customers | connections | raw loop, events/s | `usage.track`, events/s | of raw | CPU µs per event |',
      '| --- | --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n'),
    [
      '| what | 10,000 events | ' + shown + ' events |',
      '| --- | --- | --- |',
      `| reading a period's usage, µs | ${spread(usage.small, 0)} | ${spread(usage.large, 0)} |`,
      `| building its invoice, µs | ${spread(invoice.small, 0)} | ${spread(invoice.large, 0)} |`,
      `| bytes of the log and its indexes per event | | ${Math.round(bytesPerEvent)} |`,
    ].join('\n'),
  ]
}

/** Median, and the range where there is more than one value. */
function spread(values: readonly number[], places: number): string {
  const sorted = values.toSorted((a, b) => a - b)
  const show = (value: number | undefined): string =>
    (value ?? NaN).toLocaleString('en-US', { minimumFractionDigits: places, maximumFractionDigits: places })
  const median = show(sorted[Math.floor(sorted.length / 2)])
  return sorted.length < 2 ? median : `${median} (${show(sorted[0])}–${show(sorted.at(-1))})`
}
