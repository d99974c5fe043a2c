/** The suite sees what is broken: each check fails on an adapter that breaks its promise. */

import { describe, expect, test } from 'vitest'
import { CHECKS, runCheck } from '../src/index.ts'
import { FLAWS } from './flaws.ts'
import { plainListen } from './plain-app.ts'

/** Some promises are broken by what never happens. */
const PATIENCE_MS = 1_000

/** What a check says, or what a client sees that was hung up on; and not a mistake of the suite. */
const OWN_FAILURE = /^(AssertionError|Late|Contradiction): |ECONNRESET|socket hang up/

describe.each(FLAWS)('an adapter that $name', ({ changes, protocol = 'http1', breaks }) => {
  test.each(breaks)('fails %s', async (id) => {
    const check = CHECKS.find((one) => one.id === id)
    if (check === undefined) throw new Error(`there is no check ${id}`)
    const failure = await runCheck(check, { listen: plainListen(protocol, changes), protocol, patienceMs: PATIENCE_MS }).then(
      () => 'nothing',
      (error: Error) => `${error.name}: ${error.message}`,
    )
    expect(failure).toMatch(OWN_FAILURE)
  })
})

test('there is no check that nothing fails', () => {
  const failed = new Set(FLAWS.flatMap(({ breaks }) => breaks))
  expect(CHECKS.map(({ id }) => id).filter((id) => !failed.has(id))).toEqual([])
})
