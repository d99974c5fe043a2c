/** The command line and the suite for adapters in projects of their own. */

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { compile, type Dependencies, installed, node, projectAt, versionHere } from './projects.ts'

const onExpress = (): Dependencies => ({
  '@farebox/express': '*',
  express: versionHere('express'),
  '@types/express': versionHere('@types/express'),
})

const suites = [projectAt('oldest', 'conformance', onExpress), projectAt('newest', 'conformance', onExpress)]
const commandLine = projectAt('newest', 'farebox', onExpress)

const ACCESS_LOG = ['10:00:00', '10:00:01']
  .map((time) => `203.0.113.7 - - [10/Jan/2026:${time} +0000] "GET /hello HTTP/1.1" 200 5\n`)
  .join('')

const folder = installed([...suites, commandLine])

describe.each(suites)('$name', ({ name }) => {
  test('the suite runs in Vitest, and finds an adapter right', { timeout: 60_000 }, async () => {
    const project = path.join(folder, name)
    await compile(project, 'nodenext')
    await compile(project, 'bundler')
    // A name that Vitest looks for.
    copyFileSync(path.join(project, 'program.mjs'), path.join(project, 'program.test.mjs'))
    await node(project, 'node_modules/vitest/vitest.mjs', 'run', '--reporter=json', '--outputFile=report.json')
    expect(reportOf(project)).toMatchObject({ success: true, numPassedTests: 1 })
  })
})

test('farebox replays an access log against an application that is compiled', { timeout: 60_000 }, async () => {
  const project = path.join(folder, commandLine.name)
  await compile(project, 'nodenext')
  await compile(project, 'bundler')
  writeFileSync(path.join(project, 'access.log'), ACCESS_LOG)
  await node(
    project,
    'node_modules/farebox/dist/bin.mjs',
    'replay',
    'access.log',
    '--app',
    'program.mjs',
    '--json',
    'report.json',
  )
  expect(reportOf(project)).toMatchObject({
    customers: [{ features: { calls: { billed: '1', refused: 1 } } }],
    audit: { ok: true },
  })
})

function reportOf(project: string): unknown {
  return JSON.parse(readFileSync(path.join(project, 'report.json'), 'utf8'))
}
