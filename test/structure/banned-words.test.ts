/** Words that do not stand in our code. */

import { describe, expect, test } from 'vitest'
import {
  codeOnly,
  commentsOf,
  filesBelow,
  type Finding,
  lineAt,
  nameOf,
  readSource,
  type Source,
  sourcesBelow,
  walk,
} from './source.ts'

const OWN_CODE = ['packages', 'examples', 'bench', 'test']

/** Names that say nothing: what is it that is managed, helped, mapped? Which version is the first? */
const EMPTY_NAME = /[A-Za-z0-9_]*(?:Utils?|Managers?|Helpers?|Mappers?|V2)\b|\b(?:utils?|managers?|helpers?|mappers?)\b/

const sources = sourcesBelow(...OWN_CODE)
const everything = filesBelow(OWN_CODE, /\.(ts|mts|mjs|js|sql)$/).map(readSource)

describe('types', () => {
  test('nothing is of the type any', () => {
    expect(everything.filter(isTypeScript).flatMap(anys)).toEqual([])
    expect(anys(sample('function f(a: any): void {}'))).toHaveLength(1)
    expect(anys(sample(`const any = 'any' // any`))).toEqual([])
  })

  test('no cast goes through unknown', () => {
    expect(everything.filter(isTypeScript).flatMap(doubleCasts)).toEqual([])
    expect(doubleCasts(sample('const a = b as unknown as C'))).toHaveLength(1)
  })
})

describe('words', () => {
  test('what is left to do has the number of its issue', () => {
    expect(everything.flatMap(openEnds)).toEqual([])
    expect(openEnds(sample('// TODO: later'))).toHaveLength(1)
    expect(openEnds(sample('// TODO #12: later'))).toEqual([])
  })

  test('a name says what it is: no Utils, Manager, Helper, Mapper or V2, in code or as a file', () => {
    expect(sources.flatMap(emptyNames)).toEqual([])
    expect(emptyNames(sample('const priceHelper = 1'))).toHaveLength(1)
    expect(emptyNames(sample('function rateV2() {}'))).toHaveLength(1)
    expect(emptyNames({ path: 'packages/core/src/money-utils.ts', text: '' })).toHaveLength(1)
    expect(emptyNames(sample(`const name = 'Manager' // a helper`))).toEqual([])
  })

  test('libraries return errors and do not log: no console in the core, the adapters and the package of AI models', () => {
    expect(
      sourcesBelow(...['core', 'ai', 'express', 'fastify', 'hono', 'nestjs'].map((name) => `packages/${name}/src`)).flatMap(
        logging,
      ),
    ).toEqual([])
    expect(logging(sample('console.warn(1)'))).toHaveLength(1)
  })
})

function sample(text: string): Source {
  return { path: 'packages/core/src/sample.ts', text }
}

function isTypeScript({ path }: Source): boolean {
  return /\.m?ts$/.test(path)
}

function anys(source: Source): Finding[] {
  const found: Finding[] = []
  walk(source, (node) => {
    if (node.type === 'TSAnyKeyword') found.push(`${source.path}:${lineAt(source.text, node.start)}: any`)
  })
  return found
}

function doubleCasts(source: Source): Finding[] {
  return matchesIn(source, codeOnly(source), /\bas\s+unknown\s+as\b/)
}

function openEnds(source: Source): Finding[] {
  const comments = source.path.endsWith('.sql') ? [{ text: source.text, line: 1 }] : commentsOf(source)
  return comments.flatMap(({ text, line }) =>
    /\b(TODO|FIXME|HACK)\b(?!.*#\d)/.test(text) ? [`${source.path}:${line}: ${text.trim()}`] : [],
  )
}

function emptyNames(source: Source): Finding[] {
  const inPath = source.path.split(/[/.-]/).filter((word) => EMPTY_NAME.test(word))
  return [...inPath.map((word) => `${source.path}:1: a file named ${word}`), ...matchesIn(source, codeOnly(source), EMPTY_NAME)]
}

function logging(source: Source): Finding[] {
  const found: Finding[] = []
  walk(source, (node) => {
    if (node.type === 'MemberExpression' && nameOf(node.object) === 'console')
      found.push(`${source.path}:${lineAt(source.text, node.start)}: ${nameOf(node)}`)
  })
  return found
}

function matchesIn(source: Source, text: string, word: RegExp): Finding[] {
  return text.split('\n').flatMap((line, index) => {
    const match = word.exec(line)
    return match === null ? [] : [`${source.path}:${index + 1}: ${match[0]}`]
  })
}
