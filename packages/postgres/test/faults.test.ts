/** A server that goes away, and answers that are lost: nothing is lost or doubled, and nobody waits for ever. */

import { createFarebox, testClock } from '@farebox/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { catalog } from './catalog.ts'
import { testDatabase } from './database.ts'
import { wireTo } from './proxy.ts'

const START = Date.UTC(2026, 0, 1)

async function start(options = {}) {
  const database = await testDatabase()
  const wire = await wireTo(database.url)
  const store = database.store({ connectionString: wire.url, connections: 1, timeoutMs: 1_500, ...options })
  const farebox = createFarebox({ catalog, store, clock: testClock(START) })
  await farebox.ready
  onTestFinished(() => farebox.stop({ withinMs: 0 }))
  const track = (key: string) => farebox.usage.track({ customerId: 'ada', feature: 'api_calls', idempotencyKey: key })
  await track('first')
  const keys = async () => (await database.rows<{ key: string }>('SELECT key FROM events ORDER BY seq')).map(({ key }) => key)
  return { database, wire, farebox, track, keys }
}

describe('the connection is lost', () => {
  test.each([
    ['while accounts are locked', 'farebox_lock', 'before'],
    ['after accounts were locked', 'farebox_lock', 'after'],
    ['before the commit arrived', 'COMMIT', 'before'],
    ['after the commit, before its answer', 'COMMIT', 'after'],
  ] as const)('%s: the change is written once and acknowledged', async (_when, text, when) => {
    const { wire, track, keys } = await start()
    wire.cutAt(text, when)
    const results = await Promise.all(['a', 'b', 'c'].map(track))
    expect(results.map(({ kind }) => kind)).toEqual(['recorded', 'recorded', 'recorded'])
    expect(wire.cuts).toBe(1)
    expect(await keys()).toEqual(['first', 'a', 'b', 'c'])
  })

  test.each(['before', 'after'] as const)('%s a batch arrived that was decided from memory: it is written once', async (when) => {
    const { wire, farebox, keys } = await start()
    wire.cutAt('farebox_save_accounts', when)
    const one = () => farebox.usage.track({ customerId: 'ada', feature: 'api_calls' })
    const results = await Promise.all([one(), one(), one()])
    expect(results.map(({ kind }) => kind)).toEqual(['recorded', 'recorded', 'recorded'])
    expect(wire.cuts).toBe(1)
    expect(await keys()).toHaveLength(4)
  })

  test('by the server, which ends every connection', async () => {
    const { database, track, keys } = await start()
    for (const key of ['a', 'b', 'c']) {
      await database.rows(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'farebox' AND query LIKE '%${database.schema}%'`,
      )
      expect((await track(key)).kind).toBe('recorded')
    }
    expect(await keys()).toEqual(['first', 'a', 'b', 'c'])
  })
})

test('a server that says nothing: requests are refused in time, settlements are kept, and all goes on by itself', async () => {
  const { wire, track, keys } = await start()
  wire.isSilent = true
  const begun = performance.now()
  const refused = await Promise.all(['a', 'b'].map((key) => track(key).catch((error: { code: string }) => error.code)))
  expect(refused).toEqual(['store_unavailable', 'store_unavailable'])
  expect(performance.now() - begun).toBeLessThan(10_000)
  wire.isSilent = false
  await expect
    .poll(
      () =>
        track('c').then(
          ({ kind }) => kind,
          () => 'refused',
        ),
      { timeout: 20_000 },
    )
    .toMatch(/recorded|repeat/)
  expect(await keys()).toEqual(['first', 'c'])
})

test('a change that the database cannot write fails alone', async () => {
  const { track, farebox, keys } = await start()
  const results = await Promise.allSettled([
    track('a'),
    // PostgreSQL's texts cannot hold it.
    farebox.customers.create({ id: 'eve', name: 'nul \u0000' }),
    track('c'),
  ])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(await keys()).toEqual(['first', 'a', 'c'])
})

test('another process holds the account: it is waited for, and not longer than a request may', async () => {
  const { database, track, keys } = await start({ timeoutMs: 400 })
  await database.rows('BEGIN')
  await database.rows(`SELECT 1 FROM _accounts WHERE customer = 'ada' FOR UPDATE`)
  const soon = track('a').then(({ kind }) => kind)
  await new Promise((resolve) => setTimeout(resolve, 150))
  await database.rows('COMMIT')
  expect(await soon).toBe('recorded')
  await database.rows('BEGIN')
  await database.rows(`SELECT 1 FROM _accounts WHERE customer = 'ada' FOR UPDATE`)
  await expect(track('b')).rejects.toMatchObject({ code: 'store_unavailable' })
  await database.rows('COMMIT')
  expect(await keys()).toEqual(['first', 'a'])
})
