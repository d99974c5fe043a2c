import { spawn } from 'node:child_process'
import { createReadStream, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const folder = mkdtempSync(path.join(tmpdir(), 'farebox-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const BIN = path.resolve(import.meta.dirname, '../src/bin.ts')
const APP = path.resolve(import.meta.dirname, 'fixtures/app.ts')

interface Ended {
  readonly status: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** The real program in a process of its own. */
async function farebox(
  args: readonly string[],
  { env = {}, input }: { env?: Record<string, string>; input?: string } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, ['--conditions=farebox-source', BIN, ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
  })
  if (input === undefined) child.stdin.end()
  else createReadStream(input).pipe(child.stdin)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return new Promise((resolve) => child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr })))
}

/** 80 lines of six customers: calls, files, pings, unknown paths, failures. */
function writeLog(name: string): string {
  const targets = ['/calls', '/files', '/pings', '/calls', '/nowhere', '/calls']
  const lines = Array.from({ length: 80 }, (_, index) => {
    const status = index % 11 === 5 ? 404 : 200
    const second = String(index % 60).padStart(2, '0')
    return `192.0.2.${(index * index) % 6} - - [17/May/2015:10:05:${second} +0000] "GET ${targets[index % 6]} HTTP/1.1" ${status} ${index * 1000}\n`
  })
  writeFileSync(path.join(folder, name), lines.join(''))
  return name
}

describe('farebox replay, killed with kill -9 and resumed', () => {
  it('gives the same report as without the kill, wherever it was killed', async () => {
    const log = writeLog('killed.log')
    expect((await farebox(['replay', log, '--app', APP, '--database', 'whole.db', '--json', 'whole.json'])).status).toBe(0)

    const resume = ['replay', log, '--app', APP, '--database', 'killed.db', '--json', 'killed.json', '--resume']
    // In a handler: reserved and not settled. Settled: in the database and not in the journal.
    for (const kill of ['handler:1', 'handler:9', 'settled:1', 'settled:12', 'settled:14', 'handler-404:1', 'handler:2']) {
      expect((await farebox(resume, { env: { FAREBOX_TEST_KILL: kill } })).signal, kill).toBe('SIGKILL')
    }
    const last = await farebox(resume)
    expect(last).toMatchObject({ status: 0, signal: null })
    expect(readFileSync(path.join(folder, 'killed.json'), 'utf8')).toBe(readFileSync(path.join(folder, 'whole.json'), 'utf8'))
  }, 40_000)
})

describe('farebox replay', () => {
  it('prints plain lines where there is no terminal, the table, invoices and the audit, and writes what was asked for', async () => {
    const log = writeLog('shown.log')
    const ended = await farebox([
      'replay',
      log,
      '--app',
      APP,
      '--database',
      'shown.db',
      '--json',
      'out/shown.json',
      '--html',
      'pages',
    ])
    expect(ended.status).toBe(0)
    expect(ended.stderr).toMatch(/^Reading shown\.log\nReplaying 80 requests\n {2}10 % {2}8 of 80\n/)
    expect(ended.stdout).toMatch(/80 lines, 0 malformed, 80 requests of 4 customers/)
    expect(ended.stdout).toMatch(/^paid +api_calls +\d/m)
    expect(ended.stdout).toMatch(/^FB-\d+ .* total \$/m)
    expect(ended.stdout).toMatch(/audit: ok, \d+ events/)
    const report: unknown = JSON.parse(readFileSync(path.join(folder, 'out/shown.json'), 'utf8'))
    expect(report).toMatchObject({ lines: 80, audit: { ok: true } })
    const pages = readdirSync(path.join(folder, 'pages'))
    expect(pages).toContain('index.html')
    expect(pages.filter((page) => page.startsWith('FB-')).length).toBeGreaterThan(0)
  }, 20_000)

  it('reads standard input, and reports malformed lines with their numbers', async () => {
    const log = path.join(folder, writeLog('piped.log'))
    writeFileSync(log, `${'junk\n'.repeat(12)}${readFileSync(log, 'utf8')}`)
    const ended = await farebox(['replay', '-', '--app', APP, '--database', 'piped.db'], { input: log })
    expect(ended.status).toBe(0)
    expect(ended.stderr).toMatch(/line 1 is malformed and skipped: the client cannot be read\n.*line 2 /s)
    expect(ended.stderr).toMatch(/line 10 .*\nand 2 more malformed lines\n/)
    expect(ended.stdout).toMatch(/92 lines, 12 malformed, 80 requests/)
  }, 20_000)

  it('ends with status 1 and one sentence for what the user can mend', async () => {
    const log = writeLog('mended.log')
    writeFileSync(path.join(folder, 'empty.log'), '')
    const table: readonly [readonly string[], RegExp][] = [
      [
        ['replay', 'nowhere.log', '--app', APP, '--database', 'x.db'],
        /^farebox: There is no file nowhere\.log: give the path[^\n]*\n$/m,
      ],
      [['replay', 'empty.log', '--app', APP, '--database', 'x.db'], /^farebox: empty\.log is empty/m],
      [['replay', APP, '--app', APP, '--database', 'x.db'], /^farebox: \S+ is no access log: [^\n]*\n$/m],
      [['replay', log, '--app', 'nowhere.ts'], /^farebox: There is no module nowhere\.ts: give --app the path[^\n]*\n$/m],
      [
        ['replay', log, '--app', BIN.replace('bin.ts', 'table.ts')],
        /^farebox: \S+ must export \{ catalog, createApp, planFor \}/m,
      ],
      [['replay', log], /required option '--app <module>' not specified/],
      [['replay', log, '--app', APP, '--port', '70000'], /--port <number>.* give a whole number from 0 to 65535/],
      [['replay', log, '--app', APP, '--colour'], /unknown option '--colour'/],
      [['repaly'], /unknown command 'repaly'/],
    ]
    const all = await Promise.all(table.map(async ([args]) => farebox(args)))
    for (const [index, [args, message]] of table.entries()) {
      expect(all[index], args.join(' ')).toMatchObject({ status: 1, stderr: expect.stringMatching(message) })
      expect(all[index]?.stderr, 'no stack').not.toMatch(/^ {4}at /m)
    }
  }, 30_000)

  it('shows its help with status 0', async () => {
    const ended = await farebox(['replay', '--help'])
    expect(ended).toMatchObject({ status: 0, stdout: expect.stringMatching(/--resume/) })
  })
})
