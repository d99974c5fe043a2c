/** The dependency rules: who may import whom, and where time, chance and fractions may come in. */

import path from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  type Finding,
  importsOf,
  isNode,
  lineAt,
  nameOf,
  packageFolders,
  readSource,
  type Source,
  sourcesBelow,
  walk,
} from './source.ts'

const CORE = 'packages/core/src/'

const STAGES = ['identify', 'admit', 'settle', 'log', 'aggregate', 'rate', 'invoice', 'collect']

/**
 * Only these know the order of the stages. `moment.ts` is the pure middle of `close.ts`: what one billing moment puts on an invoice, from
 * usage to lines. `verify.ts` goes through that order again, in order to compare.
 */
const KNOW_THE_ORDER = ['meter.ts', 'close.ts', 'moment.ts', 'verify.ts']

/** A stage sees what is sold, who owes and what a store must do, and no other stage. */
const STAGE_MAY = ['values', 'records', 'catalog', 'account', 'contracts', 'errors.ts']

/** What each folder of the core imports besides itself. The files beside the folders put the engine together and see all. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  values: ['errors.ts'],
  records: ['values'],
  catalog: ['values', 'errors.ts'],
  // The types of what prices are asked of, which a catalog that sells AI models is given.
  account: ['values', 'records', 'catalog', 'contracts/model-prices.ts'],
  contracts: ['values', 'records', 'account', 'errors.ts', 'options.ts'],
  ...Object.fromEntries(STAGES.map((stage) => [stage, STAGE_MAY])),
  // Tax rules come with options of their own.
  invoice: [...STAGE_MAY, 'options.ts'],
  // A store knows no prices: never catalog, rate, admit, settle, invoice.
  sqlite: ['values', 'records', 'account', 'contracts', 'errors.ts', 'options.ts'],
  // A payment provider knows no prices, and no account.
  providers: ['values', 'contracts', 'errors.ts', 'options.ts'],
  // What waits for a store, in a file of its own: it knows no account and no price.
  spool: ['values', 'records', 'sqlite/open.ts', 'sqlite/faults.ts', 'sqlite/process-lock.ts', 'errors.ts', 'options.ts'],
  // The edge identifies and asks the meter; `index.ts` of it offers adapters the types of the engine.
  // The routes are the engine over HTTP: they ask the Farebox, and print what the records say.
  billing: [
    'values',
    'records',
    'account',
    'identify',
    'http',
    'invoice',
    'catalog/catalog.ts',
    'catalog/feature.ts',
    'catalog/plan.ts',
    'admin.ts',
    'collected.ts',
    'collecting.ts',
    'credit-notes.ts',
    'entitlements.ts',
    'grant-view.ts',
    'ledger-entries.ts',
    'prepaid.ts',
    'refunds.ts',
    'subscription-changes.ts',
    'subscription-view.ts',
    'subscriptions.ts',
    'usage.ts',
    'options.ts',
    'errors.ts',
    'default-farebox.ts',
    'farebox.ts',
  ],
  http: [
    'values',
    'records',
    'identify',
    'spool/spool.ts',
    'meter.ts',
    // Checks the tokens that a handler reports.
    'model-usage.ts',
    'errors.ts',
    'catalog/catalog.ts',
    'default-farebox.ts',
    'farebox.ts',
  ],
}

/** Packages and modules of Node that a folder of the core uses. The pure stages use none. */
const MAY_USE: Readonly<Record<string, readonly string[]>> = {
  values: ['node:crypto', 'temporal-polyfill'],
  catalog: ['node:crypto'],
  // The seal of an invoice is a hash.
  invoice: ['node:crypto'],
  billing: ['node:crypto', 'node:http', 'node:http2', '@hono/node-server', '@hono/zod-openapi', 'hono', 'hono/utils/url'],
  identify: ['node:crypto', 'node:zlib', 'lru-cache'],
  // Webhooks are signed, and a page names its one style.
  providers: ['node:crypto'],
  sqlite: ['node:fs', 'node:path', 'better-sqlite3'],
  spool: ['node:fs', 'node:path', 'better-sqlite3'],
}

/** Adapters with the packages of the framework that each translates. */
const ADAPTERS: Readonly<Record<string, readonly string[]>> = {
  'packages/express': ['express'],
  'packages/fastify': ['fastify', 'fastify-plugin'],
  'packages/hono': ['hono'],
  'packages/nestjs': ['@nestjs/common', '@nestjs/core'],
}

/** The two entries of the core that are made for adapters. */
const ADAPTERS_MAY_IMPORT = ['@farebox/core/http', '@farebox/core/billing']

/** What the package of AI models is made of. It has the types of the core, what a contract is written with, and nothing of `ai` itself. */
const AI_MAY_IMPORT = [
  '@farebox/core',
  '@farebox/core/contracts',
  '@pydantic/genai-prices',
  'eventsource-parser',
  'node:fs',
  'node:module',
  'node:path',
]

/** What prints invoices knows the core and how a PDF is made. */
const PDF_MAY_IMPORT = ['@farebox/core', '@farebox/core/contracts', 'fontkit', 'node:fs', 'node:module', 'pdfkit']

const CLOCK_AND_CHANCE = [
  'Date.now',
  'performance.now',
  'Math.random',
  'randomUUID',
  'randomBytes',
  'getRandomValues',
  'process.hrtime',
]
const MAY_READ_CLOCK_AND_CHANCE = [`${CORE}values/clock.ts`, `${CORE}values/id.ts`]

const ARITHMETIC_STAGES = ['admit', 'settle', 'aggregate', 'rate', 'invoice']

const core = sourcesBelow('packages/core/src')

describe('packages', () => {
  test('the core depends on no package of ours, and on few of others', () => {
    const { dependencies } = JSON.parse(readSource('packages/core/package.json').text) as { dependencies: Record<string, string> }
    expect(Object.keys(dependencies)).toEqual([
      '@hono/node-server',
      '@hono/zod-openapi',
      'better-sqlite3',
      'hono',
      'lru-cache',
      'temporal-polyfill',
      'zod',
    ])
    expect(foreignImports(core, () => [])).toEqual([])
    expect(foreignImports([sample('meter.ts', `import '@farebox/express'`)], () => [])).toHaveLength(1)
  })

  test('an adapter imports what the core has for adapters and its framework, and nothing else', () => {
    for (const [folder, frameworks] of Object.entries(ADAPTERS))
      expect(adapterImports(sourcesBelow(`${folder}/src`), frameworks)).toEqual([])
    const bad = {
      path: 'packages/express/src/x.ts',
      text: `import { sqlite } from '@farebox/core/sqlite'\nimport fs from 'node:fs'`,
    }
    expect(adapterImports([bad], ['express'])).toHaveLength(2)
  })

  test('the package of AI models imports the core, what it reads prices and events with, and nothing else', () => {
    expect(sourcesBelow('packages/ai/src').flatMap(aiImports)).toEqual([])
    const bad = {
      path: 'packages/ai/src/x.ts',
      text: `import { generateText } from 'ai'\nimport { createFarebox } from '@farebox/core'`,
    }
    expect(aiImports(bad)).toHaveLength(2)
  })

  test('the package of PDF documents imports the core, what it makes them with, and nothing else', () => {
    expect(sourcesBelow('packages/pdf/src').flatMap(pdfImports)).toEqual([])
    const text = `import { sqlite } from '@farebox/core/sqlite'\nimport { create } from 'fontkit'\nimport http from 'node:http'`
    expect(pdfImports({ path: 'packages/pdf/src/x.ts', text })).toHaveLength(2)
  })

  test('inside a package files are imported by relative path, across packages by package name', () => {
    const folders = [
      ...packageFolders(),
      ...['express', 'fastify', 'hono', 'nestjs'].map((name) => `examples/${name}-api`),
      'test',
    ]
    expect(folders.flatMap((folder) => imports(folder, sourcesBelow(folder)))).toEqual([])
    const bad = { path: 'packages/express/src/x.ts', text: `import '../../core/src/meter.ts'\nimport '@farebox/express'` }
    expect(imports('packages/express', [bad])).toHaveLength(2)
  })
})

describe('the core', () => {
  test('a stage never imports another stage, a store knows no prices, and every folder sees only what is below it', () => {
    expect(core.flatMap(layering)).toEqual([])
    expect(layering(sample('admit/x.ts', `import { rate } from '../rate/rate.ts'`))).toHaveLength(1)
    expect(layering(sample('sqlite/x.ts', `import type { Plan } from '../catalog/plan.ts'`))).toHaveLength(1)
    expect(layering(sample('settle/x.ts', `import fs from 'node:fs'`))).toHaveLength(1)
  })

  test('only meter.ts, close.ts with its moment.ts, and verify.ts know several stages', () => {
    expect(core.flatMap(stageOrder)).toEqual([])
    expect(stageOrder(sample('usage.ts', `import '../x.ts'\nimport './admit/admit.ts'\nimport './log/place.ts'`))).toHaveLength(1)
  })

  test('no file needs itself to be loaded', () => {
    expect(cycles(core)).toEqual([])
    expect(cycles([sample('a.ts', `import { b } from './b.ts'`), sample('b.ts', `import { a } from './a.ts'`)])).toHaveLength(1)
    expect(cycles([sample('a.ts', `import { b } from './b.ts'`), sample('b.ts', `import type { A } from './a.ts'`)])).toEqual([])
  })

  test('a stage folder has no barrel file', () => {
    expect(core.flatMap(barrels)).toEqual([])
    expect(barrels(sample('rate/index.ts', `export const one = 1`))).toHaveLength(1)
    expect(barrels(sample('rate/all.ts', `export * from './rate.ts'`))).toHaveLength(1)
  })

  test('time and chance come in at values/clock.ts and values/id.ts only', () => {
    const folders = [...Object.keys(ADAPTERS), 'packages/ai', 'packages/pdf']
    const sources = [...core, ...folders.flatMap((folder) => sourcesBelow(`${folder}/src`))]
    expect(sources.flatMap(clockAndChance)).toEqual([])
    const bad = `import { randomBytes } from 'node:crypto'\nconst a = [Date.now(), new Date(), Math.random(), randomBytes(1)]`
    expect(clockAndChance(sample('admit/x.ts', bad))).toHaveLength(4)
    expect(clockAndChance(sample('values/x.ts', 'const day = new Date(0)'))).toEqual([])
  })

  test('quantities and money never become fractions: no parseFloat or toFixed outside values, no Number() and no / in the arithmetic stages', () => {
    expect(core.flatMap(fractions)).toEqual([])
    expect(fractions(sample('http/x.ts', 'const a = [parseFloat(b), c.toFixed(2)]'))).toHaveLength(2)
    expect(fractions(sample('rate/x.ts', 'const a = Number(b) / 2'))).toHaveLength(2)
    expect(fractions(sample('http/x.ts', 'const a = Number(b) / 2'))).toEqual([])
  })
})

function sample(file: string, text: string): Source {
  return { path: CORE + file, text }
}

/** Imports of packages of ours that are not among the allowed ones. */
function foreignImports(sources: readonly Source[], allowed: (source: Source) => readonly string[]): Finding[] {
  return sources.flatMap((source) =>
    importsOf(source)
      .filter(({ specifier }) => /^(@farebox\/|farebox$|farebox\/)/.test(specifier) && !allowed(source).includes(specifier))
      .map(({ specifier, line }) => `${source.path}:${line}: imports ${specifier}`),
  )
}

function adapterImports(sources: readonly Source[], frameworks: readonly string[]): Finding[] {
  const isAllowed = (specifier: string): boolean =>
    [...ADAPTERS_MAY_IMPORT, ...frameworks].some(
      (name) => specifier === name || (name === 'hono' && specifier.startsWith('hono/')),
    )
  return sources.flatMap((source) =>
    importsOf(source)
      .filter(({ specifier }) => !specifier.startsWith('.') && !isAllowed(specifier))
      .map(({ specifier, line }) => `${source.path}:${line}: an adapter imports ${specifier}`),
  )
}

function pdfImports(source: Source): Finding[] {
  return importsOf(source)
    .filter(({ specifier }) => !specifier.startsWith('.') && !PDF_MAY_IMPORT.includes(specifier))
    .map(({ specifier, line }) => `${source.path}:${line}: the package of PDF documents imports ${specifier}`)
}

/** Imports that are not allowed to the package of AI models; of the core itself, which opens databases, it has types only. */
function aiImports(source: Source): Finding[] {
  return importsOf(source)
    .filter(({ specifier }) => !specifier.startsWith('.'))
    .filter(({ specifier, isTypeOnly }) => !AI_MAY_IMPORT.includes(specifier) || (specifier === '@farebox/core' && !isTypeOnly))
    .map(({ specifier, line }) => `${source.path}:${line}: the package of AI models imports ${specifier}`)
}

/** Relative imports that leave the package, and imports of the package by its own name. */
function imports(folder: string, sources: readonly Source[]): Finding[] {
  const own = packageName(folder)
  return sources.flatMap((source) =>
    importsOf(source).flatMap(({ specifier, line }) => {
      const target = specifier.startsWith('.') ? path.posix.join(path.posix.dirname(source.path), specifier) : null
      const leaves = target !== null && !target.startsWith(`${folder}/`)
      const isOwn = specifier === own || specifier.startsWith(`${own}/`)
      return leaves || isOwn ? [`${source.path}:${line}: imports ${specifier}`] : []
    }),
  )
}

function packageName(folder: string): string {
  return (JSON.parse(readSource(`${folder}/package.json`).text) as { name: string }).name
}

/** The folder of the core that a path is in, or the file's name where it is in none. */
function placeOf(file: string): string {
  return file.slice(CORE.length).split('/')[0] ?? ''
}

function layering(source: Source): Finding[] {
  const place = placeOf(source.path)
  if (place.endsWith('.ts')) return []
  const may = MAY_IMPORT[place] ?? []
  return importsOf(source).flatMap(({ specifier, line }) => {
    const target = specifier.startsWith('.') ? path.posix.join(path.posix.dirname(source.path), specifier) : null
    const isAllowed =
      target === null
        ? (MAY_USE[place] ?? []).includes(specifier)
        : placeOf(target) === place || may.includes(placeOf(target)) || may.includes(target.slice(CORE.length))
    return isAllowed ? [] : [`${source.path}:${line}: ${place} imports ${specifier}`]
  })
}

function stageOrder(source: Source): Finding[] {
  const place = placeOf(source.path)
  if (!place.endsWith('.ts') || KNOW_THE_ORDER.includes(place)) return []
  const stages = new Set(
    targetsOf(source)
      .map(({ target }) => placeOf(target))
      .filter((target) => STAGES.includes(target)),
  )
  // index.ts is the public interface: it offers, and decides nothing.
  return stages.size < 2 || place === 'index.ts' ? [] : [`${source.path}:1: knows the stages ${[...stages].join(', ')}`]
}

function targetsOf(source: Source): { readonly target: string; readonly isTypeOnly: boolean }[] {
  return importsOf(source).flatMap(({ specifier, isTypeOnly }) =>
    specifier.startsWith('.') ? [{ target: path.posix.join(path.posix.dirname(source.path), specifier), isTypeOnly }] : [],
  )
}

/** Circles of imports that stay in the compiled code, each named once. */
function cycles(sources: readonly Source[]): Finding[] {
  const targets = new Map(
    sources.map((source) => [
      source.path,
      targetsOf(source)
        .filter((one) => !one.isTypeOnly)
        .map((one) => one.target),
    ]),
  )
  const done = new Set<string>()
  const found: Finding[] = []
  for (const { path: file } of sources) visit(file, [])
  return found

  function visit(file: string, trail: readonly string[]): void {
    if (trail.includes(file)) found.push([...trail.slice(trail.indexOf(file)), file].join(' → '))
    if (trail.includes(file) || done.has(file)) return
    for (const target of targets.get(file) ?? []) visit(target, [...trail, file])
    done.add(file)
  }
}

function barrels(source: Source): Finding[] {
  if (!STAGES.includes(placeOf(source.path))) return []
  const found: Finding[] = source.path.endsWith('/index.ts') ? [`${source.path}:1: a stage folder has no index.ts`] : []
  walk(source, (node) => {
    if (node.type.startsWith('Export') && isNode(node.source))
      found.push(`${source.path}:${lineAt(source.text, node.start)}: exports what is another file's`)
  })
  return found
}

function clockAndChance(source: Source): Finding[] {
  if (MAY_READ_CLOCK_AND_CHANCE.includes(source.path)) return []
  const found: Finding[] = []
  walk(source, (node) => {
    const isNow = (node.type === 'NewExpression' || node.type === 'CallExpression') && nameOf(node.callee) === 'Date'
    const isBare = isNow && Array.isArray(node.arguments) && node.arguments.length === 0
    const called = node.type === 'CallExpression' ? nameOf(node.callee) : ''
    const isBanned = CLOCK_AND_CHANCE.some((name) => called === name || called.endsWith(`.${name}`))
    if (isBare || isBanned) found.push(`${source.path}:${lineAt(source.text, node.start)}: calls ${called || 'new Date()'}`)
  })
  return found
}

function fractions(source: Source): Finding[] {
  const place = placeOf(source.path)
  if (place === 'values') return []
  const isArithmetic = ARITHMETIC_STAGES.includes(place)
  const found: Finding[] = []
  walk(source, (node) => {
    const called = node.type === 'CallExpression' ? nameOf(node.callee) : ''
    const isAlwaysBanned = /(^|\.)(parseFloat|toFixed)$/.test(called)
    const isBannedHere = isArithmetic && (called === 'Number' || (node.type === 'BinaryExpression' && node.operator === '/'))
    if (isAlwaysBanned || isBannedHere)
      found.push(`${source.path}:${lineAt(source.text, node.start)}: ${called || '/'} on a quantity or money`)
  })
  return found
}
