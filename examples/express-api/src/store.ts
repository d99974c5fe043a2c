/** Where `npm start` keeps its events. */

import type { Store } from '@farebox/core/contracts'
import { sqlite } from '@farebox/core/sqlite'
import { postgres } from '@farebox/postgres'
import { startPostgres } from '@farebox/postgres-server'
import pg from 'pg'
import type { StartOptions } from './start-options.ts'

export interface PreparedStore {
  /** A store on the database: one for each Farebox. */
  openStore(): Store
  /** Ends what was started for this run. */
  stop(): Promise<void>
}

/** The command's own; nothing else is in it. */
const SCHEMA = 'farebox_start'

/** With `DATABASE_URL` the events stay in a schema there; a server that is started here goes with its data. `fresh` begins with nothing. */
export async function prepareStore({ store, database }: StartOptions, fresh: boolean): Promise<PreparedStore> {
  if (store === 'sqlite') return { openStore: () => sqlite({ path: database }), stop: async () => {} }
  const given = process.env['DATABASE_URL']
  const server = given === undefined ? await startPostgres() : null
  const connectionString = server?.url ?? given ?? ''
  if (fresh) await dropSchema(connectionString)
  return { openStore: () => postgres({ connectionString, schema: SCHEMA }), stop: async () => server?.stop() }
}

async function dropSchema(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  await client.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`)
  await client.end()
}
