/** Proof: a process that dies at any named point leaves nothing lost, doubled or half done. */

import path from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { ask, askFor, linesOf } from '../harness/client.ts'
import type { CrashPoint } from '../harness/crash.ts'
import { isLong, ownFolder, report, until } from '../harness/report.ts'
import { killAll, type ServerProcess, startServer } from '../harness/server-process.ts'
import type { ServerSettings } from '../harness/settings.ts'
import { checkIntegrity, readDocuments, readInvoices, readLog } from '../harness/witness.ts'

const START = Date.UTC(2025, 0, 31)
const NOW = Date.UTC(2025, 3, 10)
const CUSTOMERS = ['ada', 'ben', 'cyd']

/** The start and the ends of two months and a bit, 31 January to 10 April: moments 0, 1 and 2. */
const MOMENTS = 3

/** What each crash left, for the report. */
const closed: { point: string; finalBefore: number; draftsBefore: number; finalAfter: number }[] = []

afterEach(killAll)

afterAll(() => {
  const states = new Set(closed.map(({ finalBefore, draftsBefore }) => `${finalBefore}+${draftsBefore}`))
  const gaps = closed.filter(({ finalAfter }) => finalAfter !== CUSTOMERS.length * MOMENTS).length
  report('crash points', {
    requestPoints: 12,
    trackPoints: 2,
    closingPoints: closed.length,
    differentStatesLeft: [...states].join(' '),
    wrongAfterwards: gaps,
  })
})

describe('a process that dies on the way of a request', () => {
  /** `events`: what the log holds after the next start, by the rule. The handler ran or not, the client was answered or not. */
  const cases: readonly { point: CrashPoint; handlers: number; isAnswered: boolean; events: { charge: number; void: number } }[] =
    [
      { point: 'in-reserve', handlers: 0, isAnswered: false, events: { charge: 0, void: 0 } },
      { point: 'after-reserve', handlers: 0, isAnswered: false, events: { charge: 1, void: 0 } },
      { point: 'in-handler', handlers: 1, isAnswered: false, events: { charge: 1, void: 0 } },
      { point: 'before-settle', handlers: 1, isAnswered: true, events: { charge: 1, void: 0 } },
      { point: 'in-settle', handlers: 1, isAnswered: true, events: { charge: 1, void: 0 } },
      { point: 'after-settle', handlers: 1, isAnswered: true, events: { charge: 1, void: 1 } },
    ]
  for (const { point, handlers, isAnswered, events } of cases) {
    for (const onCrash of ['charge', 'void'] as const) {
      test(`${point}, onCrash ${onCrash}: ${events[onCrash]} in the log, no reservation open`, { timeout: 30_000 }, async () => {
        const settings = { ...ownSettings(), onCrash }
        const dying = await startServer(settings, { crashAt: point })
        await subscribe(dying, 'ada')
        const answer = await ask(dying.port, { path: '/work', customer: 'ada' }).catch(() => null)
        expect(await dying.ended).toBe('SIGKILL')
        expect(answer?.status === 200).toBe(isAnswered)

        const next = await startServer(settings)
        const log = readLog(settings.database)
        expect(log).toMatchObject({ events: events[onCrash], doubled: [], wrongTotals: 0 })
        expect(log.reserved.size).toBe(0)
        const ran = linesOf(settings.witness)
        expect(ran).toHaveLength(handlers)
        if (onCrash === 'charge') for (const key of ran) expect(log.countOf.get(`ada ${key}`)).toBe(1)
        await expectSound(next, settings)
      })
    }
  }
})

test('a start after a crash with 60 requests in flight is ready within two seconds', { timeout: 60_000 }, async () => {
  const settings = ownSettings()
  const dying = await startServer(settings)
  await subscribe(dying, 'ada')
  const asked = Array.from({ length: 60 }, () =>
    ask(dying.port, { path: '/slow?ms=20000', customer: 'ada' }, { keepAlive: false }).catch(() => null),
  )
  await until('all are admitted', () => readLog(settings.database).reserved.size === 60, 5_000)
  dying.kill()
  await Promise.all(asked)
  const startedAt = performance.now()
  const next = await startServer(settings)
  expect(performance.now() - startedAt).toBeLessThan(2_000)
  await expectSound(next, settings)
})

describe('a process that dies on the way of a tracked event', () => {
  for (const [point, kind] of [
    ['in-track', 'recorded'],
    ['after-track', 'repeat'],
  ] as const) {
    test(`${point}: the retry with the same key is ${kind}, and the log holds it once`, { timeout: 30_000 }, async () => {
      const settings = ownSettings()
      const dying = await startServer(settings, { crashAt: point })
      await subscribe(dying, 'ada')
      const event = {
        method: 'POST',
        path: '/track',
        body: { customerId: 'ada', feature: 'api_calls', idempotencyKey: 'k1' },
      } as const
      await expect(ask(dying.port, event)).rejects.toThrow()
      expect(await dying.ended).toBe('SIGKILL')

      const next = await startServer(settings)
      expect(await askFor(next.port, event)).toEqual({ kind })
      expect(readLog(settings.database).countOf.get('ada k1')).toBe(1)
      await expectSound(next, settings)
    })
  }
})

describe('a process that dies while it closes periods', () => {
  const short = ['in-draft:2', 'after-draft:1', 'in-finalize:2', 'in-finalize:6', 'after-finalize:1', 'after-finalize:5'] as const
  const points = [...short, ...(isLong ? (['after-draft:3', 'in-finalize:1', 'after-finalize:9'] as const) : [])]
  for (const point of points) {
    test(`${point}: closing again makes each invoice once, numbers have no gap`, { timeout: 30_000 }, async () => {
      const settings = ownSettings()
      // Within a grace that the last moment is in: a draft is written on its own only then. The next start has none.
      const isDraft = point.includes('-draft:')
      const dying = await startServer(isDraft ? { ...settings, graceHours: 15 * 24 } : settings, { crashAt: point })
      await useAll(dying)
      await expect(ask(dying.port, { method: 'POST', path: '/close' })).rejects.toThrow()
      expect(await dying.ended).toBe('SIGKILL')
      const before = readInvoices(settings.database)
      expect(before.last).toBe(before.numbers.length)

      const next = await startServer(settings)
      await askFor(next.port, { method: 'POST', path: '/close' })
      expect(readInvoices(settings.database)).toEqual(allInvoices())
      const documents = readDocuments(settings.database)

      expect(await askFor(next.port, { method: 'POST', path: '/close' })).toEqual({ numbers: [], held: 0, waiting: [] })
      expect(readInvoices(settings.database)).toEqual(allInvoices())
      expect(readDocuments(settings.database)).toEqual(documents)
      await expectSound(next, settings)
      closed.push({ point, finalBefore: before.numbers.length, draftsBefore: before.drafts, finalAfter: documents.length })
    })
  }
})

function ownSettings(): ServerSettings {
  const folder = ownFolder()
  return { database: path.join(folder, 'farebox.db'), witness: path.join(folder, 'witness'), clockAt: NOW }
}

async function subscribe({ port }: ServerProcess, customerId: string): Promise<void> {
  await askFor(port, { method: 'POST', path: '/subscribe', body: { customerId, plan: 'billed', startsAt: START } })
}

/** Each customer uses 12 units in each of the three periods, so that 2 are billed. */
async function useAll(server: ServerProcess): Promise<void> {
  for (const customerId of CUSTOMERS) {
    await subscribe(server, customerId)
    for (const timestamp of ['2025-02-10T00:00:00Z', '2025-03-10T00:00:00Z', '2025-04-05T00:00:00Z']) {
      await askFor(server.port, {
        method: 'POST',
        path: '/track',
        body: { customerId, feature: 'api_calls', value: 12, timestamp },
      })
    }
  }
}

function allInvoices(): ReturnType<typeof readInvoices> {
  const count = CUSTOMERS.length * MOMENTS
  const moments = Array.from({ length: MOMENTS }, (_, moment) => CUSTOMERS.map((customer) => `${customer} ${moment}`)).flat()
  return {
    numbers: Array.from({ length: count }, (_, i) => i + 1),
    last: count,
    moments: expect.toSatisfy((found: string[]) => isSame(found, moments)),
    drafts: 0,
  }
}

function isSame(found: readonly string[], expected: readonly string[]): boolean {
  return found.toSorted().join() === expected.toSorted().join()
}

async function expectSound(server: ServerProcess, { database }: ServerSettings): Promise<void> {
  expect(await askFor(server.port, { path: '/verify' })).toMatchObject({ ok: true, differences: [] })
  server.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  expect(readLog(database)).toMatchObject({ doubled: [], wrongTotals: 0, reserved: new Map() })
  expect(checkIntegrity(database)).toBe('ok')
}
