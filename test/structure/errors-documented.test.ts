/** Error codes: one table in the code, one page in the documentation, and the two say the same. */

import { ALARMS, ERRORS } from '@farebox/core'
import { PROBLEMS } from '@farebox/core/http'
import { describe, expect, test } from 'vitest'
import { isNode, nameOf, type Node, readSource, type Source, sourcesBelow, walk } from './source.ts'

const page = readSource('docs/errors.md').text
const sources = sourcesBelow('packages').filter(({ path }) => path.includes('/src/'))

describe('errors', () => {
  test('every code is documented, and every documented code exists', () => {
    expect(headingsOf(page, 'Errors')).toEqual(Object.keys(ERRORS))
  })

  test('every code is thrown by the sources', () => {
    expect(neverThrown(Object.keys(ERRORS), sources)).toEqual([])
    const text = `throw new FareboxError(a ? 'b' : 'c', 'd')\nrefuse(field, { code: 'e' })\nif (code === 'f') g('h')`
    expect(neverThrown(['b', 'c', 'd', 'e', 'f', 'h'], [{ path: 'a.ts', text }])).toEqual(['d', 'f', 'h'])
  })
})

describe('problems', () => {
  test('every code is documented, and every documented code exists', () => {
    expect(headingsOf(page, 'Problems')).toEqual(Object.keys(PROBLEMS))
  })

  test('the documented status is the one that is sent', () => {
    const wrong = Object.entries(PROBLEMS).filter(
      ([code, { status }]) => !sectionOf(page, 'Problems', code).includes(`**${status}**`),
    )
    expect(wrong).toEqual([])
  })
})

test('every alarm is documented, and every documented alarm exists', () => {
  expect(headingsOf(page, 'Alarms')).toEqual(Object.keys(ALARMS))
})

test('the page is read heading by heading', () => {
  const sample = '# Codes\n\n## Errors\n\n### `a_b`\n\n**402** text\n\n### `c`\n\n## Problems\n\n### `d`\n'
  expect(headingsOf(sample, 'Errors')).toEqual(['a_b', 'c'])
  expect(headingsOf(sample, 'Problems')).toEqual(['d'])
  expect(sectionOf(sample, 'Errors', 'a_b')).toContain('402')
  expect(sectionOf(sample, 'Errors', 'c')).not.toContain('402')
})

/** The codes that are headings of a chapter, in their order. */
function headingsOf(text: string, chapter: string): string[] {
  return [...chapterOf(text, chapter).matchAll(/^### `([a-z_]+)`$/gm)].map((match) => match[1] ?? '')
}

function sectionOf(text: string, chapter: string, code: string): string {
  return chapterOf(text, chapter).split(`### \`${code}\`\n`)[1]?.split('\n### ')[0] ?? ''
}

function chapterOf(text: string, chapter: string): string {
  return text.split(`\n## ${chapter}\n`)[1]?.split('\n## ')[0] ?? ''
}

/** Codes that no `new FareboxError(code, …)` has, nor the `code` of what a function like `refuse()` is given or takes when it is not. */
function neverThrown(codes: readonly string[], among: readonly Source[]): string[] {
  const thrown = new Set<unknown>()
  for (const source of among) {
    walk(source, (node, around) => {
      if (node.type === 'NewExpression' && nameOf(node.callee) === 'FareboxError') addLiterals((node.arguments as Node[])[0])
      if (node.type === 'AssignmentPattern' && nameOf(node.left) === 'code') addLiterals(node.right)
      if (node.type === 'Property' && nameOf(node.key) === 'code' && around.at(-2)?.type === 'CallExpression')
        addLiterals(node.value)
    })
  }
  return codes.filter((code) => !thrown.has(code))

  function addLiterals(node: unknown): void {
    if (!isNode(node)) return
    if (node.type === 'Literal') thrown.add(node.value)
    addLiterals(node.consequent)
    addLiterals(node.alternate)
  }
}
