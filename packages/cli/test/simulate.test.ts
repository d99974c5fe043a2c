/** `farebox simulate`: the recorded log with another catalog, through the real program and as a function. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Catalog, createFarebox, testClock } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { loadCatalog } from '../src/catalog-module.ts'
import { openDatabase } from '../src/database.ts'
import { simulateCommand } from '../src/simulate/command.ts'
import type { SimulationReport } from '../src/simulate/report.ts'
import { simulate } from '../src/simulate/simulate.ts'
import { contentOf } from './fixtures/billed.ts'
import { runFarebox } from './fixtures/run-farebox.ts'
import { models, sell, soldAt } from './fixtures/sold.ts'

// In the package, so that a catalog's module finds the packages of the workspace.
const folder = mkdtempSync(path.join(import.meta.dirname, 'simulate-'))
const scratch = mkdtempSync(path.join(tmpdir(), 'farebox-test-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
  rmSync(scratch, { recursive: true })
})

const OLD = `import { defineCatalog } from '@farebox/core'
export const catalog = defineCatalog({
  currency: 'USD',
  features: { calls: { type: 'metered' }, files: { type: 'metered' } },
  plans: {
    free: { price: '0', interval: 'month', default: true, features: { calls: { included: 5 } } },
    pro: { price: '29.00', interval: 'month', features: { calls: { included: 10, overage: { model: 'per_unit', price: '0.10' } } } },
    legacy: { price: '9.00', interval: 'month', features: { files: { included: 'unlimited' } } },
  },
})
`
/** Cheaper at first, dearer beyond it, and with less for nothing. */
const NEW = OLD.replace('29.00', '19.00')
  .replace('included: 10', 'included: 5')
  .replace("'0.10'", "'0.20'")
  .replace('included: 5 } } }', 'included: 3 } } }')
  .replace(/ {4}legacy.*\n/, '')
writeFileSync(path.join(folder, 'old.ts'), OLD)
writeFileSync(path.join(folder, 'new.ts'), NEW)

const JANUARY = Date.UTC(2026, 0, 1)

/** January is invoiced; the log ends on 20 February. */
async function record(database: string): Promise<void> {
  const { catalog } = (await import(path.join(folder, 'old.ts'))) as { catalog: Catalog }
  const clock = testClock(JANUARY)
  const farebox = createFarebox({ catalog, store: sqlite({ path: database }), clock })
  for (const [customerId, plan] of [
    ['ada', 'pro'],
    ['bob', 'free'],
    ['cem', 'legacy'],
  ] as const)
    await farebox.subscriptions.create({ customerId, plan, startsAt: JANUARY })
  const track = (customerId: string, feature: string, value: number, idempotencyKey?: string) =>
    farebox.usage.track({ customerId, feature, value, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) })
  await track('ada', 'calls', 30, 'too-many')
  await farebox.usage.correct({ customerId: 'ada', idempotencyKey: 'too-many', value: 25 })
  for (let i = 0; i < 5; i += 1) await track('bob', 'calls', 1)
  await track('cem', 'files', 3)
  clock.set(Date.UTC(2026, 1, 1))
  await farebox.closePeriods()
  clock.set(Date.UTC(2026, 1, 20))
  await track('ada', 'calls', 20)
  await farebox.stop()
}

describe('farebox simulate', () => {
  it('says per customer what was billed, what would be, and which calls would be stopped, and writes nothing', async () => {
    const database = path.join(scratch, 'recorded.db')
    await record(database)
    const before = contentOf(database)
    const args = ['simulate', '--catalog', 'new.ts', '--database', database, '--json', path.join(scratch, 'report.json')]
    const ended = await runFarebox(folder, args)
    expect(ended.stderr).toMatch(/^Reading \S+recorded\.db\nDeciding 9 events again\n( .*\n)+Decided and billed\n$/)
    expect(ended.status).toBe(0)
    expect(ended.stdout).toMatch(/^ada +pro +2 +0 +60\.50 USD +45\.00 +-15\.50$/m)
    expect(ended.stdout).toMatch(/^USD: 60\.50 was billed, 45\.00 would be: -15\.50 \(-25\.62 %\)$/m)
    expect(ended.stdout).toMatch(/^stopped calls: 2 \(allowance_exhausted 2\)$/m)
    expect(ended.stdout).toMatch(/^not simulated: cem, because the catalog has no plan legacy \(18\.00 USD was billed\)$/m)

    const report = JSON.parse(readFileSync(path.join(scratch, 'report.json'), 'utf8')) as SimulationReport
    expect(report).toMatchObject({
      from: '2026-01-01T00:00:00.000Z',
      until: '2026-02-20T00:00:00.000Z',
      events: 9,
      stopped: 2,
      customers: [
        // 29 + (25 - 10) × 0.10 + 29, and in February (20 - 10) × 0.10 so far; 19 + (25 - 5) × 0.20 + 19 + (20 - 5) × 0.20.
        { id: 'ada', calls: 2, billed: '60.50', would_be_billed: '45.00', difference: '-15.50', stopped: 0 },
        { id: 'bob', calls: 5, billed: '0.00', would_be_billed: '0.00', stopped: 2, stopped_by: { allowance_exhausted: 2 } },
      ],
      not_simulated: [{ id: 'cem', billed: '18.00' }],
      revenue: [{ currency: 'USD', billed: '60.50', would_be_billed: '45.00', difference: '-15.50', change_per_cent: '-25.62' }],
    })
    expect(contentOf(database)).toEqual(before)
    const again = await simulate({
      database: await openDatabase(database),
      catalog: await loadCatalog(path.join(folder, 'new.ts')),
    })
    expect(again).toEqual(report)
  }, 30_000)

  it('says in one sentence what the user can mend', async () => {
    writeFileSync(path.join(folder, 'nothing.ts'), 'export default { plans: {} }\n')
    writeFileSync(path.join(folder, 'broken.ts'), NEW.replace("'19.00'", '19'))
    const database = path.join(scratch, 'empty.db')
    const farebox = createFarebox({ catalog: soldAt({ base: '1', unit: '1' }), store: sqlite({ path: database }), models })
    await farebox.ready
    await farebox.stop()
    vi.spyOn(console, 'error').mockImplementation(() => {})
    const table: readonly [string, string, RegExp][] = [
      ['nowhere.ts', database, /^There is no module \S+nowhere\.ts: give --catalog the path/],
      ['nothing.ts', database, /nothing\.ts must export what defineCatalog\(\) returns/],
      ['broken.ts', database, /broken\.ts could not be loaded: plans\.pro\.price is 19/],
      ['new.ts', path.join(scratch, 'nowhere.db'), /^There is no database \S+nowhere\.db: give --database the path/],
      ['new.ts', database, /empty\.db has no event in its log yet/],
    ]
    for (const [catalog, given, message] of table)
      await expect(simulateCommand({ catalog: path.join(folder, catalog), database: given })).rejects.toThrow(message)
  }, 30_000)
})

describe('a simulation', () => {
  const catalog = soldAt({ base: '29.00', unit: '0.10' })

  it('changes nothing when the catalog is the same: plans changed, credits, balance, coupons, late events and corrections', async () => {
    const file = path.join(scratch, 'same.db')
    await sell(sqlite({ path: file }), catalog)
    const report = await simulate({ database: await openDatabase(file), catalog, models })
    expect(report.customers.map(({ id, difference, stopped }) => [id, difference, stopped])).toEqual(
      ['ada', 'bob', 'cem', 'dee', 'eve', 'fay'].map((id) => [id, '0.00', 0]),
    )
    expect(report.revenue[0]?.billed).not.toBe('0.00')
  })

  it('is worth the difference of the base prices when nothing else changes', async () => {
    const file = path.join(scratch, 'base.db')
    await sell(sqlite({ path: file }), catalog)
    const report = await simulate({
      database: await openDatabase(file),
      catalog: soldAt({ base: '31.00', unit: '0.10' }),
      models,
    })
    const differences = Object.fromEntries(report.customers.map(({ id, difference }) => [id, difference]))
    // Three months begin in the log, and half of one is taken off for fay.
    expect(differences).toMatchObject({ bob: '0.00', cem: '6.00', dee: '0.00', eve: '0.00', fay: '5.00' })
  })
})
