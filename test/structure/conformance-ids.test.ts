/** The ids of the conformance checks: adapters and stores of others name them, so none changes its meaning and none comes back. */

import { CHECKS, STORE_CHECKS } from '@farebox/conformance'
import { expect, test } from 'vitest'

test('each check has an id of its own', () => {
  const ids = [...CHECKS, ...STORE_CHECKS].map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
})

test('the checks and what they promise are the reviewed ones', async () => {
  const lines = CHECKS.map(({ id, situations, level, title }) => `${id} ${level} (${situations.join(', ')}) ${title}\n`)
  lines.push(...STORE_CHECKS.map(({ id, level, title }) => `${id} ${level} ${title}\n`))
  await expect(lines.join('')).toMatchFileSnapshot('./conformance-ids.txt')
})
