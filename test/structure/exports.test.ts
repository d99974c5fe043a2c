/** The public names of every package: a change of the interface is a change of the file beside this one, and is reviewed. */

import { existsSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { isNode, nameOf, type Node, packageFolders, readSource, ROOT, type Source, walk } from './source.ts'

interface Entry {
  /** What an application writes in its import. */
  readonly specifier: string
  readonly file: string
}

test('the public names of each package are the reviewed ones', async () => {
  const lines: string[] = []
  for (const { specifier, file } of packageFolders().flatMap(entriesOf)) {
    const values = Object.keys(await import(pathToFileURL(path.join(ROOT, file)).href))
    const names = [...values.map((name) => `value ${name}`), ...typeNames(readSource(file)).map((name) => `type  ${name}`)]
    lines.push(specifier, ...names.toSorted().map((name) => `  ${name}`), '')
  }
  await expect(lines.join('\n')).toMatchFileSnapshot('./exports.txt')
})

test('names of types are found in every way to export them', () => {
  const text = `export type { A, B as C } from './a.ts'\nexport { type D, e } from './d.ts'\nexport interface F {}\nexport type G = F\nexport const h = 1`
  expect(typeNames({ path: 'packages/core/src/index.ts', text })).toEqual(['A', 'C', 'D', 'F', 'G'])
})

function entriesOf(folder: string): Entry[] {
  const { name, exports = {} } = JSON.parse(readSource(`${folder}/package.json`).text) as {
    name: string
    exports?: Record<string, { 'farebox-source'?: string } | string>
  }
  return Object.entries(exports).flatMap(([entry, target]) => {
    const source = typeof target === 'string' ? undefined : target['farebox-source']
    return source === undefined ? [] : [{ specifier: path.posix.join(name, entry), file: path.posix.join(folder, source) }]
  })
}

/** Types that a file exports, those of its `export *` included. Types and values share no name in our packages. */
function typeNames(source: Source): string[] {
  const found: string[] = []
  walk(source, (node) => {
    if (node.type === 'ExportAllDeclaration') found.push(...typeNames(targetOf(source, node)))
    if (node.type !== 'ExportNamedDeclaration') return
    const { declaration, specifiers } = node
    if (isNode(declaration) && /^TS(Interface|TypeAlias)Declaration$/.test(declaration.type)) found.push(nameOf(declaration.id))
    for (const specifier of specifiers as Node[]) {
      if (node.exportKind === 'type' || specifier.exportKind === 'type') found.push(nameOf(specifier.exported))
    }
  })
  return found
}

function targetOf(source: Source, node: Node): Source {
  const file = path.posix.join(path.posix.dirname(source.path), String(isNode(node.source) ? node.source.value : ''))
  return existsSync(path.join(ROOT, file)) ? readSource(file) : { path: file, text: '' }
}
