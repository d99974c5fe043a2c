/** The power goes at random moments, with torn sectors: `full` loses nothing that was acknowledged, `process` must lose some. */

import { rmSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { isLong, report } from '../harness/report.ts'
import { SEED } from '../model/seed.ts'
import { random } from '../simulation/random.ts'
import { createPlayer, type Unsynced } from './disk.ts'
import { inspect } from './inspect.ts'
import { findCompiler, recordWorkload, scratchFolder } from './record.ts'

const CUTS = isLong ? 600 : 200
const CONTROL_CUTS = isLong ? 600 : 60
const ROUNDS = isLong ? 400 : 120
const MODES: readonly Unsynced[] = ['none', 'some', 'torn', 'torn']

const found = findCompiler()
const why = 'missing' in found ? found.missing : ''
const folder = scratchFolder()
const figures: Record<string, number> = {}
const control: Record<string, number> = {}

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  if (why === '') report('power', { seed: SEED, ...figures }, control)
})

test.skipIf(why !== '')(`with full durability no cut loses what was acknowledged ${why}`, { timeout: 600_000 }, async () => {
  const cuts = await cutPower('full', CUTS)
  Object.assign(figures, cuts.figures)
  expect(cuts.examples).toEqual([])
  expect(cuts.figures.acknowledged).toBeGreaterThan(100)
})

test.skipIf(why !== '')(
  `control: with process durability cuts lose what was acknowledged, and break nothing else ${why}`,
  { timeout: 600_000 },
  async () => {
    const cuts = await cutPower('process', CONTROL_CUTS)
    Object.assign(control, cuts.figures)
    expect(cuts.figures.cutsWithLoss).toBeGreaterThan(0)
    expect(cuts.figures.broken).toBe(0)
  },
)

interface Cuts {
  readonly figures: {
    cuts: number
    acknowledged: number
    writes: number
    syncs: number
    lost: number
    cutsWithLoss: number
    broken: number
  }
  /** The first few things that should not be, each with its cut. */
  readonly examples: string[]
}

async function cutPower(durability: 'full' | 'process', cuts: number): Promise<Cuts> {
  if ('missing' in found) throw new Error(found.missing)
  const record = recordWorkload({ compiler: found.compiler, durability, rounds: ROUNDS })
  const counted = (kind: string): number => record.filter((entry) => entry.kind === kind).length
  const all = {
    cuts,
    acknowledged: counted('acknowledged'),
    writes: counted('write'),
    syncs: counted('synced'),
    lost: 0,
    cutsWithLoss: 0,
    broken: 0,
  }
  const examples: string[] = []
  const chance = random(SEED)
  const player = createPlayer(record)
  const places = Array.from({ length: cuts }, () => chance.below(record.length + 1)).toSorted((a, b) => a - b)
  for (const [index, place] of places.entries()) {
    const unsynced = MODES[index % MODES.length] as Unsynced
    const { disk, acknowledged } = player.cutAt(place, unsynced, chance)
    const { lost, broken } = await inspect(folder, disk, acknowledged)
    all.lost += lost.length
    all.cutsWithLoss += lost.length > 0 ? 1 : 0
    all.broken += broken.length
    examples.push(
      ...[...lost, ...broken].slice(0, 3).map((message) => `cut ${place} of ${record.length}, ${unsynced}: ${message}`),
    )
  }
  return { figures: all, examples: examples.slice(0, 10) }
}
