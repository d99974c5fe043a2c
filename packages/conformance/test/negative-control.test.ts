/** The suite sees what is broken: each check fails on an adapter that breaks its promise. */

import { describe, expect, test } from 'vitest'
import { CHECKS, runCheck } from '../src/index.ts'
import { FLAWS } from './flaws.ts'
import { plainListen } from './plain-app.ts'

describe.each(FLAWS)('an adapter that $name', ({ changes, protocol = 'http1', breaks }) => {
  test.each(breaks)('fails %s', async (id) => {
    const check = CHECKS.find((one) => one.id === id)
    if (check === undefined) throw new Error(`there is no check ${id}`)
    await expect(runCheck(check, { listen: plainListen(protocol, changes), protocol })).rejects.toThrow()
  })
})

test('there is no check that nothing fails', () => {
  const failed = new Set(FLAWS.flatMap(({ breaks }) => breaks))
  expect(CHECKS.map(({ id }) => id).filter((id) => !failed.has(id))).toEqual([])
})
