/** The commands around a period's end on PostgreSQL: they say what they say of the same log in a file. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { sqlite } from '@farebox/core/sqlite'
import { databaseUrl } from '@farebox/postgres-server/url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runFarebox } from './fixtures/run-farebox.ts'
import { sell, soldAt } from './fixtures/sold.ts'

// In the package, so that a catalog's module finds the packages of the workspace.
const folder = mkdtempSync(path.join(import.meta.dirname, 'billing-'))
const file = path.join(folder, 'sold.db')
const url = `${databaseUrl()}?schema=billing_${process.pid}`
const catalog = soldAt({ base: '29.00', unit: '0.10' })

beforeAll(async () => {
  await sell(sqlite({ path: file }), catalog)
  writeFileSync(
    path.join(folder, 'new.ts'),
    `import { parseCatalog } from '@farebox/core'\nexport default parseCatalog(${JSON.stringify(soldAt({ base: '31.00', unit: '0.20' }).document)})\n`,
  )
  const exported = await runFarebox(folder, ['export', '--database', file])
  const imported = await runFarebox(folder, ['import', '--database', url], { input: exported.stdout })
  if (imported.status !== 0) throw new Error(imported.stderr)
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true }))

it.each([
  ['simulate', '--catalog', 'new.ts'],
  ['close', '--until', '2026-04-01'],
  ['proof', 'eve-2-3', '--customer', 'eve'],
])(
  'farebox %s',
  async (...args) => {
    const [onFile, onServer] = [
      await runFarebox(folder, [...args, '--database', file]),
      await runFarebox(folder, [...args, '--database', url]),
    ]
    expect(onFile, onFile.stderr).toMatchObject({ status: 0 })
    expect(onServer, onServer.stderr).toMatchObject({ status: 0, stdout: onFile.stdout })
  },
  60_000,
)
