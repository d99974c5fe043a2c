/** Both stores: for each an empty database for the length of one test, and a second eye on it that no part of the store uses. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Store } from '@farebox/core'
import { sqlite } from '@farebox/core/sqlite'
import { postgres } from '@farebox/postgres'
import { databaseUrl } from '@farebox/postgres-server/url'
import Database from 'better-sqlite3'
import pg from 'pg'
import { onTestFinished } from 'vitest'

export type StoreName = 'SQLite' | 'PostgreSQL'

export interface TestDatabase {
  /** A store as another process, or the same one started again, would have it. */
  store(options?: { cacheSize?: number }): Store
  /** Rows of a query, every value as text: the public views read the same on both stores. */
  rows(sql: string): Promise<Record<string, string | null>[]>
  /** Does what no store does, to the private tables, which differ. */
  damage(sql: Readonly<Record<StoreName, string>>): Promise<void>
}

/** For `describe.each`. The database is there until the test ends, whoever opens and closes stores on it. */
export const STORES: readonly { readonly name: StoreName; database(): TestDatabase }[] = [
  { name: 'SQLite', database: sqliteDatabase },
  { name: 'PostgreSQL', database: postgresDatabase },
]

function sqliteDatabase(): TestDatabase {
  const folder = mkdtempSync(path.join(tmpdir(), 'farebox-scenario-'))
  const file = path.join(folder, 'billing.db')
  const { store, closeAll } = opened(({ cacheSize }) => sqlite({ path: file, ...(cacheSize === undefined ? {} : { cacheSize }) }))
  onTestFinished(async () => {
    await closeAll()
    rmSync(folder, { recursive: true })
  })
  async function withEye<T>(look: (eye: Database.Database) => T): Promise<T> {
    const eye = new Database(file)
    try {
      return look(eye)
    } finally {
      eye.close()
    }
  }
  return {
    store,
    rows: (sql) => withEye((eye) => (eye.prepare(sql).safeIntegers().all() as Record<string, unknown>[]).map(asText)),
    damage: (sql) => withEye((eye) => void eye.exec(sql.SQLite)),
  }
}

let schemas = 0

function postgresDatabase(): TestDatabase {
  const connectionString = databaseUrl()
  const schema = `scenario_${process.pid}_${(schemas += 1)}`
  const { store, closeAll } = opened((options) => postgres({ connectionString, schema, ...options }))
  async function withEye<T>(look: (eye: pg.Client) => Promise<T>): Promise<T> {
    const eye = new pg.Client({ connectionString, options: `-c search_path=${schema}` })
    await eye.connect()
    try {
      return await look(eye)
    } finally {
      await eye.end()
    }
  }
  onTestFinished(async () => {
    await closeAll()
    await withEye((eye) => eye.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`))
  })
  return {
    store,
    rows: (sql) => withEye(async (eye) => (await eye.query<Record<string, unknown>>(sql)).rows.map(asText)),
    damage: (sql) => withEye(async (eye) => void (await eye.query(sql.PostgreSQL))),
  }
}

/** A maker of stores that can close all it made. */
function opened(open: (options: { cacheSize?: number }) => Store) {
  const stores: Store[] = []
  return {
    store(options: { cacheSize?: number } = {}): Store {
      const store = open(options)
      stores.push(store)
      return store
    },
    closeAll: () => Promise.all(stores.map((store) => store.close())),
  }
}

function asText(row: Record<string, unknown>): Record<string, string | null> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]))
}
