/** Sizes: what does not fit on a screen is not read. */

import { expect, test } from 'vitest'
import { type Finding, lineAt, nameOf, type Node, type Source, sourcesBelow, walk, withoutComments } from './source.ts'

const LONGEST_FUNCTION = 70
const LONGEST_FILE = 300

/** Files and functions that are longer for now, as `path` or `path#name`. It only ever gets shorter; it began empty. */
const RATCHET: readonly string[] = []

const sources = sourcesBelow('packages', 'examples', 'bench').filter(({ path }) => path.includes('/src/'))

test(`a function has at most ${LONGEST_FUNCTION} lines of code, the functions declared inside it counted on their own`, () => {
  expect(sources.flatMap(longFunctions)).toEqual([])
  const body = 'x()\n'.repeat(69)
  expect(longFunctions({ path: 'a.ts', text: `function f() {\n${body}}` })).toEqual(['a.ts:1: f has 71 lines of code'])
  expect(longFunctions({ path: 'a.ts', text: `function f() {\n${body}\n// said here\n}` })).toHaveLength(1)
  expect(longFunctions({ path: 'a.ts', text: `function f() {\nx()\nfunction g() {\n${body.slice(4)}}\n}` })).toEqual([])
})

test(`a file has at most ${LONGEST_FILE} lines of code`, () => {
  expect(sources.flatMap(longFile)).toEqual([])
  expect(longFile({ path: 'a.ts', text: 'x()\n'.repeat(301) })).toEqual(['a.ts:1: has 301 lines of code'])
  expect(longFile({ path: 'a.ts', text: '// why\n\nx()\n'.repeat(300) })).toEqual([])
})

test('nothing is on the list of exceptions that has become short enough', () => {
  const found = new Set([...sources.flatMap(longFunctions), ...sources.flatMap(longFile)].map((finding) => finding.split(':')[0]))
  expect(RATCHET.filter((exception) => !found.has(exception.split('#')[0] ?? ''))).toEqual([])
})

function longFile(source: Source): Finding[] {
  const lines = codeLines(source, 0, source.text.length).length
  return lines <= LONGEST_FILE || RATCHET.includes(source.path) ? [] : [`${source.path}:1: has ${lines} lines of code`]
}

/**
 * Code lines that are a function's own. A closure that keeps state is to us what a class is to others, so functions declared
 * in it are counted like methods, each on its own; callbacks count where they are written.
 */
function longFunctions(source: Source): Finding[] {
  const functions: { readonly node: Node; readonly name: string }[] = []
  walk(source, (node, around) => {
    if (!isFunction(node)) return
    functions.push({ node, name: nameOf(node.id) || nameOf(around.at(-1)?.id ?? around.at(-1)?.key) || 'a function' })
  })
  return functions.flatMap(({ node, name }) => {
    const lines = new Set(codeLines(source, node.start, node.end))
    for (const { node: inner } of functions) {
      if (inner.type !== 'FunctionDeclaration' || inner.start <= node.start || inner.end > node.end) continue
      for (const line of codeLines(source, inner.start, inner.end)) lines.delete(line)
    }
    if (lines.size <= LONGEST_FUNCTION || RATCHET.includes(`${source.path}#${name}`)) return []
    return [`${source.path}:${lineAt(source.text, node.start)}: ${name} has ${lines.size} lines of code`]
  })
}

function isFunction({ type, body }: Node): boolean {
  return ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'].includes(type) && body !== null
}

/** Numbers of the lines from one offset to another that hold more than comments and spaces. */
function codeLines(source: Source, start: number, end: number): number[] {
  const first = lineAt(source.text, start)
  const lines = strippedOf(source).slice(start, end).split('\n')
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : [first + index]))
}

const stripped = new Map<Source, string>()

function strippedOf(source: Source): string {
  let text = stripped.get(source)
  if (text === undefined) stripped.set(source, (text = withoutComments(source)))
  return text
}
