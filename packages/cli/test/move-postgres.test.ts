/** `farebox move` to PostgreSQL and back. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sqlite } from '@farebox/core/sqlite'
import { postgres, retainEvents } from '@farebox/postgres'
import { databaseUrl } from '@farebox/postgres-server/url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { contentOf, fareboxOn, fill } from './fixtures/billed.ts'
import { addMoreRecords, addRecords } from './fixtures/records.ts'
import { runFarebox } from './fixtures/run-farebox.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'farebox-move-postgres-'))
const source = path.join(folder, 'source.db')
let count = 0

beforeAll(() => fill(source, { customers: 20, events: 900 }))
afterAll(() => rmSync(folder, { recursive: true }))

/** A schema that nobody used. */
function newSchema(): { schema: string; url: string } {
  const schema = `moved${process.pid}_${(count += 1)}`
  return { schema, url: `${databaseUrl()}?schema=${schema}` }
}

it('there and back is what it was, wherever it was killed on the way, and the audit is sound there', async () => {
  const { schema, url } = newSchema()
  const there = ['move', '--from', source, '--to', url]
  for (const said of [/Moving customers/, /Moving events/, /Moving invoices/, /Comparing/])
    await runFarebox(folder, there, { killAt: { said, afterMs: Math.random() * 80 } })
  expect(await runFarebox(folder, there)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^events +2,731$/m) })

  const engine = fareboxOn(postgres({ connectionString: databaseUrl(), schema }))
  expect(await engine.verify()).toMatchObject({ ok: true, events: 2_731, differences: [] })
  await engine.stop()

  const file = path.join(folder, 'back.db')
  const back = ['move', '--from', url, '--to', file]
  for (const said of [/Moving events/, /Moving invoices/])
    await runFarebox(folder, back, { killAt: { said, afterMs: Math.random() * 80 } })
  expect(await runFarebox(folder, back)).toMatchObject({ status: 0 })
  expect(contentOf(file)).toEqual(contentOf(source))
}, 120_000)

it('grants, payments, counters and charged events go there and back', async () => {
  const file = path.join(folder, 'with-records.db')
  expect(await runFarebox(folder, ['move', '--from', source, '--to', file])).toMatchObject({ status: 0 })
  const { url } = newSchema()
  const back = path.join(folder, 'records-back.db')
  for (const add of [addRecords, addMoreRecords]) {
    const store = sqlite({ path: file })
    await add(store)
    await store.close()
    for (const [from, to] of [
      [file, url],
      [url, back],
    ] as const)
      expect(await runFarebox(folder, ['move', '--from', from, '--to', to])).toMatchObject({ status: 0 })
    expect(contentOf(back)).toEqual(contentOf(file))
  }
}, 60_000)

it('is refused where retention took events out of the log', async () => {
  const { schema, url } = newSchema()
  expect(await runFarebox(folder, ['move', '--from', source, '--to', url])).toMatchObject({ status: 0 })
  // What came late to January in March is invoiced with March.
  const engine = fareboxOn(postgres({ connectionString: databaseUrl(), schema }), { at: Date.UTC(2026, 3, 2), series: 'EU' })
  await engine.closePeriods()
  await engine.stop()
  const retained = await retainEvents({ connectionString: databaseUrl(), schema, before: '2026-02' })
  expect(retained).toEqual([{ kind: 'dropped', month: '2026-01', events: expect.any(Number) }])
  const ended = await runFarebox(folder, ['move', '--from', url, '--to', path.join(folder, 'never.db')])
  expect(ended).toMatchObject({ status: 1, stderr: expect.stringMatching(/^farebox: Expected a source whose log is whole/m) })
}, 60_000)

it('says which package a PostgreSQL needs when it is not there', async () => {
  const hook = `import { registerHooks } from 'node:module'
    registerHooks({ resolve(name, context, next) {
      if (name !== '@farebox/postgres') return next(name, context)
      throw Object.assign(new Error('no such package'), { code: 'ERR_MODULE_NOT_FOUND' })
    } })`
  const node = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`]
  const ended = await runFarebox(folder, ['move', '--from', source, '--to', newSchema().url], { node })
  expect(ended).toMatchObject({
    status: 1,
    stderr: 'farebox: A PostgreSQL URL needs the package @farebox/postgres beside farebox: npm install @farebox/postgres\n',
  })
})
