/** The stores that `--from` and `--to` name: a SQLite file, or a PostgreSQL by its URL. */

import { existsSync, realpathSync } from 'node:fs'
import type { Store } from '@farebox/core/contracts'
import { sqlite } from '@farebox/core/sqlite'
import type { postgres } from '@farebox/postgres'
import { codeOf, CommandError } from '../command-error.ts'

/** Nobody waits for one answer, and a thousand changes share the way to the server. */
const TIMEOUT_MS = 60_000

/** The store must be there already; a file that is not would be made. */
export async function openSource(location: string): Promise<Store> {
  if (!isUrl(location) && !existsSync(location))
    throw new CommandError(`There is no database ${location}: give --from the path that sqlite({ path }) was given, or a URL`)
  return openStore(location)
}

/** `postgres://user@host/database?schema=farebox&prefix=` or a path. */
export async function openStore(location: string): Promise<Store> {
  if (!isUrl(location)) return sqlite({ path: existsSync(location) ? realpathSync(location) : location })
  // Not shown: it may hold a password.
  if (!URL.canParse(location))
    throw new CommandError(
      'Expected a URL such as postgres://user@host:5432/database, got one that cannot be read: encode special characters of its password',
    )
  const { postgres: open } = await loadPostgres()
  const url = new URL(location)
  const names = { schema: url.searchParams.get('schema'), prefix: url.searchParams.get('prefix') }
  for (const name of Object.keys(names)) url.searchParams.delete(name)
  return open({
    connectionString: url.href,
    timeoutMs: TIMEOUT_MS,
    ...(names.schema === null ? {} : { schema: names.schema }),
    ...(names.prefix === null ? {} : { prefix: names.prefix }),
  })
}

function isUrl(location: string): boolean {
  return /^postgres(ql)?:\/\//.test(location)
}

/** Only who moves to or from PostgreSQL has to have the package. */
async function loadPostgres(): Promise<{ readonly postgres: typeof postgres }> {
  try {
    return await import('@farebox/postgres')
  } catch (error) {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new CommandError('A PostgreSQL URL needs the package @farebox/postgres beside farebox: npm install @farebox/postgres')
  }
}
