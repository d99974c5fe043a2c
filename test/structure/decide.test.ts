/** What decides is synchronous: a store may run it inside a transaction, and run it again. */

import { expect, test } from 'vitest'
import { type Finding, isNode, lineAt, nameOf, type Node, type Source, sourcesBelow, walk } from './source.ts'

test('a function given to store.change() awaits nothing', () => {
  const sources = sourcesBelow('packages').filter(({ path }) => path.includes('/src/'))
  expect(sources.flatMap(awaitsInDecide)).toEqual([])
  // The guard must have something to look at.
  expect(sources.reduce((sum, source) => sum + decisionsOf(source).length, 0)).toBeGreaterThan(8)

  expect(awaitsInDecide(sample('store.change({ customerId }, async (state) => ({ result: 1, entries: [] }))'))).toHaveLength(1)
  expect(awaitsInDecide(sample('store.change(target, decide)\nasync function decide(state) { await read() }'))).toHaveLength(1)
  expect(
    awaitsInDecide(sample('store.change(target, (state) => admitTo(state))\nasync function admitTo(state) {}')),
  ).toHaveLength(1)
  expect(awaitsInDecide(sample('store.change(target, (state) => ({ result: state, entries: [] }))'))).toEqual([])
})

function sample(text: string): Source {
  return { path: 'packages/core/src/sample.ts', text }
}

/** Functions that decide: given to `change`, called by one of those in the same file, or named `decide`. */
function decisionsOf(source: Source): Node[] {
  const declared = new Map<string, Node>()
  const given: Node[] = []
  walk(source, (node, around) => {
    const name = nameOf(node.id)
    if (node.type === 'FunctionDeclaration') declared.set(name, node)
    if (node.type === 'VariableDeclarator' && isNode(node.init) && /Function/.test(node.init.type)) declared.set(name, node.init)
    if (/Function/.test(node.type) && nameOf(around.at(-1)?.id ?? node.id) === 'decide') given.push(node)
    const decide =
      node.type === 'CallExpression' && /(^|\.)change$/.test(nameOf(node.callee)) ? (node.arguments as Node[])[1] : undefined
    if (decide !== undefined) given.push(decide)
  })
  const found = given.flatMap((node) => {
    const named = declared.get(nameOf(node))
    const body = isNode(node.body) && node.body.type === 'CallExpression' ? declared.get(nameOf(node.body.callee)) : undefined
    return [named ?? node, ...(body === undefined ? [] : [body])]
  })
  return [...new Set(found)]
}

function awaitsInDecide(source: Source): Finding[] {
  return decisionsOf(source).flatMap((decision) => {
    let isAsync = decision.async === true
    walk(source, (node) => {
      if (/^(AwaitExpression|ForOfStatement)$/.test(node.type) && node.start > decision.start && node.end <= decision.end) {
        isAsync ||= node.type === 'AwaitExpression' || node.await === true
      }
    })
    return isAsync ? [`${source.path}:${lineAt(source.text, decision.start)}: decides asynchronously`] : []
  })
}
