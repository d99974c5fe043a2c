/** Proof: a clock that steps under load locks nobody out, refills nobody and bills the right periods. */

import path from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { CAPPED_UNITS } from '../harness/catalog.ts'
import { type Answer, ask, askFor } from '../harness/client.ts'
import { isLong, ownFolder, report, sleep } from '../harness/report.ts'
import { killAll, type ServerProcess, startServer } from '../harness/server-process.ts'
import type { ServerSettings } from '../harness/settings.ts'
import { countOpenEvents, readDocuments, readInstants, readInvoices, readLog } from '../harness/witness.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** The anchor: a day that most months do not have. */
const START = Date.UTC(2025, 0, 31)

/** Ends of the usage periods from that anchor, written by hand: what the calendar says, not what the engine computes. */
const BOUNDARIES = [
  [2025, 1, 31],
  [2025, 2, 28],
  [2025, 3, 31],
  [2025, 4, 30],
  [2025, 5, 31],
  [2025, 6, 30],
  [2025, 7, 31],
  [2025, 8, 31],
  [2025, 9, 30],
  [2025, 10, 31],
  [2025, 11, 30],
  [2025, 12, 31],
  [2026, 1, 31],
  [2026, 2, 28],
  [2026, 3, 31],
  [2026, 4, 30],
].map(([year = 0, month = 0, day = 0]) => Date.UTC(year, month - 1, day))

/** The end of the last period that is closed before the clock goes back. */
const LATER = Date.UTC(2026, 2, 31)

const MIDDLE = Date.UTC(2025, 2, 10, 12)
const AFTER_BOUNDARY = Date.UTC(2025, 2, 31, 0, 30)

/** Where the clock is set in turn: steps of an hour and of 400 days in both directions, some across the end of a period. */
const STEPS = [
  [MIDDLE, MIDDLE - HOUR_MS, MIDDLE, MIDDLE + HOUR_MS, MIDDLE],
  [AFTER_BOUNDARY, AFTER_BOUNDARY - HOUR_MS, AFTER_BOUNDARY, AFTER_BOUNDARY + HOUR_MS],
  [MIDDLE + 400 * DAY_MS, MIDDLE, MIDDLE + 400 * DAY_MS, AFTER_BOUNDARY, MIDDLE + 400 * DAY_MS],
].flat()

/** Requests of each customer at each step. */
const REQUESTS = isLong ? 400 : 60

afterEach(killAll)

test(
  'steps of an hour and of 400 days lock nobody out and refill nobody, and closing bills the right periods',
  { timeout: 120_000 },
  async () => {
    const settings = ownSettings(MIDDLE)
    const server = await startServer(settings)
    await subscribe(server, 'ada', 'capped', START)
    await subscribe(server, 'ben', 'billed', START)

    const answers: { customer: string; answer: Answer }[] = []
    for (const now of STEPS) {
      const load = ['ada', 'ben'].flatMap((customer) =>
        Array.from({ length: REQUESTS }, async (_, i) => {
          await sleep(i)
          answers.push({ customer, answer: await ask(server.port, { path: '/work', customer }) })
        }),
      )
      await sleep(REQUESTS / 2)
      await setClock(server, now)
      await Promise.all(load)
    }
    await setClock(server, Date.UTC(2026, 3, 30, 1))
    await askFor(server.port, { method: 'POST', path: '/close' })

    const { database } = settings
    const used = countByPeriod(readInstants(database))
    const refused = answers.filter(({ answer }) => answer.status !== 200)
    report('clock', {
      steps: STEPS.length,
      requests: answers.length,
      refused: refused.length,
      events: readInstants(database).length,
      invoices: readInvoices(database).numbers.length,
    })
    // Nobody is refilled: no period of the limited customer holds more than its allowance.
    for (const [id, count] of used) if (id.startsWith('ada')) expect(count).toBeLessThanOrEqual(CAPPED_UNITS)
    // Nobody is locked out: only who used up that very period's allowance was refused, and who pays for overage never.
    for (const { customer, answer } of refused) {
      const problem: { code: string; period_end: string } = JSON.parse(answer.body)
      expect({ customer, code: problem.code }).toEqual({ customer: 'ada', code: 'allowance_exhausted' })
      expect(used.get(`ada ${BOUNDARIES.indexOf(Date.parse(problem.period_end)) - 1}`)).toBe(CAPPED_UNITS)
    }
    expect(readInstants(database)).toHaveLength(answers.length - refused.length)
    expectInvoices(database, used)
    expect(await askFor(server.port, { path: '/verify' })).toMatchObject({ ok: true })
  },
)

describe('a clock that goes back', () => {
  test('behind the start of a subscription locks nobody out', { timeout: 25_000 }, async () => {
    const server = await startServer(ownSettings(MIDDLE))
    await subscribe(server, 'ada', 'capped')
    await setClock(server, MIDDLE - HOUR_MS)
    expect((await ask(server.port, { path: '/work', customer: 'ada' })).status).toBe(200)
  })

  for (const [name, back] of [
    ['two seconds behind the end of a period that was closed with usage', LATER - 1_000],
    ['two seconds behind the end of a period that was closed without usage', Date.UTC(2026, 1, 28) - 1_000],
    ['400 days', MIDDLE],
  ] as const) {
    test(`${name}: the request is served and billed once, and the next start is ready`, { timeout: 25_000 }, async () => {
      const settings = ownSettings(MIDDLE)
      const server = await startServer(settings)
      await subscribe(server, 'ada', 'capped', START)
      await workAt(server, MIDDLE)
      await workAt(server, LATER - HOUR_MS)
      await closeAt(server, LATER + 1_000)
      const { status } = await workAt(server, back)
      server.kill('SIGTERM')
      await server.ended
      const errors = server.said.flatMap(({ error }) => error ?? [])

      const next = await startServer(settings)
      await closeAt(next, LATER + 60 * DAY_MS)
      expect({ status, errors }).toEqual({ status: 200, errors: [] })
      expect(readLog(settings.database)).toMatchObject({ events: 3, doubled: [], wrongTotals: 0, reserved: new Map() })
      expect(countOpenEvents(settings.database)).toBe(0)
      expect(await askFor(next.port, { path: '/verify' })).toMatchObject({ ok: true })
    })
  }
})

async function workAt(server: ServerProcess, now: number): Promise<Answer> {
  await setClock(server, now)
  return ask(server.port, { path: '/work', customer: 'ada' })
}

async function closeAt(server: ServerProcess, now: number): Promise<void> {
  await setClock(server, now)
  await askFor(server.port, { method: 'POST', path: '/close' })
}

function ownSettings(clockAt: number): ServerSettings & { readonly clockAt: number } {
  const folder = ownFolder()
  return { database: path.join(folder, 'farebox.db'), witness: path.join(folder, 'witness'), clockAt }
}

async function subscribe({ port }: ServerProcess, customerId: string, plan: string, startsAt?: number): Promise<void> {
  await askFor(port, { method: 'POST', path: '/subscribe', body: { customerId, plan, startsAt } })
}

async function setClock({ port }: ServerProcess, now: number): Promise<void> {
  await askFor(port, { method: 'POST', path: '/clock', body: { now } })
}

/** Events by `customer period`, the period taken from the boundaries above. */
function countByPeriod(instants: readonly { readonly customer: string; readonly at: number }[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { customer, at } of instants) {
    const id = `${customer} ${BOUNDARIES.findLastIndex((start) => start <= at)}`
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}

interface InvoiceDocument {
  readonly customerId: string
  readonly lines: readonly { readonly type: string; readonly period: readonly [number, number]; readonly quantity: string }[]
}

/** Each period's usage stands in the invoice lines of that very period, and each invoice has the next number. */
function expectInvoices(database: string, used: ReadonlyMap<string, number>): void {
  const billed = new Map<string, number>()
  for (const { customerId, lines } of readDocuments<InvoiceDocument>(database)) {
    for (const { type, period, quantity } of lines) {
      if (type !== 'feature_usage') continue
      const index = BOUNDARIES.indexOf(period[0])
      expect(period[1]).toBe(BOUNDARIES[index + 1])
      billed.set(`${customerId} ${index}`, (billed.get(`${customerId} ${index}`) ?? 0) + Number(quantity) / 1_000_000)
    }
  }
  expect(billed).toEqual(used)
  const { numbers, last } = readInvoices(database)
  expect(numbers).toEqual(numbers.map((_number, i) => i + 1))
  expect(last).toBe(numbers.length)
  expect(countOpenEvents(database)).toBe(0)
}
