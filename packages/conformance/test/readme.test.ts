/** The checks as the README lists them, and what they are about. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { adapterSuite, CHECKS, SITUATIONS, STORE_CHECKS, storeSuite, TESTED_ELSEWHERE } from '../src/index.ts'
import { plainListen } from './plain-app.ts'

test('the README lists every check, in order and in its own words', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const listed = [...readme.matchAll(/^\| ([CS][\d.]+) +\| (MUST|SHOULD) +\| (.+?) +\|$/gm)].map(([, id, level, title]) => ({
    id,
    level,
    title,
  }))
  const checks = [...CHECKS, ...STORE_CHECKS]
  expect(listed).toEqual(checks.map(({ id, level, title }) => ({ id, level, title: title.replaceAll('|', String.raw`\|`) })))
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
  const database = () => Promise.reject(new Error('none is needed'))
  expect(() => storeSuite({ name: 'x', database, skip: { S99: 'a reason' } })).toThrow(/S99/)
  expect(() => storeSuite({ name: 'x', database, skip: { S01: '' } })).toThrow(/reason/)
})
