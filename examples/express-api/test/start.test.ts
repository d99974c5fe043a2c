import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import type { TraceReport } from 'farebox/llm-trace'
import type { ReplayReport } from 'farebox/replay'

const folder = mkdtempSync(path.join(tmpdir(), 'farebox-test-'))
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const START = path.resolve(import.meta.dirname, 'fixtures/start.ts')

interface Started {
  readonly child: ChildProcess
  readonly output: () => string
  readonly ended: Promise<number | null>
}

/** `npm start -- …` as called from the temporary folder. */
function started(...args: string[]): Started {
  const env = { ...process.env, INIT_CWD: folder }
  const child = spawn(process.execPath, ['--conditions=farebox-source', START, ...args], { env })
  children.push(child)
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return { child, output: () => output, ended: new Promise((resolve) => child.once('close', resolve)) }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20))
}

function reportIn(name: string): ReplayReport {
  return JSON.parse(readFileSync(path.join(folder, name), 'utf8'))
}

function traceReportIn(name: string): TraceReport {
  return JSON.parse(readFileSync(path.join(folder, name), 'utf8'))
}

describe('npm start', () => {
  it('replays the sample log, bills it, and leaves the API running for a customer with a key', async () => {
    const run = started('--port', '0', '--database', 'sample.db', '--html', 'pages', '--json', 'sample.json')
    await until(() => run.output().includes('curl -i') || run.child.exitCode !== null)
    expect(run.output()).toMatch(/6,000 lines, 0 malformed, 6,000 requests of 150 customers/)
    expect(run.output()).toMatch(/audit: ok/)
    expect(readdirSync(path.join(folder, 'pages'))).toContain('index.html')
    expect(reportIn('sample.json')).toMatchObject({ lines: 6000, requests: 6000, audit: { ok: true, differences: [] } })

    const [, key = '', url = ''] = /'x-api-key: (\S+)' (http:\S+)/.exec(run.output()) ?? []
    const statuses: number[] = []
    for (let number = 1; number <= 11; number += 1) statuses.push((await fetch(url, { headers: { 'x-api-key': key } })).status)
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 402])
    run.child.kill('SIGINT')
    expect(await run.ended).toBe(0)
  }, 60_000)

  it('gives the same report on PostgreSQL, byte for byte', async () => {
    const onFile = started('--once', '--database', 'file.db', '--html', 'file', '--json', 'file.json')
    expect(await onFile.ended).toBe(0)
    const onServer = started(
      '--once',
      '--store',
      'postgres',
      '--database',
      'server.db',
      '--html',
      'server',
      '--json',
      'server.json',
    )
    expect(await onServer.ended, onServer.output()).toBe(0)
    expect(existsSync(path.join(folder, 'server.db'))).toBe(false)
    expect(reportIn('server.json').invoices.length).toBeGreaterThan(100)
    expect(readFileSync(path.join(folder, 'server.json'), 'utf8')).toBe(readFileSync(path.join(folder, 'file.json'), 'utf8'))
  }, 60_000)

  it('says that the port is in use before it replays anything', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const run = started('--port', String(port), '--database', 'port.db')
    expect(await run.ended).toBe(1)
    expect(run.output()).toBe(`farebox: Port ${port} is in use: stop what listens there, or give another one with --port\n`)
    expect(existsSync(path.join(folder, 'port.db'))).toBe(false)
    server.close()
  }, 20_000)

  it('says in one sentence that the log is missing', async () => {
    const run = started('--once', '--log', 'nowhere.log', '--database', 'missing.db')
    expect(await run.ended).toBe(1)
    expect(run.output()).toMatch(/\nfarebox: There is no file \S*nowhere\.log: give the path of an access log[^\n]*\n$/)
  }, 20_000)
})

describe('npm start with an LLM trace', () => {
  it('bills it on a balance plan, and says what it came to', async () => {
    const trace = path.join(folder, 'trace.csv')
    writeFileSync(trace, 'TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,20000000,1\r\nx,1,1\r\n')
    const args = ['--once', '--format', 'llm-trace', '--log', trace, '--model', 'gpt-4o', '--margin', '20', '--customers', '2']
    const run = started(...args, '--database', 'trace.db', '--html', 'trace-pages', '--json', 'trace.json')
    expect(await run.ended, run.output()).toBe(0)
    expect(run.output()).toMatch(/line 3 is malformed and skipped: the timestamp cannot be read\nBilling 1 calls\n/)
    expect(run.output()).toMatch(/^c0 +1 +20,000,000 +1 +50\.00001 +60\.000012 +0\.00 +10\.000012$/m)
    expect(run.output()).toMatch(/audit: ok, 1 events, totals, balances, invoices and the trace agree/)
    expect(traceReportIn('trace.json')).toMatchObject({ lines: 2, malformed: 1, margin: '20' })
    expect(readdirSync(path.join(folder, 'trace-pages'))).toContain('FB-000001.html')
  }, 20_000)

  it.each([
    [['--format', 'llm-trace', '--log', 'x.csv'], /error: an LLM trace does not say which model answered: give --model one/],
    [['--format', 'llm-trace', '--model', 'gpt-4o'], /error: an LLM trace has no sample here: give --log the path of one/],
    [['--model', 'gpt-4o'], /error: --model is of an LLM trace: give --format llm-trace, or leave it out/],
    [['--margin', '20%'], /'--margin <per cent>' argument '20%' is invalid\. give per cent as a plain decimal from 0 to 100000/],
    [['--margin', '-1'], /'--margin <per cent>' argument '-1' is invalid/],
    [['--customers', '0'], /'--customers <number>' argument '0' is invalid\. give a whole number from 1 to 100000/],
    [['--format', 'csv'], /Allowed choices are access-log, llm-trace/],
    [
      ['--format', 'llm-trace', '--log', 'none.csv', '--model', 'gpt-4o'],
      /\nfarebox: There is no file \S+none\.csv: give the path/,
    ],
  ])('says in one sentence what is wrong with %j', async (args, message) => {
    const run = started('--once', '--database', 'wrong.db', ...args)
    expect(await run.ended).toBe(1)
    expect(run.output()).toMatch(message)
    expect(existsSync(path.join(folder, 'wrong.db'))).toBe(false)
  })
})

// The real log lies in ../shared/data relative to the project's root; the project stands alone without it.
const realLog = path.resolve(import.meta.dirname, '../../../../shared/data/apache_logs.gz')

describe.skipIf(!existsSync(realLog))('npm start with the real log in ../shared/data', () => {
  it('bills 10,000 requests, and the first customers as counted from the log by other means', async () => {
    const run = started('--once', '--log', realLog, '--database', 'real.db', '--html', 'real-pages', '--json', 'real.json')
    expect(await run.ended).toBe(0)
    const report = reportIn('real.json')
    expect(report).toMatchObject({ lines: 10_000, malformed: 0, requests: 10_000, audit: { ok: true, events: 7274 } })
    const sums = { unmatched: 0, refused: 0, voided: 0, usageCents: 0 }
    for (const customer of report.customers) {
      sums.unmatched += customer.unmatched
      sums.usageCents += Number(customer.usage_total.replace('.', ''))
      for (const { refused, voided } of Object.values(customer.features)) {
        sums.refused += refused
        sums.voided += voided
      }
    }
    expect(sums).toEqual({ unmatched: 2468, refused: 117, voided: 141, usageCents: 16_690 })
    expect(sums.unmatched + sums.refused + sums.voided + report.audit.events).toBe(10_000)
  }, 60_000)
})

const realTrace = path.resolve(import.meta.dirname, '../../../../shared/data/azure_llm_conv.csv.gz')

describe.skipIf(!existsSync(realTrace))('npm start with the real LLM trace in ../shared/data', () => {
  it('bills 19,366 calls to the last decimal, as counted from the trace by other means', async () => {
    const args = [
      '--once',
      '--format',
      'llm-trace',
      '--log',
      realTrace,
      '--model',
      'gpt-4o',
      '--margin',
      '20',
      '--customers',
      '2',
    ]
    const run = started(...args, '--database', 'llm.db', '--html', 'llm-pages', '--json', 'llm.json')
    expect(await run.ended, run.output()).toBe(0)
    const [, ...lines] = gunzipSync(readFileSync(realTrace)).toString().trim().split('\n')
    const customers = [0, 1].map((customer) => {
      const own = lines.filter((_line, index) => index % 2 === customer).map((line) => line.split(',').slice(1).map(Number))
      const sum = (column: number): number => own.reduce((total, tokens) => total + (tokens[column] ?? 0), 0)
      return { id: `c${customer}`, calls: own.length, input: sum(0), output: sum(1) }
    })
    const report = traceReportIn('llm.json')
    expect(report).toMatchObject({ lines: 19_366, malformed: 0, rates: { input: '2.50', output: '10.00' } })
    expect(report.audit).toEqual({ ok: true, events: 19_366, differences: [] })
    for (const [index, { id, calls, input, output }] of customers.entries()) {
      // In ten-millionths of a dollar: a token in costs 25, a token out 100, and a fifth comes on top.
      const cost = BigInt(input) * 25n + BigInt(output) * 100n
      const charged = (cost * 12n) / 10n
      const customer = report.customers[index]
      expect(customer).toMatchObject({ id, calls, input_tokens: input, output_tokens: output })
      const units = (text = ''): bigint => BigInt(text.replace('.', '') + '0'.repeat(7 - (text.split('.')[1] ?? '').length))
      expect(units(customer?.provider_cost)).toBe(cost)
      expect(units(customer?.charged)).toBe(charged)
      expect(units(customer?.overdraft)).toBe(charged - 500_000_000n)
      expect(customer?.balance_left).toBe('0.00')
    }
  }, 60_000)
})
