/** Every adapter in an application, on the oldest and on the newest framework that it is made for. */

import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gte } from 'semver'
import { describe, expect, test } from 'vitest'
import { compile, type End, installed, node, type Project, projectAt, versionHere, versionIn } from './projects.ts'

const ENDS: readonly End[] = ['oldest', 'newest']

const projects: readonly Project[] = [
  projectAt('newest', 'core'),
  ...ENDS.map((end) => projectAt(end, 'express')),
  ...ENDS.map((end) => projectAt(end, 'fastify')),
  ...ENDS.map((end) => projectAt(end, 'hono', () => ({ '@hono/node-server': versionHere('@hono/node-server') }))),
  ...ENDS.map((end) => projectAt(end, 'nestjs', (peers) => ({ '@nestjs/platform-express': peers['@nestjs/core'] ?? '' }))),
]

/** What a program prints: one call is included, and the next is one too many. */
const PRINTED = '200 402\n'

const folder = installed(projects)

describe.each(projects)('$name', ({ name }) => {
  const project = path.join(folder, name)

  test('in TypeScript and in JavaScript, as ESM and as CommonJS', { timeout: 60_000 }, async () => {
    await compile(project, 'nodenext')
    // Without its types the program is what somebody writes who uses JavaScript and `import`.
    writeFileSync(path.join(project, 'required.cjs'), required(readFileSync(path.join(project, 'program.mjs'), 'utf8')))

    expect(await node(project, 'program.mjs')).toBe(PRINTED)
    expect(await node(project, 'program.cjs')).toBe(PRINTED)
    expect(await node(project, 'required.cjs')).toBe(PRINTED)
  })

  test('in TypeScript, resolved as bundlers do', { timeout: 60_000 }, async () => {
    await compile(project, 'bundler')
    expect(await node(project, 'program.js')).toBe(PRINTED)
  })
})

test.each(['express', 'fastify', 'hono', '@nestjs/core'])('the newest %s is no older than the one here', (framework) => {
  const { name = '' } = projects.find((each) => each.name.endsWith('newest') && framework in each.dependencies) ?? {}
  expect(versionIn(path.join(folder, name), framework)).toSatisfy((version: string) => gte(version, versionHere(framework)))
})

/** The JavaScript as it is written by hand for CommonJS: what the compiler makes of `import` is not what people write. */
function required(esm: string): string {
  return esm.replaceAll(/^import (?:(.+) from )?(['"].+['"]);$/gm, (_, names: string | undefined, from: string) =>
    names === undefined ? `require(${from})` : `const ${names} = require(${from})`,
  )
}
