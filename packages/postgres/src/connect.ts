/** Work of the operator on the database, beside a store: on a connection of its own. */

import pg from 'pg'
import { asStoreError, isUnreachable, unavailable } from './faults.ts'
import { createNames, type Names } from './names.ts'
import { checkPostgresOptions, type PostgresOptions } from './options.ts'

/** Which tables, and where. */
export type PostgresLocation = Pick<PostgresOptions, 'connectionString' | 'schema' | 'prefix'>

/** Throws `invalid_option`; rejects with `store_unavailable` where the server cannot be reached. */
export async function withDatabase<T>(
  location: PostgresLocation,
  work: (client: pg.ClientBase, names: Names) => Promise<T>,
): Promise<T> {
  const { connectionString, schema, prefix, timeoutMs } = checkPostgresOptions(location)
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: timeoutMs, application_name: 'farebox' })
  client.on('error', () => {})
  try {
    await client.connect()
    return await work(client, createNames(schema, prefix))
  } catch (error) {
    throw isUnreachable(error) ? unavailable('it cannot be reached', error) : asStoreError(error)
  } finally {
    await client.end().catch(() => {})
  }
}
