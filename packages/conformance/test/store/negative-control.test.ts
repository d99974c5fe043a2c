/** The suite sees what is broken: each check fails on a store that breaks its promise. */

import { describe, expect, test } from 'vitest'
import { runStoreCheck, STORE_CHECKS } from '../../src/index.ts'
import { brokenDatabase } from './broken.ts'
import { STORE_FLAWS } from './flaws/index.ts'

/** Some promises are broken by what never happens. */
const PATIENCE_MS = 3_000

/** What a check says, or what the store says that is broken; and not a mistake of the suite. */
const OWN_FAILURE = /^(AssertionError|Late|Contradiction|FareboxError|InvariantError): |closed already/

describe.each(STORE_FLAWS)('a store that $name', (flaw) => {
  test.each(flaw.breaks)('fails %s', async (id) => {
    const check = STORE_CHECKS.find((one) => one.id === id)
    if (check === undefined) throw new Error(`there is no check ${id}`)
    const options = { database: () => brokenDatabase(flaw), cacheSize: 1_000, patienceMs: PATIENCE_MS }
    const failure = await runStoreCheck(check, options).then(
      () => 'nothing',
      (error: Error) => `${error.name}: ${error.message}`,
    )
    expect(failure).toMatch(OWN_FAILURE)
  })
})

test('there is no check that nothing fails', () => {
  const failed = new Set(STORE_FLAWS.flatMap(({ breaks }) => breaks))
  expect(STORE_CHECKS.map(({ id }) => id).filter((id) => !failed.has(id))).toEqual([])
})
