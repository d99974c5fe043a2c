/** Proof: a full disk refuses, loses nothing, and is forgotten when there is room again. */

import path from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type Answer, ask, askFor, linesOf, openLedger, readLedger } from '../harness/client.ts'
import { type Disk, sizeLimit, smallFileSystem } from '../harness/disk.ts'
import { isLong, ownFolder, report, sleep, until } from '../harness/report.ts'
import { killAll, type ServerProcess, startServer } from '../harness/server-process.ts'
import { checkIntegrity, readLog } from '../harness/witness.ts'

const REQUESTS_WHILE_FULL = isLong ? 2_000 : 300

/** The store asks the disk once a second. */
const RESUMES_WITHIN_MS = 3_000

/** Nobody waits longer for a read while the disk is full. */
const READ_WITHIN_MS = 2_000

afterEach(killAll)

describe.each([
  ['a limit on the size of files', 'prlimit is not available', sizeLimit],
  ['a small file system', 'a file system cannot be mounted', smallFileSystem],
] as const)('%s', (name, reason, makeDisk) => {
  test('is answered 503 while it is full, and nothing answered is lost', { timeout: 60_000 }, async (context) => {
    const parent = ownFolder()
    const disk = makeDisk(parent)
    if (disk === null) return context.skip(reason)
    const place = await openShop(disk, parent)
    const before = await work(place, 40)
    // Admitted while there is room, settled when there is none.
    const inFlight = [1, 2, 3].map(() => ask(place.server.port, { path: '/slow?ms=1200', customer: 'ada' }, { keepAlive: false }))
    await sleep(200)
    disk.fill(place.server.pid)
    const full = await workUntilFull(place)
    await Promise.all(inFlight)
    const later = await work(place, 60)

    disk.free(place.server.pid)
    const freedAt = performance.now()
    await until('service resumes', async () => (await work(place, 1)).every(({ status }) => status === 200), RESUMES_WITHIN_MS)
    const resumedAfterMs = performance.now() - freedAt
    await work(place, 20)
    await until('no reservation is left open', () => readLog(place.database).reserved.size === 0, RESUMES_WITHIN_MS)

    const found = judge(place)
    const refused = [...full, ...later].filter(({ status }) => status !== 200)
    const servedAfterRefusal = [...full.slice(full.findIndex(({ status }) => status !== 200)), ...later].filter(
      ({ status }) => status === 200,
    )
    report(`disk full (${name})`, {
      ...found,
      refused: refused.length,
      servedAfterRefusal: servedAfterRefusal.length,
      resumedAfterMs,
    })

    expect(before.map(({ status }) => status)).not.toContain(503)
    expect(refused.length).toBeGreaterThan(0)
    for (const answer of refused) expectUnavailable(answer)
    expect(found).toMatchObject({ lost: 0, ranUnseen: 0, doubled: 0, wrongTotals: 0, integrity: 'ok' })
    expect(await askFor(place.server.port, { path: '/verify' })).toMatchObject({ ok: true })
  })

  test('lets reads be answered while a settlement waits for room', { timeout: 60_000 }, async (context) => {
    const parent = ownFolder()
    const disk = makeDisk(parent)
    if (disk === null) return context.skip(reason)
    const place = await openShop(disk, parent)
    await work(place, 10)
    const inFlight = ask(place.server.port, { path: '/slow?ms=800', customer: 'ada' }, { keepAlive: false })
    await sleep(200)
    disk.fill(place.server.pid)
    await workUntilFull(place)
    expect((await inFlight).status).toBe(200)
    const answer = await Promise.race([ask(place.server.port, { path: '/invoices' }), sleep(READ_WITHIN_MS)])
    expect(answer).toBeDefined()
  })
})

interface Place {
  readonly server: ServerProcess
  readonly database: string
  readonly witness: string
  readonly ledger: string
}

async function openShop({ folder }: Disk, parent: string): Promise<Place> {
  const files = {
    database: path.join(folder, 'farebox.db'),
    witness: path.join(parent, 'witness'),
    ledger: path.join(parent, 'ledger'),
  }
  const server = await startServer(files)
  await askFor(server.port, { method: 'POST', path: '/subscribe', body: { customerId: 'ada', plan: 'open' } })
  return { ...files, server }
}

/** Requests in turn, half through the gate and half tracked; the ledger keeps what was answered. */
async function work({ server, ledger }: Place, count: number): Promise<Answer[]> {
  const lines = openLedger(ledger)
  const answers: Answer[] = []
  for (let i = 0; i < count; i += 1) {
    const key = `t-${performance.now()}`
    const isGate = i % 2 === 0
    const body = { customerId: 'ada', feature: 'api_calls', idempotencyKey: key }
    const answer = await ask(server.port, isGate ? { path: '/work', customer: 'ada' } : { method: 'POST', path: '/track', body })
    answers.push(answer)
    if (answer.status !== 200) continue
    lines.write({
      word: 'ok',
      how: isGate ? 'gate' : 'track',
      customer: 'ada',
      key: isGate ? (JSON.parse(answer.body) as { key: string }).key : key,
    })
  }
  lines.close()
  return answers
}

/** Works on until the disk refuses, and then so many requests more. */
async function workUntilFull(place: Place): Promise<Answer[]> {
  const answers: Answer[] = []
  const deadline = performance.now() + 20_000
  while (!answers.some(({ status }) => status !== 200)) {
    if (performance.now() > deadline) throw new Error('Expected the disk to become full')
    answers.push(...(await work(place, 2)))
  }
  return [...answers, ...(await work(place, REQUESTS_WHILE_FULL))]
}

function expectUnavailable({ status, contentType, body }: Answer): void {
  const problem: { code: string; type?: string } = JSON.parse(body)
  expect({ status, code: problem.code }).toEqual({ status: 503, code: 'store_unavailable' })
  // The gate's own answer; a tracked event's error is told by the application.
  if (problem.type !== undefined) expect(contentType).toBe('application/problem+json')
}

interface Found {
  readonly answered: number
  readonly events: number
  readonly lost: number
  /** Handlers that ran and whose event is not in the log. */
  readonly ranUnseen: number
  readonly doubled: number
  readonly wrongTotals: number
  readonly integrity: string
}

function judge({ database, ledger, witness }: Place): Found {
  const log = readLog(database)
  const answered = readLedger(ledger)
  const isMissing = (key: string): boolean => log.countOf.get(`ada ${key}`) !== 1
  return {
    answered: answered.length,
    events: log.events,
    lost: answered.filter(({ key }) => isMissing(key)).length,
    ranUnseen: linesOf(witness).filter(isMissing).length,
    doubled: log.doubled.length,
    wrongTotals: log.wrongTotals,
    integrity: checkIntegrity(database),
  }
}
