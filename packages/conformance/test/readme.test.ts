/** The checks as the README lists them, and what they are about. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { adapterSuite, CHECKS, SITUATIONS, TESTED_ELSEWHERE } from '../src/index.ts'
import { plainListen } from './plain-app.ts'

test('the README lists every check, in order and in its own words', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const listed = [...readme.matchAll(/^\| (C[\d.]+) +\| (MUST|SHOULD) +\| (.+?) +\|$/gm)].map(([, id, level, title]) => ({
    id,
    level,
    title,
  }))
  expect(listed).toEqual(CHECKS.map(({ id, level, title }) => ({ id, level, title: title.replaceAll('|', String.raw`\|`) })))
})

test('every situation has a check, or a place where it is tested', () => {
  const covered = new Set([...CHECKS.flatMap(({ situations }) => situations), ...Object.keys(TESTED_ELSEWHERE).map(Number)])
  expect([...covered].toSorted((a, b) => a - b)).toEqual(Array.from({ length: SITUATIONS }, (_, index) => index + 1))
})

test("the number in a check's id is one of its situations", () => {
  for (const { id, situations } of CHECKS) expect(situations).toContain(Number(id.slice(1).split('.')[0]))
})

test('a skipped check that does not exist, or has no reason, is an error', () => {
  const listen = plainListen('http1')
  expect(() => adapterSuite({ name: 'x', listen, skip: { C99: 'a reason' } })).toThrow(/C99/)
  expect(() => adapterSuite({ name: 'x', listen, skip: { C44: ' ' } })).toThrow(/reason/)
})
