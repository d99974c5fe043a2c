/** Proof: `kill -9` of any process at any time loses nothing that was answered, counts nothing twice and passes no limit. */

import path from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { LARGE_UNITS } from '../harness/catalog.ts'
import { askFor, readLedger } from '../harness/client.ts'
import { startClients } from '../harness/clients.ts'
import { type Fleet, startFleet } from '../harness/fleet.ts'
import { isLong, ownFolder, report, sleep, until } from '../harness/report.ts'
import { killAll } from '../harness/server-process.ts'
import type { Variant } from '../harness/settings.ts'
import { checkIntegrity, readLog } from '../harness/witness.ts'

const PROCESSES = 3
const CLIENTS = 24
const KILL_FOR_MS = isLong ? 60_000 : 20_000
const CONTROL_FOR_MS = isLong ? 10_000 : 1_500

/** Customers and their plans: one has a limit that is reached on the way. */
const PLANS = { ada: 'open', ben: 'open', cyd: 'large', dan: 'billed' }

/** Reservations of dead processes are looked for every five seconds. */
const RESOLVED_WITHIN_MS = 7_000

afterEach(killAll)

test('what was answered is in the log once after any number of kills', { timeout: KILL_FOR_MS + 60_000 }, async () => {
  const sound = await killLoop(KILL_FOR_MS)
  const { rounds, kills, answered, refused, events, retries, failedStarts, lost } = sound
  expect(sound).toMatchObject({
    lost: 0,
    doubled: 0,
    wrongTotals: 0,
    overLimit: 0,
    openReservations: 0,
    integrity: 'ok',
    isVerified: true,
  })
  expect(answered).toBeGreaterThan(0)
  expect(refused).toBeGreaterThan(0)
  expect(sound.usedOfLarge).toBe(LARGE_UNITS)

  const control = await killLoop(CONTROL_FOR_MS, 'acknowledge-early')
  report(
    'kill',
    {
      rounds,
      kills,
      answered,
      refused,
      lost,
      doubled: sound.doubled,
      events,
      retries,
      failedStarts,
      usedOfLarge: sound.usedOfLarge,
    },
    { kills: control.kills, answered: control.answered, lost: control.lost },
  )
  // The control: a store that answers before its commit loses what it answered, and the harness sees it.
  expect(control.lost).toBeGreaterThan(0)
})

interface Outcome {
  readonly rounds: number
  readonly kills: number
  readonly answered: number
  readonly refused: number
  readonly retries: number
  readonly failedStarts: number
  readonly events: number
  readonly lost: number
  readonly doubled: number
  readonly wrongTotals: number
  readonly overLimit: number
  readonly openReservations: number
  readonly usedOfLarge: number
  readonly integrity: string
  readonly isVerified: boolean
}

async function killLoop(forMs: number, variant: Variant = 'sound'): Promise<Outcome> {
  const folder = ownFolder()
  const database = path.join(folder, 'farebox.db')
  const ledger = path.join(folder, 'ledger')
  const fleet = await startFleet({ database, witness: path.join(folder, 'witness'), variant }, PROCESSES)
  await subscribeAll(fleet)
  const clients = startClients({ fleet, ledger, count: CLIENTS, customers: Object.keys(PLANS) })

  const found = { lost: 0, doubled: 0, wrongTotals: 0, overLimit: 0 }
  const deadline = performance.now() + forMs
  let rounds = 0
  let kills = 0
  while (performance.now() < deadline) {
    await sleep(between(250, 1_200))
    kills += fleet.killSome(Math.ceil(between(0, PROCESSES)))
    rounds += 1
    addWorse(found, judge(database, ledger))
  }
  await fleet.allUp()
  const { retries } = await clients.finish()
  if (variant === 'sound')
    await until('no reservation is left open', () => readLog(database).reserved.size === 0, RESOLVED_WITHIN_MS)
  const audit = await askFor<{ ok: boolean }>(fleet.any()?.port ?? 0, { path: '/verify' })
  await fleet.stop()

  const log = readLog(database)
  addWorse(found, judge(database, ledger))
  const lines = readLedger(ledger)
  const count = (word: string): number => lines.filter((line) => line.word === word).length
  return {
    ...found,
    rounds,
    kills,
    answered: count('ok'),
    refused: count('refused'),
    retries,
    failedStarts: fleet.failures.length,
    events: log.events,
    openReservations: log.reserved.size,
    usedOfLarge: log.usedBy.get('cyd') ?? 0,
    integrity: checkIntegrity(database),
    isVerified: audit.ok,
  }
}

type Findings = Record<'lost' | 'doubled' | 'wrongTotals' | 'overLimit', number>

/** Compares the ledger with the log at any moment: what was answered before the look is in it, or a reservation holds it. */
function judge(database: string, ledger: string): Findings {
  const answered = readLedger(ledger).filter(({ word }) => word === 'ok')
  const log = readLog(database)
  const isKept = (id: string, how: string): boolean => log.countOf.get(id) === 1 || (how === 'gate' && log.reserved.has(id))
  const lost = answered.filter(({ how, customer, key }) => !isKept(`${customer} ${key}`, how)).length
  let used = log.usedBy.get('cyd') ?? 0
  for (const [id, units] of log.reserved) if (id.startsWith('cyd ')) used += units
  return { lost, doubled: log.doubled.length, wrongTotals: log.wrongTotals, overLimit: Math.max(0, used - LARGE_UNITS) }
}

function addWorse(found: Findings, seen: Findings): void {
  for (const name of Object.keys(found) as (keyof Findings)[]) found[name] = Math.max(found[name], seen[name])
}

async function subscribeAll(fleet: Fleet): Promise<void> {
  const startsAt = Date.now() - 86_400_000
  for (const [customerId, plan] of Object.entries(PLANS)) {
    await askFor(fleet.any()?.port ?? 0, { method: 'POST', path: '/subscribe', body: { customerId, plan, startsAt } })
  }
}

function between(least: number, most: number): number {
  return least + Math.random() * (most - least)
}
