/** Every collected number is in one table and one only: it is run, or there is a reason why not. */

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { OwnTable, Vector } from './table.ts'

const FOLDER = new URL('./', import.meta.url)

/** Prices of AI models are run where they are looked up. */
const AI_FOLDER = new URL('../../../ai/test/vectors/', import.meta.url)

/** Rules that Farebox does not follow, so that nothing could be compared. */
const NOT_APPLICABLE = 'not-applicable'

/** What was collected from public test suites and documentation: one id a line. */
const IDS = readFileSync(new URL('ids.txt', FOLDER), 'utf8').trim().split('\n')

interface Table {
  readonly folder: URL
  readonly name: string
}

const TABLES = [FOLDER, AI_FOLDER].flatMap(tablesOf)

/** The numbers of `own/` have been worked out here, by the means that the head of their table names. */
const OWN_TABLES = [FOLDER, AI_FOLDER].flatMap((folder) =>
  tablesOf(new URL('own/', folder)).map(({ name, folder: own }) => ({
    name,
    folder,
    ...(read({ name, folder: own }) as OwnTable),
  })),
)

describe('the collected numbers', () => {
  test('are each in one table and one only', () => {
    const found = TABLES.flatMap((table) => rowsOf(table).map(({ id }) => id))
    expect(problemsOf(IDS, found)).toEqual([])
    expect(IDS.length).toBe(251)
    expect(problemsOf(['a', 'b', 'c'], ['a', 'c', 'c', 'd'])).toEqual([
      'b is in no table',
      'c is in 2 tables',
      'd is not collected',
    ])
  })

  test('each have a name and a source', () => {
    for (const row of TABLES.flatMap(rowsOf))
      expect(row).toMatchObject({ name: expect.stringMatching(/./), source: expect.stringMatching(/./) })
  })

  test('are run, table by table, by one test', () => {
    for (const table of TABLES)
      expect(`${table.name} is run ${runsOf(table)} times`).toBe(
        `${table.name} is run ${table.name === NOT_APPLICABLE ? 0 : 1} times`,
      )
  })

  test('that are not run, or that ours is decided against, say why', () => {
    const refused = rowsOf({ folder: FOLDER, name: NOT_APPLICABLE })
    expect(refused.length).toBeLessThan(IDS.length / 10)
    for (const row of refused) expect(row).toMatchObject({ reason: expect.stringMatching(/\.$/) })
    for (const row of TABLES.flatMap(rowsOf))
      if (row.notApplicable !== undefined) expect(row).toMatchObject({ ourAnswer: expect.anything() })
  })
})

describe('our own numbers', () => {
  const rows = OWN_TABLES.flatMap((table) => table.rows)

  test('are not those that were collected, and each has an id of its own and a name', () => {
    expect(rows.length).toBeGreaterThanOrEqual(60)
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length)
    for (const row of rows)
      expect(row).toMatchObject({ id: expect.stringMatching(/^own-[a-z-]+-\d\d$/), name: expect.stringMatching(/./) })
  })

  test('say in the head of their table how they were worked out', () => {
    for (const { how } of OWN_TABLES) expect(how).toMatch(/^Python.*\.$/)
  })

  test('are run, table by table, by one test', () => {
    for (const table of OWN_TABLES) expect(`${table.name} is run ${runsOf(table)} times`).toBe(`${table.name} is run 1 times`)
  })
})

function tablesOf(folder: URL): Table[] {
  return readdirSync(folder).flatMap((name) => (name.endsWith('.json') ? [{ folder, name: name.slice(0, -'.json'.length) }] : []))
}

function rowsOf(table: Table): readonly Vector[] {
  return read(table) as readonly Vector[]
}

function read({ folder, name }: Table): unknown {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'))
}

/** How many times the tests beside a table run it. */
function runsOf({ folder, name }: Table): number {
  const sources = readdirSync(folder).flatMap((file) =>
    file.endsWith('.test.ts') ? [readFileSync(new URL(file, folder), 'utf8')] : [],
  )
  return sources.reduce((sum, source) => sum + source.split(new RegExp(`'${name}',\\s*\\{`)).length - 1, 0)
}

/** What is wrong with a collection of ids and the tables that should hold each of them once. */
function problemsOf(collected: readonly string[], found: readonly string[]): string[] {
  const counts = new Map(collected.map((id) => [id, 0]))
  const unknown = found.filter((id) => !counts.has(id))
  for (const id of found) counts.set(id, (counts.get(id) ?? 0) + 1)
  return [
    ...collected.flatMap((id) => {
      const count = counts.get(id) ?? 0
      if (count === 1) return []
      return [count === 0 ? `${id} is in no table` : `${id} is in ${count} tables`]
    }),
    ...unknown.map((id) => `${id} is not collected`),
  ]
}
