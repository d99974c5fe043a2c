/** What is written for people: the glossary, and the page of every stage. */

import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSource, ROOT } from './source.ts'

/** The words of the product: they mean one thing each, in code, documents, interfaces and screens. */
const TERMS = [
  'feature',
  'plan',
  'consumption model',
  'allowance',
  'overage',
  'customer',
  'subscription',
  'claim',
  'admit',
  'settle',
  'usage event',
  'key',
  'rate',
  'invoice',
  'line item',
  'credit note',
  'credit grant',
  'balance',
]

const STAGE_FOLDERS = [
  'identify',
  'admit',
  'settle',
  'log',
  'aggregate',
  'rate',
  'invoice',
  'collect',
  'http',
  'sqlite',
  'account',
  'spool',
]
const HEADINGS = ['Owns', 'Does not own', 'In and out', 'Invariants', 'Time', 'Failure']
const FEWEST_WORDS = 150
const MOST_WORDS = 600

describe('the glossary', () => {
  const glossary = readSource('GLOSSARY.md').text

  test('explains every word of the product', () => {
    expect(TERMS.filter((term) => !termsOf(glossary).includes(term))).toEqual([])
  })

  test('explains each word once', () => {
    expect(repeated(termsOf(glossary))).toEqual([])
    expect(repeated(termsOf('| word | meaning |\n| --- | --- |\n| key | a |\n| rate | b |\n| key | c |\n'))).toEqual(['key'])
  })
})

describe('the page of a stage', () => {
  test.each(STAGE_FOLDERS)('%s has the fixed headings in their order, and can be read in two minutes', (folder) => {
    const file = `packages/core/src/${folder}/README.md`
    expect(existsSync(path.join(ROOT, file)) ? pageProblems(readSource(file).text) : ['is missing']).toEqual([])
  })

  test('is refused when a heading is missing or it is too short', () => {
    expect(pageProblems('# admit\n\n## Owns\n\nLittle.\n')).toEqual(['has the headings Owns', 'has 3 words'])
  })
})

/** The first column of the tables, their own headings left out. */
function termsOf(text: string): string[] {
  const cells = [...text.matchAll(/^\| ([^|]+?) +\|/gm)].map((match) => match[1] ?? '')
  return cells.filter((cell) => cell !== 'word' && !cell.startsWith('-'))
}

function repeated(terms: readonly string[]): string[] {
  return terms.filter((term, index) => terms.indexOf(term) !== index)
}

function pageProblems(text: string): string[] {
  const headings = [...text.matchAll(/^## (.+)$/gm)].map((match) => match[1] ?? '')
  const words = text.split(/\s+/).filter((word) => /\w/.test(word)).length
  const isOrdered = headings.join() === HEADINGS.join()
  const isShort = words >= FEWEST_WORDS && words <= MOST_WORDS
  return [...(isOrdered ? [] : [`has the headings ${headings.join(', ')}`]), ...(isShort ? [] : [`has ${words} words`])]
}
