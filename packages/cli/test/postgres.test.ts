/** `farebox postgres` and `farebox doctor` on a real server. */

import { createFarebox, defineCatalog, testClock } from '@farebox/core'
import { postgres } from '@farebox/postgres'
import { databaseUrl } from '@farebox/postgres-server/url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { run } from '../src/program.ts'

const START = Date.UTC(2024, 0, 10)
const DAY = 86_400_000
const catalog = defineCatalog({
  currency: 'USD',
  features: { api_calls: { type: 'metered' } },
  plans: { free: { price: '0', interval: 'month', default: true, features: { api_calls: { included: 500 } } } },
})

afterEach(() => {
  vi.restoreAllMocks()
})

/** Status and standard output. */
async function farebox(...args: string[]): Promise<{ status: number; output: string }> {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.push(line))
  const status = await run(args)
  return { status, output: lines.join('\n') }
}

async function used(schema: string): Promise<string> {
  const clock = testClock(START)
  const engine = createFarebox({ catalog, store: postgres({ connectionString: databaseUrl(), schema }), clock })
  for (let day = 0; day < 35; day += 1) {
    await engine.usage.track({ customerId: 'ada', feature: 'api_calls' })
    clock.advance(DAY)
  }
  await engine.closePeriods()
  await engine.stop()
  return `${databaseUrl()}?schema=${schema}`
}

describe('farebox postgres', () => {
  it('prints how the tables are distributed, without a server', async () => {
    const { status, output } = await farebox('postgres', 'distribute', '--schema', 'billing', '--prefix', 'eu_')
    expect(status).toBe(0)
    expect(output).toContain(`SELECT create_distributed_table('"billing"."_eu_accounts"', 'customer');`)
    expect(output).toContain(`'"billing"."_eu_events"', 'customer', colocate_with => '"billing"."_eu_accounts"'`)
  })

  it('drops months whose periods are invoiced, keeps the others, and says so', async () => {
    const database = await used(`retain_${process.pid}`)
    const some = await farebox('postgres', 'retain', database, '--before', '2024-03')
    expect(some.output).toMatch(/^2024-01 {2}22 events counted and dropped\n2024-02 {2}kept: 1 totals with events/)
    expect(some.status).toBe(1)
    expect(await farebox('postgres', 'retain', database, '--before', '2024-02')).toEqual({
      status: 0,
      output: 'There is no month before 2024-02 in the log',
    })
    expect((await farebox('postgres', 'retain', database, '--before', 'May')).status).toBe(1)
  })
})

describe('farebox doctor', () => {
  it('tells what a server and its tables are, and that nothing is wrong', async () => {
    const database = await used(`doctor_${process.pid}`)
    const { status, output } = await farebox('doctor', database)
    expect(output).toMatch(/durability +synchronous_commit on, fsync on, full_page_writes on/)
    expect(output).toMatch(/schema +1\n/)
    expect(output).toMatch(/months +2024-01 to /)
    expect(status).toBe(0)
  })

  it('says what is not there, and shows no password', async () => {
    const nowhere = await farebox('doctor', `${databaseUrl()}?schema=nowhere`)
    expect(nowhere).toMatchObject({
      status: 1,
      output: expect.stringContaining('no tables of Farebox in the schema nowhere') as string,
    })
    const unreadable = await farebox('doctor', 'postgres://me:pass%word@host:5432x/db')
    expect(unreadable.status).toBe(1)
    expect(unreadable.output).not.toContain('pass%')
  })
})
