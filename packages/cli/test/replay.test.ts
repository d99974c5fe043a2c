import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createFarebox, testClock } from '@farebox/core'
import type { UsageEvent } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { replay } from '../src/replay/index.ts'
import type { CustomerReport, ReplayOptions, ReplayReport } from '../src/replay/index.ts'
import { serveReplay } from '../src/replay/server.ts'
import target from './fixtures/app.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'farebox-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let runs = 0
/** A log and a database of their own. */
function given(lines: readonly string[]): { log: string; database: string } {
  const base = path.join(folder, `run-${(runs += 1)}`)
  writeFileSync(`${base}.log`, lines.map((text) => `${text}\n`).join(''))
  return { log: `${base}.log`, database: `${base}.db` }
}

function line(request: string, { client = 'a', at = '17/May/2015:10:05:03', status = 200, bytes = '10' } = {}): string {
  return `${client} - - [${at} +0000] "${request}" ${status} ${bytes} "-" "test"`
}

async function reportOf(lines: readonly string[], options: Partial<ReplayOptions> = {}): Promise<ReplayReport> {
  const { report } = await replay({ ...given(lines), target, ...options })
  return report
}

async function eventsOf(database: string): Promise<readonly UsageEvent[]> {
  const farebox = createFarebox({ catalog: target.catalog, store: sqlite({ path: database }) })
  const { items } = await farebox.events.list({ limit: 10_000 })
  await farebox.stop()
  return items
}

function customer(report: ReplayReport, id: string): CustomerReport | undefined {
  return report.customers.find((one) => one.id === id)
}

const repeated = (count: number, text: string): string[] => Array.from({ length: count }, () => text)

describe('a replay', () => {
  it('bills the month of the log and says what became of each request', async () => {
    const lines = [
      ...repeated(4, line('GET /calls HTTP/1.1')),
      line('HEAD /calls HTTP/1.1'),
      line('GET /files HTTP/1.1', { bytes: '203023' }),
      line('GET /files HTTP/1.1', { bytes: '203023', status: 404 }),
      line('GET /calls?x=1 HTTP/1.0', { status: 500 }),
      line('POST /calls HTTP/1.1'),
      line('GET /nowhere HTTP/1.1'),
      ...repeated(4, line('GET /calls HTTP/1.1', { client: '::1' })),
      line('HEAD /calls HTTP/1.1', { client: '::1' }),
      line('GET /pings HTTP/1.1', { client: '::1', status: 304 }),
    ]
    const report = await reportOf(lines)
    expect(report).toMatchObject({ lines: 16, malformed: 0, requests: 16, audit: { ok: true, events: 10, differences: [] } })
    expect(report.customers).toEqual([
      {
        id: 'a',
        plan: 'paid',
        lines: 10,
        features: { api_calls: { billed: '5', refused: 0, voided: 1 }, downloads: { billed: '0.203023', refused: 0, voided: 1 } },
        unmatched: 2,
        usage_total: '0.75',
      },
      {
        id: '::1',
        plan: 'free',
        lines: 6,
        features: {
          api_calls: { billed: '3', refused: 2, voided: 0 },
          downloads: { billed: '0', refused: 0, voided: 0 },
          pings: { billed: '1', refused: 0, voided: 0 },
        },
        unmatched: 0,
        usage_total: '0.00',
      },
    ])
    const usage = report.invoices.flatMap((invoice) => invoice.lines).find((one) => one.amount === '0.75')
    expect(usage).toMatchObject({
      type: 'feature_usage',
      feature: 'api_calls',
      quantity: '5',
      included: '2',
      billable: '3',
      unit_price: '0.25',
    })
    expect(usage?.period).toEqual(['2015-05-01T00:00:00.000Z', '2015-06-01T00:00:00.000Z'])
  })

  it('carries the time of each line into its event, though many are on their way at once', async () => {
    const at = (second: number): string => `17/May/2015:10:05:${String(second).padStart(2, '0')}`
    const seconds = Array.from({ length: 200 }, (_, index) => (index * 7) % 60)
    const files = given(seconds.map((second, index) => line('GET /pings HTTP/1.1', { client: `c${index % 40}`, at: at(second) })))
    await replay({ ...files, target })
    const events = await eventsOf(files.database)
    for (let client = 0; client < 40; client += 1) {
      const times = events.filter((event) => event.customerId === `c${client}`).map((event) => new Date(event.at).getUTCSeconds())
      expect(times).toEqual(seconds.filter((_, index) => index % 40 === client))
    }
  })

  it('gives each month its own allowance and invoice', async () => {
    const lines = ['30/Apr/2015:23:59:59', '01/May/2015:00:00:00', '31/May/2015:23:59:59'].flatMap((at) =>
      repeated(4, line('GET /calls HTTP/1.1', { at })),
    )
    const report = await reportOf(lines)
    expect(customer(report, 'a')).toMatchObject({ plan: 'paid', usage_total: '2.00' })
    const quantities = report.invoices
      .flatMap((invoice) => invoice.lines)
      .filter((one) => one.type === 'feature_usage')
      .map((one) => one.quantity)
    expect(quantities).toEqual(['4', '8'])
  })

  it('counts lines that cannot be sent as unmatched, and malformed ones by themselves', async () => {
    const lines = [
      line('-', { status: 408 }),
      line('GET /a b HTTP/1.1'),
      line(String.raw`GET /\x01 HTTP/1.1`),
      line('BREW /calls HTTP/1.1'),
      line('CONNECT example.com:443 HTTP/1.1'),
      line('GET calls HTTP/1.1'),
      line(`GET /${'x'.repeat(30_000)} HTTP/1.1`),
      line('GET /%E8%F1 HTTP/1.1'),
      'not a line',
      line('GET /calls HTTP/1.1'),
    ]
    const report = await reportOf(lines)
    expect(report).toMatchObject({
      lines: 10,
      malformed: 1,
      malformed_lines: [{ line: 9, reason: 'the time cannot be read' }],
      requests: 9,
      audit: { ok: true },
    })
    expect(customer(report, 'a')).toMatchObject({ unmatched: 8, features: { api_calls: { billed: '1' } } })
  })

  it('gives the same report twice, byte for byte', async () => {
    const lines = Array.from({ length: 300 }, (_, index) => line('GET /calls HTTP/1.1', { client: `c${(index * 13) % 37}` }))
    expect(JSON.stringify(await reportOf(lines))).toBe(JSON.stringify(await reportOf(lines)))
  })

  it('leaves nothing to do for a second run with resume, which gives the same report', async () => {
    const files = given(repeated(12, line('GET /calls HTTP/1.1')))
    const first = await replay({ ...files, target })
    const second = await replay({ ...files, target, resume: true })
    expect(second.report).toEqual(first.report)
  })
})

describe('a replay that cannot go on says so in one sentence', () => {
  const lines = repeated(3, line('GET /calls HTTP/1.1'))

  it('when the database holds another replay', async () => {
    const files = given(lines)
    await replay({ ...files, target })
    await expect(replay({ ...files, target })).rejects.toThrow(/holds a replay already: --resume goes on with it/)
    const { log } = given([...lines, ...lines])
    await expect(replay({ ...files, log, target, resume: true })).rejects.toThrow(/holds the replay of another log \(3 lines\)/)
    const fresh = await replay({ ...files, log, target, fresh: true })
    expect(fresh.report.lines).toBe(6)
  })

  it('when the port is taken', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await expect(reportOf(lines, { port })).rejects.toThrow(
      `Port ${port} is in use: stop what listens there, or give another one with --port`,
    )
    server.close()
  })

  it('when the application does not take the customer from the replay', async () => {
    await expect(reportOf([line('GET /anonymous HTTP/1.1')])).rejects.toThrow(
      /Line 1 was answered 401: give the context's identify to the meters/,
    )
  })

  it('when the database is on a path that cannot be written', async () => {
    const { log } = given(lines)
    const message = /cannot be used .*: give a --database file in a folder that you may write to$/
    // Not even root makes a file in /proc.
    await expect(replay({ log, target, database: '/proc/farebox.db' })).rejects.toThrow(message)
    await expect(replay({ log, target, database: path.join(log, 'replay.db') })).rejects.toThrow(message)
  })

  it('when the log is missing, and then it makes no database', async () => {
    const { database } = given([])
    await expect(replay({ log: path.join(folder, 'nowhere'), database, target })).rejects.toThrow(/There is no file/)
    expect(existsSync(database)).toBe(false)
  })

  it('when it was stopped, and goes on from there', async () => {
    const files = given(Array.from({ length: 40 }, (_, index) => line('GET /calls HTTP/1.1', { client: `c${index % 3}` })))
    const controller = new AbortController()
    const onProgress = (done: number): void => (done === 10 ? controller.abort() : undefined)
    await expect(replay({ ...files, target, onProgress, signal: controller.signal })).rejects.toThrow(
      /^Stopped after 1\d requests: .*--resume/,
    )
    const { report } = await replay({ ...files, target, resume: true })
    expect(report.audit).toMatchObject({ ok: true })
    expect(report.customers.map((one) => one.lines)).toEqual([14, 13, 13])
  })
})

describe('the port of a replay', () => {
  it('turns away whoever is not the replay', async () => {
    const server = await serveReplay((_request, response) => response.end('served'), testClock(0), 0)
    const stranger = await fetch(`http://127.0.0.1:${server.port}/calls`, {
      headers: { 'x-forwarded-for': 'a', 'x-replay-line': '1' },
    })
    expect(stranger.status).toBe(403)
    await server.stop()
  })
})

describe('the files of a replay', () => {
  it('are the database and the journal, whose records are short lines', async () => {
    const files = given(repeated(2, line('GET /calls HTTP/1.1')))
    await replay({ ...files, target })
    const base = path.basename(files.database)
    expect(
      readdirSync(folder)
        .filter((name) => name.startsWith(base))
        .sort(),
    ).toEqual([base, `${base}.replay.jsonl`])
    expect(readFileSync(`${files.database}.replay.jsonl`, 'utf8').split('\n').slice(1)).toEqual([
      '[1,"billed","api_calls"]',
      '[2,"billed","api_calls"]',
      '',
    ])
  })
})
