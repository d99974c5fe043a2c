/** `farebox export` and `farebox import`: what comes out goes in again and is what it was. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { createFarebox, testClock } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { databaseUrl } from '@farebox/postgres-server/url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { importCommand } from '../src/import/command.ts'
import { openLines } from '../src/import/lines-store.ts'
import { contentOf, fareboxOn, fill } from './fixtures/billed.ts'
import { addRecords } from './fixtures/records.ts'
import { runFarebox } from './fixtures/run-farebox.ts'
import { JANUARY, models, sell, soldAt } from './fixtures/sold.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'farebox-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const at = (name: string): string => path.join(folder, name)
const filled = at('filled.db')
let exported = ''

/** Every kind of thing that a store can hold: see the fixtures. */
beforeAll(async () => {
  await fill(filled)
  const store = sqlite({ path: filled })
  await store.open()
  await addRecords(store)
  await store.close()
  exported = (await runFarebox(folder, ['export', '--database', filled])).stdout
  writeFileSync(at('log.jsonl'), exported)
}, 30_000)

const linesOf = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** Places in the log are each store's own, and what came late comes over with the invoice that holds it. */
function withoutPlaces(text: string): string[] {
  const lines = linesOf(text).map(({ seq: _seq, corrects, ...line }) => ({
    ...line,
    corrects: (corrects as { key?: string } | undefined)?.key,
  }))
  return lines.map((line) => JSON.stringify(line)).toSorted()
}

describe('export and import', () => {
  it('say how many lines there are, and mark the last one', async () => {
    const ended = await runFarebox(folder, ['export', '--database', filled])
    expect(ended).toMatchObject({ status: 0, stderr: expect.stringMatching(/^Reading \S+filled\.db\n\d+ lines written\n$/) })
    expect(linesOf(ended.stdout).at(0)).toEqual({ kind: 'farebox', version: 1 })
    expect(linesOf(ended.stdout).at(-1)).toMatchObject({ kind: 'end', catalogs: 1, counters: 2 })
  }, 20_000)

  it('give what was there: customers, records, events with charges, totals in rounds, invoices with their numbers', async () => {
    const database = at('again.db')
    const ended = await runFarebox(folder, ['import', '--database', database], { input: exported })
    expect(ended, ended.stderr).toMatchObject({ status: 0, stdout: expect.stringMatching(/\nthe same in both\n$/) })
    expect(contentOf(database)).toEqual(contentOf(filled))
    const again = await runFarebox(folder, ['export', '--database', database])
    expect(withoutPlaces(again.stdout)).toEqual(withoutPlaces(exported))
    const farebox = fareboxOn(sqlite({ path: database }))
    expect(await farebox.verify()).toMatchObject({ differences: (await auditOf(filled)).differences })
    await farebox.stop()
  }, 60_000)

  it('give the same balances, and the same invoices when the next period is closed', async () => {
    const catalog = soldAt({ base: '29.00', unit: '0.10' })
    await sell(sqlite({ path: at('sold.db') }), catalog)
    const { stdout } = await runFarebox(folder, ['export', '--database', at('sold.db')])
    const ended = await runFarebox(folder, ['import', '--database', at('sold-again.db')], { input: stdout })
    expect(ended, ended.stdout + ended.stderr).toMatchObject({ status: 0 })
    const [one, other] = await Promise.all(
      ['sold.db', 'sold-again.db'].map(async (name) => {
        const clock = testClock(Date.UTC(2026, 2, 20))
        const farebox = createFarebox({ catalog, store: sqlite({ path: at(name) }), clock, models })
        const balances = await Promise.all(['cem', 'dee', 'eve'].map((customerId) => farebox.usage.totals({ customerId })))
        clock.set(Date.UTC(2026, 3, 2))
        const { invoices } = await farebox.closePeriods()
        const audit = await farebox.verify()
        await farebox.stop()
        return { balances, invoices, audit }
      }),
    )
    expect(other).toEqual(one)
    expect(one).toMatchObject({ audit: { ok: true } })
    expect(one?.invoices).toHaveLength(6)
  }, 60_000)

  it('go on where an import was killed, with a file and a gzipped one, and end the same', async () => {
    const database = at('killed.db')
    writeFileSync(at('log.jsonl.gz'), gzipSync(exported))
    for (const said of [/Moving events/])
      await runFarebox(folder, ['import', at('log.jsonl'), '--database', database], { killAt: { said, afterMs: 3 } })
    const ended = await runFarebox(folder, ['import', at('log.jsonl.gz'), '--database', database])
    expect(ended, ended.stderr).toMatchObject({ status: 0 })
    expect(contentOf(database)).toEqual(contentOf(filled))
  }, 60_000)

  it('go through PostgreSQL and back', async () => {
    const url = `${databaseUrl()}?schema=imported_${process.pid}`
    expect(await runFarebox(folder, ['import', '--database', url], { input: exported })).toMatchObject({ status: 0 })
    const back = await runFarebox(folder, ['export', '--database', url])
    expect(withoutPlaces(back.stdout)).toEqual(withoutPlaces(exported))
  }, 60_000)

  it('says in one sentence what the user can mend', async () => {
    const lines = exported.split('\n')
    const damaged = exported.replace('"quantity":"1"', '"quantity":"one"')
    const table: readonly [string, RegExp][] = [
      ['', /^standard input is no export: give what farebox export/],
      ['{"hello":1}\n', /^standard input is no export/],
      [lines.slice(0, -2).join('\n'), /^standard input ends in the middle: export again/],
      [
        lines.toSpliced(-4, 1).join('\n'),
        /^Line \d+ of standard input is not as it was exported \(there were \d+ events, and here are \d+\)/m,
      ],
      [damaged, /^Line \d+ of standard input is not as it was exported/],
      [exported.replace('"version":1', '"version":2'), /^standard input is no export/],
    ]
    for (const [input, message] of table) {
      writeFileSync(at('wrong.jsonl'), input)
      await expect(openLines(at('wrong.jsonl'), 'standard input'), String(message)).rejects.toThrow(message)
    }
    await expect(importCommand(at('nowhere.jsonl'), { database: at('wrong.db') })).rejects.toThrow(
      /There is no file \S+nowhere\.jsonl/,
    )
    await sell(sqlite({ path: at('other.db') }), soldAt({ base: '1', unit: '1' }))
    expect(await runFarebox(folder, ['import', '--database', at('other.db')], { input: exported })).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/Expected a target that is empty/),
    })
  }, 60_000)

  it('refuses to export what is in flight, unless the rule for crashes is given', async () => {
    const database = at('crashed.db')
    const farebox = fareboxOn(sqlite({ path: database }))
    const gate = farebox.createGate<null>('api_calls', { identify: () => 'ada' })
    await gate.admit({ method: 'GET', route: '/', header: () => undefined, raw: null })
    await farebox.stop({ withinMs: 0 })
    const args = ['export', '--database', database]
    expect(await runFarebox(folder, args)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/Requests are in flight: stop the application/),
    })
    const ended = await runFarebox(folder, [...args, '--on-crash', 'charge'])
    expect(ended).toMatchObject({ status: 0 })
    expect(linesOf(ended.stdout).at(-1)).toMatchObject({ kind: 'end', events: 1 })
  }, 30_000)
})

async function auditOf(file: string) {
  const farebox = fareboxOn(sqlite({ path: file }))
  const audit = await farebox.verify()
  await farebox.stop()
  return audit
}

describe('farebox export of the events', () => {
  it('gives a table that a spreadsheet reads and does not run', async () => {
    const database = at('table.db')
    const farebox = fareboxOn(sqlite({ path: database }), { at: JANUARY })
    await farebox.usage.track({ customerId: '=1+1', feature: 'api_calls', idempotencyKey: '@cmd', properties: { note: 'a,"b"' } })
    await farebox.usage.track({ customerId: 'bob', feature: 'downloads', value: '1.5', idempotencyKey: 'k' })
    await farebox.usage.correct({ customerId: 'bob', idempotencyKey: 'k', value: 1 })
    await farebox.stop()
    const { stdout } = await runFarebox(folder, ['export', '--database', database, '--format', 'csv'])
    const start = '2026-01-01T00:00:00.000Z'
    expect(stdout).toBe(
      `customer,seq,feature,quantity,timestamp,period_start,key,route,properties,unit,cost,uncovered,model,input_tokens,output_tokens,corrects
'=1+1,1,api_calls,1,${start},${start},'@cmd,,"{""note"":""a,\\""b\\""""}",,,,,,,
bob,2,downloads,1.5,${start},${start},k,,,,,,,,,
bob,3,downloads,-0.5,${start},${start},correction-of k,,,,,,,,,k
`,
    )
  }, 20_000)

  it('gives CloudEvents, one a line, with what an AI model cost in the table', async () => {
    const ended = await runFarebox(folder, ['export', '--database', at('sold.db'), '--format', 'cloudevents'])
    const [first] = linesOf(ended.stdout)
    expect(first).toMatchObject({ specversion: '1.0', type: 'calls', subject: 'ada', id: 'ada-0-0', data: { value: '1' } })
    const { stdout } = await runFarebox(folder, ['export', '--database', at('sold.db'), '--format', 'csv'])
    // 100,000 tokens in at 2 and 1,001 out at 8 for a million, and a fifth on top.
    expect(stdout).toMatch(/^dee,\d+,ai,1,.*,USD,0\.2496096,0,m,100000,1001,$/m)
    expect(readFileSync(at('log.jsonl'), 'utf8')).toBe(exported)
  }, 20_000)
})
