/** The database: what was released is never edited, and what the tables look like is reviewed. */

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sqlite } from '@farebox/core/sqlite'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { filesBelow, type Finding, literalsOf, readSource, type Source, sourcesBelow } from './source.ts'

/**
 * SHA-256 of each migration. 000001 is frozen with the first release; until then a change of it changes the line here.
 * Released ones never change: what is wrong with one is put right by the next.
 */
const HASHES: Readonly<Record<string, string>> = {
  'packages/core/src/sqlite/migrations/000001.ts': 'b48c89e2d187c1c0845edb38d5d1bd165d7be594d140803b9a88f330593bdad2',
  'packages/postgres/src/migrations/000001.ts': '1da7c15b4ffdd9e5760955e003015484d83424948e56cb4d93deb17511f7dd9d',
}

/** Tables that belong to no single account, each with the reason. */
const WITHOUT_ACCOUNT: Readonly<Record<string, string>> = {
  _catalogs: 'what is sold is the same for all',
  _counters: 'every account takes from them, at most so many in all',
  _customers: 'it is the account',
  _events: 'an event belongs to its total, which has the account',
  _labels: 'names of features and routes, which every account shares',
  _migrations: 'about the database itself',
  _reservations: 'a row holds what one commit admitted, for many accounts; each reservation in it names its own',
  _series: 'numbers of invoices have no gap within a series, which every account shares',
}

/** Nullable columns in unique indexes, where SQLite takes every null for another value, each with the reason. */
const NULLABLE_UNIQUE: Readonly<Record<string, string>> = {
  '_invoices.series': 'a draft has no number yet, and there are many drafts',
  '_invoices.number': 'a draft has no number yet, and there are many drafts',
}

describe('migrations', () => {
  test('a released migration is never edited', () => {
    const files = filesBelow(['packages/core/src/sqlite/migrations', 'packages/postgres/src/migrations'], /\.ts$/).map(readSource)
    expect(Object.fromEntries(files.map((file) => [file.path, hashOf(file)]))).toEqual(HASHES)
    expect(hashOf({ path: 'a', text: 'CREATE TABLE a (b) STRICT' })).not.toBe(
      hashOf({ path: 'a', text: 'CREATE TABLE a (c) STRICT' }),
    )
  })

  test('the schema of a migrated database is the reviewed one', async () => {
    await expect(await withDatabase(dump)).toMatchFileSnapshot('./schema.sql')
  })
})

describe('tables', () => {
  test('every table belongs to an account, or says why not', async () => {
    expect(await withDatabase(withoutAccount)).toEqual(Object.keys(WITHOUT_ACCOUNT))
    expect(
      withoutAccount(databaseOf('CREATE TABLE a (customer_id INTEGER NOT NULL) STRICT; CREATE TABLE b (c INTEGER) STRICT')),
    ).toEqual(['b'])
  })

  test('every table is STRICT, so that a column holds what it says', async () => {
    expect(await withDatabase(notStrict)).toEqual([])
    expect(notStrict(databaseOf('CREATE TABLE a (b INTEGER); CREATE TABLE c (d INTEGER) STRICT'))).toEqual(['a'])
  })

  test('no nullable column is part of a unique index, or it says why', async () => {
    expect(await withDatabase(nullableUnique)).toEqual(Object.keys(NULLABLE_UNIQUE))
    expect(nullableUnique(databaseOf('CREATE TABLE a (b INTEGER UNIQUE, c INTEGER NOT NULL UNIQUE) STRICT'))).toEqual(['a.b'])
  })
})

test('a transaction that writes takes the write lock when it begins', () => {
  // PostgreSQL has no such lock: there an account's row is locked before anything is read.
  const ofSqlite = sourcesBelow('packages').filter((source) => !source.path.startsWith('packages/postgres/'))
  expect(ofSqlite.flatMap(deferred)).toEqual([])
  expect(deferred({ path: 'a.ts', text: `db.exec('BEGIN')` })).toHaveLength(1)
  expect(deferred({ path: 'a.ts', text: 'db.exec(`BEGIN; DELETE FROM a`)' })).toHaveLength(1)
  expect(deferred({ path: 'a.ts', text: `db.exec('BEGIN EXCLUSIVE')` })).toHaveLength(1)
  expect(deferred({ path: 'a.ts', text: `summary('When it would begin')` })).toEqual([])
  expect(deferred({ path: 'a.ts', text: `db.exec('BEGIN IMMEDIATE')` })).toEqual([])
})

function hashOf({ text }: Source): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Begins that take no lock, and the library's own transactions, which begin that way. */
function deferred(source: Source): Finding[] {
  const isLock = source.path.endsWith('sqlite/process-lock.ts')
  const begins = literalsOf(source).filter(
    ({ text }) => /(^|;)\s*BEGIN\s*(;|$|DEFERRED|TRANSACTION)/i.test(text) || (/\bBEGIN EXCLUSIVE\b/i.test(text) && !isLock),
  )
  return begins.map(({ text, line }) => `${source.path}:${line}: ${text}`)
}

/** A database as the program makes it, looked at through a second connection. */
async function withDatabase<T>(look: (db: Database.Database) => T): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'farebox-schema-'))
  const file = path.join(folder, 'farebox.db')
  try {
    await sqlite({ path: file }).close()
    const db = new Database(file, { readonly: true })
    try {
      return look(db)
    } finally {
      db.close()
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function databaseOf(sql: string): Database.Database {
  return new Database(':memory:').exec(sql)
}

function dump(db: Database.Database): string {
  const rows = db.prepare<[], { sql: string }>(
    "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type = 'view', tbl_name, type DESC, name",
  )
  return rows
    .all()
    .map(({ sql }) => `${sql};\n`)
    .join('\n')
}

function tablesOf(db: Database.Database): { name: string; strict: number }[] {
  return db
    .prepare<[], { name: string; strict: number }>(
      "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )
    .all()
}

function withoutAccount(db: Database.Database): string[] {
  const column = db
    .prepare<[string], number>('SELECT 1 FROM pragma_table_info(?) WHERE name = \'customer_id\' AND "notnull" = 1')
    .pluck()
  return tablesOf(db).flatMap(({ name }) => (column.get(name) === undefined ? [name] : []))
}

function notStrict(db: Database.Database): string[] {
  return tablesOf(db).flatMap(({ name, strict }) => (strict === 1 ? [] : [name]))
}

function nullableUnique(db: Database.Database): string[] {
  const columns = db
    .prepare<{ table: string }, string>(
      `SELECT DISTINCT c.name FROM pragma_index_list(@table) i, pragma_index_info(i.name) ic JOIN pragma_table_info(@table) c ON c.cid = ic.cid
       WHERE i."unique" = 1 AND c."notnull" = 0 ORDER BY c.cid`,
    )
    .pluck()
  return tablesOf(db).flatMap(({ name }) => columns.all({ table: name }).map((column) => `${name}.${column}`))
}
