/** The package `@farebox/postgres`, which only those need who use it, and how a command line names a database. */

import type * as Postgres from '@farebox/postgres'
import { codeOf, CommandError } from '../command-error.ts'

export async function loadPostgres(): Promise<typeof Postgres> {
  try {
    return await import('@farebox/postgres')
  } catch (error) {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new CommandError('A PostgreSQL URL needs the package @farebox/postgres beside farebox: npm install @farebox/postgres')
  }
}

export function isPostgresUrl(location: string): boolean {
  return /^postgres(ql)?:\/\//.test(location)
}

/** `postgres://user@host/database?schema=farebox&prefix=`; the last two are Farebox's own. */
export function locationOf(url: string): Postgres.PostgresLocation {
  // Not shown: it may hold a password.
  if (!isPostgresUrl(url) || !URL.canParse(url))
    throw new CommandError(
      'Expected a URL such as postgres://user@host:5432/database, got one that cannot be read: encode special characters of its password',
    )
  const location = new URL(url)
  const schema = location.searchParams.get('schema')
  const prefix = location.searchParams.get('prefix')
  for (const name of ['schema', 'prefix']) location.searchParams.delete(name)
  return {
    connectionString: location.href,
    ...(schema === null ? {} : { schema }),
    ...(prefix === null ? {} : { prefix }),
  }
}
