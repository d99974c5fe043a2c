/** Examples in the documents are code: each is type-checked and run as it stands. */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { databaseUrl } from '@farebox/postgres-server/url'
import { afterAll, describe, expect, test } from 'vitest'
import { filesBelow, packageFolders, readSource, ROOT } from './source.ts'

/** A fenced block of TypeScript: a module that stands alone, with `await` at its top where it needs one. */
interface Block {
  /** The document and line that it begins at. */
  readonly place: string
  readonly code: string
  /** Marked `no-run`: it would not end by itself, or shows one file of several. It is type-checked only. */
  readonly isRun: boolean
}

const TIMEOUT_MS = 60_000

const TSC = path.join(ROOT, 'node_modules/.bin/tsc')

/** One file by itself: what it imports is found when it runs. */
const EMIT = [
  '--ignoreConfig',
  '--noCheck',
  '--noResolve',
  '--experimentalDecorators',
  '--verbatimModuleSyntax',
  '--target',
  'es2022',
  '--module',
  'esnext',
]

/** Inside this package, so that an example finds the packages of the workspace as an application finds them in its own. */
const FOLDER = path.join(ROOT, 'test/var/docs')

const READMES = ['README.md', ...packageFolders().map((folder) => `${folder}/README.md`)]

/** Pages without an example have nothing to run. */
const documents = [...READMES, ...filesBelow(['docs'], /\.md$/)].filter(
  (document) => existsSync(path.join(ROOT, document)) && blocksOf(document, readSource(document).text).length > 0,
)

mkdirSync(FOLDER, { recursive: true })
const folder = mkdtempSync(path.join(FOLDER, 'run-'))
afterAll(() => rmSync(folder, { recursive: true }))

test.each(READMES)('%s is there', (document) => {
  expect(existsSync(path.join(ROOT, document))).toBe(true)
})

describe.each(documents)('%s', (document) => {
  for (const block of blocksOf(document, readSource(document).text)) {
    test(
      `the example at ${block.place} ${block.isRun ? 'compiles and runs' : 'compiles'}`,
      () => expect(problemsOf(block)).toBe(''),
      TIMEOUT_MS,
    )
  }
})

describe('the guard', () => {
  test('finds every block and whether it is run', () => {
    const text = 'a\n```ts\nconst a = 1\n```\n```ts no-run\nb()\n```\n```sh\nls\n```\n'
    const blocks = blocksOf('a.md', text)
    expect(blocks).toEqual([
      { place: 'a.md:2', code: 'const a = 1\n', isRun: true },
      { place: 'a.md:5', code: 'b()\n', isRun: false },
    ])
  })

  test(
    'finds an example that does not compile, and one that fails',
    () => {
      expect(problemsOf({ place: 'a.md:1', code: 'const a: string = 1\n', isRun: false })).toContain('TS2322')
      expect(problemsOf({ place: 'a.md:2', code: `throw new Error('the shop is closed')\n`, isRun: true })).toContain(
        'the shop is closed',
      )
      expect(
        problemsOf({ place: 'a.md:3', code: `import { parseQuantity } from '@farebox/core'\nparseQuantity('1')\n`, isRun: true }),
      ).toBe('')
    },
    TIMEOUT_MS,
  )
})

function blocksOf(document: string, text: string): Block[] {
  return [...text.matchAll(/^```ts( no-run)?\n([\s\S]*?)^```$/gm)].map((match) => ({
    place: `${document}:${text.slice(0, match.index).split('\n').length}`,
    code: match[2] ?? '',
    isRun: match[1] === undefined,
  }))
}

/** What the compiler or the program says, or nothing when all is well. Each block is a program of its own, in a folder of its own. */
function problemsOf({ place, code, isRun }: Block): string {
  const own = path.join(folder, place.replaceAll(/\W+/g, '-'))
  mkdirSync(own, { recursive: true })
  writeFileSync(path.join(own, 'example.ts'), `${code}export {}\n`)
  writeFileSync(path.join(own, 'package.json'), '{ "type": "module" }')
  const base = path.relative(own, path.join(ROOT, 'tsconfig.base.json'))
  const compilerOptions = {
    isolatedDeclarations: false,
    declaration: false,
    lib: ['es2024', 'dom'],
    experimentalDecorators: true,
  }
  writeFileSync(path.join(own, 'tsconfig.json'), JSON.stringify({ extends: base, compilerOptions, files: ['example.ts'] }))
  const compiled = run(own, TSC, ['-p', 'tsconfig.json'])
  if (compiled !== '' || !isRun) return compiled
  // Node takes types away by itself, but not the decorators of a Nest example.
  const emitted = run(own, TSC, [...EMIT, 'example.ts'])
  if (emitted !== '') return emitted
  return run(own, process.execPath, ['--conditions=farebox-source', 'example.js'])
}

function run(cwd: string, command: string, args: readonly string[]): string {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: TIMEOUT_MS / 3,
    env: { ...process.env, DATABASE_URL: databaseUrl() },
    shell: process.platform === 'win32',
  })
  return status === 0 ? '' : `${command} ended with ${signal ?? status ?? String(error)}:\n${stdout}${stderr}`
}
