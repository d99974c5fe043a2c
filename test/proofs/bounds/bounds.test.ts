/** Memory and the write-ahead log are bounded, whatever the number of customers and keys. */

import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import type { BoundsResult } from './run.ts'

const isLong = process.env['PROVE'] === 'long'
/** The long run is the promise; the short one sees what grows without bound. */
const size = isLong ? { customers: 1_000_000, keys: 10_000_000 } : { customers: 60_000, keys: 120_000 }
const MOST_GROWTH_BYTES = 150 * 2 ** 20
/** Farebox cuts the log back to 64 MiB; one checkpoint's worth may stand above it. */
const MOST_WAL_BYTES = 80 * 2 ** 20

it(
  'keeps resident memory within 150 MB and the write-ahead log within its bound, whatever the number of customers and keys',
  { timeout: 3_600_000 },
  () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'farebox-bounds-'))
    try {
      const program = path.join(import.meta.dirname, 'run.ts')
      const args = ['--conditions=farebox-source', '--expose-gc', program, folder, String(size.customers), String(size.keys)]
      const run = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
      expect(run.status).toBe(0)
      const result: BoundsResult = JSON.parse(run.stdout)
      const line = { proof: 'bounds', mode: isLong ? 'long' : 'short', ...result }
      if (process.env['PROVE_RESULTS'] !== undefined) appendFileSync(process.env['PROVE_RESULTS'], `${JSON.stringify(line)}\n`)
      process.stdout.write(`${JSON.stringify(line)}\n`)

      expect(result.events).toBe(size.keys)
      expect(result.rssMost - result.rssStart).toBeLessThan(MOST_GROWTH_BYTES)
      expect(result.walMost).toBeLessThan(MOST_WAL_BYTES)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
