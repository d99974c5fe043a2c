/** Model = engine after each command, with the cache on and off; two defects put in on purpose are noticed. */

import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { Store } from '@farebox/core'
import { isLong, report } from '../harness/report.ts'
import { appliesTwice, forgetsReservations } from './broken.ts'
import { SEED } from './seed.ts'
import { Model } from './reference.ts'
import { Command, type Expected, steps } from './steps.ts'
import { World } from './world.ts'

const HISTORIES = isLong ? 1_000 : 40
const COMMANDS = 60
const START = Date.UTC(2025, 0, 31, 12)

const counts = { histories: 0, commands: 0, events: 0, invoices: 0 }
const control: Record<string, string> = {}

describe.each([0, 1000])('with %i accounts in the cache', (cacheSize) => {
  test('the engine says what the model says after each command', { timeout: 600_000 }, async () => {
    expect(await firstFailure({ cacheSize, histories: HISTORIES, seed: SEED + cacheSize })).toBeNull()
  })
})

test.each([
  ['forgets reservations', forgetsReservations],
  ['applies twice', appliesTwice],
])('control: an engine that %s is noticed', { timeout: 60_000 }, async (name, breakStore) => {
  const failure = await firstFailure({ cacheSize: 1000, histories: 200, seed: SEED, breakStore, endOnFailure: true })
  control[name] = failure === null ? 'MISSED' : 'caught'
  expect(failure).not.toBeNull()
})

afterAll(() => report('model', { seed: SEED, ...counts }, control))

interface Check {
  readonly cacheSize: number
  readonly histories: number
  readonly seed: number
  readonly breakStore?: ((store: Store) => Store) | undefined
  readonly endOnFailure?: boolean
}

/** The seed and the shortest history that fails, and how; null when none does. `PROVE_SEED` and `PROVE_PATH` replay it. */
async function firstFailure({ cacheSize, histories, seed, breakStore, endOnFailure = false }: Check): Promise<string | null> {
  const commands = fc.commands(
    steps.map((step) => step.map((data) => new Command(data))),
    { maxCommands: COMMANDS, size: 'max' },
  )
  const path = process.env['PROVE_PATH']
  const property = fc.asyncProperty(commands, (history) => live(history, { cacheSize, breakStore }))
  const details = await fc.check(property, { numRuns: histories, seed, endOnFailure, ...(path === undefined ? {} : { path }) })
  const message = fc.defaultReportMessage(details)
  return details.failed ? `${message}\n${String(details.errorInstance)}` : null
}

async function live(
  history: Iterable<fc.AsyncCommand<Expected, World>>,
  { cacheSize, breakStore }: Pick<Check, 'cacheSize' | 'breakStore'>,
): Promise<void> {
  const world = new World({ cacheSize, startsAt: START, breakStore })
  try {
    const expected = await opened(world)
    await fc.asyncModelRun(() => ({ model: expected, real: world }), history)
    if (breakStore === undefined) count(expected)
    expect((await world.servers[0]?.farebox.verify())?.differences).toEqual([])
  } finally {
    await world.end()
  }
}

/** Five customers who were subscribed before; the sixth is put on the default plan when first seen. */
async function opened(world: World): Promise<Expected> {
  const model = new Model()
  const subscriptions = [
    ['bob', 'starter', Date.UTC(2024, 11, 31, 10)],
    ['cyd', 'tiered', Date.UTC(2024, 10, 30)],
    ['dee', 'yearly', Date.UTC(2024, 1, 29, 6)],
    ['eve', 'weekly', Date.UTC(2025, 0, 8, 7, 30)],
    ['fay', 'quarterly', Date.UTC(2024, 10, 30, 20)],
  ] as const
  for (const [customerId, plan, startsAt] of subscriptions) {
    await world.servers[0]?.farebox.subscriptions.create({ customerId, plan, startsAt })
    model.subscribe(customerId, plan, startsAt)
  }
  return { model, keys: [], count: 0 }
}

function count({ model, count: commands }: Expected): void {
  counts.histories += 1
  counts.commands += commands
  counts.events += model.log.length
  counts.invoices += model.invoices.length
}
