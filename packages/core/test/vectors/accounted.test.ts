/** Every collected number is in one table and one only: it is run, it waits for a part of the engine, or there is a reason why not. */

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readRows, type Vector } from './table.ts'

const FOLDER = new URL('./', import.meta.url)

/** Rules that Farebox does not follow, so that nothing could be compared. */
const NOT_APPLICABLE = 'not-applicable'

/** Numbers for parts of the engine that do not exist yet: a row moves to a table of its own when what it waits for is there. */
const WAITING = 'waiting'

/** What was collected from public test suites and documentation: one id a line. */
const IDS = readFileSync(new URL('ids.txt', FOLDER), 'utf8').trim().split('\n')

const TABLES = readdirSync(FOLDER).flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -'.json'.length)] : []))

describe('the collected numbers', () => {
  test('are each in one table and one only', () => {
    const found = TABLES.flatMap((table) => readRows(table).map(({ id }) => id))
    expect(problemsOf(IDS, found)).toEqual([])
    expect(IDS.length).toBeGreaterThan(250)
    expect(problemsOf(['a', 'b', 'c'], ['a', 'c', 'c', 'd'])).toEqual([
      'b is in no table',
      'c is in 2 tables',
      'd is not collected',
    ])
  })

  test('each have a name and a source', () => {
    for (const row of TABLES.flatMap(readRows))
      expect(row).toMatchObject({ name: expect.stringMatching(/./), source: expect.stringMatching(/./) })
  })

  test('are run, table by table, by one test', () => {
    const sources = readdirSync(FOLDER).flatMap((name) =>
      name.endsWith('.test.ts') ? [readFileSync(new URL(name, FOLDER), 'utf8')] : [],
    )
    for (const table of TABLES) {
      const runs = sources.reduce((sum, source) => sum + source.split(new RegExp(`'${table}',\\s*\\{`)).length - 1, 0)
      expect(`${table} is run ${runs} times`).toBe(
        `${table} is run ${table === NOT_APPLICABLE || table === WAITING ? 0 : 1} times`,
      )
    }
  })

  test('that are not run say why, or what they wait for and what to expect then', () => {
    for (const row of readRows(NOT_APPLICABLE)) expect(row).toMatchObject({ reason: expect.stringMatching(/\.$/) })
    const waiting = readRows(WAITING) as readonly (Vector & { readonly waitsFor: string })[]
    for (const row of waiting) expect(row).toMatchObject({ inputs: expect.anything(), expected: expect.anything() })
    expect([...new Set(waiting.map(({ waitsFor }) => waitsFor))]).toEqual([
      'the cost of an AI model',
      'voiding an invoice and billing its period again',
      'webhooks',
    ])
  })
})

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
