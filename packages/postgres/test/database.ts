/** A schema of its own for one test, and the second eye: a connection that no part of the store uses. */

import type { Store } from '@farebox/core/contracts'
import { databaseUrl } from '@farebox/postgres-server/url'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { postgres, type PostgresOptions } from '../src/index.ts'

export interface TestDatabase {
  readonly url: string
  readonly schema: string
  /** A store as a process of its own would have it. */
  store(options?: Partial<PostgresOptions>): Store
  /** Rows of any statement; the public views are on the path. */
  rows<Row extends Record<string, unknown>>(sql: string): Promise<Row[]>
  remove(): Promise<void>
}

let count = 0

export async function makeDatabase(): Promise<TestDatabase> {
  const url = databaseUrl()
  const schema = `t${process.pid}_${(count += 1)}`
  const eye = new pg.Client({ connectionString: url })
  await eye.connect()
  await eye.query(`SET search_path TO ${schema}`)
  const stores: Store[] = []
  return {
    url,
    schema,
    store(options = {}) {
      const store = postgres({ connectionString: url, schema, ...options })
      stores.push(store)
      return store
    },
    async rows<Row extends Record<string, unknown>>(sql: string) {
      const { rows } = await eye.query<Row>(sql)
      return rows
    },
    async remove() {
      await Promise.all(stores.map((store) => store.close()))
      await eye.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
      await eye.end()
    },
  }
}

/** For the length of one test. */
export async function testDatabase(): Promise<TestDatabase> {
  const database = await makeDatabase()
  onTestFinished(() => database.remove())
  return database
}
