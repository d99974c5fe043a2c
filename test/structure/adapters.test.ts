/** Adapters only translate: they are short, say nothing twice between them, and match no paths of their own. */

import { expect, test } from 'vitest'
import { type Finding, type Source, sourcesBelow } from './source.ts'

/** Lines of code that each may have. Nest has a module, decorators and two platforms to translate. */
const BUDGETS: Readonly<Record<string, number>> = { express: 120, hono: 120, fastify: 120, nestjs: 200 }

/** Two adapters that share this many lines in a row have something in them that belongs to the core. */
const SHARED_RUN = 6

const adapters = Object.keys(BUDGETS).map((name) => ({ name, sources: sourcesBelow(`packages/${name}/src`) }))

test('an adapter stays within its budget of lines', () => {
  for (const { name, sources } of adapters) {
    const lines = sources.reduce((sum, source) => sum + codeLines(source).length, 0)
    expect(`${name}: ${lines > 0 && lines <= (BUDGETS[name] ?? 0) ? 'within its budget' : `${lines} lines`}`).toBe(
      `${name}: within its budget`,
    )
  }
})

test('no two adapters share a run of six lines', () => {
  expect(sharedRuns(adapters)).toEqual([])
  const text = Array.from({ length: SHARED_RUN }, (_, i) => `const a${i} = ${i}`).join('\n')
  const sample = (name: string, own: string) => ({ name, sources: [{ path: `packages/${name}/src/x.ts`, text: own }] })
  expect(sharedRuns([sample('a', text), sample('b', `// another\n${text}`)])).toHaveLength(1)
  expect(sharedRuns([sample('a', text), sample('b', text.replace('= 3', '= 4'))])).toEqual([])
})

test('no adapter matches a path: the router of the framework has done it', () => {
  const matching = /\.match\(|\.test\(.*(path|url)|new RegExp|path-to-regexp|startsWith\(.*(prefix|path)/
  const found = adapters.flatMap(({ sources }) =>
    sources.flatMap((source) =>
      codeLines(source)
        .filter((line) => matching.test(line))
        .map((line): Finding => `${source.path}: ${line}`),
    ),
  )
  expect(found).toEqual([])
  expect(matching.test(`if (/^\\/v1/.test(req.path)) next()`)).toBe(true)
})

/** Lines with code on them, without their indentation. */
function codeLines({ text }: Source): string[] {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\/\/.*$/, '').trim())
    .filter((line) => line !== '')
}

function sharedRuns(among: readonly { readonly name: string; readonly sources: readonly Source[] }[]): Finding[] {
  const seen = new Map<string, string>()
  const found: Finding[] = []
  for (const { name, sources } of among) {
    for (const source of sources) {
      const lines = codeLines(source)
      for (let i = 0; i + SHARED_RUN <= lines.length; i += 1) {
        const run = lines.slice(i, i + SHARED_RUN).join('\n')
        const other = seen.get(run)
        if (other !== undefined && other !== name) found.push(`${source.path}: shares with ${other}:\n${run}`)
        seen.set(run, name)
      }
    }
  }
  return found
}
