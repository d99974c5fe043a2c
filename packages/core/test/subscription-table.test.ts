/** docs/subscriptions.md and the code have one table of what may be done in which status. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SUBSCRIPTION_TRANSITIONS } from '../src/account/transitions.ts'

const cells = (row: string): string[] =>
  row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', ''))

test('the documented table of transitions is the one in force', () => {
  const page = readFileSync(new URL('../../../docs/subscriptions.md', import.meta.url), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('| status') || /^\| `\w+`/.test(line))
  const [head = [], ...body] = rows.map(cells)
  const documented = Object.fromEntries(
    body.map(([status = '', ...next]) => [
      status,
      Object.fromEntries(next.flatMap((cell, i) => (cell === '' ? [] : [[head[i + 1], cell]]))),
    ]),
  )
  expect(documented).toEqual(SUBSCRIPTION_TRANSITIONS)
})
