/** The ids of the conformance checks: adapters of others name them, so none changes its meaning and none comes back. */

import { CHECKS } from '@farebox/conformance'
import { expect, test } from 'vitest'

test('each check has an id of its own', () => {
  expect(new Set(CHECKS.map(({ id }) => id)).size).toBe(CHECKS.length)
})

test('the checks and what they promise are the reviewed ones', async () => {
  const lines = CHECKS.map(({ id, situations, level, title }) => `${id} ${level} (${situations.join(', ')}) ${title}\n`)
  await expect(lines.join('')).toMatchFileSnapshot('./conformance-ids.txt')
})
