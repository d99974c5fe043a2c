/** Reads the sources of the repository as text and as syntax trees, for the tests that guard its structure. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseSync } from 'vite'

export const ROOT: string = path.resolve(import.meta.dirname, '../..')

/** A file with its path from the root, in forward slashes. */
export interface Source {
  readonly path: string
  readonly text: string
}

/** A node of the ESTree of a file. Members that are not read here are left out. */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [member: string]: unknown
}

/** One import, export from or `import()` of a file. */
export interface Import {
  readonly specifier: string
  /** Erased by the compiler. */
  readonly isTypeOnly: boolean
  readonly line: number
}

/** What a guard says about one place, `path:line: what is wrong`. */
export type Finding = string

const SKIPPED = new Set(['node_modules', 'dist', 'var', '.turbo'])

/** Every file below the folders whose name ends as given. Paths are from the root, sorted. */
export function filesBelow(folders: readonly string[], ending: RegExp): string[] {
  return folders
    .flatMap((folder) => below(folder))
    .filter((file) => ending.test(file))
    .toSorted()
}

/** TypeScript below the folders, its unit tests left out. */
export function sourcesBelow(...folders: readonly string[]): Source[] {
  return filesBelow(folders, /\.ts$/)
    .filter((file) => !file.endsWith('.test.ts'))
    .map(readSource)
}

export function readSource(file: string): Source {
  return { path: file, text: readFileSync(path.join(ROOT, file), 'utf8') }
}

/** The folders of `packages/`. */
export function packageFolders(): string[] {
  const names = readdirSync(path.join(ROOT, 'packages')).filter((name) =>
    existsSync(path.join(ROOT, 'packages', name, 'package.json')),
  )
  return names.map((name) => `packages/${name}`)
}

/** Calls `visit` for every node of the file with the nodes around it, the innermost last. */
export function walk(source: Source, visit: (node: Node, around: readonly Node[]) => void): void {
  const around: Node[] = []
  visitNode(parse(source).program)

  function visitNode(node: Node): void {
    visit(node, around)
    around.push(node)
    for (const member of Object.values(node)) {
      for (const child of Array.isArray(member) ? member : [member]) if (isNode(child)) visitNode(child)
    }
    around.pop()
  }
}

export function importsOf(source: Source): Import[] {
  const found: Import[] = []
  walk(source, (node) => {
    const from = node.source
    if (!isNode(from) || typeof from.value !== 'string') return
    found.push({ specifier: from.value, isTypeOnly: isErased(node), line: lineAt(source.text, node.start) })
  })
  return found
}

/** The text with comments blanked; lines stay where they are. */
export function withoutComments(source: Source): string {
  return blank(source.text, parse(source).comments)
}

/** The text with comments, strings and templates' own words blanked; lines stay where they are. */
export function codeOnly(source: Source): string {
  const strings: Node[] = []
  walk(source, (node) => {
    if (node.type === 'TemplateElement' || (node.type === 'Literal' && typeof node.value === 'string')) strings.push(node)
  })
  return blank(withoutComments(source), strings)
}

export function commentsOf(source: Source): { readonly text: string; readonly line: number }[] {
  return parse(source).comments.map(({ value, start }) => ({ text: String(value), line: lineAt(source.text, start) }))
}

/** The strings and templates of a file as written, with `${…}` where a value is put in. */
export function literalsOf(source: Source): { readonly text: string; readonly line: number }[] {
  const found: { text: string; line: number }[] = []
  walk(source, (node) => {
    const line = lineAt(source.text, node.start)
    if (node.type === 'Literal' && typeof node.value === 'string') found.push({ text: node.value, line })
    if (node.type === 'TemplateLiteral') found.push({ text: source.text.slice(node.start + 1, node.end - 1), line })
  })
  return found
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string' && 'start' in value
}

/** The name of an identifier or a member, or an empty string. */
export function nameOf(node: unknown): string {
  if (!isNode(node)) return ''
  if (node.type === 'MemberExpression') return `${nameOf(node.object)}.${nameOf(node.property)}`
  return typeof node.name === 'string' ? node.name : ''
}

function parse({ path: file, text }: Source): { readonly program: Node; readonly comments: readonly Node[] } {
  const { program, comments, errors } = parseSync(file, text)
  if (errors[0] !== undefined) throw new Error(`${file}: ${errors[0].message}`)
  return { program: program as object as Node, comments: comments as object as readonly Node[] }
}

function below(folder: string): string[] {
  const entries = existsSync(path.join(ROOT, folder)) ? readdirSync(path.join(ROOT, folder), { withFileTypes: true }) : []
  return entries.flatMap((entry) => {
    const file = `${folder}/${entry.name}`
    if (SKIPPED.has(entry.name)) return []
    return entry.isDirectory() ? below(file) : [file]
  })
}

/** Whether the compiler removes the import: all of it, or each of its names, is a type. */
function isErased({ importKind, exportKind, type, specifiers }: Node): boolean {
  if (type === 'TSImportType' || importKind === 'type' || exportKind === 'type') return true
  if (!Array.isArray(specifiers) || specifiers.length === 0) return false
  return specifiers.every((specifier: Node) => specifier.importKind === 'type' || specifier.exportKind === 'type')
}

function blank(text: string, parts: readonly Node[]): string {
  const letters = Array.from({ length: text.length }, (_, i) => text.charAt(i))
  for (const { start, end } of parts) for (let i = start; i < end; i += 1) if (letters[i] !== '\n') letters[i] = ' '
  return letters.join('')
}
