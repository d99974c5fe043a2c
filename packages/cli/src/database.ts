/** The database that `--database` names, opened. */

import { existsSync } from 'node:fs'
import { type Catalog, parseCatalog } from '@farebox/core'
import type { Store } from '@farebox/core/contracts'
import { CommandError } from './command-error.ts'
import { openStore } from './move/stores.ts'
import { isPostgresUrl } from './postgres/load.ts'

export interface Database {
  readonly store: Store
  /** All that were ever sold there. */
  readonly catalogs: readonly Catalog[]
}

/** What options and arguments call it. */
export const DATABASE_OPTION = 'a SQLite file, or a PostgreSQL as postgres://user@host/database?schema=farebox'

/** A SQLite file or the URL of a PostgreSQL that Farebox was started on. Rejects with one sentence where there is none. */
export async function openDatabase(location: string): Promise<Database> {
  if (!isPostgresUrl(location) && !existsSync(location))
    throw new CommandError(`There is no database ${location}: give --database the path that sqlite({ path }) was given, or a URL`)
  const store = await openStore(location)
  try {
    await store.open()
    const catalogs = (await store.catalogs()).map(({ document }) => parseCatalog(document))
    if (catalogs.length > 0) return { store, catalogs }
    throw new CommandError(
      `${store.facts.location} holds nothing: give --database the place that your application uses, once Farebox was started there`,
    )
  } catch (error) {
    await store.close()
    throw error
  }
}
